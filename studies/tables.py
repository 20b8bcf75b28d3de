"""Tables of studies as files: read as a whole and checked line by line, written as a whole or not at all."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from sobolev_theory.runs.atomic_files import replacing

Row = TypeVar("Row")


def read(path: Path, columns: Sequence[str], parse: Callable[[dict[str, str]], Row | None]) -> Iterator[Row]:
    """What `parse` makes of each line, a dictionary by columns; nothing if there is no file.

    Raises:
        ValueError: other columns, or a line of which `parse` makes nothing (None, or a TypeError, ValueError or
            AttributeError); it names the file and the line.
    """
    if not path.exists():
        return
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(columns):
            raise ValueError(f"{path}: got columns {reader.fieldnames}; needs {', '.join(columns)}")
        for line in reader:
            try:
                row = parse(line)
            except (AttributeError, TypeError, ValueError):
                row = None
            if row is None:
                raise ValueError(f"{path}, line {reader.line_num}: got {line}; needs a row that this study wrote")
            yield row


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """All of it, or nothing."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])
