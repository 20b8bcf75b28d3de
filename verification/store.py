"""Records kept in a folder, one file each: whole or absent, and never trusted when damaged.

A file holds the checksum of its record and the record as JSON. Writing is atomic, so that processes may share a
folder and an interruption leaves nothing half-written.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sobolev_theory.runs import user_caches
from sobolev_theory.runs.atomic_files import replacing
from sobolev_theory.runs.command_lines import complain

KEPT_DAYS = 30


@dataclass(frozen=True)
class Store:
    """Attributes: folder, an existing one that may be written to; prefix, of all names."""

    folder: Path
    prefix: str = ""

    def read(self, name: str) -> dict[str, Any] | None:
        """The record, or None where there is none; a damaged one is dropped with a note on standard error."""
        path = self._path(name)
        try:
            checksum, _, text = path.read_text(encoding="utf-8").partition("\n")
            if checksum != _checksum(text):
                raise ValueError("its checksum does not fit")
            return json.loads(text)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            complain(f"Kept result {path} is damaged and is computed again: {error}")
            return None

    def write(self, name: str, record: dict[str, Any]) -> None:
        text = json.dumps(record, default=_plain)
        write_text(self._path(name), f"{_checksum(text)}\n{text}")

    def _path(self, name: str) -> Path:
        return self.folder / f"{self.prefix}{name}.json"

    def forget_old(self) -> None:
        """Remove what has not been written for KEPT_DAYS days."""
        oldest = time.time() - KEPT_DAYS * 86400
        for path in self.folder.glob("*.json"):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError:
                pass  # another process was faster


def write_text(path: Path, text: str) -> None:
    """The file appears whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def opened(folder: Path) -> Store | None:
    """The store in this folder, made if need be; None if it cannot be written to."""
    return Store(folder) if user_caches.is_writable(folder) else None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value):
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"a record cannot hold {type(value).__name__}")
