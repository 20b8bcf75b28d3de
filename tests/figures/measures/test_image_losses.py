"""Errors of images in both norms, and what is compared of two losses."""

import jax.numpy as jnp
import numpy as np
import pytest

from figures.kept import Keep
from figures.measures import image_losses


def test_a_wave_has_its_derivative_in_h1_only():
    side, xi = 16, 2 * np.pi * 3 / 16  # a wave of three periods: its frequency per pixel
    wave = np.broadcast_to(np.sqrt(2) * np.sin(xi * np.arange(side)), (2, side, side))[..., None]
    found = image_losses.errors(jnp.asarray(wave, jnp.float32))
    # Transforms of 256 numbers in single precision.
    np.testing.assert_allclose(found["error_L2"], 1.0, rtol=1e-5)
    np.testing.assert_allclose(found["error_H1"], np.sqrt(1 + xi**2), rtol=1e-5)


def test_channels_are_not_space():
    error = jnp.asarray([1.0, -1.0, 1.0], jnp.float32) * jnp.ones((1, 4, 4, 3))
    np.testing.assert_allclose(image_losses.errors(error)["error_H1"], 1.0, rtol=1e-6)


def compared(factor: float) -> list[str]:
    """Errors of H1 that are those of L2 over a factor."""
    l2 = np.linspace(1.0, 1.5, 6)[:, None] * np.array([4.0, 3.0, 2.0, 1.0])
    errors = np.stack([l2, l2 / factor])
    return image_losses.compare({"step": np.arange(4), "error_L2": errors, "error_H1": errors}, "error")


@pytest.mark.parametrize(
    ("factor", "verdicts"),
    [(2.0, ["supported"] * 3), (1.0, ["no effect seen"] * 3), (0.5, ["not supported, the opposite is seen"] * 3)],
)
def test_the_finding_says_what_the_errors_show(factor, verdicts):
    assert [line.split(":")[0] for line in compared(factor)] == verdicts


def test_orders_of_losses_are_not_trained():
    """Adam would lower them all: for s < 0 a large error counts less."""

    def objective(network, order, key):
        return image_losses.mean_square(network["image"][None], order)

    found = image_losses.train(
        lambda key: {"image": jnp.arange(16.0, dtype=jnp.float32).reshape(4, 4, 1)},
        objective,
        lambda network: {"end": network["image"]},
        seeds=1,
        steps=3,
        rate=0.1,
        every=3,
        keep=Keep(),
    )
    assert np.all(found["end"][0, 0, -1, 0, 0] != found["end"][1, 0, -1, 0, 0])  # H1 has another direction than L2
