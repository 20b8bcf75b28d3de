"""The losses of the public code: against transforms along one axis, and their way to H1."""

import jax.numpy as jnp
import numpy as np

from figures.measures import image_losses, published_losses
from figures.measures.published_losses import mean_absolute, mean_square, weights, weights_of

N = 4
ERROR = np.random.default_rng(0).normal(size=(3, N, N, 1)).astype(np.float32)
XI = 2 * np.pi * np.arange(N) / N


def filtered(axis):
    """By NumPy, the modes weighted by (1 + xi^2)^(1/2) as k stands."""
    shape = [1, 1, 1, 1]
    shape[axis] = N
    factor = np.sqrt(1 + XI**2).reshape(shape)
    return np.fft.ifft(factor * np.fft.fft(ERROR, axis=axis), axis=axis)


def test_the_papers_loss_is_that_of_the_rows_and_of_the_columns():
    fields = filtered(1), filtered(2)
    squares = sum(np.mean(np.abs(field) ** 2, axis=(1, 2, 3)) for field in fields)
    absolutes = sum(np.mean(np.abs(field), axis=(1, 2, 3)) for field in fields)
    # Transforms in single precision.
    np.testing.assert_allclose(mean_square(ERROR, weights("paper", N)), squares, rtol=1e-5)
    np.testing.assert_allclose(mean_square(ERROR, weights_of(jnp.float32(1.0), N)), squares, rtol=1e-5)
    np.testing.assert_allclose(mean_absolute(ERROR), absolutes, rtol=1e-5)


def test_its_steps_lead_to_h1_and_its_order_0_is_l2():
    value = np.mean(ERROR**2, axis=(1, 2, 3))
    np.testing.assert_allclose(mean_square(ERROR, weights_of(jnp.float32(0.0), N)), value, rtol=1e-5)
    np.testing.assert_allclose(weights("paper", N) - weights("value once", N), 1.0, rtol=1e-5)
    clean = mean_square(ERROR, weights("H1", N))
    np.testing.assert_allclose(np.mean(clean), image_losses.mean_square(ERROR, 1.0), rtol=1e-5)
    assert weights("H1", N)[0, 1] == weights("H1", N)[0, N - 1]
    assert weights("paper", N)[0, 1] < weights("paper", N)[0, N - 1]
    assert published_losses.weights("L2", N).tolist() == np.ones((N, N)).tolist()
