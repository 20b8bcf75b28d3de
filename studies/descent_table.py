"""The table of descents by fresh samples: a row per cell, which grows by batches of starts; and what it says.

Rows of the stream `tuning` choose the learning rate of a method; those of `study`, from other starts and samples, are
what is reported. Intervals are exact: Clopper and Pearson for shares, order statistics for medians.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.stats

from . import basin_table, tables
from .basin_table import GLOBAL, SPURIOUS, Share

TABLE = Path(__file__).parent / "descents.csv"
METHODS = ("L2", "H1 autodiff", "H1 boundary", "H1 smoothed")
OPTIMISERS = ("SGD", "Adam")
STREAMS = ("tuning", "study")
ENOUGH = 1e-3  # of the exact L2 loss, whatever the loss that is followed; spurious ends are 20 times as high
MISSED = "-"


class Cell(NamedTuple):
    """What one row is of: K = K* = d = `teachers`; `width` is that of the smoothed step, 0 for the other methods.

    `points`: of the training set from which batches are drawn, one set for each start; 0 for fresh samples.
    """

    teachers: int
    optimiser: str
    method: str
    width: float
    rate: float
    batch: int
    steps: int
    points: int
    stream: str


class Row(NamedTuple):
    """For each start in order, samples until the loss was below ENOUGH, or None if it was not so at the end."""

    samples: tuple[int | None, ...] = ()
    losses: tuple[float, ...] = ()  # of L2, exact, at the end
    training: tuple[float, ...] = ()  # of L2 at the points of the training set at the end; empty for fresh samples

    def plus(self, other: "Row") -> "Row":
        return Row(self.samples + other.samples, self.losses + other.losses, self.training + other.training)


COLUMNS = (*Cell._fields, "starts", "missed", *Row._fields)


def read(path: Path = TABLE) -> dict[Cell, Row]:
    """The table of a file; empty if there is none."""
    return dict(tables.read(path, COLUMNS, _parse))


def _parse(line: dict[str, str]) -> tuple[Cell, Row] | None:
    cell = Cell(*(of_type(line[name]) for name, of_type in Cell.__annotations__.items()))
    samples = tuple(None if n == MISSED else int(n) for n in line["samples"].split())
    row = Row(samples, *(tuple(map(float, line[name].split())) for name in ("losses", "training")))
    whole = len(samples) == len(row.losses) == int(line["starts"]) and cell.method in METHODS
    whole = whole and len(row.training) == (len(samples) if cell.points else 0)
    return (cell, row) if whole and cell.optimiser in OPTIMISERS and cell.stream in STREAMS else None


def write(rows: dict[Cell, Row], path: Path = TABLE) -> None:
    def line(cell: Cell, row: Row) -> list:
        samples = " ".join(MISSED if n is None else str(n) for n in row.samples)
        losses = (" ".join(f"{loss:.3g}" for loss in each) for each in (row.losses, row.training))
        return [*cell, len(row.samples), row.samples.count(None), samples, *losses]

    tables.write(path, COLUMNS, [line(cell, rows[cell]) for cell in sorted(rows, key=_order)])


def _order(cell: Cell):
    places = (
        STREAMS.index(cell.stream),
        cell.points,
        cell.teachers,
        OPTIMISERS.index(cell.optimiser),
        METHODS.index(cell.method),
    )
    return (*places, *cell)


# What it says.


def share(row: Row) -> Share:
    """Of starts that miss the teacher, and its interval of 95 per cent."""
    return basin_table.elsewhere(_codes(row))


def paired(one: Row, other: Row) -> float:
    """McNemar's exact test of two methods from the same starts, with the same samples."""
    return basin_table.paired(_codes(one), _codes(other))


def _codes(row: Row) -> basin_table.Row:
    return basin_table.Row("".join(SPURIOUS if n is None else GLOBAL for n in row.samples))


class Median(NamedTuple):
    """Of the samples needed, those that miss counting as infinite, with an interval of at least 95 per cent."""

    value: float
    low: float
    high: float


def median_samples(row: Row) -> Median:
    ordered = np.sort([np.inf if n is None else float(n) for n in row.samples])
    count = len(ordered)
    below = int(scipy.stats.binom(count, 0.5).ppf(0.025))  # P(fewer than so many lie below the median) <= 0.025
    low = ordered[below - 1] if below else 0.0
    high = ordered[count - below] if below else np.inf
    return Median(float(ordered[(count - 1) // 2]), float(low), float(high))


def best_rate(rows: dict[Cell, Row], cell: Cell) -> float:
    """Of the rates tried for the cell's optimiser, method and width: fewest starts missed, then fewest samples.

    Training sets take the rates of fresh samples.

    Raises:
        ValueError: none was tried.
    """
    tried = {
        at.rate: (row.samples.count(None), median_samples(row).value, at.rate)
        for at, row in rows.items()
        if at.stream == "tuning" and _setting(at) == _setting(cell)
    }
    if not tried:
        raise ValueError(f"rate: got a table without tuning of {cell.optimiser}, {cell.method}; needs some")
    return min(tried, key=tried.__getitem__)


def _setting(cell: Cell) -> Cell:
    """All but the size, the rate, the training set and the stream."""
    return cell._replace(teachers=0, rate=0.0, points=0, stream="")


def summary(rows: dict[Cell, Row]) -> Iterator[str]:
    """Lines to read: shares that miss the teacher, samples to a loss of 1e-3, the test against autodiff, and for
    training sets the median losses at their points and everywhere."""
    yield (
        f"{'K':>3} {'points':>6} {'by':<5} {'along':<19}{'rate':>6}   {'missed':<26}{'median samples':<29}"
        "p against H1 autodiff; median loss at the points, exact"
    )
    study = {cell: row for cell, row in rows.items() if cell.stream == "study"}
    for cell in sorted(study, key=_order):
        row = study[cell]
        missed, samples = share(row), median_samples(row)
        name = cell.method + (f" {cell.width:g}" if cell.width else "")
        against = [
            other
            for at, other in study.items()
            if at.method == "H1 autodiff" and at[:2] == cell[:2] and at[5:] == cell[5:] and at != cell
        ]
        losses = f"   {np.median(row.training):.1e} {np.median(row.losses):.1e}" if row.training else ""
        yield (
            f"{cell.teachers:>3} {cell.points or 'fresh':>6} {cell.optimiser:<5} {name:<19}{cell.rate:>6g}   "
            f"{missed.missed:>3}/{missed.starts:<3} {missed.value:.2f} [{missed.low:.2f}, {missed.high:.2f}]   "
            f"{_thousands(samples.value):>7} [{_thousands(samples.low)}, {_thousands(samples.high)}]".ljust(100)
            + (f"{paired(row, against[0]):.1e}" if against else "").ljust(7)
            + losses
        ).rstrip()


def _thousands(samples: float) -> str:
    return "never" if np.isinf(samples) else f"{samples / 1000:.0f}k"
