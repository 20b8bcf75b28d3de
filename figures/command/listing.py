"""The table of the figures: how long each takes, what state its data is in, and what it shows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..kept import archives, cache
from .catalogue import Entry, stem


def table(entries: Iterable[Entry], folder: Path, given: dict[str, Any]) -> str:
    """A line for each figure: name, time measured or expected ("about"), status in the folder, description."""
    rows = [(entry.name, *_time_and_status(entry, folder, given), entry.shows) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows)


def _time_and_status(entry: Entry, folder: Path, given: dict[str, Any]) -> tuple[str, str]:
    absent = entry.missing()
    if absent:
        return "-", f"needs {', '.join(absent)}"
    figure = entry.figure()
    taken = figure.taken(given)
    path = folder / f"{stem(entry.name, taken)}.npz"
    status = cache.status(path, figure.data, sources=figure.sources, **taken)
    measured = archives.seconds(path)
    if measured is not None:
        return duration(measured), status
    return "-" if taken else f"about {duration(60 * figure.minutes)}", status


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
