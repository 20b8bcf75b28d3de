"""Error of Monte-Carlo estimates of the closed forms over the number of samples.

Against the right formula the error falls like 1/sqrt(N). For H1 and the formula of the other semantics (loss gradient
for population gradient, Hessian of the loss for the population Jacobian) it levels off at the gap of the two.
"""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from matplotlib.lines import Line2D

import sobolev_theory as st

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Look, Picture

LOSSES = {"L2": st.L2, "H1": st.H1}
# An estimated function and the exact one of the other semantics; the loss itself has one semantics.
TWINS: dict[str, Callable | None] = {
    "population_loss": None,
    "population_gradient": st.loss_gradient,
    "loss_gradient": st.population_gradient,
    "population_jacobian": st.loss_hessian,
}


def networks() -> tuple[st.Network, st.Network]:
    """Student and teacher, K = K* = 3 and d = 8: the student near the teacher, half a random network away."""
    rng = np.random.default_rng(2509)
    teacher, step = rng.normal(size=(2, 3, 8)) / np.sqrt(8)
    return st.Network(teacher + step / 2), st.Network(teacher)


def data(
    samples: Sequence[int] = (2**8, 2**10, 2**12, 2**14, 2**16, 2**18),
    repetitions: int = 24,
    keep: Keep = Keep(),
) -> Arrays:
    """Root-mean-square errors over independent repetitions, all relative to the norm of the exact value.

    Returns arrays, with functions [4] in the order of TWINS and losses [2] in that of LOSSES: samples [S];
    error [4, 2, S] and error_bar, two standard errors of it; predicted [4, 2, S], the error that the estimates'
    own standard errors announce; twin_error [4, 2, S] and twin_bar against the exact value of the other semantics,
    and gap [4, 2], the distance of the two exact values; where there is no other semantics these three are 0.

    Raises:
        ValueError: no sample sizes, or fewer than two repetitions.
    """
    samples = tuple(samples)
    if not samples:
        raise ValueError("samples: got none; needs at least one number of samples")
    if repetitions < 2:
        raise ValueError(f"repetitions: got {repetitions}; needs at least 2, for the error bars")
    shape = (len(TWINS), len(LOSSES), len(samples))
    result: Arrays = {key: np.zeros(shape) for key in ("error", "error_bar", "predicted", "twin_error", "twin_bar")}
    result |= {"samples": np.array(samples), "gap": np.zeros(shape[:2])}
    names, losses = list(TWINS), list(LOSSES.values())
    for place in keep.track(list(np.ndindex(*shape))):
        f, m, n = place
        for key, value in _errors(names[f], losses[m], samples[n], repetitions).items():
            result[key][place[: result[key].ndim]] = value
    return result


def _errors(name: str, loss: st.SobolevLoss, samples: int, repetitions: int) -> dict[str, float]:
    twin = TWINS[name]
    student, teacher = networks()
    exact = _vector(getattr(st, name)(student, teacher, loss))
    other = exact if twin is None else _vector(twin(student, teacher, loss))
    size = np.linalg.norm(exact)
    # Nets would fall faster than the line.
    options = {"samples": samples, "method": "independent", "progress": False}
    misses, twin_misses, variances = [], [], []
    for seed in range(repetitions):
        key = jax.random.fold_in(jax.random.key(seed), samples)
        estimate = getattr(st.montecarlo, name)(student, teacher, loss, key=key, **options)
        mean = _vector(estimate.mean)
        misses.append(np.sum((mean - exact) ** 2) / size**2)
        twin_misses.append(np.sum((mean - other) ** 2) / size**2)
        variances.append(np.sum(_vector(estimate.standard_error) ** 2) / size**2)
    error, bar = _root_mean(np.array(misses))
    result = {"error": error, "error_bar": bar, "predicted": float(np.sqrt(np.mean(variances)))}
    if twin is not None:
        twin_error, twin_bar = _root_mean(np.array(twin_misses))
        gap = float(np.linalg.norm(other - exact) / size)
        result |= {"twin_error": twin_error, "twin_bar": twin_bar, "gap": gap}
    return result


