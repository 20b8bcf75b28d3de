"""Panels that several figures have: medians with quartiles over seeds, letters, curves of two losses, pictures."""

import string
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from . import style
from .measures.image_losses import LOSSES
from .measures.statistics import reached
from .style import Look

WIDE = 4.0  # ranges of values beyond which labels of all the ticks would overlap
LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"], "linestyle": "-"},
    "H1": {"color": style.COLOURS["H1"], "linestyle": style.LINES["loss"]},
}


def letters(panels: Iterable[Axes]) -> None:
    """(a), (b), ... before the panels' titles, for the caption to refer to."""
    for axes, letter in zip(panels, string.ascii_lowercase, strict=False):
        axes.set_title(f"({letter})  {axes.get_title(loc='left')}")


def band(axes: Axes, x: np.ndarray, values: Float[np.ndarray, "S X"], **look) -> None:
    """The median over seeds on a logarithmic scale, and in its colour the range from lower to upper quartile.

    Quartiles are those of single seeds: between two infinite ones, which never arrived, stands no number.
    """
    low, high = np.quantile(values, [0.25, 0.75], axis=0, method="nearest")
    axes.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.semilogy(x, np.median(values, axis=0), **look)


def curves(axes: Axes, step: Int[np.ndarray, " T"], of_losses: Float[np.ndarray, "2 S T"]) -> None:
    """Medians and quartiles over seeds, of L2 and of H1, without the start."""
    shown = of_losses[:, :, 1:]
    for loss, values in zip(LOSSES, shown, strict=True):
        band(axes, step[1:], values, label=f"{style.LOSS_NAMES[loss]} loss", **LOOKS[loss])
    axes.set_xlabel("step of Adam")
    axes.set_xlim(0, None)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    if shown.max() > WIDE * shown.min():
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.tick_params(axis="y", which="minor", labelsize=7)


def pictures(grid: np.ndarray, rows: dict[str, Float[np.ndarray, "P H W C"]], low: float, high: float) -> None:
    """A row of images for each name, into axes [rows, P]; values from low to high, RGB or grey."""
    for line, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=True):
            shown = ((image - low) / (high - low)).clip(0, 1)
            picture(axes, shown if shown.shape[-1] == 3 else shown[..., 0], cmap="gray", vmin=0, vmax=1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")


def picture(axes: Axes, image: np.ndarray, **options) -> None:
    """One image, without a frame."""
    axes.imshow(image, **options)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def steps_to(
    axes: Axes,
    step: Int[np.ndarray, " T"],
    errors: Float[np.ndarray, "R S T"],
    tolerances: Sequence[float],
    looks: Sequence[Look],
) -> None:
    """Of R runs to tolerances, medians and quartiles over seeds; in the row on top where fewer than half arrived."""
    last = float(step[-1])
    top, lowest = 2.0 * last, last
    for number, (error, look) in enumerate(zip(errors, looks, strict=True)):
        look = look | {"linestyle": "none"}
        for column, tolerance in enumerate(tolerances):
            steps = reached(step, error, tolerance)
            low, middle, high = np.quantile(steps, (0.25, 0.5, 0.75), method="inverted_cdf")
            at = column + 0.12 * (number - (len(errors) - 1) / 2)
            if np.isinf(middle):
                axes.plot(at, top, markerfacecolor="w", **look)
                continue
            axes.plot([at, at], [low, min(high, top)], color=look["color"], linewidth=0.8)
            axes.plot(at, middle, **look)
            lowest = min(lowest, low)
    axes.axhspan(1.4 * last, 4.4 * last, color=style.SHADES[0], linewidth=0)
    axes.text(0.98, 0.98, "not reached by half of the seeds", ha="right", va="top", transform=axes.transAxes)
    axes.set_yscale("log")
    axes.set_ylim(lowest / 1.5, 4.4 * last)
    ticks = [
        tick for tick in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000) if lowest / 1.5 <= tick <= last
    ]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xticks(range(len(tolerances)), [f"$10^{{{np.log10(t):.0f}}}$" for t in tolerances])
    axes.set(xlabel="relative mean square error", ylabel="step", title="steps to an error")
