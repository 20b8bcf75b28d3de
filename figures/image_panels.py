"""Panels of the experiments on images: curves of both losses over steps, and grids of pictures."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from . import style
from .image_losses import LOSSES
from .style import Look

WIDE = 4.0  # ranges of values beyond which labels of all the ticks would overlap
LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"], "linestyle": "-"},
    "H1": {"color": style.COLOURS["H1"], "linestyle": style.LINES["loss"]},
}


def curves(axes: Axes, step: Int[np.ndarray, " T"], of_losses: Float[np.ndarray, "2 S T"]) -> None:
    """Medians and quartiles over seeds, of L2 and of H1, without the start."""
    for loss, values in zip(LOSSES, of_losses[:, :, 1:], strict=True):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
        axes.semilogy(step[1:], middle, label=f"{style.LOSS_NAMES[loss]} loss", **LOOKS[loss])
        axes.fill_between(step[1:], low, high, color=LOOKS[loss]["color"], alpha=0.25, linewidth=0)
    axes.set_xlabel("step of Adam")
    axes.set_xlim(0, None)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    if of_losses[:, :, 1:].max() > WIDE * of_losses[:, :, 1:].min():
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.tick_params(axis="y", which="minor", labelsize=7)


def pictures(grid: np.ndarray, rows: dict[str, Float[np.ndarray, "P H W C"]], low: float, high: float) -> None:
    """A row of images for each name, into axes [rows, P]; values from low to high, RGB or grey."""
    for line, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=True):
            shown = ((image - low) / (high - low)).clip(0, 1)
            axes.imshow(shown if shown.shape[-1] == 3 else shown[..., 0], cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
