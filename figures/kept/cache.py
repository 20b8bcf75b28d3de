"""The data of a figure, reused while it is current, else computed from the cells of what was interrupted."""

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sobolev_theory.runs.progress import Track

from . import archives
from .archives import Arrays
from .keep import Keep
from .sources import fingerprint


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
    sources: Iterable[Path] = (),
    fresh: bool = False,
    track: Track = iter,
    **arguments,
) -> tuple[Arrays, bool]:
    """data(keep=..., **arguments), read from `path` or computed and written there; and whether it was computed.

    The file is current while its key is the fingerprint of arguments and sources. A file that cannot be read is
    computed anew. The `keep` has the cells that an interruption has left beside `path`, and leaves its own there
    until the whole is written.
    """
    key = fingerprint(data, arguments, sources)
    keep = Keep(_cells(path), key, track)
    kept = None if fresh else archives.read(path, key)
    if kept is not None:
        return kept, False
    if fresh:
        keep.remove()
    keep.remove_stale()
    before, start = keep.seconds(), time.perf_counter()
    arrays = data(keep=keep, **arguments)
    archives.write(path, key, arrays, before + time.perf_counter() - start)
    keep.remove()
    return arrays, True


def status(path: Path, data: Callable[..., Arrays], *, sources: Iterable[Path] = (), **arguments) -> str:
    """In words, whether `cached` would compute the data, and from which state."""
    key = fingerprint(data, arguments, sources)
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
