"""Tanh networks, Fourier features and SIREN on three functions: error over steps of L2, H1, H2.

Every loss starts from the same networks and sees the same points, with exact derivatives of the target. Steps are
Adam's, then L-BFGS's. The error drawn is that of the values alone, also where derivatives were trained: the root
mean square between the training points over that of the target. That of the slopes is kept beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

import sobolev_theory as st
from sobolev_theory import training

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.statistics import Ratio, phrase, ratio_of_medians, verdict
from ..networks import fields
from ..panels import band, letters
from ..problems import published_fits
from ..style import Picture

LOSSES = {"L2": st.L2, "H1": st.H1, "H2": st.H2}
ARCHITECTURES: dict[str, Callable[..., Callable[[Array], Array]]] = {
    "tanh": fields.Tanh,
    "fourier": fields.FourierFeatures,
    "siren": fields.Siren,
}
TARGETS = published_fits.TARGETS


@dataclass(frozen=True)
class Setting:
    """How the networks are trained; the default is embedded and small."""

    seeds: int = 6
    width: int = 32
    depth: int = 4
    points: int = 256  # equally spaced on [-1, 1]; with 128 the networks fit the slopes there and miss those between
    adam: int = 1000
    lbfgs: int = 150
    every: int = 50


RATES = {
    "tanh": 1e-3,
    "fourier": 1e-3,
    "siren": 3e-4,
}  # of Adam; at the others' some seeds of SIREN stay where they start
DTYPE = jnp.float32
ERRORS = ("error", "slope_error")
SEARCH = 10  # evaluations of a line search: where rounding ends the descent, more are wasted


def data(
    *,
    paper: bool = False,
    setting: Setting | None = None,
    keep: Keep = Keep(),
) -> Arrays:
    """Test errors [A, L, F, S, T] of A architectures, L losses, F targets, S seeds at T numbers of steps.

    Args:
        paper: the networks, starts, losses, steps and optimisers of the public code, see `published_fits`; errors are
            then mean squares at its 100 test points, and `means` is in the arrays.
        setting: instead of these defaults.

    Returns arrays: error of values and slope_error, step [T], adam, the number of steps that are Adam's, and seconds
    [A, L, T], spent in steps so far for all targets and seeds.
    """
    if paper:
        return _published(keep)
    setting = setting or Setting()
    cells = [(architecture, loss) for architecture in ARCHITECTURES for loss in LOSSES]
    found = []
    for architecture, loss in keep.track(cells):
        name = f"{architecture}-{loss}"
        found.append(keep.cell(name, partial(_train, setting, architecture, loss, keep, name)))
    shape = (len(ARCHITECTURES), len(LOSSES))
    return {
        "step": found[0]["step"],
        "adam": np.array(setting.adam),
        **{
            name: np.stack([cell[name] for cell in found]).reshape(*shape, len(TARGETS), setting.seeds, -1)
            for name in ERRORS
        },
        "seconds": np.stack([cell["seconds"] for cell in found]).reshape(*shape, -1),
    }


def _published(keep: Keep) -> Arrays:
    """In the public code's setting: all networks of a loss are one cell. means [A, L, F, T] is what it draws."""
    runs = published_fits.Runs()
    found = [
        keep.cell(loss, partial(published_fits.trained, loss, runs, keep.checkpoint(loss), keep.track))
        for loss in keep.track(LOSSES)
    ]
    shape = (len(ARCHITECTURES), len(TARGETS), runs.seeds, -1)
    errors = {name: np.stack([cell[name].reshape(shape) for cell in found], axis=1) for name in ERRORS}
    kept = np.ma.masked_greater(errors["error"], published_fits.GIVEN_UP)
    seconds = np.stack([cell["seconds"] for cell in found])
    return {
        **errors,
        "means": kept.mean(axis=3).filled(np.inf),
        "step": found[0]["step"],
        "adam": np.array(runs.adam),
        "seconds": np.broadcast_to(seconds, (len(ARCHITECTURES), *seconds.shape)) / len(ARCHITECTURES),
    }


class _Student(eqx.Module):
    network: Callable[[Array], Array]
    target: Int[Array, ""]  # its number among TARGETS


def _train(setting: Setting, architecture: str, loss: str, keep: Keep, name: str) -> Arrays:
    """All targets and seeds at once; the same starts for every target and loss."""
    x = jnp.linspace(-1.0, 1.0, setting.points, dtype=DTYPE)
    between = (x[1:] + x[:-1]) / 2
    at_points = _stacked(lambda target: training.derivatives(target, x, LOSSES[loss].order))
    at_test = _stacked(lambda target: training.derivatives(target, between, 1))

    def start(key, target):
        network = ARCHITECTURES[architecture](setting.width, setting.depth, key=key)
        return _Student(jax.tree.map(lambda w: w.astype(DTYPE) if eqx.is_array(w) else w, network), target)

    def objective(student, _):
        wanted = [values[student.target] for values in at_points]
        return training.sobolev_loss(student.network, x, wanted, LOSSES[loss])

    def measure(student):
        found = training.derivatives(student.network, between, 1)
        wanted = [values[student.target] for values in at_test]
        relative = [jnp.sqrt(jnp.mean((a - b) ** 2) / jnp.mean(b**2)) for a, b in zip(found, wanted, strict=True)]
        return dict(zip(ERRORS, relative, strict=True))

    keys = jnp.tile(jax.random.split(jax.random.key(0), setting.seeds), len(TARGETS))
    run = training.fit(
        eqx.filter_vmap(start)(keys, jnp.repeat(jnp.arange(len(TARGETS)), setting.seeds)),
        objective,
        keys=keys,
        stages=[
            training.Stage(optax.adam(RATES[architecture]), setting.adam),
            training.Stage(optax.lbfgs(linesearch=optax.scale_by_zoom_linesearch(SEARCH)), setting.lbfgs),
        ],
        measure=measure,
        every=setting.every,
        checkpoint=keep.checkpoint(name),
        track=keep.track,
    )
    errors = {name: np.where(np.isfinite(error), error, np.inf) for name, error in run.measures.items()}
    return {"step": run.step, "seconds": run.seconds, **errors}


