"""Student and teacher in up to 512 dimensions: error and cost of L2 and of H1 by projections.

Students, losses and samples are those of `student_teacher`. At equal time L2 takes as many more steps as the measured
cost of a step of H1 allows; its error there is interpolated between runs of 1 and `longer` times as many steps.
"""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.statistics import phrase, ratio_of_medians
from ..panels import band, letters
from ..problems import student_teacher
from ..problems.student_teacher import LOSSES, SAMPLING, Setting
from ..style import Look, Picture

FULL = Setting(
    dimensions=tuple(2**power for power in range(1, 11)),
    seeds=20,
    steps=10_000,
    batch=128,
    samples=2048,
    student=64,
    teacher=8,
)


def data(
    *,
    full: bool = False,
    setting: Setting | None = None,
    keep: Keep = Keep(),
) -> Arrays:
    """Errors of students of D dimensions and S seeds, and what their steps cost.

    Args:
        full: d = 2, 4 ... 1024, 20 seeds, 10,000 steps, larger networks and samples.
        setting: instead of these defaults.

    Returns:
        dimension [D]; <run>_<sampling> [D, S, T], errors relative to the teacher's standard deviation, of the runs
        L2, projected, whole and longer with finite and fresh samples, after step [T] steps, "longer" after `longer`
        times as many; <loss>_seconds [D, R] of a step in R rounds; samples, directions and longer of the setting.
    """
    setting = setting or (FULL if full else Setting())
    runs = {**{loss: (loss, 1) for loss in LOSSES}, "longer": ("L2", setting.longer)}
    found: dict[str, list[np.ndarray]] = {}
    for d, sampling, run in keep.track([(d, s, run) for d in setting.dimensions for s in SAMPLING for run in runs]):
        cell = f"{d}-{sampling}-{run}"
        checkpoint = keep.checkpoint(cell) if full else None
        compute = partial(student_teacher.trained, setting, d, sampling, *runs[run], checkpoint)
        found.setdefault(f"{run}_{sampling}", []).append(keep.cell(cell, compute)["error"])
    for d in setting.dimensions:
        for loss, rounds in keep.cell(f"{d}-seconds", partial(student_teacher.seconds, setting, d)).items():
            found.setdefault(f"{loss}_seconds", []).append(rounds)
    return {name: np.stack(over_dimensions) for name, over_dimensions in found.items()} | {
        "dimension": np.array(setting.dimensions),
        "step": np.linspace(0, setting.steps, setting.records + 1).round().astype(int),
        **{name: np.array(getattr(setting, name)) for name in ("samples", "directions", "longer")},
    }


def cost(data: Arrays, loss: str) -> np.ndarray:
    """[D], a step's time over that of L2: the median over rounds, in each of which both were timed."""
    return np.median(data[f"{loss}_seconds"] / data["L2_seconds"], axis=1)


def at_equal_time(data: Arrays, sampling: str, loss: str) -> np.ndarray:
    """[D, S], the error of L2 in the time of a run of this loss, or with `longer` times the steps if that is less."""
    once, longer = (np.log(data[f"{run}_{sampling}"][:, :, -1]) for run in ("L2", "longer"))
    share = np.log(np.clip(cost(data, loss), 1, data["longer"])) / np.log(data["longer"])
    return np.exp(once + share[:, None] * (longer - once))


NAMES = {"projected": "H1 projected", "whole": "H1 with whole gradients"}
H1_LOOK: Look = {"color": style.COLOURS["H1"]}
LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"], "marker": "o", "label": "$L^2$"},
    "projected": {
        **H1_LOOK,
        "marker": "D",
        "markerfacecolor": "w",
        "linestyle": (0, (4.5, 1.8)),
        "label": "$H^1$, projected",
    },
    "whole": {**H1_LOOK, "marker": "s", "label": "$H^1$, whole gradients"},
}
EQUAL_TIME: Look = {
    "color": style.COLOURS["L2"],
    "linestyle": (0, (1, 1.2)),
    "label": "$L^2$ in the time of $H^1$, whole gradients",
}
TITLES = {"finite": "{samples} samples", "fresh": "fresh samples in each step"}


@style.paper()
def draw(data: Arrays) -> Picture:
    """Above errors over d, finite and fresh samples; below the cost of a step, and errors over steps."""
    figure = style.new_figure(5.2)
    grid = figure.subplots(2, 2)
    for axes, sampling in zip(grid[0], SAMPLING, strict=True):
        _draw_errors(axes, data, sampling)
        axes.set_title(TITLES[sampling].format(**data))
    for loss in ("projected", "whole"):
        grid[1, 0].plot(data["dimension"], cost(data, loss), **LOOKS[loss])
    grid[1, 0].axhline(1.0, color=style.COLOURS["L2"], linewidth=0.9)
    grid[1, 0].set(ylabel="time of a step over that of $L^2$", title="cost", ylim=(0, None))
    for axes in (*grid[0], grid[1, 0]):
        axes.set_xscale("log")
        axes.set_xticks(data["dimension"], [str(d) for d in data["dimension"]])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("input dimension $d$")
    for loss in LOSSES:
        band(grid[1, 1], data["step"], data[f"{loss}_fresh"][-1], **LOOKS[loss])
    grid[1, 1].set(xlabel="steps", ylabel="relative error", title=f"fresh samples, $d = {data['dimension'][-1]}$")
    letters(grid.flat)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, columnspacing=1.6)
    return figure


def _draw_errors(axes: Axes, data: Arrays, sampling: str) -> None:
    for loss in LOSSES:
        band(axes, data["dimension"], data[f"{loss}_{sampling}"][:, :, -1].T, **LOOKS[loss])
    axes.plot(data["dimension"], np.median(at_equal_time(data, sampling, "whole"), axis=1), **EQUAL_TIME)
    axes.set_ylabel("relative error")


def finding(data: Arrays) -> list[str]:
    """At the last dimension every comparison; at all the factors; the costs; and how errors of H1 grow with d."""
    d = data["dimension"]
    lines = []
    for sampling in SAMPLING:
        for loss, name in NAMES.items():
            of_h1 = data[f"{loss}_{sampling}"][:, :, -1]
            of_l2 = {"steps": data[f"L2_{sampling}"][:, :, -1], "time": at_equal_time(data, sampling, loss)}
            for equal, errors in of_l2.items():
                ratios = [ratio_of_medians(*seeds) for seeds in zip(errors, of_h1, strict=True)]
                what = f"{sampling} samples, equal {equal}, d = {d[-1]}: error of L2 over that of {name}"
                factors = ", ".join(f"{ratio.value:.2g}" for ratio in ratios[:-1])
                lines.append(f"{phrase(what, ratios[-1])}; at d = {', '.join(map(str, d[:-1]))} it is {factors}")
        low = [f"{np.median(data[f'whole_{sampling}'][i, :, -1]):.2g}" for i in (0, -1)]
        lines.append(
            f"{sampling} samples: the error of {NAMES['whole']} is {low[0]} at d = {d[0]}, {low[1]} at d = {d[-1]}"
        )
    for loss, name in NAMES.items():
        times = cost(data, loss)
        beyond = f"; equal time is taken as {data['longer']} at most" if times.max() > data["longer"] else ""
        lines.append(
            f"cost of a step of {name} over L2: {times[0]:.2g} at d = {d[0]}, {times[-1]:.2g} at d = {d[-1]}{beyond}"
        )
    return lines


FIGURE = Figure(
    data,
    draw,
    minutes=3.0,
    options=("full",),
    statement="arXiv 2509.19773: Sobolev training keeps errors low in high dimension, at an efficient cost.",
    finding=finding,
)
