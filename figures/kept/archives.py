"""Arrays in a file with the key they are current under and the time they took; no file is ever half-written."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sobolev_theory.runs.atomic_files import replacing

Arrays = dict[str, np.ndarray]
KEY, SECONDS = "_key", "_seconds"  # their names among those of the arrays
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def write(path: Path, key: str, arrays: Arrays, seconds: float) -> None:
    contents: dict[str, Any] = {KEY: np.array(key), SECONDS: np.array(seconds), **arrays}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **contents)


def read(path: Path, key: str) -> Arrays | None:
    """The arrays, or None where there is no such file, or one that cannot be read or has another key."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file[KEY]) != key:
                return None
            return {name: file[name] for name in file.files if name not in (KEY, SECONDS)}
    except UNREADABLE:
        return None


def key(path: Path) -> str | None:
    """The key that the file was written with; None where there is no readable file."""
    return _entry(path, KEY, str)


def seconds(path: Path) -> float | None:
    """The time that computing the arrays took; None where there is no readable file."""
    return _entry(path, SECONDS, float)


def _entry(path: Path, name: str, kind: Callable[[np.ndarray], Any]) -> Any:
    try:
        with np.load(path, allow_pickle=False) as file:
            return kind(file[name])
    except UNREADABLE:
        return None