def _stacked(of_target: Callable) -> list[Float[Array, "F N"]]:
    return [jnp.stack(values) for values in zip(*map(of_target, TARGETS.values()), strict=True)]


NAMES = {"tanh": "tanh network", "fourier": "Fourier features", "siren": "SIREN"}
FORMULAS = {
    "f1": r"$f_1 = \sin 2\pi x + \sin 20\pi x$",
    "f2": r"$f_2 = x + \sin 2\pi x^4$",
    "f3": r"$f_3 = e^x \sin 20 x$",
}
LINES = {"L2": "-", "H1": (0, (5, 1.2)), "H2": (0, (1.2, 1))}


@style.paper()
def draw(data: Arrays) -> Picture:
    """Medians over seeds, or means of the paper's setting, shaded between quartiles; a row for each target."""
    figure = style.new_figure(6.2)
    panels = figure.subplots(len(TARGETS), len(ARCHITECTURES), sharex=True, sharey=True)
    for row, target in enumerate(TARGETS):
        for column, architecture in enumerate(ARCHITECTURES):
            axes = panels[row, column]
            for number, loss in enumerate(LOSSES):
                look = {"color": style.COLOURS[loss], "linestyle": LINES[loss], "label": style.LOSS_NAMES[loss]}
                if "means" in data:
                    axes.fill_between(
                        data["step"], *_quartiles(data, column, number, row), alpha=0.2, color=look["color"]
                    )
                    axes.semilogy(data["step"], data["means"][column, number, row], **look)
                else:
                    band(axes, data["step"], data["error"][column, number, row], **look)
            axes.set_xlim(0, data["step"][-1])
            axes.axvline(float(data["adam"]), color=style.REFERENCE, linewidth=0.6)
            axes.set_title(NAMES[architecture])
        what = "mean square test error" if "means" in data else "relative test error"
        panels[row, 0].set_ylabel(f"{FORMULAS[target]}\n{what}")
    letters(panels.flat)
    for axes in panels[-1]:
        axes.set_xlabel("steps, Adam | L-BFGS")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(LOSSES))
    return figure


def _quartiles(data: Arrays, architecture: int, loss: int, target: int) -> np.ndarray:
    return np.quantile(data["error"][architecture, loss, target], (0.25, 0.75), axis=0, method="inverted_cdf")


def finding(data: Arrays) -> list[str]:
    """Errors of L2 over those of H1 and of H2 after the last step, for every target and architecture."""
    lines = []
    for loss in ("H1", "H2"):
        lines.append(
            f"{loss} against L2 after equal steps, of which each takes {_cost(data, loss):.2g} times as long: "
            f"error {_counts(data['error'], loss)}; error of slopes {_counts(data['slope_error'], loss)}"
        )
        lines += [
            "  " + phrase(f"{target}, {NAMES[architecture]}: error of L2 over that of {loss}", ratio)
            for (architecture, target), ratio in _ratios(data["error"], loss).items()
        ]
    return lines


def _ratios(error: Float[np.ndarray, "A L F S T"], loss: str) -> dict[tuple[str, str], Ratio]:
    l2, other = error[:, 0, ..., -1], error[:, list(LOSSES).index(loss), ..., -1]
    return {
        (architecture, target): ratio_of_medians(l2[a, f], other[a, f])
        for f, target in enumerate(TARGETS)
        for a, architecture in enumerate(ARCHITECTURES)
    }


def _counts(error: Float[np.ndarray, "A L F S T"], loss: str) -> str:
    said = [verdict(ratio) for ratio in _ratios(error, loss).values()]
    lower, higher = said.count("supported"), said.count("not supported, the opposite is seen")
    return f"lower in {lower} of {len(said)} fits, higher in {higher}, no effect seen in {len(said) - lower - higher}"


def _cost(data: Arrays, loss: str) -> float:
    """Seconds of Adam's steps over those with L2, the median of the architectures."""
    seconds = data["seconds"][:, :, np.searchsorted(data["step"], data["adam"])]
    return float(np.median(seconds[:, list(LOSSES).index(loss)] / seconds[:, 0]))


FIGURE = Figure(
    data,
    draw,
    minutes=3.0,
    options=("paper",),
    differs=(
        "L-BFGS of a fixed step is ours, after what PyTorch documents; whether the first layer of Fourier features "
        "is trained is not known to us, here it is; starts and test points are other random numbers."
    ),
    statement=(
        "Sobolev training speeds up convergence and lowers the error for tanh networks, Fourier features and "
        "SIREN alike (arXiv 2509.19773, the experiments on architectures)."
    ),
    finding=finding,
)
