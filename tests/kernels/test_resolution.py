"""Whether quadrature has seen its function: what it must notice, at all scales, and what it must not mind."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest

import sobolev_theory as st
from sobolev_theory.kernels.quadrature import TOLERANCE
from sobolev_theory.kernels.resolution import unresolved


def relu(t):
    return jnp.maximum(t, 0.0)


def step(t):
    return jnp.where(t > 0.123, 1.0, 0.0)


def bump(t):
    return jnp.exp(-((t - 0.3) ** 2) * 1e6)


@partial(jax.jit, static_argnums=(0, 1))
def error(activation, order, means, norm):
    return unresolved(activation, order, means, norm, 256)


@pytest.mark.parametrize("double", [True, False], ids=["double", "single"])
@pytest.mark.parametrize(
    ("function", "order", "norms"),
    [
        (jnp.tanh, 0, (20.0, 50.0, 200.0, 400.0, 1e3, 1e6)),
        (jax.nn.sigmoid, 0, (50.0, 200.0, 1e3, 1e4, 1e8)),
        (jax.nn.softplus, 1, (100.0, 1e4)),
        (lambda t: jnp.sin(300 * t), 0, (1.0, 3.0, 100.0)),
        (bump, 0, (1.0, 3.0, 10.0)),
        (relu, 0, (1e-3, 1.0, 1e3)),  # not declared
        (step, 0, (0.2, 1.0, 1e3)),
    ],
    ids=["tanh", "sigmoid", "softplus", "wave", "bump", "kink", "step"],
)
def test_what_the_points_do_not_see_is_noticed(function, order, norms, double):
    """Steps at any place between the points, as the means are: each is above the limit by far."""
    with jax.enable_x64(double):
        activation = st.Elementwise(function)
        for norm in norms:
            for mean in (0.0, 0.05 * norm, -0.31 * norm) if function is not bump else (0.0,):
                at = jnp.asarray([mean]), jnp.asarray([norm])
                assert float(error(activation, order, *at)) > 1e-3, (norm, mean)


@pytest.mark.parametrize("double", [True, False], ids=["double", "single"])
@pytest.mark.parametrize(
    ("activation", "order"),
    [
        (st.Elementwise(jnp.tanh), 0),
        (st.Elementwise(jax.nn.gelu), 1),
        (st.Elementwise(lambda t: jnp.sin(3 * t) + 100), 0),
        (st.Elementwise(relu, (0.0,)), 1),
        (st.Elementwise(jax.nn.hard_tanh, (-1.0, 1.0)), 1),
        (st.Elementwise(lambda t: jnp.sqrt(t**2), (0.0,)), 1),
        (st.Elementwise(lambda t: 0 * t), 0),
    ],
    ids=["tanh", "gelu", "wave", "relu", "hard tanh", "root of a square", "nothing"],
)
def test_what_they_see_is_not_minded(activation, order, double):
    with jax.enable_x64(double):
        limit = TOLERANCE[jnp.zeros(()).dtype]
        norm = jnp.asarray([0.0, 1e-9, 1.0, 2.0])
        for mean in (0.0, 0.5, 3.0):
            assert float(error(activation, order, mean * jnp.ones_like(norm), norm)) <= limit


def test_closed_forms_have_nothing_to_be_seen():
    assert float(error(st.GELU(), 1, jnp.zeros(1), jnp.full(1, 1e9))) == 0.0
