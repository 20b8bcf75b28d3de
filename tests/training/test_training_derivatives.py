"""Derivatives of networks: every mode against closed forms, in every shape of input and output."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory import training

derivatives = eqx.filter_jit(training.derivatives)  # compiled once, not operation by operation
MODES = ("auto", "forward", "reverse", "taylor")
A = jnp.array([[0.3, -1.2, 0.7], [1.1, 0.4, -0.5]])


def waves(x):
    """Two outputs, sin(a.x): the m-th derivative is sin^(m)(a.x) a (x) ... (x) a."""
    return jnp.sin(A[:, : x.size] @ x.reshape(-1))


def closed_form(x, order: int):
    a = np.asarray(A)[:, : x[0].size]
    found = np.sin(x.reshape(len(x), -1) @ a.T + order * np.pi / 2)
    for _ in range(order):
        found = found[..., None] * a.reshape(1, 2, *(1,) * (found.ndim - 2), -1)
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("inputs", [1, 3])
def test_every_mode_gives_the_derivatives_of_plane_waves(mode, inputs):
    x = np.random.default_rng(0).standard_normal((4, inputs))
    for order, found in enumerate(derivatives(waves, x, 3, mode)):
        # Rounding of some tens of operations on numbers of order 1.
        np.testing.assert_allclose(found, closed_form(x, order), atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_functions_of_a_scalar_have_no_axes_of_inputs(mode):
    x = jnp.array([0.5, 2.0])
    value, slope, curvature = derivatives(lambda x: jnp.stack([x**3, jnp.exp(x)]), x, 2, mode)
    np.testing.assert_allclose(value, np.stack([x**3, np.exp(x)], axis=1), rtol=1e-14)
    np.testing.assert_allclose(slope, np.stack([3 * x**2, np.exp(x)], axis=1), rtol=1e-14)
    np.testing.assert_allclose(curvature, np.stack([6 * x, np.exp(x)], axis=1), rtol=1e-14)


def test_points_may_be_images():
    x = np.random.default_rng(1).standard_normal((5, 3, 1))
    _, slope, curvature = derivatives(waves, x, 2)
    assert slope.shape == (5, 2, 3, 1)
    np.testing.assert_allclose(curvature, closed_form(x, 2).reshape(5, 2, 3, 1, 3, 1), atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_single_precision_stays_single(mode):
    x = jnp.ones((2, 2), jnp.float32)
    assert {array.dtype for array in derivatives(lambda x: jnp.tanh(x).sum(), x, 2, mode)} == {np.dtype("f4")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((jnp.ones(2), -1), "order: got -1"),
        ((jnp.ones(2), 1, "backward"), "method: got 'backward'"),
        ((jnp.ones(()), 1), "x: got a scalar"),
        ((jnp.array([1.0, np.nan]), 1), "x: got nan"),
        ((jnp.ones((2, 0)), 1), r"x: got shape \(2, 0\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.derivatives(jnp.sin, *arguments)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(
    ("network", "x", "name"),
    [
        (jnp.sin, [1j], "x"),
        (jnp.sin, ["a"], "x"),
        (lambda x: x.astype(jnp.int32), [0.5], "network"),
        (lambda x: x > 0, [0.5], "network"),
        (lambda x: jnp.exp(1j * x), [0.5], "network"),
        (lambda x: (x, x), [0.5], "network"),
        (lambda x: {"value": x}, [0.5], "network"),
    ],
)
def test_what_is_no_real_array_is_named(network, x, name, order):
    with pytest.raises(TypeError, match=f"{name}: got .*; needs .*real"):
        training.derivatives(network, x, order)


def test_no_points_have_no_derivatives():
    assert [d.shape for d in training.derivatives(waves, jnp.ones((0, 3)), 2)] == [(0, 2), (0, 2, 3), (0, 2, 3, 3)]


def test_derivatives_can_be_differentiated_in_the_parameters():
    x = jnp.array([0.3, 0.9])
    for mode in MODES:
        slope = jax.grad(lambda a, mode=mode: training.derivatives(lambda x: jnp.sin(a * x), x, 2, mode)[2].sum())(
            2.0
        )
        # d/da of -a^2 sin(a x)
        np.testing.assert_allclose(slope, np.sum(-4 * np.sin(2 * x) - 4 * x * np.cos(2 * x)), rtol=1e-13)
