"""Whether H1 fits functions better than L2 at its own best learning rate: `python -m studies.fit_ladder`.

The networks, functions and losses of the public code (`published_fits`) at small size: 1,000 steps of Adam, at a rate
for which rate times steps is the paper's, then for each network and function at the rates that are best for either
loss, chosen on other seeds by the mean logarithm of the error; then there in the time that L2 takes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from figures.measures.statistics import ratio_of_medians
from figures.networks.published import KINDS
from figures.problems import published_fits as published
from figures.problems.published_fits import TARGETS
from sobolev_theory.runs import command_lines

from . import tables

TABLE = Path(__file__).parent / "ladder_fits.csv"
SETTINGS = ("row", "change", "network", "target", "l2_rate", "rate", "l2_steps", "steps")
COLUMNS = (*SETTINGS, "l2_error", "error", "factor", "low", "high", "level", "seeds")
LOSS = "H1"


class Setting(NamedTuple):
    steps: int = 1000
    every: int = 50
    points: int = 256
    width: int = 32
    seeds: int = 5
    tuning: int = 2  # seeds that choose rates
    rates: tuple[float, ...] = (2.5e-4, 1e-3, 4e-3, 1.6e-2)  # the first is the paper's 25,000 steps at 1e-5


class Curves(NamedTuple):
    error: np.ndarray  # [kinds, targets, seeds, T], mean squares at the test points
    seconds: float  # of a step, of a network


def followed(setting: Setting, loss: str, seeds: slice, rates: np.ndarray) -> Curves:
    """Rates [kinds, targets], from the seeds of this slice."""
    lanes, network = published.lanes(setting.seeds + setting.tuning, setting.width)
    shape = (len(KINDS), len(TARGETS), setting.seeds + setting.tuning)
    chosen = np.arange(np.prod(shape)).reshape(shape)[..., seeds]
    x, kind, target = (array[chosen.ravel()] for array in lanes)
    rate = jnp.asarray(np.broadcast_to(rates[..., None], chosen.shape).reshape(-1, 1), jnp.float32)
    fits, rule = published.fits(loss, network, setting.points), optax.scale_by_adam()
    gradients, measured = jax.vmap(jax.grad(fits.objective)), jax.vmap(fits.measure)

    def stretch(state):
        def step(_, state):
            x, memory = state
            direction, memory = rule.update(gradients(x, kind, target), memory)
            return x - rate * direction, memory

        state = jax.lax.fori_loop(0, setting.every, step, state)
        return state, measured(state[0], kind, target)[:, 0]

    state = (x, rule.init(x))
    run = jax.jit(stretch).lower(state).compile()
    records, times = [], []
    for _ in range(setting.steps // setting.every):
        clock = time.perf_counter()
        state, record = jax.block_until_ready(run(state))
        times.append(time.perf_counter() - clock)
        records.append(np.asarray(record))
    error = np.stack(records, axis=-1).reshape(*chosen.shape, -1)
    return Curves(np.where(np.isfinite(error), error, np.inf), min(times) / setting.every / len(x))


def best(setting: Setting, loss: str) -> np.ndarray:
    """[kinds, targets], the rates of least mean logarithm of the error at the end."""
    shape, seeds = (len(KINDS), len(TARGETS)), slice(setting.seeds, None)
    ends = [followed(setting, loss, seeds, np.full(shape, rate)).error[..., -1] for rate in setting.rates]
    return np.array(setting.rates)[np.argmin(np.mean(np.log(ends), axis=-1), axis=0)]


def rows(setting: Setting):
    """Rows of a comparison as soon as it is known: (number, change, rates and curves of both, the record of H1)."""
    shape, seeds = (len(KINDS), len(TARGETS)), slice(0, setting.seeds)
    losses = ("L2", LOSS)
    same = [np.full(shape, setting.rates[0])] * 2
    curves = [followed(setting, loss, seeds, rates) for loss, rates in zip(losses, same, strict=True)]
    yield from _lines(setting, "0", "small, rate x steps as the paper's", same, curves, setting.steps)
    at_best = [best(setting, loss) for loss in losses]
    curves = [followed(setting, loss, seeds, rates) for loss, rates in zip(losses, at_best, strict=True)]
    change = "each at its best rate of " + " ".join(f"{rate:g}" for rate in setting.rates)
    yield from _lines(setting, "1", change, at_best, curves, setting.steps)
    cost = max(curves[1].seconds / curves[0].seconds, 1.0)
    fewer = max(int(setting.steps / cost) // setting.every, 1) * setting.every
    change = f"equal time: a step of {LOSS} takes {cost:.2f} times as long"
    yield from _lines(setting, "2", change, at_best, curves, fewer)


def _lines(setting: Setting, number: str, change: str, rates, curves, steps: int):
    for k, t in product(range(len(KINDS)), range(len(TARGETS))):
        l2, other = curves[0].error[k, t, :, -1], curves[1].error[k, t, :, steps // setting.every - 1]
        ratio = ratio_of_medians(l2, other)
        numbers = [*(f"{of[k, t]:g}" for of in rates), setting.steps, steps]
        numbers += [f"{x:.4g}" for x in (np.median(l2), np.median(other), *ratio[:4])]
        names = [number, change, list(KINDS)[k], list(TARGETS)[t]]
        yield dict(zip(COLUMNS, [*names, *map(str, numbers), str(ratio.seeds)], strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.fit_ladder", description="H1 at its own best rate.")
    parser.add_argument("--steps", type=int, default=Setting().steps, help="a multiple of 50 (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=Setting().seeds, help="(default: %(default)s)")
    parser.add_argument("--table", type=Path, default=TABLE, metavar="FILE", help="(default: %(default)s)")
    request = parser.parse_args(arguments)
    if request.steps < Setting().every or request.steps % Setting().every or request.seeds < 1:
        parser.error("--steps, --seeds: needs a positive multiple of 50, and at least 1 seed")
    table: list[dict[str, str]] = []
    for row in rows(Setting(steps=request.steps, seeds=request.seeds)):
        table.append(row)
        if len(table) % (len(KINDS) * len(TARGETS)):
            continue
        tables.write(request.table, COLUMNS, [list(each.values()) for each in table])
        print(f"{row['change']}: done", flush=True)
    print(f"studies.fit_ladder: {request.table} has {len(table)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.fit_ladder"))