def _root_mean(squares: np.ndarray) -> tuple[float, float]:
    """The root of the mean and two of its standard errors, by the delta method."""
    root = np.sqrt(np.mean(squares))
    return float(root), float(np.std(squares, ddof=1) / np.sqrt(len(squares)) / root)


def _vector(value) -> np.ndarray:
    return np.asarray(ravel_pytree(value)[0])


MARKERS = {"L2": "o", "H1": "s"}
TITLES = {
    "population_loss": r"loss $E[\,\ell\,]$",
    "population_gradient": r"population gradient $E[\nabla \ell\,]$",
    "loss_gradient": r"loss gradient $\nabla E[\,\ell\,]$",
    "population_jacobian": r"population Jacobian $D\,E[\nabla \ell\,]$",
}
TWIN_LABELS = {
    "population_gradient": r"against the formula of $\nabla E[\,\ell\,]$",
    "loss_gradient": r"against the formula of $E[\nabla \ell\,]$",
    "population_jacobian": r"against the formula of $\nabla^2 E[\,\ell\,]$",
}
POINTS: Look = {"linestyle": "none", "zorder": 3, "elinewidth": 0.9, "capsize": 2}
TWIN: Look = {"color": style.COLOURS["H1"], "marker": "x", "markersize": 4.5}


@style.paper()
def draw(data: Arrays) -> Picture:
    """One panel per function: measured points with error bars on the lines predicted for them.

    Lines fall like 1/sqrt(N); against the formula of the other semantics they level off at the gap of the two.
    """
    figure = style.new_figure(height=4.9)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    samples = data["samples"]
    for f, (axes, name) in enumerate(zip(panels.flat, TWINS, strict=True)):
        for m, loss in enumerate(LOSSES):
            # The line goes through the prediction at the largest number of samples, the best known.
            line = data["predicted"][f, m, -1] * np.sqrt(samples[-1] / samples)
            look: Look = {"color": style.COLOURS[loss], "marker": MARKERS[loss]}
            axes.errorbar(samples, data["error"][f, m], data["error_bar"][f, m], label=loss, **POINTS, **look)
            axes.plot(samples, line, color=style.COLOURS[loss], linewidth=0.9, label=f"{loss} predicted")
        if name in TWIN_LABELS:  # of H1, the second loss, whose line is the last one
            level = np.hypot(data["gap"][f, 1], line)
            axes.errorbar(
                samples, data["twin_error"][f, 1], data["twin_bar"][f, 1], label="H1 twin", **POINTS, **TWIN
            )
            axes.plot(samples, level, ":", color=TWIN["color"], linewidth=0.9, label="H1 twin predicted")
            below: Look = {"xytext": (4, -7), "textcoords": "offset points", "ha": "right", "va": "top"}
            axes.annotate(TWIN_LABELS[name], (samples[-1], level[-1]), fontsize=8.5, **below)
        axes.set_title(TITLES[name])
    letters(panels.flat)
    _finish(figure, panels)
    return figure


def _finish(figure: Picture, panels: np.ndarray) -> None:
    panels[0, 0].set_xscale("log", base=2)
    panels[0, 0].set_yscale("log")
    for axes in panels[-1]:
        axes.set_xlabel("number of samples $N$")
    for axes in panels[:, 0]:
        axes.set_ylabel("relative error")
    looks: list[Look] = [
        {"color": style.COLOURS[loss], "marker": MARKERS[loss], "linestyle": "none"} for loss in LOSSES
    ]
    points = [Line2D([], [], label=style.LOSS_NAMES[loss], **look) for loss, look in zip(LOSSES, looks, strict=True)]
    line = Line2D([], [], color=style.REFERENCE, linewidth=0.9, label=r"predicted, $\propto 1 / \sqrt{N}$")
    twin = Line2D([], [], linestyle=":", linewidth=0.9, label="$H^1$, wrong semantics", **TWIN)
    figure.legend(handles=[*points, line, twin], loc="outside upper center", ncols=4)


FIGURE = Figure(data, draw, minutes=1.5)
