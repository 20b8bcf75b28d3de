"""One neuron: V over time with proved bounds; times to tolerance, L2 over H1, for all starts.

Every curve and every cell of the maps is a flow of `st.gradient_flows`, ended where |w - w*| reached the tolerance.
From a cone around -w* the flow of the H1 loss turns away from the teacher, and the neuron vanishes.
"""

import itertools
from functools import partial
from typing import Literal

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

import sobolev_theory as st
from sobolev_theory.runs.sweeps import OfColumns

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Look, Picture

FLOWS: dict[str, tuple[st.SobolevLoss, Literal["loss", "population"]]] = {
    "l2": (st.L2, "loss"),
    "h1_population": (st.H1, "population"),
    "h1_loss": (st.H1, "loss"),
}
TEACHER = st.Network([[1.0, 0.0]])
START = (1.5, 2.3)  # norm and angle of the start of the curves
ENDS = (st.Outcome.DISTANCE, st.Outcome.VANISHED)
T1 = 400.0  # after which a flow would be given up
CURVATURE = {"l2": 0.5, "h1_population": 1.0}  # largest eigenvalue, everywhere; that of the H1 loss is unbounded


def data(
    norms: int = 33,
    angles: int = 32,
    tolerance: float = 1e-6,
    samples: int = 241,
    keep: Keep = Keep(),
) -> Arrays:
    """Maps [norms, angles] of times until |w - w*| <= tolerance |w*|, for L2 and H1 in both semantics; and curves.

    Returns arrays: norm [norms] from 0.1 to 10 |w*|, angle [angles], <flow>_time maps, infinite where the neuron
    vanishes, time [samples], <flow>_distance [samples] from START until the tolerance, NaN after it, and tolerance.

    Raises:
        ValueError: fewer than 2 norms or angles; a tolerance outside (0, 0.1).
        RuntimeError: a flow that came to no end.
    """
    if min(norms, angles) < 2:
        raise ValueError(f"norms, angles: got {norms}, {angles}; needs at least 2 of each")
    if not 0 < tolerance < 0.1:
        raise ValueError(f"tolerance: got {tolerance}; needs a number in (0, 0.1)")
    norm, angle = np.geomspace(0.1, 10.0, norms), np.linspace(0.04, np.pi - 0.04, angles)
    starts = [*itertools.product(norm, angle), START]  # the last is that of the curves
    found: Arrays = {"norm": norm, "angle": angle, "tolerance": np.array(tolerance)}
    found["time"] = np.linspace(0.0, 40.0, samples)
    for name in keep.track(FLOWS):
        flows = partial(_flows, name, tolerance, found["time"])
        function = OfColumns(flows, version=f"flows to {tolerance} at {samples} times")
        swept = keep.sweep(name, function, {("norm", "angle"): starts}, chunk=len(starts))
        found[f"{name}_time"] = swept["end_time"][:-1].reshape(norms, angles)
        found[f"{name}_distance"] = swept["distance"][-1]
    return found


def _flows(name: str, tolerance: float, times: np.ndarray, norm: np.ndarray, angle: np.ndarray) -> Arrays:
    """Times to the tolerance from these starts, infinite where the neuron vanishes, and distances until then."""
    loss, of = FLOWS[name]
    starts = jnp.asarray(np.stack([norm * np.cos(angle), norm * np.sin(angle)], axis=-1)[:, None, :])
    flows = st.gradient_flows(
        starts, TEACHER, loss, of=of, t1=T1, saveat=[*times, T1], until_distance=tolerance, rtol=1e-7
    )
    late = [outcome for outcome in flows.outcome if outcome not in ENDS]
    if late:
        raise RuntimeError(f"{name}: {len(late)} flows ended with '{late[0].value}'; need to reach the tolerance")
    arrived = np.array([outcome is st.Outcome.DISTANCE for outcome in flows.outcome])
    return {
        "end_time": np.where(arrived, flows.end_time, np.inf),
        "distance": np.asarray(flows.distance)[:, : len(times)],
    }


LOOKS: dict[str, Look] = {
    "l2": {**style.LOOKS["L2"], "label": "$L^2$"},
    "h1_population": {**style.LOOKS["H1 population"], "label": "$H^1$, population gradient"},
    "h1_loss": {**style.LOOKS["H1 loss"], "label": "$H^1$, gradient of the loss"},
}
BETWEEN = LinearSegmentedColormap.from_list("L2 to H1", [style.COLOURS["L2"], "white", style.COLOURS["H1"]])
BOUND: Look = {"color": style.REFERENCE, "linewidth": 0.9, "linestyle": (0, (1, 1.2))}
RATES = {"l2": 0.5, "h1_population": 0.816, "h1_loss": 1.0}  # of |w - w*|: proved, see verification.claims.rates


