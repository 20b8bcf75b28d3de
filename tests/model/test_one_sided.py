"""Kinks of the functions that users write: where they jump, by how much, in which derivative, in both precisions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.model.one_sided import sides, smooth_beside


def select(t):
    return jnp.select([t < -1, t < 2], [-1.0 + 0 * t, t**2 - 2], 2 * jnp.ones_like(t))


FUNCTIONS = {  # with kinks, the first derivative that jumps, and its jumps at all kinks
    "maximum": (lambda t: jnp.maximum(t, 0.0), (0.0,), 1, (1.0,)),
    "jax.nn.relu": (jax.nn.relu, (0.0,), 1, (1.0,)),
    "where": (lambda t: jnp.where(t >= 0, t, 0.1 * t), (0.0,), 1, (0.9,)),
    "leaky": (jax.nn.leaky_relu, (0.0,), 1, (0.99,)),
    "relu6": (jax.nn.relu6, (0.0, 6.0), 1, (1.0, -1.0)),
    "hard_tanh": (jax.nn.hard_tanh, (-1.0, 1.0), 1, (1.0, -1.0)),
    "hard_sigmoid": (jax.nn.hard_sigmoid, (-3.0, 3.0), 1, (1 / 6, -1 / 6)),
    "hard_swish": (jax.nn.hard_swish, (-3.0, 3.0), 1, (-0.5, 0.5 - 1.0)),
    "soft shrink": (
        lambda t: jnp.sign(t) * jnp.maximum(jnp.abs(t) - 0.5, 0.0),
        (-0.5, 0.5),
        1,
        (-1.0, 1.0),
    ),
    "clip": (lambda t: jnp.clip(t, -1e-3, 1e-3), (-1e-3, 1e-3), 1, (1.0, -1.0)),
    "far": (lambda t: jnp.maximum(t - 1e4, 0.0) + 1.0, (1e4,), 1, (1.0,)),
    "a constant first": (lambda t: jnp.maximum(t + 3.0, 3.0) - 3.0, (0.0,), 1, (1.0,)),
    "a large constant first": (lambda t: jnp.maximum(t + 1e4, 1e4) - 1e4, (0.0,), 1, (1.0,)),
    "a constant in single precision": (lambda t: jnp.maximum(t - np.float32(0.3), 0.0), (0.3,), 1, (1.0,)),
    "root of a square": (lambda t: jnp.sqrt(t**2), (0.0,), 1, (2.0,)),
    "elu": (jax.nn.elu, (0.0,), 2, (-1.0,)),
    "celu": (lambda t: jax.nn.celu(t, 0.5), (0.0,), 2, (-2.0,)),
    "selu": (jax.nn.selu, (0.0,), 1, (1.0507009873554805 * (1 - 1.6732632423543772),)),
    "square of relu": (lambda t: jnp.maximum(t, 0.0) ** 2, (0.0,), 2, (2.0,)),
    "cube": (lambda t: jnp.abs(t) ** 3, (0.0,), 3, (12.0,)),
    "step": (lambda t: jnp.where(t > 0.5, jnp.exp(t), 0.0), (0.5,), 0, (float(np.exp(0.5)),)),
    "select": (select, (-1.0, 2.0), 1, (-2.0, -4.0)),
    "fast beside its kink": (lambda t: jnp.where(t > 0, jnp.sin(300 * t), 0.0), (0.0,), 1, (300.0,)),
    "no kink": (lambda t: jnp.sin(t) + 5, (0.0, 1.0), None, ()),
}
PRECISIONS = pytest.mark.parametrize("double", [True, False], ids=["double", "single"])


@PRECISIONS
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_first_derivative_that_jumps_and_its_jumps(name, double):
    """The same fact in both precisions; whichever comes first, nothing else is remembered."""
    function, kinks, order, jumps = FUNCTIONS[name]
    with jax.enable_x64(double):
        sides.cache_clear()
        assert st.Elementwise(function, kinks).highest_order == order
        for m in range(order or 0):
            assert [sides(function, m, kink, kinks).jump for kink in kinks] == [0.0] * len(kinks)
        found = [sides(function, order, kink, kinks).jump for kink in kinks[: len(jumps)]]
    # Extrapolated from five points by weights whose sizes add up to 31, at distances where h^5 is below 1e-10.
    np.testing.assert_allclose(found, jumps, rtol=1e-9)


@PRECISIONS
def test_a_function_of_one_precision_alone_has_its_jumps(double):
    with jax.enable_x64(double):
        single = st.Elementwise(lambda t: jax.lax.max(t.astype(jnp.float32), jnp.float32(0)), (0.0,))
        assert single.highest_order == 1


@pytest.mark.parametrize("power", [0.5, 1.5])
def test_a_root_at_its_kink_has_as_many_derivatives_as_are_finite(power):
    root = st.Elementwise(lambda t: jnp.where(t > 0, jnp.where(t > 0, t, 1.0) ** power, 0.0), (0.0,))
    assert root.highest_order == int(power)


def test_a_function_that_is_not_finite_beside_its_kink_is_refused():
    with pytest.raises(ValueError, match="function: got a derivative of order 0 that is not finite beside"):
        _ = st.Elementwise(jnp.log, (0.0,)).highest_order


@PRECISIONS
def test_derivatives_beside_a_kink_have_no_rounding_of_the_function(double):
    """The second derivative of sqrt(t^2) is 0, and rounding over t; at 0 it is NaN."""
    t = np.array([-1e-2, -1e-9, 0.0, 1e-12, 3e-3])
    with jax.enable_x64(double):
        found = smooth_beside(FUNCTIONS["root of a square"][0], 2, (0.0,))(jnp.asarray(t))
    np.testing.assert_allclose(found, 0.0, atol=1e-10 if double else 1e-4)
