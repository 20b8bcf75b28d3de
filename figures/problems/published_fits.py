"""The fits of the public code of arXiv 2509.19773: its functions, points, losses and Ackley's grids, in float32.

Three functions of one variable by three kinds of networks, all points in every step, losses that are sums of mean
squares of the orders 0, 0-1 and 0-2 with weights 1, without the 1/2 of `SobolevLoss`. Slopes of Ackley's function are
exact or Chebyshev's on 101 x 101 Chebyshev nodes, or central differences of second order on 100 x 100 equidistant
ones; besides, for a comparison on the same points, L2 and exact slopes on the latter.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

import sobolev_theory as st
from sobolev_theory import training

from ..networks.published import KINDS, Dense, Field
from . import ackley

ORDERS = {"L2": 0, "H1": 1, "H2": 2}
TARGETS: dict[str, Callable[[Array], Array]] = {
    "f1": lambda x: jnp.sin(2 * jnp.pi * x) + jnp.sin(20 * jnp.pi * x),
    "f2": lambda x: x + jnp.sin(2 * jnp.pi * x**4),
    "f3": lambda x: jnp.exp(x) * jnp.sin(20 * x),
}
TESTS = 100  # points drawn uniformly once
ADAM_RATE, ADAM_STEPS, LBFGS_STEPS = 1e-5, 25_000, 25_000
GIVEN_UP = 1e5  # a run with a greater error is left out of the mean

ACKLEY_RATE, ACKLEY_STEPS = 1e-4, 200_000
ACKLEY_RUNS = {
    "L2": ackley.Run("L2", "chebyshev"),
    "L2 equidistant": ackley.Run("L2", "uniform"),
    "H1 exact": ackley.Run("H1", "chebyshev", lambda u: ackley.exact(ackley.grid(len(u), "chebyshev"))),
    "H1 Chebyshev": ackley.Run("H1", "chebyshev", ackley.by_chebyshev),
    "H1 differences": ackley.Run("H1", "uniform", partial(ackley.by_differences, accuracy=2)),
    "H1 exact equidistant": ackley.Run("H1", "uniform", lambda u: ackley.exact(ackley.grid(len(u), "uniform"))),
}


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
    _, back = ravel_pytree(Field(0, width, key=keys[0]).layers)
    starts = jax.jit(jax.vmap(lambda kind, key: ravel_pytree(Field(kind, width, key=key).layers)[0]))
    template = Field(0, width, key=keys[0])

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


class AckleyFits(NamedTuple):
    starts: Float[Array, "S n"]
    objective: Callable[..., tuple[Array, Array]]  # of a vector and the number of its run: loss, and that of values


def ackley_fits(names: Sequence[str], seeds: int, points: int = 100, width: int = 64) -> AckleyFits:
    """Runs of one loss; grids of fewer points than the largest are filled up with points of weight 0."""
    sides = {"uniform": points, "chebyshev": points + 1}
    runs = [ACKLEY_RUNS[name] for name in names]
    given = [ackley.training_data(run, sides[run.nodes]) for run in runs]
    most = max(len(x) for x, _, _ in given)
    weight = np.stack([np.where(np.arange(most) < len(x), 1 / len(x), 0.0) for x, _, _ in given])
    filled = [
        [np.concatenate([a, np.zeros((most - len(a), *a.shape[1:]))]) for a in each if a is not None]
        for each in given
    ]
    x, *wanted = (jnp.asarray(np.stack(arrays), jnp.float32) for arrays in zip(*filled, strict=True))
    weight = jnp.asarray(weight, jnp.float32)
    keys = jax.random.split(jax.random.key(0), seeds)
    _, back = ravel_pytree(Dense(2, width, key=keys[0]).layers)
    template = Dense(2, width, key=keys[0])
    starts = jax.jit(jax.vmap(lambda key: ravel_pytree(Dense(2, width, key=key).layers)[0]))(keys)

    def objective(vector, run):
        network = eqx.tree_at(lambda dense: dense.layers, template, back(vector))
        found = training.derivatives(network, x[run], len(wanted) - 1)
        squares = [
            jnp.sum((f - w[run]).reshape(most, -1) ** 2, axis=1) @ weight[run]
            for f, w in zip(found, wanted, strict=True)
        ]
        return sum(squares), squares[0]

    return AckleyFits(starts, objective)
