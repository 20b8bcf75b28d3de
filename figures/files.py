"""What the figures keep on disk: data, reused while it is current, and the cells of what was interrupted."""

import inspect
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from . import archives
from .archives import Arrays, replacing
from .keep import Keep
from .sources import fingerprint

__all__ = ["Arrays", "cached", "replacing", "status", "writable_folder"]


def writable_folder(path: Path) -> Path:
    """The folder, made if need be.

    Raises:
        OSError: it cannot be made, or no file can be written in it.
    """
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        return path


def cached(
    path: Path,
    data: Callable[..., Arrays],
    *,
    fresh: bool = False,
    track: Callable[[Iterable], Iterable] = iter,
    **arguments,
) -> tuple[Arrays, bool]:
    """data(track=track, **arguments), read from `path` or computed and written there; and whether it was computed.

    The file is current while its key is the fingerprint of arguments and sources. A file that cannot be read is
    computed anew. A `data` with a parameter `keep` gets the cells that an interruption has left beside `path`, and
    leaves its own there until the whole is written.
    """
    key = fingerprint(data, arguments)
    keep = Keep(_cells(path), key)
    kept = None if fresh else archives.read(path, key)
    if kept is not None:
        return kept, False
    if fresh:
        keep.remove()
    keep.remove_stale()
    before, start = keep.seconds(), time.perf_counter()
    keeping = {"keep": keep} if "keep" in inspect.signature(data).parameters else {}
    arrays = data(track=track, **arguments, **keeping)
    archives.write(path, key, arrays, before + time.perf_counter() - start)
    keep.remove()
    return arrays, True


def status(path: Path, data: Callable[..., Arrays], **arguments) -> str:
    """In words, whether `cached` would compute the data, and from which state."""
    key = fingerprint(data, arguments)
    if archives.key(path) == key:
        return "current"
    keep = Keep(_cells(path), key)
    cells = len(keep.cells())
    if cells:
        return f"interrupted, {cells} cell{'s' * (cells > 1)} kept"
    if keep.has_checkpoint():
        return "interrupted, checkpoint kept"
    return "stale" if path.exists() else "not computed"


def _cells(path: Path) -> Path:
    return path.with_suffix(".cells")
