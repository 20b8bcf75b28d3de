"""Facts of the forward process and of the way back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.problems import ddpm


@pytest.mark.parametrize("steps", [1, 20, 1000])
def test_alpha_bar_falls_from_one_and_stays_positive(steps):
    alpha_bar = ddpm.cosine_schedule(steps)
    assert alpha_bar.shape == (steps + 1,)
    assert alpha_bar[0] == 1
    assert np.all(np.diff(alpha_bar) < 0)
    assert alpha_bar[-1] > 0


def test_little_is_left_of_the_image_at_the_end():
    assert ddpm.cosine_schedule(1000)[-1] < 1e-4
    assert ddpm.cosine_schedule(200)[-1] < 1e-4


def test_the_noisy_image_keeps_unit_variance():
    alpha_bar = jnp.asarray(ddpm.cosine_schedule(10))
    noise = np.random.default_rng(0).choice([-1.0, 1.0], (2, 4096))  # image and noise, each of variance 1
    for t in (1, 5, 10):
        noisy = ddpm.noised(alpha_bar, t, noise[0], noise[1])
        # The sample covariance of image and noise is below 4/64 with four standard errors; its factor is at most 1.
        np.testing.assert_allclose(np.mean(noisy**2), 1.0, atol=4 / 64)


def test_one_step_back_is_the_posterior_of_the_paper():
    alpha_bar = ddpm.cosine_schedule(50).astype(float)
    t = 20
    beta = 1 - alpha_bar[t] / alpha_bar[t - 1]
    clean, noisy = 0.7, -1.3
    mean, variance = ddpm.step_back(jnp.asarray(alpha_bar), t, t - 1, noisy, clean)
    share = 1 - alpha_bar[t]
    expected = (np.sqrt(alpha_bar[t - 1]) * beta * clean + np.sqrt(1 - beta) * (1 - alpha_bar[t - 1]) * noisy) / share
    # Differences 1 - alpha_bar of single precision.
    np.testing.assert_allclose(mean, expected, rtol=1e-5)
    np.testing.assert_allclose(variance, (1 - alpha_bar[t - 1]) / share * beta, rtol=1e-5)


@pytest.mark.parametrize(("t", "s"), [(9, 8), (10, 3), (4, 0)])
def test_a_step_back_restores_the_distribution_of_the_earlier_image(t, s):
    # x_t is linear in its noise and x_s in x_t: the mean over noise is the mean for noise 0, and variances add.
    alpha_bar, clean = jnp.asarray(ddpm.cosine_schedule(10)), 0.8
    mean, variance = ddpm.step_back(alpha_bar, t, s, ddpm.noised(alpha_bar, t, clean, 0.0), clean)
    slope = ddpm.step_back(alpha_bar, t, s, ddpm.noised(alpha_bar, t, clean, 1.0), clean).mean - mean
    np.testing.assert_allclose(mean, jnp.sqrt(alpha_bar[s]) * clean, rtol=1e-5)
    np.testing.assert_allclose(slope**2 + variance, 1 - alpha_bar[s], rtol=1e-5, atol=1e-7)


def test_sampling_with_the_true_image_ends_at_it():
    alpha_bar, truth = jnp.asarray(ddpm.cosine_schedule(10)), jnp.full((2, 3, 3, 1), 0.25)
    times = ddpm.fewer_steps(10, 4)
    drawn = ddpm.sample(lambda x, t: truth, alpha_bar, times, truth.shape, jax.random.key(0))
    np.testing.assert_allclose(drawn, truth, rtol=1e-6)


def test_sampling_from_gaussian_data_has_their_variance():
    # For N(0, v) data, E[x_0 | x_t] = v sqrt(a) x_t / (v a + 1 - a), the best prediction of x_0.
    v, steps = 0.04, 40
    alpha_bar = jnp.asarray(ddpm.cosine_schedule(steps))

    def predict(x, t):
        a = alpha_bar[t]
        return v * jnp.sqrt(a) * x / (v * a + 1 - a)

    drawn = ddpm.sample(predict, alpha_bar, ddpm.fewer_steps(steps, steps), (4096, 1, 1, 1), jax.random.key(0))
    # The chain drops the posterior's variance: propagate its variance through the same linear steps.
    expected = 1.0
    for t in range(steps, 0, -1):
        unit = ddpm.step_back(alpha_bar, t, t - 1, 1.0, predict(1.0, t))
        expected = float(unit.mean**2 * expected + unit.variance)
    # 4096 squares of a Gaussian: a standard error of sqrt(2/4096) = 2.2 per cent, four of them.
    np.testing.assert_allclose(np.mean(np.square(drawn)), expected, rtol=0.09)


@pytest.mark.parametrize("times", [[10], [10, 5], [9, 0], [10, 4, 4, 0]])
def test_times_that_do_not_fall_from_the_last_to_zero_are_refused(times):
    with pytest.raises(ValueError, match=r"times: got \[.*needs steps that fall from 10 to 0"):
        ddpm.sample(lambda x, t: x, jnp.asarray(ddpm.cosine_schedule(10)), times, (1, 1, 1, 1), jax.random.key(0))


@pytest.mark.parametrize("count", [0, 11])
def test_more_steps_than_there_are_is_refused(count):
    with pytest.raises(ValueError, match=f"count: got {count}; needs 1 to 10"):
        ddpm.fewer_steps(10, count)


def test_a_schedule_needs_a_step():
    with pytest.raises(ValueError, match="steps: got 0"):
        ddpm.cosine_schedule(0)
