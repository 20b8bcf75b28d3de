"""The fits of the public code of arXiv 2509.19773 of one variable: functions, points, losses and steps, in float32.

Three functions by three kinds of networks, all points in every step, losses that are sums of mean squares of the
orders 0, 0-1 and 0-2 with weights 1, without the 1/2 of `SobolevLoss`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

import sobolev_theory as st
from sobolev_theory import training

from ..networks.published import KINDS, Field
from . import fixed_step_lbfgs

ORDERS = {"L2": 0, "H1": 1, "H2": 2}
TARGETS: dict[str, Callable[[Array], Array]] = {
    "f1": lambda x: jnp.sin(2 * jnp.pi * x) + jnp.sin(20 * jnp.pi * x),
    "f2": lambda x: x + jnp.sin(2 * jnp.pi * x**4),
    "f3": lambda x: jnp.exp(x) * jnp.sin(20 * x),
}
TESTS = 100  # points drawn uniformly once
ADAM_RATE, ADAM_STEPS, LBFGS_STEPS = 1e-5, 25_000, 25_000
GIVEN_UP = 1e5  # a run with a greater error is left out of the mean


class Lanes(NamedTuple):
    """Networks side by side: every kind, target and seed; the same starts for every target, as for every loss."""

    x: Float[Array, "R n"]
    kind: Int[Array, " R"]
    target: Int[Array, " R"]


def loss_of(order: int) -> st.SobolevLoss:
    """Sum of mean squares: lambda_m / 2 = 1."""
    return st.SobolevLoss((2.0,) * (order + 1))


def lanes(seeds: int, width: int = 64) -> tuple[Lanes, Callable[[Float[Array, " n"], Array], Field]]:
    """Starts of kinds x targets x seeds in this order, and the network of a vector and a kind."""
    kind, target, seed = (
        jnp.asarray(numbers.ravel())
        for numbers in np.meshgrid(*map(np.arange, (len(KINDS), len(TARGETS), seeds)), indexing="ij")
    )
    keys = jax.random.split(jax.random.key(0), seeds)
    template = jax.jit(lambda key: Field(0, width, key=key))(keys[0])
    _, back = ravel_pytree(template.layers)
    starts = jax.jit(jax.vmap(lambda kind, key: ravel_pytree(Field(kind, width, key=key).layers)[0]))

    def network(x, kind):
        return eqx.tree_at(lambda field: (field.layers, field.kind), template, (back(x), kind))

    return Lanes(starts(kind, keys[seed]), kind, target), network


class Fits(NamedTuple):
    """Of one vector of parameters, its kind and its target."""

    objective: Callable[..., Float[Array, ""]]
    measure: Callable[..., Float[Array, "2"]]  # mean squares of the errors of values and slopes at the test points


def fits(loss: str, network: Callable, points: int = 1000) -> Fits:
    x = jnp.linspace(-1.0, 1.0, points, dtype=jnp.float32)
    test = jax.random.uniform(jax.random.key(1), (TESTS,), jnp.float32, -1.0)
    at_points, at_test = (_of_targets(at, order) for at, order in ((x, ORDERS[loss]), (test, 1)))

    def objective(vector, kind, target):
        wanted = [values[target] for values in at_points]
        return training.sobolev_loss(network(vector, kind), x, wanted, loss_of(ORDERS[loss]))

    def measure(vector, kind, target):
        found = training.derivatives(network(vector, kind), test, 1)
        return jnp.stack([jnp.mean((f - w[target]) ** 2) for f, w in zip(found, at_test, strict=True)])

    return Fits(objective, measure)


def _of_targets(x: Float[Array, " N"], order: int) -> list[Float[Array, "F N"]]:
    each = [training.derivatives(target, x, order) for target in TARGETS.values()]
    return [jnp.stack(values).astype(jnp.float32) for values in zip(*each, strict=True)]


class Runs(NamedTuple):
    """How many, and how long."""

    seeds: int = 20
    adam: int = ADAM_STEPS
    lbfgs: int = LBFGS_STEPS
    every: int = 250
    width: int = 64
    points: int = 1000


class _Lane(eqx.Module):
    field: Field
    target: Int[Array, ""]


def trained(loss: str, runs: Runs, checkpoint: Path | None = None, track: Callable = iter) -> dict[str, np.ndarray]:
    """Adam, then L-BFGS: step [T], seconds [T], error and slope_error [kinds targets seeds, T], mean squares."""
    at, network = lanes(runs.seeds, runs.width)
    of_loss = fits(loss, lambda field, _: field, runs.points)
    found = training.fit(
        _Lane(jax.vmap(network)(at.x, at.kind), at.target),
        lambda lane, _: of_loss.objective(lane.field, None, lane.target),
        keys=jax.random.split(jax.random.key(0), len(at.x)),
        stages=[
            training.Stage(optax.adam(ADAM_RATE), runs.adam),
            training.Stage(fixed_step_lbfgs.transformation(), runs.lbfgs),
        ],
        measure=lambda lane: {"squares": of_loss.measure(lane.field, None, lane.target)},
        every=runs.every,
        checkpoint=checkpoint,
        track=track,
    )
    squares = np.where(np.isfinite(found.measures["squares"]), found.measures["squares"], np.inf)
    return {
        "step": found.step,
        "seconds": found.seconds,
        "error": squares[..., 0],
        "slope_error": squares[..., 1],
    }
