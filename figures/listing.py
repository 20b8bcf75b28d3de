"""The table of the figures: how long each takes, what state its data is in, and what it shows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import FIGURES, archives, files, modules


def table(names: Iterable[str], folder: Path, given: dict[str, Any]) -> str:
    """A line for each figure: name, time measured or expected ("about"), status in the folder, description."""
    rows = [(name, *_time_and_status(name, folder, given), FIGURES[name]) for name in names]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows)


def _time_and_status(name: str, folder: Path, given: dict[str, Any]) -> tuple[str, str]:
    absent = modules.missing(name)
    if absent:
        return "-", f"needs {', '.join(absent)}"
    figure = modules.module(name)
    taken = modules.settings(figure.data, given)
    path = folder / f"{modules.stem(name, taken)}.npz"
    measured = archives.seconds(path)
    if measured is not None:
        time = duration(measured)
    else:
        expected = getattr(figure, "MINUTES", None)
        time = "-" if expected is None or taken else f"about {duration(60 * expected)}"
    return time, files.status(path, figure.data, **taken)


def duration(seconds: float) -> str:
    """To two digits, in the unit that suits.

    Example:
        >>> duration(0.04), duration(99.0), duration(7500.0)
        ('0.04 s', '1.6 min', '2.1 h')
    """
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds:.2g} s"
