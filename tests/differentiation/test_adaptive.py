"""Adaptive differences: the estimate bounds the error and is no empty bound; what cannot be met is said."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory.differentiation import ToleranceNotMetError, adaptive

FUNCTIONS = {
    "sin 3x": lambda x: jnp.sin(3 * x),
    "sin 30x": lambda x: jnp.sin(30 * x),
    "exp": jnp.exp,
    "Runge": lambda x: 1 / (1 + 25 * x**2),
    "far": lambda x: 1e3 + jnp.tanh(x),
    "log": lambda x: jnp.log(x + 2.01),  # defined to the right of -2.01 only
}
POINTS = np.random.default_rng(0).uniform(-2.0, 2.0, 200)
TRUE = {  # first and second derivatives
    "sin 3x": (lambda x: 3 * np.cos(3 * x), lambda x: -9 * np.sin(3 * x)),
    "sin 30x": (lambda x: 30 * np.cos(30 * x), lambda x: -900 * np.sin(30 * x)),
    "exp": (np.exp, np.exp),
    "Runge": (
        lambda x: -50 * x / (1 + 25 * x**2) ** 2,
        lambda x: (3750 * x**2 - 50) / (1 + 25 * x**2) ** 3,
    ),
    "far": (lambda x: 1 / np.cosh(x) ** 2, lambda x: -2 * np.tanh(x) / np.cosh(x) ** 2),
    "log": (lambda x: 1 / (x + 2.01), lambda x: -1 / (x + 2.01) ** 2),
}


def on_host(estimate):
    return jax.tree.map(np.asarray, estimate)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_estimate_bounds_the_error_and_is_no_empty_bound(name, dtype, order):
    x = POINTS.astype(dtype)
    found = on_host(adaptive.derivative(FUNCTIONS[name], x, order))
    assert found.value.dtype == dtype
    error = abs(found.value - TRUE[name][order - 1](x.astype(float)))
    assert np.all(error <= found.error)
    # A difference from the next lower order overstates the error by the gain of an order, a bound on rounding by the
    # square root of the number of values: some tens, and more by luck.
    assert np.median(found.error / np.maximum(error, np.finfo(float).tiny)) < 300


def test_double_precision_gives_ten_digits_of_a_first_derivative():
    found = on_host(adaptive.derivative(jnp.sin, POINTS, tolerance=1e-10))
    assert np.max(abs(found.value - np.cos(POINTS))) <= 1e-10


def test_a_wave_as_long_as_the_largest_spacing_is_no_constant():
    found = on_host(adaptive.derivative(lambda x: jnp.sin(4 * np.pi * x), POINTS, largest_spacing=0.5))
    assert np.all(abs(found.value - 4 * np.pi * np.cos(4 * np.pi * POINTS)) <= found.error)


def test_large_spacings_that_agree_on_too_little_are_refuted_by_small_ones():
    """Third derivatives of a wave far shorter than the largest spacing, in single precision."""
    x = POINTS.astype(np.float32)
    found = on_host(adaptive.derivative(FUNCTIONS["sin 30x"], x, 3))
    assert np.all(abs(found.value - -27000 * np.cos(30 * x.astype(float))) <= found.error)


def test_spacings_whose_power_underflows_are_left_out():
    found = on_host(adaptive.derivative(jnp.exp, np.float32(0.5), 7))
    assert abs(found.value - np.exp(0.5)) <= found.error < np.inf


def test_a_faster_function_gets_a_smaller_spacing():
    slow, fast = (adaptive.derivative(lambda x, k=k: jnp.sin(k * x), POINTS).spacing for k in (1.0, 100.0))
    ratio = float(np.median(slow) / np.median(fast))
    assert 30 < ratio < 300  # 100, to a step or two of the golden ratio


def test_noise_makes_spacings_larger_and_errors_honest():
    rough = np.random.default_rng(1)

    def measured(x):
        return np.exp(np.asarray(x)) * (1 + 1e-6 * rough.uniform(-1, 1, x.shape))

    found = on_host(adaptive.derivative(measured, POINTS, noise=1e-6))
    assert np.all(abs(found.value - np.exp(POINTS)) <= found.error)
    assert np.median(found.spacing) > 3 * np.median(adaptive.derivative(jnp.exp, POINTS).spacing) / 2


def test_a_tolerance_that_cannot_be_met_raises_with_the_estimate():
    with pytest.raises(ToleranceNotMetError, match=r"tolerance: got 1e-17; needs at least .* x = ") as caught:
        adaptive.derivative(jnp.exp, POINTS, tolerance=1e-17)
    estimate = on_host(caught.value.estimate)
    assert np.max(estimate.error) > 1e-17
    assert np.max(abs(estimate.value - np.exp(POINTS))) < 1e-10


def test_under_jit_it_raises_too():
    strict = eqx.filter_jit(lambda x: adaptive.derivative(jnp.exp, x, tolerance=1e-17).value)
    with pytest.raises(eqx.EquinoxRuntimeError, match="tolerance: got 1e-17"):
        jax.block_until_ready(strict(POINTS))


def test_jit_vmap_and_grad_go_through():
    """The derivative of the derivative, at points where one candidate is best around."""

    def slope(x):
        return adaptive.derivative(jnp.sin, x, largest_spacing=0.2, levels=4).value

    curvature = jax.jit(jax.vmap(jax.grad(slope)))(POINTS)
    np.testing.assert_allclose(curvature, -np.sin(POINTS), atol=1e-10)  # the scheme applied to cos, as good as to sin


def test_a_function_that_is_nowhere_defined_is_refused():
    with pytest.raises(ToleranceNotMetError, match=r"f: got too few finite values around x = -3\.0"):
        adaptive.derivative(jnp.log, jnp.array([-3.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 0}, "order: got 0"),
        ({"highest_accuracy": 2}, "highest_accuracy: got 2; needs at least 4"),
        ({"tolerance": 0.0}, "tolerance: got 0.0"),
        ({"noise": -1.0}, "noise: got -1.0"),
        ({"largest_spacing": np.inf}, "largest_spacing: got inf"),
        ({"levels": 1}, "levels: got 1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        adaptive.derivative(jnp.sin, 0.0, **arguments)


def test_values_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"f: got values of shape \(\)"):
        adaptive.derivative(lambda x: jnp.sum(x), 0.0)
