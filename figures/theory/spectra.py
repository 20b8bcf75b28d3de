"""Spectra of L2 and H1 weighted by multiplicity, along a gradient flow and over K.

The exact spectrum of the Kd x Kd matrices by `st.spectrum`; the flow is that of the H1 population gradient, which
both semantics and both losses are then looked at along.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import sobolev_theory as st

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.conditioning import CURVATURES, where_positive
from ..panels import letters
from ..style import Look, Picture

DIMENSIONS_PER_NEURON = 4  # d = 4 K: half of the directions are orthogonal to student and teacher
NAMES = ("eigenvalue", "multiplicity", "condition")
START = 0.9  # distance of every student neuron from its teacher, where the flow begins
NEAR = 0.2  # the same, where the spectra are compared over K


def data(
    times: tuple[float, ...] = (0.0, 2.0, 8.0, 32.0),
    neurons: tuple[int, ...] = (2, 4, 8, 16),
    flow_neurons: int = 8,
    keep: Keep = Keep(),
) -> Arrays:
    """Spectra at times of a flow of `flow_neurons` neurons, and for numbers of neurons near the teacher.

    The teacher is orthonormal with output weights 1, d = 4 K, and every student neuron begins at a fixed distance
    from its own teacher, in a random direction of fixed seed.

    Returns arrays: time [T], distance [T] of the student from its teacher, neurons [N]; eigenvalue [T, 3, M] and
    multiplicity [T, M] for L2, the H1 population Jacobian and the H1 loss Hessian in this order; near_eigenvalue
    [N, 3, M'] and near_multiplicity [N, M'], where smaller networks are filled up with NaN of multiplicity 0;
    condition [T, 3] and near_condition [N, 3], NaN for an indefinite matrix. Eigenvalues are complex.

    Raises:
        ValueError: times that do not increase from 0, fewer than two neurons, or none.
    """
    if not times or times[0] != 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"times: got {times}; needs 0 and increasing times after it")
    if not neurons or min(neurons) < 2:
        raise ValueError(f"neurons: got {neurons}; needs numbers of at least 2")
    if flow_neurons < 2:
        raise ValueError(f"flow_neurons: got {flow_neurons}; needs at least 2")
    students, teacher = flow(times, flow_neurons)
    cases = [(student, teacher) for student in students] + [networks(count, NEAR) for count in neurons]
    found = [spectra(*case) for case in keep.track(cases)]
    along, near = found[: len(times)], found[len(times) :]
    widest = max(len(multiplicity) for _, multiplicity, _ in near)
    return {
        "time": np.array(times),
        "distance": np.array([np.linalg.norm(student.weights - teacher.weights) for student in students]),
        "neurons": np.array(neurons),
        "eigenvalue": np.stack([values for values, _, _ in along]),
        "multiplicity": np.stack([multiplicity for _, multiplicity, _ in along]),
        "condition": np.stack([condition for _, _, condition in along]),
        "near_eigenvalue": np.stack([_filled(values, widest, np.nan) for values, _, _ in near]),
        "near_multiplicity": np.stack([_filled(multiplicity, widest, 0) for _, multiplicity, _ in near]),
        "near_condition": np.stack([condition for _, _, condition in near]),
    }


def networks(neurons: int, distance: float) -> tuple[st.Network, st.Network]:
    """A student whose neurons have this distance from those of its orthonormal teacher."""
    d = DIMENSIONS_PER_NEURON * neurons
    steps = np.random.default_rng(0).standard_normal((neurons, d))
    steps *= distance / np.linalg.norm(steps, axis=1, keepdims=True)
    teacher = np.eye(neurons, d)
    return st.Network(teacher + steps), st.Network(teacher)


def flow(times: tuple[float, ...], neurons: int) -> tuple[list[st.Network], st.Network]:
    """Students at these times of W' = -G_H(W), and their teacher.

    Raises:
        RuntimeError: the flow ended before the last time.
    """
    start, teacher = networks(neurons, START)
    t1 = max(times[-1], 1e-6)  # a flow that stays where it begins has no times
    found = st.gradient_flow(start, teacher, st.H1, of="population", t1=t1, saveat=times)
    if found.outcome is not st.Outcome.TIME:
        raise RuntimeError(f"flow: {found.outcome.value} at time {found.end_time}; needs to reach {t1}")
    return [st.Network(weights) for weights in found.weights[: len(times)]], teacher


def spectra(student: st.Network, teacher: st.Network) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of CURVATURES: eigenvalues [3, m], their multiplicities [m], and condition numbers [3] or NaN."""
    found = [st.spectrum(student, teacher, loss, of=of) for loss, of in CURVATURES.values()]
    values = np.stack([np.asarray(spectrum.values, dtype=complex) for spectrum in found])
    ratios = np.array([st.condition_number(student, teacher, loss, of=of) for loss, of in CURVATURES.values()])
    return values, np.asarray(found[0].multiplicities), where_positive(ratios, values)


