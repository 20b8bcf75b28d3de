"""The ReLU with a smoothed step: the value is ReLU's, the derivatives are the normal distribution's."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from sobolev_theory import training
from sobolev_theory.training import smoothed_relu

derivatives = eqx.filter_jit(training.derivatives)

T = jnp.asarray(np.concatenate([np.linspace(-2, 2, 41), [0.0, -0.0, 1e-300, -40.0, 40.0]]))
WIDTH = 0.3


def test_values_are_those_of_relu_to_the_last_bit():
    np.testing.assert_array_equal(smoothed_relu(T, WIDTH), jax.nn.relu(T))


@pytest.mark.parametrize("method", ["auto", "forward", "reverse"])
def test_derivatives_are_the_normal_distribution_and_its_density(method):
    normal = scipy.stats.norm(scale=WIDTH)
    _, slope, curvature = derivatives(partial(smoothed_relu, width=WIDTH), T, 2, method)
    t = np.asarray(T)
    np.testing.assert_allclose(slope, normal.cdf(t), atol=1e-15)
    np.testing.assert_allclose(curvature, normal.pdf(t), atol=1e-14)


def test_taylor_mode_refuses_it_by_name_and_takes_no_step_for_it():
    with pytest.raises(NotImplementedError, match="no series of custom_jvp"):
        training.derivatives(partial(smoothed_relu, width=WIDTH), T, 2, "taylor")


def test_a_width_may_be_traced_differ_by_neuron_and_is_constant_in_derivatives():
    slope = jax.grad(lambda t, width: jnp.sum(smoothed_relu(t, width)), argnums=(0, 1))
    by_t, by_width = jax.jit(slope)(T[:2], jnp.array([0.1, 0.5]))
    np.testing.assert_allclose(by_t, scipy.stats.norm.cdf(np.asarray(T[:2]) / [0.1, 0.5]), atol=1e-15)
    assert not by_width.any()


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_precision_stays(dtype):
    t = T.astype(dtype)
    value, slope = derivatives(partial(smoothed_relu, width=WIDTH), t, 1)
    assert value.dtype == slope.dtype == dtype
    expected = scipy.stats.norm.cdf(np.asarray(t, float) / WIDTH)
    np.testing.assert_allclose(np.asarray(slope, float), expected, atol=8 * float(jnp.finfo(dtype).eps))


@pytest.mark.parametrize("width", [0.0, -1.0, np.inf, np.zeros(3), "wide"])
def test_a_width_that_is_none_is_named(width):
    with pytest.raises((TypeError, ValueError), match=r"width: got .*; needs"):
        smoothed_relu(T, width)
