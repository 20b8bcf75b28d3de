"""Duals derived from the activations' definitions are those of the library; so are truncated powers."""

import jax
import numpy as np
import pytest
import sympy as sp

import sobolev_theory as st
from sobolev_theory.kernels import truncated_powers as library
from sobolev_theory.symbolic import as_function, duals, r, r_star, theta, truncated_powers

NUMBERS = {duals.frequency: 1.3, duals.phase: 0.4}
COEFFICIENTS = (0.5, -1.0, 0.75, 0.25)
FAMILIES = {
    "repu 2": (st.RePU(2), lambda m: duals.repu(2, m), 3),
    "repu 3": (st.RePU(3), lambda m: duals.repu(3, m), 3),
    "leaky": (st.LeakyReLU(0.2), lambda m: duals.leaky_relu(sp.Float(0.2), m), 2),
    "absolute": (st.AbsoluteValue(), duals.absolute_value, 2),
    "polynomial": (st.Polynomial(COEFFICIENTS), lambda m: duals.polynomial(COEFFICIENTS, m), 3),
    "sine": (st.Sine(1.3, 0.4), duals.sine, 3),
    "cosine": (st.Cosine(1.3, 0.4), duals.cosine, 3),
    "erf": (st.Erf(), duals.erf, 3),
    "gaussian": (st.Gaussian(), duals.gaussian, 3),
    "gelu": (st.GELU(), duals.gelu, 3),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_derived_dual_is_that_of_the_library(name):
    activation, derived, orders = FAMILIES[name]
    generator = np.random.default_rng(0)
    norms, angle = generator.uniform(0.3, 2.0, (2, 20)), generator.uniform(0.3, 2.8, 20)
    for order in range(orders):
        expression = derived(order)
        expected = as_function(expression.subs(NUMBERS), [r, r_star, theta])(*norms, angle)
        found = jax.jit(lambda n, n_, t, m=order: st.dual(activation, m, n, n_, angle=t))(*norms, angle)
        # of the largest: the closed forms of kinks cancel near pi
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.max(np.abs(expected)))
        assert sp.latex(expression)


def test_a_gelu_is_a_smoothed_relu_less_a_density():
    assert duals.gelu_remainder() == 0


@pytest.mark.parametrize("n", range(5))
def test_the_recurrence_of_truncated_powers(n):
    assert truncated_powers.recurrence_defect(n) == 0


@pytest.mark.parametrize("n", range(4))
def test_the_obtuse_series_is_the_repeated_integral(n):
    series = library._series(n)
    exact = [float(truncated_powers.obtuse_coefficient(n, k)) for k in range(len(series))]
    np.testing.assert_allclose(series, exact, rtol=1e-15)  # a few roundings; measured 7e-16


@pytest.mark.parametrize("order", [-1, 3, 0.5])
def test_orders_that_do_not_exist_are_refused(order):
    with pytest.raises(ValueError, match="order: got"):
        duals.repu(2, order)
