"""Which gradient reaches the teacher from fresh samples, by SGD and by Adam: `python -m studies.descents`.

The setting of `studies.basins` with noise: an orthonormal teacher of K* neurons in d = K*, a student of as many whose
weights begin as N(0, 1/d), and at every step a fresh batch. Four gradients go from the same starts with the same
samples: of the L2 loss; of the H1 loss by autodiff, which is the population gradient; the same with the boundary term
of the batch; and by autodiff of a student with a smoothed step. What counts is the exact L2 loss at the end. With
`--points` batches come from a training set of each start, and the loss at its points is kept beside the exact one.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

import sobolev_theory as st
from sobolev_theory.runs import command_lines
from sobolev_theory.runs.progress import bars
from sobolev_theory.training import loss_with_boundary, smoothed_relu, sobolev_loss

from .basins import starts
from .descent_table import (
    ENOUGH,
    METHODS,
    OPTIMISERS,
    STREAMS,
    TABLE,
    Cell,
    Row,
    best_rate,
    read,
    summary,
    write,
)

RATES = {"SGD": (0.05, 0.1, 0.2, 0.4), "Adam": (0.003, 0.01, 0.03, 0.1)}
OPTIMISER = {"SGD": optax.identity(), "Adam": optax.scale_by_adam()}
TUNED_AT = 10  # neurons; the rates found there are used for all sizes
LANES = 40  # runs in step: starts of a study, or starts times rates of tuning
EVERY = 50  # steps between looks at the exact loss
FALLING = 0.4  # the last part of the steps, over which the rate falls to 0
FIRST_OF_TUNING = 10**6  # number of the first start that chooses rates; no study comes near

Weights = Float[Array, "K d"]


def sample_loss(
    method: str, width: float | Array
) -> Callable[[Weights, Float[Array, "n d"], st.Network], Float[Array, ""]]:
    """The loss of a batch as a function of the weights, whose `jax.grad` is the gradient of the method."""

    def smoothed(w, x, teacher):
        return sobolev_loss(lambda x: jnp.sum(smoothed_relu(w @ x, width)), x, teacher, st.H1)

    return {
        "L2": lambda w, x, teacher: sobolev_loss(st.Network(w), x, teacher, st.L2),
        "H1 autodiff": lambda w, x, teacher: sobolev_loss(st.Network(w), x, teacher, st.H1),
        "H1 boundary": lambda w, x, teacher: loss_with_boundary(st.Network(w), x, teacher, st.H1),
        "H1 smoothed": smoothed,
    }[method]


@cache
def descent(teachers: int, optimiser: str, method: str, batch: int, steps: int, points: int):
    """(weights [S K d], rates [S], width, key) -> (exact L2 losses [steps / EVERY + 1, S], those [S] at the points of
    the training set at the end, or none, and the weights there): one program for all widths and rates."""
    teacher = st.Network(np.eye(teachers, dtype=np.float32))
    at_points = jax.vmap(sample_loss("L2", 0.0), (0, 0, None))
    exact = jax.vmap(lambda w: st.population_loss(st.Network(w), teacher, st.L2))
    rule = OPTIMISER[optimiser]
    schedule = optax.piecewise_interpolate_schedule("linear", 1.0, {int((1 - FALLING) * steps): 1.0, steps: 0.0})

    def run(w, rates, width, key):
        gradients = jax.vmap(jax.grad(sample_loss(method, width)), (0, 0, None))
        known = jax.random.normal(jax.random.fold_in(key, steps), (len(w), points, teachers), w.dtype)

        def drawn(key):
            if not points:
                return jax.random.normal(key, (len(w), batch, teachers), w.dtype)
            return jnp.take_along_axis(known, jax.random.randint(key, (len(w), batch, 1), 0, points), axis=1)

        def step(state, number):
            w, memory = state
            x = drawn(jax.random.fold_in(key, number))
            direction, memory = rule.update(gradients(w, x, teacher), memory)
            falling = jnp.asarray(schedule(number), w.dtype)
            return (w - rates[:, None, None] * falling * direction, memory), None

        def stretch(state, numbers):
            state, _ = jax.lax.scan(step, state, numbers)
            return state, exact(state[0])

        first = w, rule.init(w)
        (end, _), losses = jax.lax.scan(stretch, first, jnp.arange(steps).reshape(-1, EVERY))
        return jnp.concatenate([exact(w)[None], losses]), at_points(end, known, teacher) if points else (), end

    return jax.jit(run)


def followed(cell: Cell, w: np.ndarray, rates: np.ndarray, first: int) -> list[Row]:
    """A row of one start for each lane; samples are drawn for all lanes together, the same for every method."""
    run = descent(*cell[:3], cell.batch, cell.steps, cell.points)
    key = jax.random.fold_in(jax.random.key(cell.teachers, impl="rbg"), first)
    losses, training, _ = run(*(jnp.asarray(each, jnp.float32) for each in (w, rates, cell.width)), key)
    losses, training = (np.nan_to_num(np.asarray(each), nan=np.inf) for each in (losses, training))
    rows = []
    for number, lane in enumerate(losses.T):
        arrived = lane[-1] < ENOUGH
        needed = int(np.flatnonzero(lane < ENOUGH)[0]) * EVERY * cell.batch if arrived else None
        rows.append(Row((needed,), (float(lane[-1]),), tuple(map(float, training[number : number + 1]))))
    return rows


# Tasks.


def tuned(cell: Cell) -> dict[Cell, Row]:
    """All rates of the cell's optimiser from the same starts, in one run."""
    rates = RATES[cell.optimiser]
    each = LANES // len(rates)
    w = starts(TUNED_AT, 0, FIRST_OF_TUNING, each)
    cell = cell._replace(teachers=TUNED_AT, points=0, stream="tuning")
    found = followed(cell, np.tile(w, (len(rates), 1, 1)), np.repeat(rates, each), FIRST_OF_TUNING)
    return {
        cell._replace(rate=rate): sum_of(found[number * each : (number + 1) * each])
        for number, rate in enumerate(rates)
    }


