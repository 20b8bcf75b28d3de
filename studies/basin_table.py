"""The table of basins: a row per cell, which grows by batches and is the whole state of the study; and what it says.

Exact intervals for shares (Clopper and Pearson), and since all flows go from the same starts, an exact paired test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.stats

from . import tables

TABLE = Path(__file__).parent / "basins.csv"
TABLES = {"weights": TABLE, "both": TABLE.with_name("basins_of_both.csv")}  # by what trains
FLOWS = ("L2", "H1 population", "H1 loss")
GLOBAL, SPURIOUS, SADDLE, FLAT, VANISHED, OPEN = "GMSFVO"
CODES = {
    GLOBAL: "the teacher's function",
    SPURIOUS: "a spurious minimum (for the population gradient: stable, with a positive loss)",
    SADDLE: "a saddle, which the flow had not left by the last stage",
    FLAT: "a critical point with an eigenvalue 0 and a positive loss",
    VANISHED: "a neuron vanished, with a positive loss",
    OPEN: "none of these by the last stage",
}


PUBLISHED = {6: 3, 8: 126, 10: 346, 12: 585, 14: 736, 16: 851, 18: 900, 20: 949}  # of 1,000, K = K*: Safran, Shamir


class Cell(NamedTuple):
    """A row of the table: K* teacher neurons, K* + `extra` student neurons, a flow of FLOWS."""

    teachers: int
    extra: int
    flow: str


class Ends(NamedTuple):
    """One code of CODES per start, in order, and their population losses under the loss of the flow."""

    codes: str
    losses: tuple[float, ...]


class Row(NamedTuple):
    codes: str = ""
    lowest: float = np.inf
    highest: float = -np.inf

    def plus(self, found: Ends) -> "Row":
        """With another batch; lowest and highest losses are those of ends other than global minima."""
        losses = [loss for code, loss in zip(found.codes, found.losses, strict=True) if code != GLOBAL]
        return Row(self.codes + found.codes, min([self.lowest, *losses]), max([self.highest, *losses]))


COLUMNS = ("teachers", "extra", "flow", "starts", *(f"count_{code}" for code in CODES), "lowest", "highest", "codes")


def read(path: Path = TABLE) -> dict[Cell, Row]:
    """The table of a file; empty if there is none."""
    return dict(tables.read(path, COLUMNS, _parse))


def _parse(line: dict[str, str]) -> tuple[Cell, Row] | None:
    cell = Cell(int(line["teachers"]), int(line["extra"]), line["flow"])
    row = Row(line["codes"], float(line["lowest"]), float(line["highest"]))
    whole = len(row.codes) == int(line["starts"]) and set(row.codes) <= set(CODES) and cell.flow in FLOWS
    return (cell, row) if whole else None


def write(rows: dict[Cell, Row], path: Path = TABLE) -> None:
    def line(cell: Cell, row: Row) -> list:
        counts = [row.codes.count(code) for code in CODES]
        return [*cell, len(row.codes), *counts, f"{row.lowest:.6g}", f"{row.highest:.6g}", row.codes]

    ordered = sorted(rows, key=lambda cell: (cell.teachers, cell.extra, list(FLOWS).index(cell.flow)))
    tables.write(path, COLUMNS, [line(cell, rows[cell]) for cell in ordered])


# What it says.


class Share(NamedTuple):
    """Of starts that do not arrive at the teacher's function, and its interval of 95 per cent."""

    missed: int
    starts: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.missed / self.starts


def elsewhere(row: Row) -> Share:
    """All codes but that of the teacher's function count, also OPEN."""
    starts = len(row.codes)
    missed = starts - row.codes.count(GLOBAL)
    interval = scipy.stats.binomtest(missed, starts).proportion_ci(0.95, method="exact")
    return Share(missed, starts, float(interval.low), float(interval.high))


def paired(one: Row, other: Row) -> float:
    """Two-sided probability, if both flows were as likely to miss, of what their common starts show or worse.

    McNemar's test, exact: of the starts at which one flow alone arrives, how many are whose.
    """
    pairs = list(zip(one.codes, other.codes, strict=False))  # as far as both went
    alone = [
        sum((a == GLOBAL) > (b == GLOBAL) for a, b in pairs),
        sum((a == GLOBAL) < (b == GLOBAL) for a, b in pairs),
    ]
    return float(scipy.stats.binomtest(alone[0], sum(alone)).pvalue) if sum(alone) else 1.0


def against_published(rows: dict[Cell, Row]) -> Iterator[str]:
    """Lines: our shares of L2 beside those that were published, and whether both may be of one probability.

    Fisher's exact test per size; for all of them the sum of Pearson's statistics, chi squared if every size is alike.
    """
    total, sizes = 0.0, 0
    for teachers, theirs in PUBLISHED.items():
        codes = rows.get(Cell(teachers, 0, "L2"), Row()).codes
        if not codes:
            continue
        missed = len(codes) - codes.count(GLOBAL)
        table = np.array([[missed, len(codes) - missed], [theirs, 1000 - theirs]])
        total += float(scipy.stats.chi2_contingency(table, correction=False).statistic)
        sizes += 1
        p = float(scipy.stats.fisher_exact(table).pvalue)
        ours = f"L2 {missed}/{len(codes)} = {missed / len(codes):.3f}"
        yield f"{teachers:>3}   {ours}, published {theirs / 1000:.3f}, p = {p:.2f}"
    if sizes:
        p = float(scipy.stats.chi2.sf(total, sizes))
        yield f"homogeneity: chi squared {total:.1f} on {sizes} degrees of freedom, p = {p:.2f}"


def against_weights(rows: dict[Cell, Row], of_weights: dict[Cell, Row]) -> Iterator[str]:
    """Lines: flows in which output weights train beside those from the same starts in which they do not, if a start
    misses in one of the two; and the paired test of every size."""
    for cell in sorted(rows, key=lambda cell: (FLOWS.index(cell.flow), cell.extra, cell.teachers)):
        one, other = rows[cell], of_weights.get(cell, Row())
        common = min(len(one.codes), len(other.codes))
        one, other = Row(one.codes[:common]), Row(other.codes[:common])
        if common and (elsewhere(one).missed or elsewhere(other).missed):
            shares = f"both {_cell(elsewhere(one)):<28} weights {_cell(elsewhere(other)):<28}"
            size = f"{cell.teachers:>3} {cell.teachers + cell.extra:>3}"
            yield f"{size}   {cell.flow:<14} {shares} p = {paired(one, other):.2g}"


def summary(rows: dict[Cell, Row]) -> Iterator[str]:
    """Lines of a table to read: shares of starts that end elsewhere than at the teacher, per size and flow."""
    yield f"{'K*':>3} {'K':>3}   " + "".join(f"{flow:<28}" for flow in FLOWS) + "p: L2 against H1 loss"
    for teachers, extra in sorted({(cell.teachers, cell.extra) for cell in rows}, key=lambda size: size[::-1]):
        of = {flow: rows.get(Cell(teachers, extra, flow), Row()) for flow in FLOWS}
        cells = [_cell(elsewhere(row)) if row.codes else "" for row in of.values()]
        test = f"{paired(of['L2'], of['H1 loss']):.1e}" if of["L2"].codes and of["H1 loss"].codes else ""
        yield (f"{teachers:>3} {teachers + extra:>3}   " + "".join(f"{cell:<28}" for cell in cells) + test).rstrip()


def _cell(share: Share) -> str:
    return f"{share.missed:>3}/{share.starts:<3} {share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"
