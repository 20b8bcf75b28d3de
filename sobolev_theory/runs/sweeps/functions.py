"""What a sweep evaluates: a JAX function of scalars, compiled for chunks, or one of whole columns."""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from .configurations import Columns

VALUE = "value"  # the name of what is returned without one
LARGEST_CHUNK = 2**14  # beyond it a call costs no less per configuration
ROWS_OF_COLUMNS = 2**10  # in a call of a function of columns, whose memory is not known

Evaluate = Callable[[Columns], Columns]


class Column(NamedTuple):
    """Of results: shape and dtype for one configuration."""

    shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True)
class OfColumns:
    """A function of whole columns, called as it is, outside jit: one that loops in Python, as st.gradient_flows does.

    Attributes:
        function: takes the parameters by name as arrays [n], the static ones as values; returns an array [n ...],
            or a dict of such.
        version: of what it computes, in words. Nothing else tells one such function from another when a sweep goes
            on after an interruption: change it with the function.

    Raises:
        TypeError: no function, or no words.

    Example:
        >>> import numpy as np
        >>> OfColumns(lambda theta: np.sin(theta), version="sine").version
        'sine'
    """

    function: Callable[..., Any]
    version: str

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"function: got {self.function!r}; needs a function of columns")
        if not isinstance(self.version, str) or not self.version:
            raise TypeError(f"version: got {self.version!r}; needs words that change with the function")


class Columnwise(NamedTuple):
    """A function of columns, at the static parameters of a group."""

    of_columns: OfColumns
    static: dict[str, Hashable]

    def identity(self) -> str:
        return self.of_columns.version

    def evaluate(self, rows: int, chunk: int | None, memory: int, mesh: Mesh | None) -> tuple[Evaluate, int]:
        """For columns of at most so many rows; and the number of rows."""
        return self._evaluate, chunk or ROWS_OF_COLUMNS

    def _evaluate(self, parameters: Columns) -> Columns:
        rows = len(next(iter(parameters.values())))
        scalars = {name: values for name, values in parameters.items() if name not in self.static}
        returned = _named(self.of_columns.function(**scalars, **self.static))
        found = {name: np.asarray(values) for name, values in returned.items()}
        for name, values in found.items():
            if values.shape[:1] != (rows,):
                raise ValueError(
                    f"function: got shape {values.shape} for {name!r} of {rows} configurations; "
                    "needs a first axis of that length"
                )
            _check(name, values.shape[1:], values.dtype)
        check_results(found, parameters)
        return found


class Traced:
    """A JAX function of scalars, at the static parameters of a group.

    Raises:
        TypeError, ValueError: results that are no numbers by name.
    """

    def __init__(self, function: Callable, static: dict[str, Hashable], parameters: Columns):
        self._scalars = {n: jax.ShapeDtypeStruct((), c.dtype) for n, c in parameters.items() if n not in static}
        self.results: dict[str, Column] = {}

        def values(scalars: dict[str, jax.Array]) -> list[jax.Array]:
            found = _named(function(**scalars, **static))
            arrays = [jnp.asarray(value) for value in found.values()]
            self.results = {n: Column(a.shape, a.dtype) for n, a in zip(found, arrays, strict=True)}
            return arrays

        self._values = values
        jax.eval_shape(values, self._scalars)
        for name, column in self.results.items():
            _check(name, *column)

    def identity(self) -> str:
        """The text of the program, with all constants, and the names of its results."""
        return jax.jit(self._values).lower(self._scalars).as_text() + repr(list(self.results))

    def evaluate(self, rows: int, chunk: int | None, memory: int, mesh: Mesh | None) -> tuple[Evaluate, int]:
        """For columns of at most so many rows; and the number of rows."""
        devices = 1 if mesh is None else mesh.size
        chunk, fits = (chunk, True) if chunk is not None else (min(rows, LARGEST_CHUNK), False)
        while True:
            chunk = devices * math.ceil(min(rows, chunk) / devices)
            program = self._compiled(chunk, mesh)
            needed = 0 if fits else _bytes(program)
            if needed <= memory or chunk == devices:
                return partial(self._evaluate, program, chunk, mesh), chunk
            chunk = max(1, min(chunk // 2, chunk * memory // needed))

    def _compiled(self, chunk: int, mesh: Mesh | None):
        shapes = {name: jax.ShapeDtypeStruct((chunk,), s.dtype) for name, s in self._scalars.items()}
        # Where every parameter is static, there is still something to map over.
        every = jax.vmap(lambda scalars, _: self._values(scalars), axis_size=chunk)
        jitted = jax.jit(every)
        if mesh is not None:
            everywhere = NamedSharding(mesh, PartitionSpec())
            jitted = jax.jit(every, in_shardings=_shared_out(mesh), out_shardings=everywhere)
        return jitted.lower(shapes, jax.ShapeDtypeStruct((chunk,), bool)).compile()

    def _evaluate(self, program, chunk: int, mesh: Mesh | None, parameters: Columns) -> Columns:
        rows = len(next(iter(parameters.values())))

        def filled(values: np.ndarray) -> jax.Array:
            values = np.concatenate([values, np.broadcast_to(values[-1:], chunk - rows)])
            if mesh is None:
                return jnp.asarray(values)
            return jax.make_array_from_callback((chunk,), _shared_out(mesh), lambda index: values[index])

        columns = {name: filled(parameters[name]) for name in self._scalars}
        found = program(columns, filled(np.zeros(rows, bool)))
        return {name: np.asarray(values)[:rows] for name, values in zip(self.results, found, strict=True)}


def check_results(names: Iterable[str], parameters: Iterable[str]) -> None:
    both = sorted(set(names) & set(parameters))
    if both:
        raise ValueError(f"function: got {both[0]!r} as a parameter and as a result; needs two names")


def _shared_out(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec(mesh.axis_names))


def _bytes(program) -> int:
    """On one device; 0 where the compiler does not say."""
    sizes = program.memory_analysis()
    if sizes is None:
        return 0
    return sizes.temp_size_in_bytes + sizes.argument_size_in_bytes + sizes.output_size_in_bytes


def _named(result) -> dict[str, Any]:
    if hasattr(result, "_asdict"):
        result = result._asdict()
    found = result if isinstance(result, dict) else {VALUE: result}
    if not found:
        raise TypeError("function: got an empty dict; needs a result")
    for name, value in found.items():
        if not isinstance(name, str):
            raise TypeError(f"function: got {name!r} as the name of a result; needs a word")
        if not hasattr(value, "dtype") and not isinstance(value, int | float | bool):
            raise TypeError(
                f"function: got {type(value).__name__} for {name!r}; needs an array, or a dict of arrays by name"
            )
    return found


def _check(name: str, shape: tuple[int, ...], dtype) -> None:
    if getattr(dtype, "kind", "") not in tuple("biuf"):
        raise TypeError(f"function: got {dtype} for {name!r}; needs real numbers or booleans")
    if 0 in shape:
        raise ValueError(f"function: got shape {shape} for {name!r}; needs at least one number")