def sum_of(rows: Sequence[Row]) -> Row:
    total = Row()
    for row in rows:
        total = total.plus(row)
    return total


def carried_out(rows: dict[Cell, Row], cells: Sequence[Cell], count: int) -> Iterator[dict[Cell, Row]]:
    """The table after every task that it lacked: rates of each method first, then batches of starts in turn.

    Rates are chosen at one size. Where a start diverges at another, all starts of the cell take the next lower rate.
    """
    for cell in cells:
        try:
            best_rate(rows, cell)
        except ValueError:
            rows = rows | tuned(cell)
            yield rows
    cells = [cell._replace(rate=rate_used(rows, cell)) for cell in cells]
    for first in range(0, count, LANES):
        for cell in cells:
            while len(rows.get(cell, Row()).samples) <= first:
                done = rows.get(cell, Row())
                w = starts(cell.teachers, 0, len(done.samples), LANES)
                found = sum_of(followed(cell, w, np.full(LANES, cell.rate), len(done.samples)))
                lower = [rate for rate in RATES[cell.optimiser] if rate < cell.rate]
                if lower and not np.all(np.isfinite(found.losses)):
                    rows = {at: row for at, row in rows.items() if at != cell}
                    cell = cell._replace(rate=max(lower))  # later batches find it in the table
                    continue
                rows = rows | {cell: done.plus(found)}
                yield rows


def rate_used(rows: dict[Cell, Row], cell: Cell) -> float:
    """By the cell's starts so far, or the best one of tuning."""
    used = [at.rate for at in rows if at.stream == cell.stream and at._replace(rate=cell.rate) == cell]
    return used[0] if used else best_rate(rows, cell)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m studies.descents",
        description="Follow SGD and Adam with fresh samples along four gradients from the same random starts, and "
        "count which reach the teacher. Rates are tuned first, on other starts. The table is written after every "
        "batch of starts; another run continues it.",
    )
    parser.add_argument("--teachers", type=int, nargs="+", default=[8, 10, 12], metavar="K", help="8 10 12")
    parser.add_argument("--starts", type=int, default=LANES, metavar="N", help="per cell (default: %(default)s)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="(default: all)")
    parser.add_argument(
        "--optimisers", nargs="+", choices=OPTIMISERS, default=list(OPTIMISERS), help="(default: all)"
    )
    parser.add_argument(
        "--widths", type=float, nargs="+", default=[0.05], metavar="H", help="of the smoothed step (default: 0.05)"
    )
    parser.add_argument("--batch", type=int, default=256, metavar="N", help="samples a step (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=3000, metavar="N", help="(default: %(default)s)")
    parser.add_argument(
        "--points",
        type=int,
        nargs="+",
        default=[0],
        metavar="N",
        help="of training sets; 0: fresh samples (default: 0)",
    )
    parser.add_argument("--table", type=Path, default=TABLE, metavar="FILE", help="(default: %(default)s)")
    parser.add_argument("--show", action="store_true", help="print what the table says, and exit")
    request = parser.parse_args(arguments)
    if min(request.teachers) < 2 or min(request.widths) <= 0 or min(request.points) < 0:
        parser.error(
            f"--teachers, --widths, --points: got {request.teachers}, {request.widths}, {request.points}; "
            "needs K >= 2, H > 0, N >= 0"
        )
    if (
        request.starts < 1
        or request.starts % LANES
        or request.batch < 2
        or request.steps < 1
        or request.steps % EVERY
    ):
        parser.error(
            f"--starts, --batch, --steps: got {request.starts}, {request.batch}, {request.steps}; "
            f"needs a multiple of {LANES}, at least 2, a multiple of {EVERY}"
        )
    try:
        rows = read(request.table)
        if not request.show:
            write(rows, request.table)  # fails now rather than after the first batch
    except (OSError, ValueError) as error:
        parser.error(f"--table: {error}")
    if request.show:
        print("\n".join(summary(rows)))
        return 0
    cells = [
        Cell(teachers, optimiser, method, width, 0.0, request.batch, request.steps, points, STREAMS[1])
        for points in request.points
        for teachers in request.teachers
        for optimiser in request.optimisers
        for method in request.methods
        for width in (request.widths if method == "H1 smoothed" else [0.0])
    ]
    done = 0
    try:
        with bars() as bar, bar("cells", len(cells) * (request.starts // LANES)) as report:
            for done, found in enumerate(carried_out(rows, cells, request.starts), start=1):
                rows = found
                write(rows, request.table)
                report(done)
    except KeyboardInterrupt:
        command_lines.complain(f"studies.descents: interrupted; {request.table} has what was finished")
        return 130
    print(f"studies.descents: {done} tasks of {LANES} runs done; {request.table} has {len(rows)} rows")
    return 0


if __name__ == "__main__":
    jax.config.update("jax_compilation_cache_dir", ".jax_cache")
    sys.exit(command_lines.run(partial(main), "python -m studies.descents"))
