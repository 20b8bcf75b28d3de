"""The methods themselves: quadrature and differences on known integrals, tests on known distributions."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy import stats

from verification import definitions, planar
from verification.checks import derivative, judge
from verification.checks.estimates import Average
from verification.checks.sampling import Measurement, Sample, detectable, holm, measure, propagate

ALPHA = 1e-6


def test_planar_quadrature_integrates_moments():
    second = planar.expectation(lambda y: y[:, :, None] * y[:, None, :], np.array([[0.3, 0.7], [1.0, -0.2]]), 2)
    np.testing.assert_allclose(second, np.eye(2), atol=4e-16)  # rounding of a sum of weights


def test_planar_quadrature_knows_the_orthant():
    """P(x > 0, y > 0) = 1/4 + arcsin(rho) / (2 pi) (Sheppard)."""
    p, q = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    both = planar.expectation(lambda y: (y @ p > 0) & (y @ q > 0), np.stack([p, q]), 0)
    assert both == pytest.approx(0.25 + np.arcsin(0.6) / (2 * pi), rel=4e-16)


def test_a_delta_on_a_line_is_the_derivative_of_an_indicator():
    """E[delta(n.y) |t|] = E|t| / (|n| sqrt(2 pi)), E|t| = sqrt(2 / pi)."""
    n = np.array([3.0, 4.0])
    value = planar.on_line(lambda y: np.abs(y @ np.array([-0.8, 0.6])), n, 1)
    assert value == pytest.approx(sqrt(2 / pi) / (5 * sqrt(2 * pi)), rel=4e-16)


def test_the_two_ways_to_a_loss_agree():
    """The square as it stands and expanded into pairs; rounding of ten terms of size one."""
    g = np.random.default_rng(0)
    w, v = g.standard_normal((2, 4))
    direct = definitions.loss(definitions.one_neuron(w, v, (1.0, 0.5)))
    split = definitions.Problem(np.stack([w, w]), np.array([0.25, 0.75]), v[None], np.ones(1), (1.0, 0.5))
    assert definitions.loss(split) == pytest.approx(direct, abs=1e-14)


def test_differences_are_of_order_eight():
    """Exact for polynomials of degree 8, to rounding 1e-16 / step."""
    coefficients = np.arange(1.0, 10.0)
    found = derivative(lambda x: np.polyval(coefficients, x), np.array(0.7), 0.1)
    assert found == pytest.approx(np.polyval(np.polyder(coefficients), 0.7), rel=1e-13)


def test_derivative_is_laid_out_as_jax_jacobian():
    found = derivative(lambda x: x[:, 0] * 2 + x[0, 1], np.ones((2, 3)), 0.1)
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found[0], [[2, 1, 0], [0, 0, 0]], atol=1e-14)  # rounding 1e-16 / step


def simulated(generator, truth, noise, groups):
    draws = truth + generator.standard_normal((groups, len(truth))) @ noise
    return Sample(None, draws.mean(axis=0), np.cov(draws.T) / groups, groups)


NOISE = np.array([[1.0, 0.6, 0.0], [0.0, 0.5, -0.3], [0.2, 0.0, 2.0]])
TRUTH = np.array([1.0, -2.0, 3.0])


def test_p_values_of_a_true_formula_are_uniform():
    """Kolmogorov-Smirnov at 1e-6 for T^2 and for each component, with as few groups as allowed."""
    generator = np.random.default_rng(1)
    found = [measure(simulated(generator, TRUTH, NOISE, 64), TRUTH) for _ in range(1500)]
    assert stats.kstest([m.omnibus for m in found], "uniform").pvalue > 1e-6
    for k in range(3):
        assert stats.kstest([m.p_values[k] for m in found], "uniform").pvalue > 1e-6


def test_the_detectable_error_is_found_with_the_stated_power():
    """0.99 of 1000 runs, within five standard errors sqrt(1000 0.99 0.01) = 3.1 below; more is possible, since
    components and T^2 both may find it.
    """
    generator = np.random.default_rng(2)
    found = 0
    for _ in range(1000):
        sample = simulated(generator, TRUTH, NOISE, 512)
        m = measure(sample, TRUTH)
        factor = 1 + detectable(m, ALPHA, 3, 1)
        found += judge([measure(sample, factor * TRUTH)], ALPHA)[0].p_value <= ALPHA
    assert found >= 990 - 16


def test_holm_adjusts_step_by_step():
    adjusted = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02], rtol=1e-15)


def test_a_component_without_variance_must_agree_to_rounding():
    sample = Sample(None, np.array([1.0, 0.0]), np.diag([1e-4, 0.0]), 100)
    assert judge([measure(sample, np.array([1.0, 0.0]))], ALPHA)[0].p_value == 1.0
    assert judge([measure(sample, np.array([1.0, 1e-6]))], ALPHA)[0].p_value == 0.0


def test_components_that_are_equal_by_symmetry_are_counted_once():
    sample = Sample(None, np.array([1.0, 1.0]), np.full((2, 2), 1e-4), 100)
    agreed = measure(sample, np.array([1.01, 1.01]))
    assert agreed.rank == 1
    assert judge([measure(sample, np.array([1.01, 0.99]))], ALPHA)[0].p_value == 0.0


def test_nan_in_a_formula_is_refuted_by_sampling():
    sample = Sample(None, TRUTH, np.eye(3) * 1e-4, 100)
    assert judge([measure(sample, np.array([1.0, np.nan, 3.0]))], ALPHA)[0].p_value == 0.0


def test_the_error_of_a_linear_reading_is_propagated_exactly():
    covariance = NOISE @ NOISE.T * 1e-4
    average = Average(TRUTH, covariance, 64, lambda mean: mean)
    matrix = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]])
    sample = propagate(None, [average], lambda mean: matrix @ mean)
    np.testing.assert_allclose(sample.covariance, matrix @ covariance @ matrix.T, rtol=1e-11)  # 1e-16 / step


def test_the_false_alarm_probability_is_shared_by_all_comparisons():
    """One p-value of 1e-7 is a refutation alone, and none among a hundred."""
    one = Measurement(np.array([5.0]), np.array([1e-7]), 0.5, 1, 4096, 0.1, 0.1, "")
    fine = Measurement(np.zeros(100), np.ones(100), 1.0, 100, 4096, 0.1, 0.1, "")
    assert judge([one], ALPHA)[0].p_value <= ALPHA
    assert judge([one, fine], ALPHA)[0].p_value > ALPHA
