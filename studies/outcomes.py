"""How gradient flows end where output weights have signs, from many random starts: `python -m studies.outcomes`.

A student of K = 2 ... 10 neurons with output weights 1 or -1 by chance, a teacher of (K + 1) / 2 in d = K with output
weights of either sign and sizes from 1/2 to 1, all weights N(0, 1/d), a new teacher for every eight starts. Flows of
L2 and H1, for H1 in both semantics, go to t = 60; of the H1 loss neurons meet, go on together, and come apart. With
`--train both` output weights train as well.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.runs import command_lines
from sobolev_theory.runs.progress import bars
from sobolev_theory.runs.user_caches import keep_compiled

from . import tables
from .basins import FLOWS, TRAIN

FOLDER = Path(__file__).parent
TABLES = {"weights": FOLDER / "outcomes.csv", "both": FOLDER / "outcomes_of_both.csv"}
SIZES = range(2, 11)
CODES = {
    "T": st.Outcome.TIME,
    "V": st.Outcome.VANISHED,
    "N": st.Outcome.NOT_UNIQUE,
    "K": st.Outcome.KINKS,
    "S": st.Outcome.STEPS,
    "F": st.Outcome.FAILED,
}
BATCH = 8  # starts with one teacher, followed at once
T1 = 60.0
RTOL = 1e-6


class Cell(NamedTuple):
    neurons: int
    flow: str


class Row(NamedTuple):
    """A code of CODES per start, in order; how many ended with students on one line; the largest rise of the loss."""

    codes: str = ""
    shared: int = 0
    rise: float = 0.0

    def plus(self, other: "Row") -> "Row":
        return Row(self.codes + other.codes, self.shared + other.shared, max(self.rise, other.rise))


COLUMNS = ("neurons", "flow", "starts", *(outcome.name for outcome in CODES.values()), "shared", "rise", "codes")


def problem(neurons: int, batch: int) -> tuple[np.ndarray, np.ndarray, st.Network]:
    """Starts [8, K, d], output weights, and the teacher: the same for all flows."""
    generator = np.random.default_rng([neurons, batch])
    signs = generator.choice([-1.0, 1.0], neurons)
    teachers = (neurons + 1) // 2
    output = generator.choice([-1.0, 1.0], teachers) * generator.uniform(0.5, 1.0, teachers)
    rows, starts = (
        generator.standard_normal((*shape, neurons)) / np.sqrt(neurons) for shape in ((teachers,), (BATCH, neurons))
    )
    return starts, signs, st.Network(rows, output)


def ends(cell: Cell, batch: int, train: str = "weights") -> Row:
    """Follow the starts of a batch."""
    starts, signs, teacher = problem(cell.neurons, batch)
    loss, of = FLOWS[cell.flow]
    flows = st.gradient_flows(
        jnp.asarray(starts),
        teacher,
        loss,
        of=of,
        train=TRAIN[train],
        t1=T1,
        saveat=np.linspace(0.0, T1, 16).tolist(),
        rtol=RTOL,
        output_weights=jnp.asarray(signs),
    )
    names = {outcome: code for code, outcome in CODES.items()}
    shared = int(np.sum(np.any(np.asarray(flows.leader) >= 0, axis=1)))
    rise = float(np.max(flows.energy_rise)) if of == "loss" else 0.0  # the other is no gradient
    return Row("".join(names[outcome] for outcome in flows.outcome), shared, rise)


def read(path: Path = TABLES["weights"]) -> dict[Cell, Row]:
    """The table of a file; empty if there is none."""
    return dict(tables.read(path, COLUMNS, _parse))


def _parse(line: dict[str, str]) -> tuple[Cell, Row] | None:
    cell = Cell(int(line["neurons"]), line["flow"])
    row = Row(line["codes"], int(line["shared"]), float(line["rise"]))
    whole = len(row.codes) == int(line["starts"]) and set(row.codes) <= set(CODES) and cell.flow in FLOWS
    return (cell, row) if whole else None


def write(rows: dict[Cell, Row], path: Path = TABLES["weights"]) -> None:
    def line(cell: Cell, row: Row) -> list:
        counts = [row.codes.count(code) for code in CODES]
        return [*cell, len(row.codes), *counts, row.shared, f"{row.rise:.2g}", row.codes]

    ordered = sorted(rows, key=lambda cell: (list(FLOWS).index(cell.flow), cell.neurons))
    tables.write(path, COLUMNS, [line(cell, rows[cell]) for cell in ordered])


def summary(rows: dict[Cell, Row]) -> Iterator[str]:
    """Lines of a table to read, a flow each: how many of its starts had which outcome."""
    yield f"{'flow':<14} {'starts':>6}" + "".join(f"{o.name:>11}" for o in CODES.values()) + "  students on one line"
    for flow in FLOWS:
        of = [row for cell, row in rows.items() if cell.flow == flow]
        codes = "".join(row.codes for row in of)
        counts = "".join(f"{codes.count(code):>11}" for code in CODES)
        yield f"{flow:<14} {len(codes):>6}{counts}{sum(row.shared for row in of):>22}"


def missing(rows: dict[Cell, Row], cells: Sequence[Cell], count: int) -> list[tuple[Cell, int]]:
    """Tasks (cell, number of its batch), those of one cell together: it is compiled once."""
    return [(cell, batch) for cell in cells for batch in range(len(rows.get(cell, Row()).codes) // BATCH, count)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m studies.outcomes",
        description="Follow gradient flows of students with output weights of both signs, and count how they end. "
        "The table is written after every batch; another run continues it.",
    )
    parser.add_argument(
        "--neurons", type=int, nargs="+", default=list(SIZES), metavar="K", help="(default: 2 ... 10)"
    )
    parser.add_argument("--batches", type=int, default=14, metavar="N", help="of 8 starts (default: %(default)s)")
    parser.add_argument("--flows", nargs="+", choices=FLOWS, default=list(FLOWS), help="(default: all)")
    parser.add_argument("--train", choices=TRAIN, default="weights", help="(default: %(default)s)")
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="(default: studies/outcomes.csv; or outcomes_of_both.csv)"
    )
    parser.add_argument("--show", action="store_true", help="print what the table says, and exit")
    request = parser.parse_args(arguments)
    if min(request.neurons) < 1 or request.batches < 1:
        parser.error(f"--neurons, --batches: got {request.neurons}, {request.batches}; needs whole numbers >= 1")
    path = request.table or TABLES[request.train]
    try:
        rows = read(path)
        if not request.show:
            write(rows, path)  # fails now rather than after the first batch
    except (OSError, ValueError) as error:
        parser.error(f"--table: {error}")
    if request.show:
        print("\n".join(summary(rows)))
        return 0
    jax.config.update("jax_enable_x64", True)
    keep_compiled()
    tasks = missing(rows, [Cell(k, flow) for flow in request.flows for k in request.neurons], request.batches)
    try:
        with bars() as bar, bar("batches", len(tasks)) as report:
            for done, (cell, batch) in enumerate(tasks, start=1):
                rows[cell] = rows.get(cell, Row()).plus(ends(cell, batch, request.train))
                write(rows, path)
                report(done)
    except KeyboardInterrupt:
        command_lines.complain(f"studies.outcomes: interrupted; {path} has what was finished")
        return 130
    print(f"studies.outcomes: {len(tasks)} batches of {BATCH} starts done; {path} has {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.outcomes"))