@style.paper()
def draw(data: Arrays) -> Picture:
    """Above V over time and over time times curvature; below the ratios of times, L2 over H1."""
    figure = style.new_figure(5.3)
    grid = figure.subplots(2, 2)
    _curves(grid[0, 0], data)
    _per_curvature(grid[0, 1], data)
    maps = {"h1_population": "population gradient", "h1_loss": "gradient of the loss"}
    ratios = {name: data["l2_time"] / data[f"{name}_time"] for name in maps}
    every = np.concatenate([ratio[ratio > 0] for ratio in ratios.values()])
    colours = TwoSlopeNorm(2.0, every.min(), np.quantile(every, 0.99))
    for axes, (name, title) in zip(grid[1], maps.items(), strict=True):
        image = _map(axes, data["norm"], data["angle"], ratios[name], colours)
        axes.set_title(f"time of $L^2$ over that of $H^1$, {title}")
    figure.colorbar(image, ax=grid[1], pad=0.02, aspect=18, extend="max").outline.set_linewidth(0.6)
    letters(grid.flat)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, columnspacing=1.6)
    return figure


def _curves(axes: Axes, data: Arrays) -> None:
    """V, and what is proved of it: for L2 from the start on, from below; for H1 where |w - w*| <= |w*|/2."""
    time = data["time"]
    for name, look in LOOKS.items():
        distance = data[f"{name}_distance"]
        axes.semilogy(time, distance**2 / 2, **look)
        inside = 0 if name == "l2" else int(np.argmax(distance <= 0.5))
        bound = distance[inside] * np.exp(-RATES[name] * (time[inside:] - time[inside]))
        axes.semilogy(time[inside:], bound**2 / 2, label="proved bounds" if name == "l2" else None, **BOUND)
    axes.set(xlabel="time $t$", ylabel=r"$V = \frac{1}{2}|w - w^*|^2$", title=r"$V$ over time")
    axes.set_ylim(float(data["tolerance"]) ** 2 / 2, None)
    axes.set_xlim(0, time[np.isfinite(data["l2_distance"])].max())


def _per_curvature(axes: Axes, data: Arrays) -> None:
    for name, curvature in CURVATURE.items():
        axes.semilogy(curvature * data["time"], data[f"{name}_distance"] ** 2 / 2, **LOOKS[name])
    axes.set(xlabel=r"time times largest curvature, $t\,\lambda_{\max}$", title="per unit of largest curvature")
    axes.set_ylim(float(data["tolerance"]) ** 2 / 2, None)
    axes.set_xlim(0, None)
    axes.text(
        0.97,
        0.93,
        "gradient of the $H^1$ loss: not shown,\nits curvature is unbounded at the kink",
        ha="right",
        va="top",
        fontsize=8,
        color="#555555",
        transform=axes.transAxes,
    )


def _map(axes: Axes, norm: np.ndarray, angle: np.ndarray, ratio: np.ndarray, colours: TwoSlopeNorm) -> QuadMesh:
    """White is 2, the ratio of the largest curvatures: per unit of curvature H1 is faster where the map is orange."""
    arrived = np.ma.masked_equal(ratio, 0)
    image = axes.pcolormesh(angle, norm, arrived, cmap=BETWEEN, norm=colours, shading="nearest", rasterized=True)
    if np.any(ratio == 0):
        first = angle[np.any(ratio == 0, axis=0)].min() - (angle[1] - angle[0]) / 2
        axes.axvspan(first, np.pi, facecolor=style.SHADES[0], edgecolor=style.REFERENCE, linewidth=0, hatch="///")
        axes.text((first + np.pi) / 2, 1.0, "$w \\to 0$", ha="center", va="center", backgroundcolor=style.SHADES[0])
    axes.set_yscale("log")
    axes.set_xlim(0, np.pi)
    axes.set(xlabel=r"angle $\theta$ of the start", ylabel="norm $|w|/|w^*|$ of the start")
    axes.set_xticks(
        [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4, np.pi], ["0", r"$\pi/4$", r"$\pi/2$", r"$3\pi/4$", r"$\pi$"]
    )
    return image


FIGURE = Figure(data, draw, minutes=1.0)
