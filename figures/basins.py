"""How often gradient flows of L2 and H1 miss an orthonormal teacher, over its number of neurons.

Reads the table of `python -m studies.basins`; the picture computes intervals, and no flows.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from studies import basin_table
from studies.basin_table import TABLE, Cell

from . import style
from .files import Arrays
from .style import Look

SOURCES = (TABLE, Path(basin_table.__file__))  # what the data depends on besides this module and the library
MINUTES = 0.05


def data(table: Path = TABLE, track: Callable[[Iterable], Iterable] = iter) -> Arrays:
    """Arrays [E, K, 3] over neurons beyond K*, K* and the three flows: missed, starts, low, high (95 per cent).

    NaN and 0 starts where the table has no row. Also extra [E] and teachers [K].

    Raises:
        ValueError: a table that is none, or has no rows.
    """
    rows = basin_table.read(table)
    if not rows:
        raise ValueError(f"table: got {table}, which has no rows; needs one that `python -m studies.basins` wrote")
    extra, teachers = (sorted({getattr(cell, name) for cell in rows}) for name in ("extra", "teachers"))
    shape = (len(extra), len(teachers), len(basin_table.FLOWS))
    missed, low, high, starts = (np.full(shape, value) for value in (np.nan, np.nan, np.nan, 0))
    for at in track(list(np.ndindex(shape))):
        row = rows.get(Cell(teachers[at[1]], extra[at[0]], basin_table.FLOWS[at[2]]))
        if row is not None:
            missed[at], starts[at], low[at], high[at] = basin_table.elsewhere(row)
    return {
        "extra": np.array(extra),
        "teachers": np.array(teachers),
        "missed": missed,
        "starts": starts,
        "low": low,
        "high": high,
    }


LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"], "linestyle": "-", "marker": "o"},
    "H1 population": {"color": style.COLOURS["H1"], "linestyle": style.LINES["population"], "marker": "s"},
    "H1 loss": {
        "color": style.COLOURS["H1"],
        "linestyle": style.LINES["loss"],
        "marker": "D",
        "markerfacecolor": "w",
    },
}
LABELS = {
    "L2": "$L^2$",
    "H1 population": "$H^1$, along the population gradient",
    "H1 loss": "$H^1$, along the gradient of the loss",
}
APART = 0.16  # of the flows at the same number of neurons, so that their intervals can be told apart


@style.paper()
def draw(data: Arrays) -> Figure:
    """A panel for each number of student neurons beyond the teacher's; bars are intervals of 95 per cent."""
    figure = style.new_figure(2.7)
    panels = figure.subplots(1, len(data["extra"]), sharex=True, sharey=True, squeeze=False)[0]
    for index, (axes, extra) in enumerate(zip(panels, data["extra"], strict=True)):
        _draw_panel(axes, data["teachers"], {name: data[name][index] for name in ("missed", "starts", "low", "high")})
        axes.set_title("$K = K^*$" if extra == 0 else f"$K = K^* + {extra}$")
        axes.set_xlabel("teacher neurons $K^* = d$")
        style.letter(axes, "abcdefghijklmnopqrstuvwxyz"[index])
    panels[0].set_ylabel("starts that do not reach the teacher")
    panels[0].yaxis.set_major_formatter(PercentFormatter(1.0))
    panels[0].set_ylim(-0.02, 1.02)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_panel(axes: Axes, teachers: np.ndarray, of: Arrays) -> None:
    for number, flow in enumerate(basin_table.FLOWS):
        known = of["starts"][:, number] > 0
        at = teachers[known] + APART * (number - 1)
        share = of["missed"][known, number] / of["starts"][known, number]
        ends = np.stack([share - of["low"][known, number], of["high"][known, number] - share])
        axes.errorbar(at, share, ends.clip(0.0), label=LABELS[flow], elinewidth=0.6, linewidth=0.9, **LOOKS[flow])
    axes.set_xticks(np.arange(teachers.min(), teachers.max() + 1, 2))