def _filled(array: np.ndarray, width: int, value: float) -> np.ndarray:
    missing = [(0, 0)] * (array.ndim - 1) + [(0, width - array.shape[-1])]
    return np.pad(array, missing, constant_values=value)


LOOKS: dict[str, Look] = {name: look | {"linewidth": 1.2} for name, look in style.LOOKS.items()}
WIDTH = 0.4  # eigenvalues below it are shown linearly, above it by their logarithm
TICKS = (-1, 0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
HEADROOM = 12.0  # above a share of 1, for a line of text


def histogram(values: np.ndarray, multiplicity: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The share of all directions whose eigenvalue has its real part in each bin."""
    real = multiplicity > 0
    counts, _ = np.histogram(values.real[real], edges, weights=multiplicity[real])
    return counts / multiplicity.sum()


def bins(values: np.ndarray, count: int = 72) -> np.ndarray:
    """Edges that hold all real parts, of equal width on the axis of the figure."""
    ends = np.arcsinh(np.array([np.nanmin(values.real), np.nanmax(values.real)]) / WIDTH)
    return WIDTH * np.sinh(np.linspace(ends[0] - 1e-9, ends[1] + 1e-9, count + 1))


@style.paper()
def draw(data: Arrays) -> Picture:
    """Left: times of the flow, from above; right: numbers of neurons near the teacher."""
    rows = max(len(data["time"]), len(data["neurons"]))
    figure = style.new_figure(height=0.9 + 1.35 * rows)
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    every = np.concatenate([data["eigenvalue"].ravel(), data["near_eigenvalue"].ravel()])
    edges = bins(every[~np.isnan(every)])
    flow_titles = [
        f"$t = {t:g}$, $|W - W^*| = {_short(x)}$" for t, x in zip(data["time"], data["distance"], strict=True)
    ]
    near_titles = [f"$K = {count}$" for count in data["neurons"]]
    columns: tuple[tuple[Any, ...], ...] = (
        (flow_titles, *(data[name] for name in NAMES)),
        (near_titles, *(data[f"near_{name}"] for name in NAMES)),
    )
    for column, (titles, values, multiplicity, condition) in zip(grid.T, columns, strict=True):
        for row, axes in enumerate(column):
            if row >= len(titles):
                axes.set_visible(False)
                continue
            _draw_panel(axes, values[row], multiplicity[row], condition[row], edges)
            axes.set_title(titles[row])
    letters(axes for axes in grid.T.flat if axes.get_visible())
    smallest = min(1 / np.sum(data[name], axis=-1).max() for name in ("multiplicity", "near_multiplicity"))
    _finish(figure, grid, edges, smallest)
    return figure


def _draw_panel(axes: Axes, values, multiplicity, condition, edges: np.ndarray) -> None:
    for of_matrix, (name, look) in zip(values, LOOKS.items(), strict=True):
        shares = histogram(of_matrix, multiplicity, edges)
        axes.stairs(shares, edges, baseline=None, label=style.MATRIX_LABELS[name], **look)
        if name == "L2":
            axes.stairs(shares, edges, baseline=0, fill=True, color=look["color"], alpha=0.15)
    axes.axvline(0, ymax=0.86, color=style.REFERENCE, linewidth=0.6, zorder=0)
    written = ["indefinite" if np.isnan(r) else f"{r:,.0f}" if r >= 100 else f"{r:.3g}" for r in condition]
    l2, population, loss = written
    text = rf"$\lambda_{{\max}}/\lambda_{{\min}}$: $L^2$ {l2}; $H^1$ {population} (population), {loss} (loss)"
    axes.text(0.0, 0.99, text, transform=axes.transAxes, va="top", fontsize=7.5)


def _finish(figure: Picture, grid: np.ndarray, edges: np.ndarray, smallest: float) -> None:
    ticks = [tick for tick in TICKS if edges[0] <= tick <= edges[-1]]
    for axes in grid.flat:
        axes.set_xscale("asinh", linear_width=WIDTH)
        axes.set_xlim(edges[0] - 0.05 * WIDTH, 1.02 * edges[-1])
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_yscale("log")
        axes.set_ylim(smallest / 1.5, HEADROOM)
        axes.set_yticks([1e-3, 1e-2, 1e-1, 1])
    for axes in grid[-1]:
        axes.set_xlabel(r"eigenvalue $\lambda$ (real part)")
    for axes in grid[:, 0]:
        axes.set_ylabel("share of $Kd$")
    handles = [Line2D([], [], label=style.MATRIX_LABELS[name], **look) for name, look in LOOKS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)


def _short(x: float) -> str:
    return f"{x:.2g}" if x >= 0.01 else f"{x:.4f}"


FIGURE = Figure(data, draw, minutes=1.0)
