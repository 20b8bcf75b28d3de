"""Sweeps as Parquet files: what is in them, and how they are read again.

A column for every parameter and every result; arrays are lists of fixed size, their elements in C order. What
reads them as a sweep is one entry of the file's metadata, in JSON.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_files import file_of
from .configurations import Columns

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"st.sweep needs {error.name}, which is not installed: pip install 'sobolev-theory[sweeps]'", name=error.name
    ) from error

ENTRY, COUNTS = b"sobolev_theory.sweep", b"sobolev_theory.nan"


@dataclass(frozen=True)
class Sweep:
    """A finished sweep in a Parquet file; pandas.read_parquet and polars.read_parquet open it too.

    Attributes:
        path: of the file.
        rows: configurations.
        parameters: their names.
        results: their names, and the shape of each for one configuration.
        nan: for each result of floats, in how many rows it has NaN. Such rows are kept as they are.
    """

    path: Path
    rows: int
    parameters: tuple[str, ...]
    results: dict[str, tuple[int, ...]]
    nan: dict[str, int]

    def columns(self, *names: str) -> Columns:
        """These columns, or all.

        Returns:
            dict: name -> array [rows ...].

        Raises:
            ValueError: a name that is none, or a file that is corrupted.
        """
        shapes = dict.fromkeys(self.parameters, ()) | self.results
        for name in names:
            if name not in shapes:
                raise ValueError(f"names: got {name!r}; needs some of {', '.join(shapes)}")
        table = read(self.path, list(names) or list(shapes))
        return {name: _array(table[name], shapes[name]) for name in table.column_names}


def opened(path) -> Sweep:
    """A sweep that is finished.

    Args:
        path: of its file.

    Returns:
        Sweep: as `st.sweep` returned it.

    Raises:
        ValueError: no file, or none that st.sweep finished.

    Example:
        >>> import tempfile, sobolev_theory as st
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     swept = st.sweep(lambda t: 2 * t, {"t": [1.0, 2.0]}, f"{folder}/doubled.parquet")
        ...     st.sweeps.opened(swept.path).columns("value")["value"].tolist()
        [2.0, 4.0]
    """
    path = file_of("path", path)
    entry = entry_of(path)
    metadata = pq.read_metadata(path)
    nan = json.loads(metadata.metadata[COUNTS])
    shapes = {name: tuple(shape) for name, shape in entry["results"].items()}
    return Sweep(path, metadata.num_rows, tuple(entry["parameters"]), shapes, nan)


def entry_of(path: Path) -> dict[str, Any]:
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return json.loads(metadata[ENTRY])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise ValueError(
            f"path: got {path}, which is no sweep, truncated or corrupted; needs one that st.sweep wrote, or no file"
        ) from error


def read(path: Path, columns: list[str] | None = None):
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(
            f"path: got {path}, which is truncated or corrupted; without that file st.sweep computes its rows anew"
        ) from error


def table_of(fingerprint: str, parameters: Columns, results: Columns):
    columns = parameters | results
    fields = []
    for name, values in columns.items():
        kind = pa.string() if values.dtype.kind == "U" else pa.from_numpy_dtype(values.dtype)
        fields.append(pa.field(name, kind if values.ndim == 1 else pa.list_(kind, math.prod(values.shape[1:]))))
    shapes = {name: values.shape[1:] for name, values in results.items()}
    entry = {"fingerprint": fingerprint, "parameters": list(parameters), "results": shapes}
    arrays = []
    for values, field in zip(columns.values(), fields, strict=True):
        flat = pa.array(np.ascontiguousarray(values).ravel())
        arrays.append(flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, type=field.type))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, {ENTRY: json.dumps(entry).encode()}))


def _array(column, shape: tuple[int, ...]) -> np.ndarray:
    column = column.combine_chunks()
    if shape:
        column = column.flatten()
    array = column.to_numpy(zero_copy_only=False)
    return (array.astype(str) if array.dtype == object else array).reshape(-1, *shape)


def nan_counts(table) -> Iterator[tuple[str, int]]:
    entry = json.loads(table.schema.metadata[ENTRY])
    for name, shape in entry["results"].items():
        values = _array(table[name], tuple(shape))
        if values.dtype.kind == "f":
            yield name, int(np.sum(np.any(np.isnan(values), axis=tuple(range(1, values.ndim)))))


def words(schema: Iterable) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
