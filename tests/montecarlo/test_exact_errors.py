"""Standard errors from the second moments: that they are those of many estimates, and known before them."""

import jax
import numpy as np
import pytest

import sobolev_theory as st

ROWS = np.random.default_rng(0).normal(size=(4, 3))
NETWORKS = st.Network(ROWS[:2], [1.0, -0.7]), st.Network(ROWS[2:])


def estimate(seed: int = 0, **options) -> st.montecarlo.Estimate:
    options = {"samples": 2**10, "batch": 2**10, **options}
    return st.montecarlo.population_gradient(*NETWORKS, st.H1, key=jax.random.key(seed), **options)


def test_deviations_in_exact_errors_are_standard_normal():
    exact = np.asarray(st.population_gradient(*NETWORKS, st.H1).weights)
    found = [estimate(seed, exact_error=True) for seed in range(60)]
    z = np.array([(one.mean.weights - exact) / one.standard_error.weights for one in found])
    assert np.abs(z.mean(axis=0)).max() < 4 / np.sqrt(60)
    assert 0.85 < np.sqrt(np.mean(z**2)) < 1.15  # 360 numbers: 1 +- 0.04
    assert found[0].method == "independent"


def test_the_samples_that_a_standard_error_takes_are_known():
    noise = st.gradient_noise(*NETWORKS, st.H1)
    target = float(np.max(noise.standard_error(2**12)))
    found = estimate(exact_error=True, standard_error=target, samples=2**20)
    assert found.samples == 2**12
    assert float(np.max(found.standard_error.weights)) == pytest.approx(target)


@pytest.mark.parametrize(
    "options",
    [{"method": "sobol"}, {"sampling": "span"}, {"control": st.L2}],
    ids=lambda options: next(iter(options)),
)
def test_other_samples_than_independent_ones_are_named(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}: got .* for exact errors"):
        estimate(exact_error=True, **options)


def test_of_other_estimators_they_are_not_known():
    with pytest.raises(TypeError, match="exact_error: got True; needs False"):
        st.montecarlo.population_loss(*NETWORKS, key=jax.random.key(0), exact_error=True)
