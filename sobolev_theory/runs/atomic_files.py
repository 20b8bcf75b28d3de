"""Files that are replaced as a whole: whenever its writer is stopped, a file is the old one or the new one."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def file_of(name: str, path) -> Path:
    """The path of a file to be written, as a user gives it in the argument of this name.

    Raises:
        TypeError, ValueError: no path, or none of a file in a folder that exists.
    """
    try:
        path = Path(path)
    except TypeError as error:
        raise TypeError(f"{name}: got {path!r}; needs the path of a file") from error
    if not path.parent.is_dir() or path.is_dir():
        raise ValueError(f"{name}: got {path}; needs the name of a file in a folder that exists")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, to be written; it takes that name only when the block succeeds.

    Raises:
        OSError: it cannot be made, or the disk cannot take it; `path` is then as it was.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp's files are private to their owner
        _to_disk(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """The temporary files of writers of `path` that were killed."""
    name = re.compile(re.escape(_prefix(path)) + r"[a-z0-9_]{8}")
    for other in path.parent.iterdir():
        if name.fullmatch(other.name):
            other.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _to_disk(path: Path) -> None:
    """A rename may be on the disk before what was written: after a loss of power the file would be empty."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
