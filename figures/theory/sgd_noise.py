"""SGD in order parameters with runs of SGD on it, and the noise of the sample gradient over d and the angle.

Two ReLU neurons and an orthonormal teacher of two, from the overlaps of `studies.sgd_samples`.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import sobolev_theory as st
from studies import sgd_samples
from studies.sgd_in_span import sgd_in_span

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Look, Picture

LOSSES = {"L2": (1.0, 0.0), "J": (0.0, 1.0), "H1": (1.0, 1.0)}  # the lambdas
RATES = {"L2": (0.2, 0.45, 0.85), "H1": (0.4, 0.8, 1.6)}  # the last ones are about the best
END, TIMES = 36.0, 181
PLAIN, MANY = (100, 1000), 10_000  # dimensions of SGD by its definition, and by the law of its Gram matrices
DIMENSIONS = np.geomspace(4, 3000, 60)
ANGLES = np.geomspace(0.01, np.pi, 91)
ANGLE_DIMENSION = 100


def data(
    keep: Keep = Keep(), end: float = END, sampled: tuple[int, ...] = (10, 100, 1000), samples: int = 20_000
) -> Arrays:
    """Arrays by loss and rate: theory [2, 3, T], and one run of SGD of each dimension [3, 2, 3, n] at whole times.

    `noise` [3, D] is tr Cov / |G|^2 over `dimension`, for L2, J and H1, `noise_sampled` [3, S] that of samples, and
    `noise_of_one` [3, A] that of one neuron over `angle` in d = 100.
    """
    each = [(loss, rate) for loss, rates in RATES.items() for rate in rates]
    theory = [keep.cell(f"theory-{loss}-{rate:g}", partial(_theory, loss, rate))["loss"] for loss, rate in each]
    runs = [
        keep.cell(f"sgd-{d}-{loss}-{rate:g}", partial(_sgd, loss, rate, d, end))["loss"]
        for d in keep.track(PLAIN)
        for loss, rate in each
    ]
    runs += list(keep.cell(f"sgd-{MANY}", partial(_sgd_in_span, MANY, end))["loss"])
    exact = keep.cell("noise", _exact_noise)
    return {
        "time": np.linspace(0.0, END, TIMES),
        "theory": np.reshape(theory, (2, 3, -1)),
        "run_dimension": np.array([*PLAIN, MANY]),
        "sgd": np.reshape(runs, (len(PLAIN) + 1, 2, 3, -1)),
        "dimension": DIMENSIONS,
        "noise": exact["noise"],
        "sampled_dimension": np.array(sampled),
        "noise_sampled": np.array([_sampled_noise(d, samples, exact["signal"]) for d in sampled]).T,
        "angle": ANGLES,
        "noise_of_one": exact["noise_of_one"],
    }


def _theory(loss: str, rate: float) -> Arrays:
    times = np.linspace(0.0, END, TIMES)
    found = st.online_sgd(
        *sgd_samples.networks(),
        sgd_samples.LOSSES[loss],
        learning_rate=rate,
        t1=END,
        saveat=times.tolist(),
        measure=st.L2,
    )
    return {"loss": np.asarray(found.loss)}


def _sgd(loss: str, rate: float, d: int, end: float) -> Arrays:
    """The L2 loss at whole times."""
    found = [sgd_samples.l2_loss(grams)[0] for _, grams in sgd_samples.sgd(loss, rate, d, 1, end, seed=2)]
    return {"loss": np.array(found[::10])}


def _sgd_in_span(d: int, end: float) -> Arrays:
    """Of all losses and rates at once [6, n]."""
    of_each = np.array([(LOSSES[loss][1], rate) for loss, rates in RATES.items() for rate in rates])
    runs = sgd_in_span(np.asarray(sgd_samples.START.gram), 2, of_each[:, 0], of_each[:, 1], d, end, 1.0, seed=2)
    return {"loss": np.array([sgd_samples.l2_loss(grams) for _, grams in runs]).T}


@jax.jit
@jax.vmap
def _noise(lambdas, student, teacher) -> tuple[jax.Array, jax.Array, jax.Array]:
    """E|g|^2 in d = 4, what each further dimension adds to it, and |G|^2; a neuron that is 0 is silent."""
    of_zero = (jnp.any(x != 0, axis=1).astype(float) for x in (student, teacher))
    ours, theirs = (st.Network(x, a) for x, a in zip((student, teacher), of_zero, strict=True))
    found = st.gradient_noise(ours, theirs, st.SobolevLoss((lambdas[0], lambdas[1])))
    return jnp.sum(found.squares), jnp.sum(found.per_dimension), found.gradient_square


def _exact_noise() -> Arrays:
    """Both panels in one call: the two neurons, and one neuron at every angle, for each loss."""
    student, teacher = (np.asarray(network.weights) for network in sgd_samples.networks())
    students, teachers = np.zeros((1 + len(ANGLES), 2, 4)), np.zeros((1 + len(ANGLES), 2, 4))
    students[0], teachers[0], students[1:, 0, 0] = student, teacher, 1.0
    teachers[1:, 0, 0], teachers[1:, 0, 1] = np.cos(ANGLES), np.sin(ANGLES)
    lambdas = np.repeat(np.array(list(LOSSES.values())), len(students), axis=0)
    found = _noise(lambdas, np.tile(students, (3, 1, 1)), np.tile(teachers, (3, 1, 1)))
    square, more, signal = (np.asarray(x).reshape(3, -1) for x in found)
    of_one = square[:, 1:] + (ANGLE_DIMENSION - 4) * more[:, 1:]
    return {
        "noise": (square[:, :1] + more[:, :1] * (DIMENSIONS - 4)) / signal[:, :1] - 1,
        "signal": signal[:, 0],
        "noise_of_one": of_one / signal[:, 1:] - 1,
    }


def _sampled_noise(d: int, samples: int, signal: np.ndarray) -> np.ndarray:
    """tr Cov / |G|^2 of L2, J and H1 from samples in batches of 1000, G being exact."""
    generator = np.random.default_rng(d)
    student, teacher = st.networks_from_overlaps(sgd_samples.START, dimension=d)
    w, v = np.asarray(student.weights), np.asarray(teacher.weights)
    squares, count = np.zeros(3), 0
    while count < samples:
        x = generator.standard_normal((1000, d))
        on, on_star = (x @ w.T > 0).astype(float), (x @ v.T > 0).astype(float)
        difference = (x @ w.T * on).sum(1) - (x @ v.T * on_star).sum(1)
        values, slopes = difference[:, None] * x, on @ w - on_star @ v
        for k, g in enumerate((values, slopes, values + slopes)):
            squares[k] += np.sum(on.sum(1) * np.sum(g**2, axis=1))
        count += 1000
    return (squares / count - signal) / signal


NAMES = {"L2": style.LOSS_NAMES["L2"], "J": "derivatives alone", "H1": style.LOSS_NAMES["H1"]}
LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"]},
    "J": {"color": style.REFERENCE, "linestyle": (0, (1, 1))},
    "H1": {"color": style.COLOURS["H1"]},
}
WIDTHS = (0.6, 1.1, 1.8)  # of the rates
DOTS: tuple[Look, ...] = (  # of the dimensions, each at its own third of the times
    {"marker": "o", "markerfacecolor": "w", "markersize": 3.6},
    {"marker": "s", "markersize": 2.8},
    {"marker": "D", "markerfacecolor": "w", "markersize": 3.2},
)
LEAST, MOST = 1e-4, 0.8  # losses shown


@style.paper()
def draw(data: Arrays) -> Picture:
    """Loss over t = samples / d of either loss, lines from the equation and dots from SGD; the noise below them."""
    figure = style.new_figure(5.0)
    (of_values, of_both), (over_d, over_angle) = figure.subplots(2, 2, height_ratios=(1.25, 1))
    for row, (axes, loss) in enumerate(zip((of_values, of_both), RATES, strict=True)):
        _draw_runs(axes, data, row, loss)
    of_values.set_ylabel("$L^2$ loss")
    for name, exact, sampled in zip(NAMES, data["noise"], data["noise_sampled"], strict=True):
        over_d.loglog(data["dimension"], exact, label=NAMES[name], **LOOKS[name])
        over_d.plot(data["sampled_dimension"], sampled, linestyle="", marker="o", color=LOOKS[name]["color"])
    over_d.set(title="noise over the dimension, two neurons", xlabel="$d$")
    over_d.set_ylabel(r"noise scale $\mathrm{tr\,Cov}\,(g) \, / \, |G|^2$")
    for name, noise in zip(NAMES, data["noise_of_one"], strict=True):
        over_angle.loglog(data["angle"], noise, **LOOKS[name])
    over_angle.set(title=f"over the angle, one neuron, $d = {ANGLE_DIMENSION}$", xlim=(data["angle"][0], np.pi))
    over_angle.set_xlabel(r"angle $\theta$ of $w$ and $w^{\!*}$, equal norms")
    over_angle.set_xticks([0.01, 0.1, 1, np.pi], ["$0.01$", "$0.1$", "$1$", r"$\pi$"])
    letters((of_values, of_both, over_d, over_angle))
    _legends(figure, data)
    return figure


def _draw_runs(axes: Axes, data: Arrays, row: int, loss: str) -> None:
    whole = np.arange(data["sgd"].shape[-1])
    for column, rate in enumerate(RATES[loss]):
        colour, line = LOOKS[loss]["color"], data["theory"][row, column]
        axes.semilogy(data["time"], line, color=colour, linewidth=WIDTHS[column], zorder=1)
        for number, dots in enumerate(DOTS[: len(data["sgd"])]):
            at = (whole > 0) & (whole % len(DOTS) == number)
            run = data["sgd"][number, row, column]
            axes.plot(whole[at], run[at], linestyle="", color=colour, markeredgewidth=0.8, **dots)
        place = _end(data["time"], line)
        axes.annotate(
            rf"$\eta = {rate:g}$", place, (3, 0), textcoords="offset points", va="center", fontsize=8, color=colour
        )
    axes.set(title=f"SGD under {style.LOSS_NAMES[loss]}", xlabel="$t$ = samples / $d$")
    axes.set(xlim=(0, data["time"][-1] + 0.4), ylim=(LEAST, MOST))


def _end(time: np.ndarray, line: np.ndarray) -> tuple[float, float]:
    """Where the line leaves the panel, or is about to."""
    last = np.flatnonzero(line > 1.4 * LEAST)[-1]
    return float(time[last]), float(line[last])


def _legends(figure: Picture, data: Arrays) -> None:
    handles = [Line2D([], [], label=NAMES[name], **LOOKS[name]) for name in NAMES]
    handles += [
        Line2D([], [], linestyle="", color="k", label=f"SGD, $d = {d}$", **dots)
        for d, dots in zip(data["run_dimension"], DOTS, strict=False)
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.2, handletextpad=0.5
    )


FIGURE = Figure(data, draw, minutes=2.0)
