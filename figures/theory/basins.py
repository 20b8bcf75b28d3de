"""Share of starts that miss an orthonormal teacher, over its neurons, from the table of studies.basins.

Reads the table of `python -m studies.basins`; the picture computes intervals, and no flows.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from studies import basin_table
from studies.basin_table import TABLE, Cell

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Look, Picture


def data(table: Path = TABLE, keep: Keep = Keep()) -> Arrays:
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
    for at in keep.track(list(np.ndindex(shape))):
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


MARKERS: dict[str, Look] = {
    "L2": {"marker": "o"},
    "H1 population": {"marker": "s"},
    "H1 loss": {"marker": "D", "markerfacecolor": "w"},
}
LABELS = {
    "L2": "$L^2$",
    "H1 population": "$H^1$, along the population gradient",
    "H1 loss": "$H^1$, along the gradient of the loss",
}
APART = 0.16  # of the flows at the same number of neurons, so that their intervals can be told apart


@style.paper()
def draw(data: Arrays) -> Picture:
    """A panel for each number of student neurons beyond the teacher's; bars are intervals of 95 per cent."""
    figure = style.new_figure(2.7)
    panels = figure.subplots(1, len(data["extra"]), sharex=True, sharey=True, squeeze=False)[0]
    for index, (axes, extra) in enumerate(zip(panels, data["extra"], strict=True)):
        _draw_panel(axes, data["teachers"], {name: data[name][index] for name in ("missed", "starts", "low", "high")})
        axes.set_title("$K = K^*$" if extra == 0 else f"$K = K^* + {extra}$")
        axes.set_xlabel("teacher neurons $K^* = d$")
    letters(panels)
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
        look = {"elinewidth": 0.6, "linewidth": 0.9, **style.LOOKS[flow], **MARKERS[flow]}
        axes.errorbar(at, share, ends.clip(0.0), label=LABELS[flow], **look)
    axes.set_xticks(np.arange(teachers.min(), teachers.max() + 1, 2))


FIGURE = Figure(data, draw, minutes=0.05, sources=(TABLE,))
