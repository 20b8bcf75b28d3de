"""Activations whose slope and curvature jump at one point, under neurons that are parallel, as each is to itself."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.kernels.moments_of_two import moments
from sobolev_theory.model.activation_terms import function_of, truncated_power
from sobolev_theory.population.preactivations import Fields, pairs
from tests.helpers.bent import Bent

LENGTH, DENSITY = 1.2, 1 / math.sqrt(2 * math.pi)


def test_the_population_gradient_of_one_neuron_is_its_integral():
    """E[s'(u)^2] w + |w|^2 E[s''(u) s'(u) x] with s' = (1 + t) 1(t > 0) and s'' = 1(t > 0)."""
    student, nothing = (st.Network([[LENGTH, 0.0]], [a], activation=Bent()) for a in (1.0, 0.0))
    found = st.population_gradient(student, nothing, st.SobolevLoss((0.0, 1.0))).weights
    slopes = 0.5 + 2 * LENGTH * DENSITY + LENGTH**2 / 2
    along = DENSITY + LENGTH / 2
    np.testing.assert_allclose(found, [[LENGTH * slopes + LENGTH**2 * along, 0.0]], rtol=1e-14)


@pytest.mark.parametrize("angle", [0.0, math.pi])
@pytest.mark.parametrize("function", [None, jax.nn.selu], ids=["step", "selu"])
def test_a_delta_takes_the_mean_of_the_limits_where_neurons_are_parallel(function, angle):
    """E[delta(u) H(u')] is continuous in the angle: at 0 and pi the density times (H(0+) + H(0-)) / 2."""
    if function is None:
        right, middle = truncated_power(0), 0.5
    else:
        right = dataclasses.replace(function_of(function, (0.0,)), power=2)
        middle = 1.0507009873554805 * 1.6732632423543772 / 2
    one = Fields(jnp.array([[LENGTH, 0.0]]), jnp.ones(1))
    cos = -1.0 if angle else 1.0
    other = Fields(jnp.array([[0.8 * cos, 0.0]]), jnp.ones(1))
    (found,) = moments(((truncated_power(-1), right),), 64, pairs(one, other, jnp.zeros((1, 1), bool)))
    np.testing.assert_allclose(found, [[DENSITY / LENGTH * middle]], rtol=1e-10)  # limits are extrapolated
