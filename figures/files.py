"""What the figures keep on disk: computed arrays that are reused while they are current, and no half-written file."""

import hashlib
import inspect
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import sobolev_theory

Arrays = dict[str, np.ndarray]
KEY = "key"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, to be written; it takes that name only when the block succeeds."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp's files are private to their owner
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
    """data(track=track, **arguments), read from `path` or computed and kept there; and whether it was computed.

    The file is current while the arguments, the source of the module of `data`, the files it names as SOURCES and the
    library's sources are what they were when it was written. A file that cannot be read is computed anew.
    """
    key = fingerprint(data, arguments)
    kept = None if fresh else _read(path, key)
    if kept is not None:
        return kept, False
    arrays = data(track=track, **arguments)
    with replacing(path) as temporary, temporary.open("wb") as file:
        contents: dict[str, Any] = {KEY: np.array(key), **arrays}
        np.savez(file, **contents)
    return arrays, True


def fingerprint(data: Callable[..., Arrays], arguments: dict) -> str:
    """A hash of the arguments, the module of `data` and its SOURCES, and every module of the library."""
    module = [Path(inspect.getfile(data)), *getattr(inspect.getmodule(data), "SOURCES", ())]
    library = sorted(Path(sobolev_theory.__file__).parent.rglob("*.py"))
    digest = hashlib.sha256(repr(sorted(arguments.items())).encode())
    for source in (*module, *library):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _read(path: Path, key: str) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return arrays if str(arrays.pop(KEY, None)) == key else None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
