"""How every figure looks: one colour per loss, one line style per semantics, sizes and fonts of a paper.

The colours differ in lightness as well as in hue, so that they stay apart in grey and for colour-blind readers.
"""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Look = dict[str, Any]  # keywords of matplotlib's artists

COLOURS = {"L2": "#003f7d", "H1": "#e8702a", "H2": "#7fcdaa"}
LINES = {"population": "-", "loss": (0, (4.5, 1.8))}
LOSS_NAMES = {"L2": r"$L^2$", "H1": r"$H^1$", "H2": r"$H^2$"}
MATRIX_LABELS = {
    "L2": "$L^2$, Jacobian and Hessian alike",
    "H1 population": "$H^1$, Jacobian of the population gradient",
    "H1 loss": "$H^1$, Hessian of the loss",
}
REFERENCE = "#8a8a8a"
SHADES = ("#ededed", "#d4d4d4")
FULL_WIDTH = 6.9  # inches, the text width of a two-column page

SETTINGS: dict[Any, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.6,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # TrueType: text stays text for journals and searches
    "svg.fonttype": "path",
    "svg.hashsalt": "sobolev_theory",
}

# No date in the file: the same data gives the same bytes.
UNDATED: dict[str, dict[str, Any]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


def new_figure(height: float) -> Figure:
    """An empty figure of the page's width and so many inches; draw it inside `paper()`."""
    return Figure(figsize=(FULL_WIDTH, height), layout="constrained")


def paper():
    """The context, also usable as a decorator, in which figures are drawn and saved."""
    return matplotlib.rc_context(SETTINGS)


def save(figure: Figure, path: Path, file_format: str) -> None:
    """Write the figure as png, pdf or svg, whatever the path's ending."""
    with paper():
        figure.savefig(path, format=file_format, metadata=UNDATED[file_format])


def letter(axes: Axes, letter: str) -> None:
    """(a), (b), ... before the panel's title, for the caption to refer to."""
    axes.set_title(f"({letter})  {axes.get_title(loc='left')}")
