"""Ackley's function: L2 and H1 with exact, finite-difference and Chebyshev derivatives.

All networks start alike and see values at n x n points. Exact slopes and differences are on uniform nodes, spectral
ones need Chebyshev nodes; L2 is trained on both, since nodes that crowd at the border make another loss. The error is
that of the values alone, between the points of the uniform grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int
from matplotlib.axes import Axes

import sobolev_theory as st
from sobolev_theory import training

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.statistics import phrase, ratio_of_medians, reached
from ..networks import fields
from ..panels import band, letters, steps_to
from ..problems import ackley, published_ackley
from ..problems.ackley import Run
from ..style import Look, Picture

TOLERANCES = (1e-3, 1e-4, 1e-5)  # of the relative mean square error


RUNS = {
    "L2": Run("L2", "uniform"),
    "L2 Chebyshev": Run("L2", "chebyshev"),
    "H1 exact": Run("H1", "uniform", lambda u: ackley.exact(ackley.grid(len(u), "uniform"))),
    "H1 differences": Run("H1", "uniform", ackley.by_differences),
    "H1 adaptive": Run("H1", "uniform", ackley.by_adaptive_differences),
    "H1 Chebyshev": Run("H1", "chebyshev", ackley.by_chebyshev),
}
# Trained together, as many networks in each so that times of steps compare.
CELLS = (("L2", "L2 Chebyshev"), ("H1 exact", "H1 differences"), ("H1 adaptive", "H1 Chebyshev"))
LOSSES = {"L2": st.L2, "H1": st.H1}
BASES = {"H1 exact": "L2", "H1 differences": "L2", "H1 adaptive": "L2", "H1 Chebyshev": "L2 Chebyshev"}
SCHEMES = ("H1 differences", "H1 adaptive", "H1 Chebyshev")


@dataclass(frozen=True)
class Setting:
    """How the networks are trained; the default is embedded and small."""

    points: int = 32  # a side
    seeds: int = 6
    width: int = 32
    depth: int = 4
    adam: int = 1500
    rate: float = 3e-3
    lbfgs: int = 300
    every: int = 25
    sides: tuple[int, ...] = (24, 32, 48, 64, 100)  # of the grids on which the schemes are compared


PAPER = replace(Setting(), points=100, seeds=5, every=500)  # the rest is in `published_ackley`
# Runs in the places that others have in the default setting.
LIKE = {"L2": "L2 Chebyshev", "L2 equidistant": "L2", "H1 exact equidistant": "H1 adaptive"}


def data(
    *,
    paper: bool = False,
    setting: Setting | None = None,
    keep: Keep = Keep(),
) -> Arrays:
    """Errors [R, S, T] of R runs and S seeds at T numbers of steps, and those of the schemes on their own.

    Args:
        paper: as the public code has it, see `published_ackley`; errors are mean squares at the training points.
        setting: instead of these defaults.

    Returns arrays: error, the mean square over that of the target; step [T]; adam, the number of steps that are
    Adam's; seconds [R, T], spent in steps so far, per network; points, a side; side [N] and slope_error
    [schemes, N, 2], the relative error of the schemes' slopes on grids of so many points a side: everywhere, and
    farther than 1/2 from the tip.

    Raises:
        ValueError: fewer points a side than the schemes need.
    """
    paper = paper and setting is None
    setting = setting or (PAPER if paper else Setting())
    least = min(setting.points, *setting.sides)
    if least < ackley.LEAST_POINTS:
        raise ValueError(f"points, sides: got {least} points a side; needs at least {ackley.LEAST_POINTS}")
    train, names_of_cells = (published_ackley.trained, published_ackley.CELLS) if paper else (_train, CELLS)
    cells = []
    for names in keep.track(names_of_cells):
        file = "-".join(names).replace(" ", "-")
        cells.append(keep.cell(file, partial(train, setting, names, keep, file)))
    errors = np.array([[ackley.slope_errors(RUNS[name], n) for n in setting.sides] for name in SCHEMES])
    seconds = [cell["seconds"] for cell, names in zip(cells, names_of_cells, strict=True) for _ in names]
    return {
        "step": cells[0]["step"],
        "adam": np.array(published_ackley.STEPS if paper else setting.adam),
        "runs": np.array([name for names in names_of_cells for name in names]),
        "error": np.concatenate([cell["error"] for cell in cells]),
        "seconds": np.stack(seconds),
        "points": np.array(setting.points),
        "side": np.array(setting.sides),
        "slope_error": errors,
    }


class _Student(eqx.Module):
    network: eqx.Module
    number: Int[Array, ""]  # of its run, among those of its cell


def _train(setting: Setting, names: Sequence[str], keep: Keep, cell: str) -> Arrays:
    """Runs of one loss at once, in single precision: the tolerances are far above its rounding."""
    runs = [RUNS[name] for name in names]
    loss = LOSSES[runs[0].loss]
    each = [ackley.training_data(run, setting.points) for run in runs]
    x, *wanted = _single(jax.tree.map(lambda *arrays: jnp.stack(arrays), *each))
    test, at_test = _single(ackley.test_data(setting.points))

    def start(key, number):
        return _Student(_single(fields.Tanh(setting.width, setting.depth, inputs=2, key=key)), number)

    def objective(student, _):
        own = [None if each is None else each[student.number] for each in wanted]
        return training.sobolev_loss(student.network, x[student.number], own, loss)

    def measure(student):
        error = jax.vmap(student.network)(test) - at_test
        return {"error": jnp.mean(error**2) / jnp.mean(at_test**2)}

    keys = jnp.tile(jax.random.split(jax.random.key(0), setting.seeds), len(runs))
    fitted = training.fit(
        eqx.filter_jit(eqx.filter_vmap(start))(keys, jnp.repeat(jnp.arange(len(runs)), setting.seeds)),
        objective,
        keys=keys,
        stages=[
            training.Stage(optax.adam(setting.rate), setting.adam),
            training.Stage(optax.lbfgs(), setting.lbfgs),
        ],
        measure=measure,
        every=setting.every,
        checkpoint=keep.checkpoint(cell),
        track=keep.track,
    )
    error = fitted.measures["error"].reshape(len(runs), setting.seeds, -1)
    return {
        "step": fitted.step,
        "error": np.where(np.isfinite(error), error, np.inf),
        "seconds": published_ackley.quiet_seconds(fitted.step, fitted.seconds, setting.adam) / len(keys),
    }


def _single(tree):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf, tree)


def finding(data: Arrays) -> list[str]:
    """Steps and time to the tolerances, and errors at the end, each H1 against the L2 on its nodes."""
    numbers = {str(name): number for number, name in enumerate(data["runs"])}
    error, last = data["error"], int(data["step"][-1])
    lines = []
    for name, base in published_ackley.COMPARED if "L2 equidistant" in numbers else BASES.items():
        b, h = numbers[base], numbers[name]
        for tolerance in TOLERANCES:
            steps = tuple(reached(data["step"], error[run], tolerance) for run in (b, h))
            arrived = np.isfinite(steps)
            count = f"; reached by {arrived[0].sum()} and {arrived[1].sum()} of {len(arrived[0])} seeds"
            if not arrived[1].any():
                lines.append(f"not reached in {last} steps: error {tolerance:g}, {base} and {name}{count}")
                continue
            ratio = ratio_of_medians(np.minimum(steps[0], last), np.minimum(steps[1], last))
            censored = "" if arrived.all() else f" (counted as {last} where not reached)"
            what = f"steps to error {tolerance:g}{censored}, {base} over {name},"
            lines.append(phrase(what, ratio) + ("" if arrived.all() else count))
        times = tuple(reached(data["seconds"][run], error[run], TOLERANCES[0]) for run in (b, h))
        if np.isfinite(times).all():
            ratio = ratio_of_medians(times[0], times[1])
            lines.append(phrase(f"time to error {TOLERANCES[0]:g}, {base} over {name},", ratio))
        ratio = ratio_of_medians(error[b, :, -1], error[h, :, -1])
        lines.append(phrase(f"error after {last} steps, {base} over {name},", ratio))
    return lines


LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"], "linestyle": "-", "marker": "o"},
    "L2 Chebyshev": {"color": style.COLOURS["L2"], "linestyle": (0, (1, 1.1)), "marker": "v"},
    "H1 exact": {"color": style.COLOURS["H1"], "linestyle": "-", "marker": "s"},
    "H1 differences": {"color": style.COLOURS["H1"], "linestyle": (0, (4.5, 1.8)), "marker": "D"},
    "H1 adaptive": {"color": style.COLOURS["H1"], "linestyle": (0, (6, 1.5, 1, 1.5)), "marker": "P"},
    "H1 Chebyshev": {"color": style.COLOURS["H1"], "linestyle": (0, (1, 1.1)), "marker": "^"},
}
LABELS = {
    "L2": "$L^2$",
    "L2 Chebyshev": "$L^2$, Chebyshev nodes",
    "H1 exact": "$H^1$, exact slopes",
    "H1 differences": "$H^1$, differences of order 4",
    "H1 adaptive": "$H^1$, adaptive differences",
    "H1 Chebyshev": "$H^1$, Chebyshev spectral",
}


@style.paper()
def draw(data: Arrays) -> Picture:
    """Errors over steps and time, medians and quartiles over seeds; steps to tolerances; the schemes on their own.

    Vertical lines are where L-BFGS begins, and the grid that the networks were trained on.
    """
    figure = style.new_figure(5.2)
    grid = figure.subplots(2, 2)
    _errors(grid[0, 0], data, np.broadcast_to(data["step"], data["seconds"].shape))
    grid[0, 0].axvline(float(data["adam"]), color=style.REFERENCE, linewidth=0.6)
    grid[0, 0].set(xlabel="step of Adam, then of L-BFGS", title="error over steps")
    _errors(grid[0, 1], data, data["seconds"])
    grid[0, 1].set(xlabel="seconds per network", title="error over time")
    looks = [look for _, look in _looks(data)]
    steps_to(grid[1, 0], data["step"], data["error"], TOLERANCES, looks)
    _schemes(grid[1, 1], data)
    letters(grid.flat)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, columnspacing=1.6)
    return figure


def _looks(data: Arrays) -> list[tuple[str, Look]]:
    """Of every run its label and look."""
    if "L2 equidistant" not in data["runs"]:
        return [(LABELS[name], LOOKS[name]) for name in data["runs"]]
    return [(f"${name[0]}^{name[1]}${name[2:]}", LOOKS[LIKE.get(name, name)]) for name in data["runs"]]


def _errors(axes: Axes, data: Arrays, at: Float[np.ndarray, "R T"]) -> None:
    for (label, look), x, error in zip(_looks(data), at, data["error"], strict=True):
        band(axes, x, error, label=label, markevery=(len(x) // 12, len(x) // 6 + 1), **look)
    for tolerance in TOLERANCES:
        axes.axhline(tolerance, color=style.REFERENCE, linewidth=0.5, linestyle=(0, (1, 2)))
    axes.set_xlim(0, None)
    axes.set_ylabel("relative mean square error")


def _schemes(axes: Axes, data: Arrays) -> None:
    for name, errors in zip(SCHEMES, data["slope_error"], strict=True):
        axes.loglog(data["side"], errors[:, 0], **LOOKS[name])
        axes.loglog(data["side"], errors[:, 1], markerfacecolor="w", **(LOOKS[name] | {"color": "k"}))
    axes.set_xticks(data["side"], [str(n) for n in data["side"]])
    axes.minorticks_off()
    axes.axvline(float(data["points"]), color=style.REFERENCE, linewidth=0.6)
    axes.set_ylim(None, 8 * data["slope_error"].max())
    where = "filled: everywhere\nhollow: farther than 1/2 from the tip"
    axes.text(0.98, 0.98, where, ha="right", va="top", transform=axes.transAxes)
    axes.set(xlabel="points a side $n$", ylabel="relative error of the slopes", title="the schemes on their own")


FIGURE = Figure(
    data,
    draw,
    minutes=2.0,
    options=("paper",),
    differs=(
        "all runs go to the last step, and steps to a tolerance are known to within 500; all five seeds count; "
        "L2 and exact slopes at equidistant points are ours."
    ),
    statement=(
        "Sobolev training keeps its benefit where the derivatives of the data come from finite differences or "
        "Chebyshev spectral differentiation instead of being exact (arXiv 2509.19773, the experiment on Ackley's "
        "function)."
    ),
    finding=finding,
)
