"""How every figure looks: one colour per loss, one line style per semantics, sizes and fonts of a paper.

The colours differ in lightness as well as in hue, so that they stay apart in grey and for colour-blind readers.
"""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure as Picture

Look = dict[str, Any]  # keywords of matplotlib's artists

COLOURS = {"L2": "#003f7d", "H1": "#e8702a", "H2": "#7fcdaa"}
LINES = {"population": "-", "loss": (0, (4.5, 1.8))}
LOSS_NAMES = {"L2": r"$L^2$", "H1": r"$H^1$", "H2": r"$H^2$"}
MATRIX_LABELS = {
    "L2": "$L^2$, Jacobian and Hessian alike",
    "H1 population": "$H^1$, Jacobian of the population gradient",
    "H1 loss": "$H^1$, Hessian of the loss",
}
LOOKS: dict[str, Look] = {  # of the losses in either semantics
    "L2": {"color": COLOURS["L2"], "linestyle": "-"},
    "H1 population": {"color": COLOURS["H1"], "linestyle": LINES["population"]},
    "H1 loss": {"color": COLOURS["H1"], "linestyle": LINES["loss"]},
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


def new_figure(height: float) -> Picture:
    """An empty figure of the page's width and so many inches; draw it inside `paper()`."""
    return Picture(figsize=(FULL_WIDTH, height), layout="constrained")


def paper():
    """The context, also usable as a decorator, in which figures are drawn and saved."""
    return matplotlib.rc_context(SETTINGS)


def save(figure: Picture, path: Path, file_format: str) -> None:
    """Write the figure as png, pdf or svg, whatever the path's ending."""
    with paper():
        figure.savefig(path, format=file_format, metadata=UNDATED[file_format])
