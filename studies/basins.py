"""Where gradient flows of L2 and H1 end, from many random starts: `python -m studies.basins`.

The setting of Safran and Shamir (arXiv 1712.08968): an orthonormal teacher of K* neurons in d = K*, a student of K*
or more neurons with output weights 1, whose weights begin as N(0, 1/d). The exact flow of each loss, and for H1 in
both semantics, goes from the same starts until the critical point it tends to is near enough to be polished.

With `--train both` the output weights, all 1 at first, train as well.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.runs import command_lines
from sobolev_theory.runs.progress import bars
from sobolev_theory.runs.user_caches import keep_compiled

from .basin_table import (
    FLAT,
    GLOBAL,
    OPEN,
    SADDLE,
    SPURIOUS,
    TABLES,
    VANISHED,
    Cell,
    Ends,
    Row,
    against_published,
    against_weights,
    read,
    summary,
    write,
)

TRAIN: dict[str, tuple[Literal["weights", "output_weights"], ...]] = {
    "weights": ("weights",),
    "both": ("weights", "output_weights"),
}
FLOWS: dict[str, tuple[st.SobolevLoss, Literal["loss", "population"]]] = {
    "L2": (st.L2, "loss"),
    "H1 population": (st.H1, "population"),
    "H1 loss": (st.H1, "loss"),
}
STAGES = (100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)  # of time; after each the end points are polished
NEAR = 0.2  # |W - W_critical| up to which a flow is taken to end at the critical point
NOTHING = 1e-10  # a loss that only the teacher's function has; points next to it may be too flat to be polished
LOW = 1e-3  # a loss below all spurious ones (see the table): from here a flow can only end at a global minimum
BATCH = 25  # starts that one task follows
RTOL = 1e-6
TASKS_PER_PROCESS = 8
LANES = {"L2": 5, "H1 population": 5, "H1 loss": 1}  # flows followed in step; those of kinks have events of their own

OF_KIND = {
    st.Kind.GLOBAL: GLOBAL,
    st.Kind.MINIMUM: SPURIOUS,
    st.Kind.SADDLE: SADDLE,
    st.Kind.FLAT: FLAT,
    st.Kind.NONE: OPEN,
}


def batched(items: Sequence[Any], size: int) -> Iterator[tuple[Any, ...]]:
    return (tuple(items[first : first + size]) for first in range(0, len(items), size))


def starts(teachers: int, extra: int, first: int, count: int) -> np.ndarray:
    """Weights [count, K* + extra, K*] of starts number `first` on: the same for all flows, whatever the batches."""
    shape = (teachers + extra, teachers)
    generators = (np.random.default_rng([teachers, extra, first + index]) for index in range(count))
    return np.stack([generator.standard_normal(shape) for generator in generators]) / np.sqrt(teachers)


def ends(cell: Cell, first: int, count: int = BATCH, train: str = "weights") -> Ends:
    """Follow `count` starts to their ends."""
    teacher = st.Network(np.eye(cell.teachers))
    w = starts(cell.teachers, cell.extra, first, count)
    a = np.ones(w.shape[:2])
    found = [(OPEN, np.nan)] * count
    for before, time in pairwise((0.0, *STAGES)):
        pending = [index for index in range(count) if found[index][0] in (OPEN, SADDLE)]
        for chunk in batched(pending, LANES[cell.flow]):
            filled = np.resize(chunk, LANES[cell.flow])  # one shape, so one compilation
            at, n = list(chunk), len(chunk)
            w[at], a[at], results = _stage(cell, teacher, w[filled], a[filled], time - before, n, train)
            for index, result in zip(chunk, results, strict=True):
                found[index] = result
    codes, losses = zip(*found, strict=True)
    return Ends("".join(codes), losses)


def _stage(cell: Cell, teacher: st.Network, w: np.ndarray, a: np.ndarray, time: float, count: int, train: str):
    """The first `count` of w [B, K, d] and of output weights a [B, K] after so much time; (code, loss) of each."""
    loss, of = FLOWS[cell.flow]
    flows = st.gradient_flows(
        jnp.asarray(w),
        teacher,
        loss,
        of=of,
        t1=time,
        saveat=[time],
        until_distance=1e-12,
        rtol=RTOL,
        train=TRAIN[train],
        output_weights=jnp.asarray(a),
    )
    after = np.asarray(flows.end_weights)[:count]
    output = np.asarray(flows.end_output_weights)[:count]
    results = []
    for lane in range(count):
        outcome, low = flows.outcome[lane], float(flows.end_loss[lane])
        if low <= NOTHING:
            results.append((GLOBAL, low))
            continue
        if outcome not in (st.Outcome.TIME, st.Outcome.DISTANCE, st.Outcome.VANISHED):
            results.append((OPEN, low))
            continue
        gone = outcome is st.Outcome.VANISHED
        left = np.linalg.norm(after[lane], axis=1) > (1e-6 if gone else 0.0)  # what is left may be the teacher
        student = st.Network(after[lane][left], output[lane][left])
        ray = np.asarray(flows.ray[lane])[left]
        point = st.critical_point(student, teacher, loss, of=of, train=TRAIN[train], ray=ray)
        if low <= LOW and point.loss <= NOTHING:
            results.append((GLOBAL, point.loss))
            continue
        if gone and point.kind is not st.Kind.GLOBAL:
            results.append((VANISHED, low))
            continue
        arrived = point.moved <= NEAR or (point.kind is st.Kind.GLOBAL and low <= LOW)
        results.append((OF_KIND[point.kind], point.loss) if arrived else (OPEN, low))
    return after, output, results


# Tasks.


def missing(rows: dict[Cell, Row], cells: Sequence[Cell], count: int) -> list[tuple[Cell, int]]:
    """Tasks (cell, number of its first start), first batches of all cells first."""
    tasks = [(cell, first) for cell in cells for first in range(len(rows.get(cell, Row()).codes), count, BATCH)]
    return sorted(tasks, key=lambda task: task[1])


def carried_out(tasks: Sequence[tuple[Cell, int]], processes: int, train: str) -> Iterator[tuple[Cell, int, Ends]]:
    """Each in one of so many processes, which share out the devices; in the order in which they are done."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of each process: together they have all cores
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    context = get_context("spawn")
    number = context.Value("i", 0)
    # A process keeps all that it compiled, some hundred MB per cell: there are new ones for every round of tasks.
    # Executors that replace theirs one by one, as `max_tasks_per_child` says, may hang (CPython issue 115634).
    for some in batched(tasks, processes * TASKS_PER_PROCESS):
        with ProcessPoolExecutor(processes, context, initializer=_set_up, initargs=(number,)) as pool:
            try:
                futures = {pool.submit(ends, cell, first, BATCH, train): (cell, first) for cell, first in some}
                for future in as_completed(futures):
                    yield (*futures[future], future.result())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _set_up(number) -> None:
    jax.config.update("jax_enable_x64", True)
    keep_compiled()
    with number.get_lock():
        devices = jax.local_devices()
        jax.config.update("jax_default_device", devices[number.value % len(devices)])
        number.value += 1


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m studies.basins",
        description="Follow gradient flows of L2 and H1 from random starts to their ends, and count those. "
        "The table is written after every batch; another run continues it.",
    )
    parser.add_argument("--teachers", type=int, nargs="+", default=list(range(6, 21)), metavar="K", help="6 ... 20")
    parser.add_argument(
        "--extra", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="student neurons beyond K"
    )
    parser.add_argument(
        "--starts", type=int, default=4 * BATCH, metavar="N", help="per K and extra (default: %(default)s)"
    )
    parser.add_argument("--train", choices=TRAIN, default="weights", help="(default: %(default)s)")
    parser.add_argument("--flows", nargs="+", choices=FLOWS, default=list(FLOWS), help="(default: all)")
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="(default: studies/basins.csv; or basins_of_both.csv)"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N", help="(default: %(default)s)")
    parser.add_argument("--show", action="store_true", help="print what the table says, and exit")
    request = parser.parse_args(arguments)
    if min(request.teachers) < 2 or min(request.extra) < 0:
        parser.error(f"--teachers, --extra: got {request.teachers}, {request.extra}; needs K >= 2, N >= 0")
    if request.starts < 1 or request.starts % BATCH or request.processes < 1:
        parser.error(
            f"--starts, --processes: got {request.starts}, {request.processes}; needs a multiple of {BATCH}, and >= 1"
        )
    path = request.table or TABLES[request.train]
    try:
        rows = read(path)
        if not request.show:
            write(rows, path)  # fails now rather than after the first batch
    except (OSError, ValueError) as error:
        parser.error(f"--table: {error}")
    if request.show:
        compared = against_weights(rows, read()) if request.train == "both" else against_published(rows)
        print("\n".join([*summary(rows), *compared]))
        return 0
    cells = [Cell(k, n, flow) for n in request.extra for k in request.teachers for flow in request.flows]
    tasks = missing(rows, cells, request.starts)
    waiting: dict[tuple[Cell, int], Ends] = {}
    try:
        with bars() as bar, bar("batches", len(tasks)) as report:
            for done, (cell, first, found) in enumerate(
                carried_out(tasks, request.processes, request.train), start=1
            ):
                waiting[cell, first] = found
                row = rows.get(cell, Row())
                while (next_batch := waiting.pop((cell, len(row.codes)), None)) is not None:
                    row = row.plus(next_batch)
                rows[cell] = row
                write({at: row for at, row in rows.items() if row.codes}, path)
                report(done)
    except KeyboardInterrupt:
        command_lines.complain(f"studies.basins: interrupted; {path} has what was finished")
        return 130
    print(f"studies.basins: {len(tasks)} batches of {BATCH} starts done; {path} has {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.basins"))
