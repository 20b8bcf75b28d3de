"""Which gradient reaches the teacher from fresh samples: shares that miss it, and one neuron that shows why.

Shares are from the table of `python -m studies.descents`. The neuron is one of a start from which the flow
of the H1 population gradient misses the teacher and that of the H1 loss does not, by the table of
`python -m studies.basins`; it is followed along the exact gradients, without noise.
"""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

import sobolev_theory as st
from studies import basin_table, descent_table
from studies.basin_table import GLOBAL, SPURIOUS
from studies.basins import starts
from studies.descent_table import METHODS, OPTIMISERS, TABLE

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Look, Picture

NEURONS = 8  # of the start that is followed
RATE, STEPS, EVERY = 0.05, 3000, 10
WIDTH = 0.05  # of the smoothed step

GRADIENTS = {
    "L2": lambda w, teacher: st.loss_gradient(w, teacher, st.L2).weights,
    "H1 autodiff": lambda w, teacher: st.population_gradient(w, teacher, st.H1).weights,
    "H1 boundary": lambda w, teacher: st.loss_gradient(w, teacher, st.H1).weights,
    "H1 smoothed": lambda w, teacher: st.smoothed_step.population_gradient(w, teacher, WIDTH),
}


def data(table: Path = TABLE, keep: Keep = Keep()) -> Arrays:
    """Shares [optimiser, method, K], and angles [method, T] in degrees of one neuron, with its start's number.

    missed, starts, low, high: NaN and 0 where the table has no row. teachers [K]; time [T], in units of rate x steps.

    Raises:
        ValueError: a table that is none, or has no rows of a study.
    """
    rows = {
        cell: row for cell, row in descent_table.read(table).items() if cell.stream == "study" and not cell.points
    }
    if not rows:
        raise ValueError(f"table: got {table}, without rows; needs one that `python -m studies.descents` wrote")
    teachers = sorted({cell.teachers for cell in rows})
    shape = (len(OPTIMISERS), len(METHODS), len(teachers))
    missed, low, high, count = (np.full(shape, value) for value in (np.nan, np.nan, np.nan, 0))
    for cell, row in rows.items():
        if cell.width in (0.0, WIDTH):
            at = OPTIMISERS.index(cell.optimiser), METHODS.index(cell.method), teachers.index(cell.teachers)
            missed[at], count[at], low[at], high[at] = descent_table.share(row)
    number = start_that_tells()
    angles = [
        keep.cell(name.replace(" ", "-"), partial(followed, name, number))["angles"] for name in keep.track(METHODS)
    ]
    worst = np.argmax(angles[METHODS.index("H1 autodiff")][-1])
    return {
        "teachers": np.array(teachers),
        "missed": missed,
        "starts": count,
        "low": low,
        "high": high,
        "start": np.array(number),
        "time": RATE * EVERY * np.arange(len(angles[0])),
        "angles": np.stack([of_method[:, worst] for of_method in angles]),
    }


def start_that_tells() -> int:
    """The first from which the flows of L2 and the population gradient miss the teacher, and that of the loss not."""
    rows = basin_table.read()
    codes = (rows[basin_table.Cell(NEURONS, 0, flow)].codes for flow in basin_table.FLOWS)
    return [*zip(*codes, strict=False)].index((SPURIOUS, SPURIOUS, GLOBAL))


def followed(method: str, number: int) -> Arrays:
    """Angles [T, K] between every neuron and the teacher neuron next to it, along descents of the exact gradient."""
    teacher = st.Network(np.eye(NEURONS))

    def step(w, number):
        falling = jnp.minimum(1.0, (STEPS - number) / (0.4 * STEPS))
        return w - RATE * falling * GRADIENTS[method](st.Network(w), teacher), None

    def stretch(w, numbers):
        nearest = jnp.max(w / jnp.linalg.norm(w, axis=1, keepdims=True), axis=1)  # cosines with the unit vectors
        return jax.lax.scan(step, w, numbers)[0], jnp.degrees(jnp.arccos(jnp.clip(nearest, -1.0, 1.0)))

    run = jax.jit(lambda w: jax.lax.scan(stretch, w, jnp.arange(STEPS).reshape(-1, EVERY))[1])
    return {"angles": np.asarray(run(jnp.asarray(starts(NEURONS, 0, number, 1)[0])))}


LOOKS: dict[str, Look] = {
    "L2": {**style.LOOKS["L2"], "marker": "o"},
    "H1 autodiff": {**style.LOOKS["H1 population"], "marker": "s"},
    "H1 boundary": {**style.LOOKS["H1 loss"], "marker": "D", "markerfacecolor": "w"},
    "H1 smoothed": {"color": style.COLOURS["H1"], "linestyle": (0, (1, 1.2)), "marker": "^", "markerfacecolor": "w"},
}
LABELS = {
    "L2": "$L^2$",
    "H1 autodiff": "$H^1$, autodiff",
    "H1 boundary": "$H^1$, with the boundary term",
    "H1 smoothed": f"$H^1$, smoothed step, $h = {WIDTH}$",
}
APART = 0.13  # of the methods at the same number of neurons, so that their intervals can be told apart


@style.paper()
def draw(data: Arrays) -> Picture:
    """A panel for each optimiser, with intervals of 95 per cent, and one for the neuron."""
    figure = style.new_figure(2.7)
    *panels, last = figure.subplots(1, len(OPTIMISERS) + 1)
    for axes, optimiser, *of in zip(
        panels, OPTIMISERS, *(data[name] for name in ("missed", "starts", "low", "high")), strict=True
    ):
        _draw_shares(axes, data["teachers"], *of)
        axes.set(title=f"{optimiser}, fresh samples", xlabel="neurons $K = K^* = d$")
        axes.set_ylim(-0.02, max(0.1, 1.05 * np.nanmax(data["high"])))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    panels[0].set_ylabel("starts that miss the teacher")
    for method, angles in zip(METHODS, data["angles"], strict=True):
        last.plot(data["time"], angles, **{**LOOKS[method], "marker": ""})
    last.set(
        title="one neuron, exact gradients", xlabel=r"rate $\times$ steps", ylabel="angle to its teacher (degrees)"
    )
    last.set_xlim(0, data["time"][-1])
    letters([*panels, last])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _draw_shares(axes: Axes, teachers: np.ndarray, missed, starts_, low, high) -> None:
    for number, method in enumerate(METHODS):
        known = starts_[number] > 0
        share = missed[number, known] / starts_[number, known]
        ends = np.stack([share - low[number, known], high[number, known] - share])
        look = {"elinewidth": 0.6, "linewidth": 0.9, **LOOKS[method]}
        at = teachers[known] + APART * (number - 1.5)
        axes.errorbar(at, share, ends.clip(0.0), label=LABELS[method], **look)
    axes.set_xticks(teachers)


FIGURE = Figure(data, draw, minutes=0.5, sources=(TABLE, basin_table.TABLE))
