"""What the data of a figure is computed with: cells and checkpoints that outlive an interruption, and progress."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jax

import sobolev_theory as st
from sobolev_theory.runs.progress import Track

from . import archives
from .archives import Arrays

if TYPE_CHECKING:  # pyarrow is needed where a figure sweeps
    from sobolev_theory.runs.sweeps import OfColumns

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.=,+-]*")


@dataclass(frozen=True)
class Keep:
    """Cells of one figure, each a file in a folder; without a folder nothing is kept and everything is computed.

    Files carry the figure's key, the fingerprint of its settings and sources (`figures.sources`), in their names:
    what has another key was computed by other code or with other settings and is never used. What goes through
    `track` is seen by the person who waits.

    Example:
        >>> import numpy as np
        >>> Keep().cell("tanh-H1", lambda: {"error": np.zeros(3)})["error"]
        array([0., 0., 0.])
    """

    folder: Path | None = None
    key: str = ""
    track: Track = iter

    def __post_init__(self) -> None:
        if self.folder is not None and not self.key:
            raise ValueError("key: got none; needs one where there is a folder, to tell what is current")

    def cell(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """compute(), or what it returned before an interruption.

        Args:
            name: of this cell alone within the figure, with every setting that varies between the cells.
            compute: returns a dictionary of NumPy arrays that depends on nothing but name and key.

        Raises:
            ValueError: a name that is none for a file.
        """
        path = self._path(name, "npz")
        if path is None:
            return compute()
        kept = archives.read(path, self.key)
        if kept is not None:
            return kept
        start = time.perf_counter()
        arrays = compute()
        path.parent.mkdir(parents=True, exist_ok=True)
        archives.write(path, self.key, arrays, time.perf_counter() - start)
        path.with_suffix(".checkpoint").unlink(missing_ok=True)
        return arrays

    def sweep(self, name: str, function: "Callable | OfColumns", axes: Mapping, **options) -> Arrays:
        """The columns of st.sweep(function, axes, ..., **options), from a file like that of a cell.

        Where it was interrupted, it goes on; JAX of another version begins anew.
        """
        path = self._path(f"{name}-jax{jax.__version__}", "parquet")
        if path is None:
            with tempfile.TemporaryDirectory() as folder:
                return st.sweep(function, axes, Path(folder) / "sweep", progress=False, **options).columns()
        path.parent.mkdir(parents=True, exist_ok=True)
        return st.sweep(function, axes, path, progress=False, **options).columns()

    def checkpoint(self, name: str) -> Path | None:
        """The file for checkpoints inside the cell of this name, in a folder that exists; None without a folder.

        It is removed when the cell is finished.
        """
        path = self._path(name, "checkpoint")
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def cells(self) -> list[Path]:
        """The files of the finished cells."""
        return [] if self.folder is None else sorted(self.folder.glob(f"*.{self._tag}.npz"))

    def has_checkpoint(self) -> bool:
        """Whether a cell was interrupted after its first checkpoint."""
        return self.folder is not None and any(self.folder.glob(f"*.{self._tag}.checkpoint"))

    def seconds(self) -> float:
        """How long the finished cells took to compute."""
        return sum(archives.seconds(path) or 0.0 for path in self.cells())

    def remove_stale(self) -> None:
        """Remove what another key has left."""
        if self.folder is not None and self.folder.is_dir():
            for path in self.folder.iterdir():
                if f".{self._tag}." not in path.name or path.name.startswith("."):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def remove(self) -> None:
        """Remove everything that is kept."""
        if self.folder is not None and self.folder.is_dir():
            shutil.rmtree(self.folder)

    @property
    def _tag(self) -> str:
        return self.key[:16]

    def _path(self, name: str, ending: str) -> Path | None:
        if not NAME.fullmatch(name):
            raise ValueError(f"name: got {name!r}; needs letters, digits and any of _.=,+- after the first of them")
        return None if self.folder is None else self.folder / f"{name}.{self._tag}.{ending}"
