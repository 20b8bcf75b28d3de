"""Ackley's function in the setting of the public code of arXiv 2509.19773: nodes, slopes and steps, in float32.

Slopes are exact or Chebyshev's on 101 x 101 Chebyshev nodes, or central differences of second order on 100 x 100
equidistant ones, where L2 is at Chebyshev nodes alone; besides, for a comparison at the same points, L2 and exact
slopes at the equidistant ones. Losses are sums of mean squares, of the values and of the gradient.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from sobolev_theory import training

from ..kept import Arrays, Keep
from ..networks.published import Dense
from . import ackley

RATE, STEPS = 1e-4, 200_000
RUNS = {
    "L2": ackley.Run("L2", "chebyshev"),
    "L2 equidistant": ackley.Run("L2", "uniform"),
    "H1 exact": ackley.Run("H1", "chebyshev", lambda u: ackley.exact(ackley.grid(len(u), "chebyshev"))),
    "H1 Chebyshev": ackley.Run("H1", "chebyshev", ackley.by_chebyshev),
    "H1 differences": ackley.Run("H1", "uniform", partial(ackley.by_differences, accuracy=2)),
    "H1 exact equidistant": ackley.Run("H1", "uniform", lambda u: ackley.exact(ackley.grid(len(u), "uniform"))),
}
CELLS = (("L2", "L2 equidistant"), ("H1 exact", "H1 Chebyshev", "H1 differences", "H1 exact equidistant"))
# The first three as the public code compares them, the last two at the same points.
COMPARED = (
    ("H1 exact", "L2"),
    ("H1 Chebyshev", "L2"),
    ("H1 differences", "L2"),
    ("H1 differences", "L2 equidistant"),
    ("H1 exact equidistant", "L2 equidistant"),
)


class Fits(NamedTuple):
    starts: Float[Array, "S n"]
    objective: Callable[..., tuple[Array, Array]]  # of a vector and the number of its run: loss, and that of values


def fits(names: Sequence[str], seeds: int, points: int = 100, width: int = 64) -> Fits:
    """Runs of one loss; grids of fewer points than the largest are filled up with points of weight 0."""
    sides = {"uniform": points, "chebyshev": points + 1}
    runs = [RUNS[name] for name in names]
    given = [ackley.training_data(run, sides[run.nodes]) for run in runs]
    most = max(len(x) for x, _, _ in given)
    shares = np.stack([np.where(np.arange(most) < len(x), 1 / len(x), 0.0) for x, _, _ in given])
    filled = [
        [np.concatenate([a, np.zeros((most - len(a), *a.shape[1:]))]) for a in each if a is not None]
        for each in given
    ]
    x, *wanted = (jnp.asarray(np.stack(arrays), jnp.float32) for arrays in zip(*filled, strict=True))
    weight = jnp.asarray(shares, jnp.float32)
    keys = jax.random.split(jax.random.key(0), seeds)
    template = jax.jit(lambda key: Dense(2, width, key=key))(keys[0])
    _, back = ravel_pytree(template.layers)
    starts = jax.jit(jax.vmap(lambda key: ravel_pytree(Dense(2, width, key=key).layers)[0]))(keys)

    def objective(vector, run):
        network = eqx.tree_at(lambda dense: dense.layers, template, back(vector))
        found = training.derivatives(network, x[run], len(wanted) - 1)
        squares = [
            jnp.sum((f - w[run]).reshape(most, -1) ** 2, axis=1) @ weight[run]
            for f, w in zip(found, wanted, strict=True)
        ]
        return sum(squares), squares[0]

    return Fits(starts, objective)


class _Lane(eqx.Module):
    vector: Float[Array, " n"]
    run: Int[Array, ""]


class Setting(Protocol):
    """How many seeds, and of how many steps a record."""

    @property
    def seeds(self) -> int: ...

    @property
    def every(self) -> int: ...


def trained(setting: Setting, names: Sequence[str], keep: Keep, cell: str) -> Arrays:
    """Runs of one loss, all steps: step [T], seconds [T] of a network, error [runs, seeds, T] at its own points."""
    seeds, of_runs = setting.seeds, fits(names, setting.seeds)
    lanes = _Lane(jnp.tile(of_runs.starts, (len(names), 1)), jnp.repeat(jnp.arange(len(names)), seeds))
    fitted = training.fit(
        lanes,
        lambda lane, _: of_runs.objective(lane.vector, lane.run)[0],
        keys=jax.random.split(jax.random.key(0), len(lanes.run)),
        stages=[training.Stage(optax.adam(RATE), STEPS)],
        measure=lambda lane: {"error": of_runs.objective(lane.vector, lane.run)[1]},
        every=setting.every,
        checkpoint=keep.checkpoint(cell),
        track=keep.track,
    )
    error = fitted.measures["error"].reshape(len(names), seeds, -1)
    seconds = quiet_seconds(fitted.step, fitted.seconds, STEPS) / len(lanes.run)
    return {"step": fitted.step, "error": np.where(np.isfinite(error), error, np.inf), "seconds": seconds}


def quiet_seconds(step: np.ndarray, seconds: np.ndarray, adam: int) -> np.ndarray:
    """As if every step had taken the least time of its stage's stretches: other work on the machine only adds."""
    steps = np.diff(step)
    each = np.diff(seconds) / steps
    for stage in (step[1:] <= adam, step[1:] > adam):
        each[stage] = each[stage].min(initial=np.inf)
    return np.concatenate([[0.0], np.cumsum(each * steps)])
