"""The methods themselves: quadrature and differences on known integrals, tests on known distributions."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy import stats

from verification import definitions, planar
from verification.checks import derivative, judge
from verification.checks.estimates import SMALLEST, Average, Moments, corrected, merged, sizes
from verification.checks.sampling import (
    LOOKS,
    SLOTS,
    SPENDING,
    Measurement,
    Sample,
    detectable,
    holm,
    measure,
    propagate,
    refuted_alone,
)

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
    average = Average(TRUTH, covariance, 64, 2**14, lambda mean: mean)
    matrix = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]])
    sample = propagate(None, [average], lambda mean: matrix @ mean)
    np.testing.assert_allclose(sample.covariance, matrix @ covariance @ matrix.T, rtol=1e-11)  # 1e-16 / step


def test_the_false_alarm_probability_is_shared_by_all_comparisons():
    """One p-value of 1e-7 is a refutation alone, and none among a hundred."""
    one = Measurement(np.array([5.0]), np.array([1e-7]), 0.5, 1, 4096, 0.1, 0.1, "")
    fine = Measurement(np.zeros(100), np.ones(100), 1.0, 100, 4096, 0.1, 0.1, "")
    assert judge([one], ALPHA)[0].p_value <= ALPHA
    assert judge([one, fine], ALPHA)[0].p_value > ALPHA


# The sequential test.


def looked_at(generator, error: float, sizes: tuple[int, ...] = (64, 512, 4096)) -> list[Measurement]:
    """Growing samples of normal group means with covariance NOISE, and a formula that is off by `error` in all."""
    draws = generator.standard_normal((sizes[-1], 3)) @ NOISE
    return [
        measure(Sample(None, draws[:n].mean(axis=0), np.cov(draws[:n].T) / n, n), np.full(3, error))._replace(look=k)
        for k, n in enumerate(sizes)
    ]


def ending(looks: list[Measurement], alpha: float) -> Measurement:
    """Where the test stops."""
    return next((m for m in looks if refuted_alone(m, alpha)), looks[-1])


def test_the_levels_of_the_looks_add_up():
    assert len(SPENDING) == LOOKS
    assert sum(SPENDING) == pytest.approx(1.0, rel=1e-15)


def test_true_formulas_are_refuted_no_more_often_than_stated():
    """Runs of one comparison, at alpha = 0.2. The bound counts twice over tests of components and T^2 that
    mostly agree, so that about 0.1 is expected; the exact binomial p-value of more than 0.2 must not fall below 1e-6.
    """
    alpha, runs, generator = 0.2, 600, np.random.default_rng(3)
    alarms = 0
    for _ in range(runs):
        looks = looked_at(generator, 0.0, (64, 128, 256))
        alarms += judge([ending(looks, alpha)], alpha)[0].verdict.holds is False
    assert stats.binomtest(alarms, runs, alpha, alternative="greater").pvalue > 1e-6
    assert alarms > 0.02 * runs  # and the levels are not wasted: half of 0.16 goes to T^2 alone


def test_an_early_refutation_happens_no_more_often_than_stated():
    """The level of the first look is alpha_1 / SLOTS, here 0.1: exact binomial p-value above 1e-6."""
    alpha, runs, generator = SLOTS, 600, np.random.default_rng(4)
    early = sum(refuted_alone(looked_at(generator, 0.0, (64, 65, 66))[0], alpha) for _ in range(runs))
    assert stats.binomtest(early, runs, SPENDING[0], alternative="greater").pvalue > 1e-6
    assert early > 0


def test_a_gross_error_is_found_at_the_first_look_and_a_small_one_at_the_last():
    generator = np.random.default_rng(5)
    gross, small = ending(looked_at(generator, 3.0), ALPHA), ending(looked_at(generator, 0.15), ALPHA)
    assert gross.look == 0
    assert small.look == LOOKS - 1
    assert [e.verdict.holds for e in judge([gross, small], ALPHA)] == [False, False]


def test_the_stated_power_holds_with_the_early_looks():
    """As without them, `test_the_detectable_error_is_found_with_the_stated_power`: they only add power."""
    generator = np.random.default_rng(6)
    found = 0
    for _ in range(300):
        draws = TRUTH + generator.standard_normal((512, 3)) @ NOISE
        last = Sample(None, draws.mean(axis=0), np.cov(draws.T) / 512, 512)
        factor = 1 + detectable(measure(last, TRUTH), ALPHA, 3, 1)
        first = Sample(None, draws[:64].mean(axis=0), np.cov(draws[:64].T) / 64, 64)
        looks = [measure(first, factor * TRUTH)._replace(look=0), measure(last, factor * TRUTH)]
        found += not judge([ending(looks, ALPHA)], ALPHA)[0].verdict.holds
    assert stats.binomtest(found, 300, 0.99, alternative="less").pvalue > 1e-6


def test_a_comparison_refuted_early_does_not_help_the_others():
    early = Measurement(np.array([40.0]), np.array([1e-40]), 1e-40, 1, 64, 0.1, 0.1, "", look=0)
    other = Measurement(np.array([5.0]), np.array([3e-7]), 0.5, 1, 4096, 0.1, 0.1, "")
    assert [e.verdict.holds for e in judge([early, other], ALPHA)] == [False, True]
    assert judge([early, other], ALPHA)[1].p_value == pytest.approx(2 * 2 * 3e-7 / SPENDING[-1])


def test_more_comparisons_than_the_looks_are_corrected_for_are_an_error():
    fine = Measurement(np.zeros(1), np.ones(1), 1.0, 1, 4096, 0.1, 0.1, "")
    with pytest.raises(ValueError, match="SLOTS"):
        judge([fine] * (SLOTS + 1), ALPHA)


# Averages in stages, corrected by control variates.


def moments(draws) -> Moments:
    gaps = draws - draws.mean(axis=0)
    return Moments(draws.mean(axis=0), gaps.T @ gaps, len(draws))


def test_stages_together_are_the_whole():
    draws = np.random.default_rng(7).standard_normal((50, 4)) + 3
    both = merged(moments(draws[:20]), moments(draws[20:]))
    np.testing.assert_allclose(both.mean, moments(draws).mean, rtol=1e-14)  # rounding of sums of 50
    np.testing.assert_allclose(both.scatter, moments(draws).scatter, rtol=1e-13, atol=1e-13)
    assert both.groups == 50


def test_every_look_has_whole_batches_and_no_look_is_too_small():
    assert sizes(2**20) == [2**14, 2**17, 2**20]
    assert sizes(1) == [SMALLEST] * 3


def test_correction_by_controls_leaves_the_tests_exact():
    """With 40 groups and 14 controls, that explain most of the noise, the t-statistics have 25 degrees of freedom:
    Kolmogorov-Smirnov at 1e-6. Counted as 39 degrees, or not widened, 2000 of them fail it.
    """
    generator = np.random.default_rng(8)
    mixing = generator.standard_normal((14, 2))
    p_values = []
    for _ in range(2000):
        controls = generator.standard_normal((40, 14))
        draws = np.concatenate([2.0 + controls @ mixing + generator.standard_normal((40, 2)), controls], axis=1)
        mean, covariance, groups = corrected(moments(draws), 2)
        assert groups == 26
        p_values.append(measure(Sample(None, mean, covariance, groups), np.full(2, 2.0)).omnibus)
    assert stats.kstest(p_values, "uniform").pvalue > 1e-6


def test_controls_remove_the_noise_that_they_explain():
    """Variance 1 of 1 + 14 remains; known to sqrt(2/1000) = 4.5 %, five times that allowed."""
    generator = np.random.default_rng(9)
    controls = generator.standard_normal((1000, 14))
    draws = np.concatenate([controls @ np.ones((14, 1)) + generator.standard_normal((1000, 1)), controls], axis=1)
    assert corrected(moments(draws), 1)[1][0, 0] == pytest.approx(1 / 1000, rel=0.25)
