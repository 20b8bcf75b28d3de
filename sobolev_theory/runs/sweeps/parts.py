"""Sweeps that are not finished: parts, each a Parquet file written as a whole, that become one file in the end."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from ..atomic_files import remove_leftovers, replacing
from .configurations import Columns
from .tables import COUNTS, Sweep, entry_of, nan_counts, opened, pq, read, table_of, words

DIGITS = 15  # of the first row in the name of a part
TRIAL = "trial"  # the name of a file that finds out whether parts can be written
LEFT = rf"\.({TRIAL}|[0-9]{{{DIGITS}}}\.parquet)\."


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What the operating system says, of the argument that it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"path: got {path}, which cannot be written ({error.strerror or error}); needs a folder to write in and "
            "room on its disk; the parts that are finished stay",
        ) from error


class Parts:
    """The parts of a sweep, in a folder beside its file: rows that are there need not be computed again."""

    def __init__(self, path: Path, fingerprint: str, rows: int):
        self.path, self.fingerprint, self.rows = path, fingerprint, rows
        self.folder = path.with_name(f"{path.name}.parts")

    def finished(self) -> Sweep | None:
        """The file itself, if it is there.

        Raises:
            ValueError: it is something else.
        """
        if not self.path.exists():
            return None
        if entry_of(self.path)["fingerprint"] != self.fingerprint:
            raise _another(self.path)
        self._remove()  # what a run has left that was killed after its last step
        return opened(self.path)

    def prepare(self) -> None:
        """Make the folder, and find out whether it takes files."""
        with _named(self.path):
            remove_leftovers(self.path)
            self.folder.mkdir(exist_ok=True)
            remove_leftovers(self.folder / TRIAL, LEFT)
            with replacing(self.folder / TRIAL) as trial:
                trial.write_bytes(bytes(4096))
            (self.folder / TRIAL).unlink()

    def missing(self) -> list[tuple[int, int]]:
        """The ranges of rows that no part has.

        Raises:
            ValueError: a part of another sweep, or one that cannot be read.
        """
        ranges, end = [], 0
        for part in self._files():
            if entry_of(part)["fingerprint"] != self.fingerprint:
                raise _another(part)
            first = int(part.stem)
            if first > end:
                ranges.append((end, first))
            end = first + pq.read_metadata(part).num_rows
        return [*ranges, (end, self.rows)] if end < self.rows else ranges

    def write(self, first: int, chunks: list[tuple[Columns, Columns]]) -> None:
        """Parameters and results of consecutive rows from `first` on."""
        parameters, results = (
            {n: np.concatenate([c[n] for c in cs]) for n in cs[0]} for cs in zip(*chunks, strict=True)
        )
        with _named(self.path), replacing(self.folder / f"{first:0{DIGITS}d}.parquet") as temporary:
            table = table_of(self.fingerprint, parameters, results)
            pq.write_table(table, temporary, write_page_checksum=True)

    def join(self) -> Sweep:
        """All rows in one file; then the parts are removed.

        Raises:
            ValueError: parts that are corrupted, or do not fit each other.
        """
        files = self._files()
        schema = pq.read_schema(files[0])
        counts: dict[str, int] = {}
        with (
            _named(self.path),
            replacing(self.path) as temporary,
            pq.ParquetWriter(temporary, schema, write_page_checksum=True) as file,
        ):
            for part in files:
                table = read(part)
                _check_schema(table.schema, schema, part)
                for name, count in nan_counts(table):
                    counts[name] = counts.get(name, 0) + count
                file.write_table(table)
            file.add_key_value_metadata({COUNTS: json.dumps(counts).encode()})
        self._remove()
        return opened(self.path)

    def _remove(self) -> None:
        """The parts and their folder, but nothing else that somebody has put there."""
        remove_leftovers(self.folder / TRIAL, LEFT)
        with suppress(OSError):
            for part in self._files():
                part.unlink()
            self.folder.rmdir()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]" * DIGITS + ".parquet"))


class Writer:
    """Collects consecutive chunks, and writes a part when it is due."""

    def __init__(self, parts: Parts, every: float, memory: int):
        self._parts, self._every, self._memory = parts, every, memory
        self._chunks: list[tuple[Columns, Columns]] = []
        self._first = self._rows = self._bytes = 0
        self._written = time.monotonic()

    def take(self, first: int, parameters: Columns, results: Columns) -> None:
        if first != self._first + self._rows:
            self.flush()
        if not self._chunks:
            self._first, self._rows, self._bytes = first, 0, 0
        self._chunks.append((parameters, results))
        self._rows += len(next(iter(parameters.values())))
        self._bytes += sum(values.nbytes for values in (parameters | results).values())
        if time.monotonic() - self._written >= self._every or self._bytes > self._memory:
            self.flush()

    def flush(self) -> None:
        if self._chunks:
            self._parts.write(self._first, self._chunks)
        self._chunks, self._written = [], time.monotonic()


def _check_schema(schema, before, part: Path) -> None:
    if not schema.equals(before):
        raise ValueError(
            f"function: got columns {words(schema)} in {part}, and before {words(before)}; "
            "needs the same names, shapes and precision in all rows"
        )


def _another(path: Path) -> ValueError:
    return ValueError(
        f"path: got {path}, which belongs to another sweep (other function, axes, precision or versions of JAX); "
        "needs one of this sweep, or no file"
    )
