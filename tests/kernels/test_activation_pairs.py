"""Boundary terms of a user's function are those of its closed form, whatever it says at its kink itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.geometry.angles import Angles
from sobolev_theory.kernels import activation_pairs
from sobolev_theory.kernels.gaussian_pairs import GaussianPair
from sobolev_theory.kernels.moments_of_one import delta_moment

KINK = 1.3


class Shifted(st.Activation):
    """(t - kink)_+ in closed form."""

    kinks = (KINK,)

    def __call__(self, t):
        return jnp.maximum(t - KINK, 0.0)

    @property
    def terms(self):
        return ((1.0, st.activation_terms.truncated_power(1, KINK)),)


CONVENTIONS = {
    "0": (lambda t: jax.nn.relu(t), (0.0,), st.ReLU()),
    "one half": (lambda t: jnp.maximum(t, 0.0), (0.0,), st.ReLU()),
    "1": (lambda t: jnp.where(t >= 0, t, 0.0), (0.0,), st.ReLU()),
    "NaN": (lambda t: jnp.sqrt(t**2), (0.0,), st.AbsoluteValue()),
    "a constant first": (lambda t: jnp.maximum(t + 3.0, 3.0) - 3.0, (0.0,), st.ReLU()),
    "away from 0": (lambda t: jax.nn.relu(t - KINK), (KINK,), Shifted()),
}
slopes = jax.jit(activation_pairs.slopes, static_argnums=(0, 1, 2, 4, 5))

THETAS = np.array([0.0, 1e-12, 1e-6, 0.4, np.pi / 2, 2.0, np.pi])


@pytest.mark.parametrize("double", [True, False], ids=["double", "single"])
@pytest.mark.parametrize("name", CONVENTIONS)
def test_boundary_slopes_are_those_of_the_closed_form(name, double):
    """Of neurons with and without biases, at all angles; the same neuron has the mean of both sides at its kink."""
    function, kinks, closed = CONVENTIONS[name]
    numerical = st.Elementwise(function, kinks)
    with jax.enable_x64(double):
        theta = jnp.asarray(THETAS)
        cos, sin = np.cos(THETAS), np.sin(THETAS)
        sin[[0, -1]] = 0.0
        angles = Angles(theta, jnp.asarray(np.pi - THETAS), jnp.asarray(sin), jnp.asarray(cos))
        norm, mean = (jnp.asarray(x)[:, None] + 0 * theta for x in ([1.0, 0.7, 2.0], [0.5, -0.2, 0.0]))
        pair = GaussianPair(norm, norm, angles, mean, mean * jnp.asarray(np.sign(cos + 1e-9)))
        (found,), (exact,) = (slopes(sigma, sigma, (1,), pair, "boundary", 256) for sigma in (numerical, closed))
        for one, other in zip(found[1:], exact[1:], strict=True):  # of sizes up to 1 / sin, which are equal ones
            np.testing.assert_allclose(one, other, rtol=1e-9 if double else 1e-4, atol=1e-9 if double else 1e-4)


def test_a_biased_kink_against_itself():
    """E[delta(u) s'(u)] = density / 2, u ~ N(b, 1)."""
    numerical = st.Elementwise(jax.nn.relu, (0.0,))
    zero = jnp.zeros(1)
    pair = GaussianPair(zero + 1, zero + 1, Angles(zero, zero + np.pi, zero, zero + 1), zero + 0.5, zero + 0.5)
    (found,) = slopes(numerical, numerical, (1,), pair, "boundary", 256)
    assert abs(float(found.mean[0]) - np.exp(-0.125) / np.sqrt(2 * np.pi) / 2) <= 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_densities_of_kinks_are_numbers_for_neurons_of_all_sizes(dtype):
    """Where the density is 0, so is its product with a power of 1 / norm that overflows."""
    norms = 10.0 ** np.linspace(*((-37, 37) if dtype == np.float32 else (-300, 300)), 61)
    for order in range(4):
        found = delta_moment(order, jnp.asarray(0.5 / norms, dtype), jnp.asarray(1 / norms, dtype))
        assert np.all(np.isfinite(found))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_widened_pairs_keep_their_angle_at_all_sizes(dtype):
    norms = jnp.asarray(10.0 ** np.linspace(*((-37, 37) if dtype == np.float32 else (-300, 300)), 61), dtype)
    theta = jnp.asarray(0.7, dtype)
    wide = GaussianPair(norms, norms, Angles(theta, jnp.pi - theta, jnp.sin(theta), jnp.cos(theta))).widened(1.0, 1.0)
    exact = np.cos(0.7) / (1 + np.asarray(norms, float) ** -2.0)
    np.testing.assert_allclose(wide.angles.cos, exact, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)
    np.testing.assert_allclose(wide.angles.cos**2 + wide.angles.sin**2, 1.0, rtol=8 * np.finfo(dtype).eps)
