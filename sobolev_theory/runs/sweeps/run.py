"""Sweeps: chunk after chunk of configurations, on one device or many, into parts that outlive an interruption."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

import jax
from jax.sharding import Mesh

from ...model.arguments import finite, flag, plain_mesh, whole
from .. import first_process
from ..atomic_files import file_of
from ..checkpoints import add_arrays
from ..progress import bars
from .configurations import Columns, Configurations, configurations
from .functions import Columnwise, Evaluate, OfColumns, Traced, check_results
from .parts import Parts, Writer
from .tables import Sweep


def sweep(
    function: Callable[..., Any] | OfColumns,
    axes: Mapping[str | tuple[str, ...], Any],
    path: str | PathLike,
    *,
    static: Sequence[str] = (),
    chunk: int | None = None,
    memory: int = 2**28,
    mesh: Mesh | None = None,
    checkpoint_every: float = 10.0,
    progress: bool | None = None,
) -> Sweep:
    """A function at every configuration of a grid, a row each of a Parquet file.

    A sweep that was interrupted, or killed at any moment, goes on when it is called again; a finished one is opened.

    Args:
        function: JAX function of the parameters of one configuration by name, scalars; returns a scalar or an array,
            the column "value", or a dict of such by name. It is traced and vmapped. Else `sweeps.OfColumns`.
        axes: name -> values. The grid is their product, the last axis fastest. A tuple of names is one axis along
            which they vary together: {("rho", "theta"): [(1.0, 0.1), (2.0, 0.3)]} are two explicit configurations.
        path: of the file; while it is not finished, parts lie in the folder `path`.parts.
        static: names that the function gets as Python values, such as sizes; values may also be words. A program is
            compiled for each of their combinations; rows are grouped by them, and their axes are the slowest.
        chunk: configurations in a call. Default: as many as fit `memory`.
        memory: bytes on a device for a call; one configuration is computed whatever it takes. Default 2**28.
        mesh: jax.sharding.Mesh of devices that share each call, also of several processes of jax.distributed, which
            then all make the same call; process 0 reads and writes.
        checkpoint_every: seconds of results that an interruption may lose.
        progress: a progress bar on stderr; default None: if it is a terminal and CI is not set.

    Returns:
        Sweep: `.columns()` are its arrays. NaN among the results is kept, and counted in `.nan`.

    Raises:
        ModuleNotFoundError: pyarrow is not installed (the extra `sweeps`).
        TypeError, ValueError: arguments that do not fit each other; results whose shapes depend on static parameters;
            files of another sweep, or corrupted ones.
        OSError: a folder or disk that does not take the files.

    Example:
        >>> import tempfile, jax.numpy as jnp, sobolev_theory as st
        >>> def smallest(theta, rho):
        ...     return {"smallest": jnp.min(jnp.stack(st.single_neuron.l2_eigenvalues(rho, theta)))}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     swept = st.sweep(smallest, {"rho": [0.5, 1.0], "theta": [0.0, 1.5]}, f"{folder}/l2.parquet")
        ...     swept.rows, swept.columns("smallest")["smallest"].round(3)
        (4, array([0.5  , 0.341, 0.5  , 0.182], dtype=float32))
    """
    grid = configurations(axes, static)
    path, mesh = file_of("path", path), plain_mesh(mesh)
    every = finite("checkpoint_every", checkpoint_every, least=0, words="of seconds")
    chunk = None if chunk is None else whole("chunk", chunk, 1)
    memory = int(finite("memory", memory, least=1, words="of bytes"))
    progress = None if progress is None else flag("progress", progress, " or None")
    evaluators = _evaluators(function, grid)
    parts = Parts(path, _fingerprint(evaluators, grid), grid.rows)
    ranges = _ranges(parts, mesh)
    if ranges:
        writer = Writer(parts, every, memory) if first_process.writes(mesh, "path") else None
        done = grid.rows - sum(stop - start for start, stop in ranges)
        with bars(progress) as bar, bar("configurations", grid.rows, done) as report:
            for first, parameters, evaluate in _chunks(grid, evaluators, ranges, chunk, memory, mesh):
                results = evaluate(parameters)
                if writer is not None:
                    writer.take(first, parameters, results)
                done += len(next(iter(parameters.values())))
                report(done)
            if writer is not None:
                writer.flush()
    return _joined(parts, mesh)


Evaluators = Sequence[Traced | Columnwise]  # one for each group


def _evaluators(function, grid: Configurations) -> Evaluators:
    if isinstance(function, OfColumns):
        _check_names(function.function, grid.names)
        return [Columnwise(function, group.static) for group in grid.groups]
    _check_names(function, grid.names)
    made: list[Traced] = []
    for group in grid.groups:
        made.append(Traced(function, group.static, grid.columns(group, 0, 1)))
        if made[-1].results != made[0].results:
            raise ValueError(
                f"function: got {_words(made[-1])} for {group.static}, and {_words(made[0])} for "
                f"{grid.groups[0].static}; needs the same names, shapes and precision for all static parameters"
            )
    check_results(made[0].results, grid.names)
    return made


def _check_names(function, names: tuple[str, ...]) -> None:
    if not callable(function):
        raise TypeError(f"function: got {function!r}; needs a function of the parameters by name")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # built in: it will say so when it is called
        return
    try:
        signature.bind(**dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(
            f"axes: got {', '.join(names)} for a function of {signature}; needs its parameters by name ({error})"
        ) from error


def _words(traced: Traced) -> str:
    return ", ".join(f"{name} {column.dtype}{list(column.shape)}" for name, column in traced.results.items())


def _fingerprint(evaluators: Evaluators, grid: Configurations) -> str:
    """Of everything that the rows depend on; chunks and devices change no more than rounding."""
    columns = [axis.columns for axis in (*grid.outer, *grid.inner)]
    digest = hashlib.sha256(repr((jax.__version__, grid.names, grid.static, [list(c) for c in columns])).encode())
    for values in (values for c in columns for values in c.values()):
        digest.update(repr(values.tolist()).encode()) if values.dtype.kind == "U" else add_arrays(digest, values)
    for evaluator in evaluators:
        digest.update(evaluator.identity().encode())
    return digest.hexdigest()


def _ranges(parts: Parts, mesh: Mesh | None) -> list[tuple[int, int]]:
    """The rows that are to be computed."""

    def find() -> bytes:
        if parts.finished() is not None:
            return b"[]"
        parts.prepare()
        return json.dumps(parts.missing()).encode()

    return [
        (start, stop)
        for start, stop in json.loads(first_process.from_the_first(mesh, parts.fingerprint, "path", find))
    ]


def _joined(parts: Parts, mesh: Mesh | None) -> Sweep:
    def find() -> bytes:
        swept = parts.finished() or parts.join()
        return json.dumps([swept.rows, swept.parameters, swept.results, swept.nan]).encode()

    rows, parameters, results, nan = json.loads(first_process.from_the_first(mesh, parts.fingerprint, "path", find))
    shapes = {name: tuple(shape) for name, shape in results.items()}
    return Sweep(parts.path, rows, tuple(parameters), shapes, nan)


def _chunks(
    grid: Configurations,
    evaluators: Evaluators,
    ranges: list[tuple[int, int]],
    chunk: int | None,
    memory: int,
    mesh: Mesh | None,
) -> Iterator[tuple[int, Columns, Evaluate]]:
    """First row, parameters, and what evaluates them; a group is compiled when its turn comes."""
    for group, evaluator in zip(grid.groups, evaluators, strict=True):
        inside = [(max(a - group.first, 0), min(b - group.first, group.size)) for a, b in ranges]
        inside = [(a, b) for a, b in inside if a < b]
        if not inside:
            continue
        evaluate, size = evaluator.evaluate(group.size, chunk, memory, mesh)
        for start, stop in inside:
            for first in range(start, stop, size):
                yield group.first + first, grid.columns(group, first, min(first + size, stop)), evaluate
