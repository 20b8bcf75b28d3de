"""Phase portraits and trajectories of L2 and H1 on the slice of an orthonormal teacher.

Arrows and fixed points are the closed forms of `st.orthonormal`; the trajectories are flows of the whole network.
"""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

import sobolev_theory as st
from sobolev_theory import orthonormal

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Picture

PANELS: dict[str, tuple[str, st.SobolevLoss, Literal["loss", "population"]]] = {
    "l2": ("$L^2$", st.L2, "loss"),
    "h1_population": ("$H^1$, population gradient", st.H1, "population"),
    "h1_loss": ("$H^1$, gradient of the loss", st.H1, "loss"),
}
STARTS = ((1.5, 0.9), (0.3, 0.2), (0.9, -0.75), (-0.2, -0.75), (-0.9, -0.4), (-0.5, 0.9), (0.6, 0.95), (0.05, 0.2))
WINDOW = ((-1.25, 1.6), (-0.85, 1.05))


def data(neurons: int = 6, time: float = 60.0, samples: int = 241, keep: Keep = Keep()) -> Arrays:
    """For each panel: trajectories [S, T, 2] in (x, y), and fixed points [F, 4]: x, y, loss, 1 for a stable one.

    Also `whole` [F] for each panel: 1 where the fixed point is a minimum (stable) for the whole network.

    Raises:
        ValueError: fewer than 3 neurons: for 2 the panels need another window; a time that is not positive.
    """
    if neurons < 3:
        raise ValueError(f"neurons: got {neurons}; needs at least 3")
    teacher = st.Network(np.eye(neurons))
    starts = jnp.stack([orthonormal.student(x, y, neurons).weights for x, y in STARTS])
    times = np.concatenate([[0.0], np.geomspace(1e-3, time, samples - 1)])
    found: Arrays = {"neurons": np.array(neurons), "time": times}
    for name in keep.track(PANELS):
        _, loss, of = PANELS[name]
        flows = st.gradient_flows(starts, teacher, loss, of=of, t1=time, saveat=jnp.asarray(times), rtol=1e-7)
        weights = np.asarray(flows.weights)
        found[f"{name}_trajectory"] = np.stack([weights[:, :, 0, 0], weights[:, :, 0, 1]], axis=-1)
        points = orthonormal.fixed_points(neurons, loss, of=of)
        found[f"{name}_point"] = np.array([[p.x, p.y, p.loss, p.kind is not st.Kind.SADDLE] for p in points])
        found[f"{name}_whole"] = np.array([_is_a_minimum(p, neurons, loss, of) for p in points])
    return found


def _is_a_minimum(point: orthonormal.FixedPoint, neurons: int, loss: st.SobolevLoss, of) -> bool:
    if point.kind is st.Kind.SADDLE:
        return False
    student, teacher = orthonormal.student(point.x, point.y, neurons), st.Network(np.eye(neurons))
    ray = np.arange(neurons) if point.loss < 1e-9 and of == "loss" and loss.order else None
    return st.critical_point(student, teacher, loss, of=of, ray=ray).kind in (st.Kind.GLOBAL, st.Kind.MINIMUM)


@style.paper()
def draw(data: Arrays) -> Picture:
    """Streamlines, trajectories (from open circles), and fixed points."""
    figure = style.new_figure(2.75)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    for axes, (name, (title, loss, of)) in zip(panels, PANELS.items(), strict=True):
        _portrait(axes, int(data["neurons"]), loss, of)
        _trajectories(axes, data[f"{name}_trajectory"], style.COLOURS["H1" if loss.order else "L2"])
        _points(axes, data[f"{name}_point"], data[f"{name}_whole"])
        axes.set_title(title)
        axes.set_xlabel("$x$: along its own teacher")
        axes.set(xlim=WINDOW[0], ylim=WINDOW[1], aspect="equal")
    panels[0].set_ylabel("$y$: along every other")
    letters(panels)
    handles = [
        panels[0].plot([], [], "ko", label="teacher")[0],
        panels[0].plot([], [], "ks", label="spurious minimum of the whole network")[0],
        panels[0].plot([], [], "kD", markerfacecolor="white", label="stable on the slice only")[0],
        panels[0].plot(
            [], [], "kX", markeredgecolor="white", markersize=6.5, label="saddle on $x = y$, the separatrix"
        )[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.2, columnspacing=1.4)
    return figure


def _portrait(axes: Axes, neurons: int, loss: st.SobolevLoss, of) -> None:
    x, y = (np.linspace(*side, 60) for side in WINDOW)
    across, along = jnp.meshgrid(jnp.asarray(x), jnp.asarray(y))
    velocity = orthonormal.velocity(across, along, neurons, loss, of=of)
    u, v = (np.asarray(part) for part in velocity)
    axes.streamplot(x, y, u, v, density=0.9, color=style.SHADES[1], linewidth=0.6, arrowsize=0.6, zorder=0)
    axes.plot([-2, 2], [-2, 2], color=style.REFERENCE, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)


def _trajectories(axes: Axes, paths: np.ndarray, colour: str) -> None:
    for path in paths:
        axes.plot(*path.T, color=colour, linewidth=1.1, zorder=2)
        axes.plot(*path[0], "o", markersize=2.6, markerfacecolor="white", markeredgecolor=colour, zorder=3)


def _points(axes: Axes, points: np.ndarray, whole: np.ndarray) -> None:
    for (x, y, loss, stable), minimum in zip(points, whole, strict=True):
        if not stable:
            axes.plot(x, y, "kX", markeredgecolor="white", markersize=6.5, zorder=4)
        elif minimum:
            axes.plot(x, y, "ko" if loss < 1e-9 else "ks", markersize=5, zorder=4)
        else:
            axes.plot(x, y, "kD", markersize=4.6, markerfacecolor="white", zorder=4)


FIGURE = Figure(data, draw, minutes=1.0)
