"""The configurations of a sweep: the product of axes, row by row, without ever holding all of them.

Rows are grouped by their static parameters, in the order in which these combinations first occur. Within a group
axes with static parameters are slower than the others; else the last axis is the fastest.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

Columns = dict[str, np.ndarray]


class Axis(NamedTuple):
    """Parameters that vary together, as columns of one length."""

    columns: Columns

    @property
    def length(self) -> int:
        return len(next(iter(self.columns.values())))


class Group(NamedTuple):
    """Configurations with the same static parameters: rows `first` to `first + size` of the sweep."""

    static: dict[str, Hashable]
    first: int
    size: int
    outer: np.ndarray  # their places in the product of the axes that have static parameters


class Configurations(NamedTuple):
    """Of a sweep; `static` names are in axes of `outer`, whose other names are scalars like those of `inner`."""

    names: tuple[str, ...]
    static: tuple[str, ...]
    outer: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    groups: tuple[Group, ...]

    @property
    def rows(self) -> int:
        return sum(group.size for group in self.groups)

    def columns(self, group: Group, start: int, stop: int) -> Columns:
        """All parameters of the rows `start` to `stop` of the group."""
        outer, inner = np.divmod(np.arange(start, stop), _size(self.inner))
        found = _taken(self.outer, group.outer[outer]) | _taken(self.inner, inner)
        return {name: found[name] for name in self.names}


def configurations(axes: Mapping[str | tuple[str, ...], Any], static: Sequence[str]) -> Configurations:
    """Checked.

    Raises:
        TypeError, ValueError: axes or static, with the name and the place of what is wrong.
    """
    if not isinstance(axes, Mapping) or not axes:
        raise TypeError(f"axes: got {axes!r}; needs a dict of values by name, such as {{'theta': [0.1, 0.2]}}")
    every = tuple(name for key in axes for name in _names(key))
    repeated = sorted({name for name in every if every.count(name) > 1})
    if repeated:
        raise ValueError(f"axes: got {repeated[0]!r} twice; needs every name once")
    static = (static,) if isinstance(static, str) else tuple(static)
    for name in static:
        if name not in every:
            raise ValueError(f"static: got {name!r}; needs names of axes: {', '.join(every)}")
    made = [Axis(_axis(key, values, static)) for key, values in axes.items()]
    outer = tuple(axis for axis in made if set(axis.columns) & set(static))
    inner = tuple(axis for axis in made if not set(axis.columns) & set(static))
    return Configurations(every, static, outer, inner, _groups(outer, static, _size(inner)))


def _groups(outer: tuple[Axis, ...], static: tuple[str, ...], inner: int) -> tuple[Group, ...]:
    places: dict[tuple[Hashable, ...], list[int]] = {}
    columns = _taken(outer, np.arange(_size(outer)))
    values = zip(*(columns[name].tolist() for name in static), strict=True) if static else [()]
    for place, combination in enumerate(values):
        places.setdefault(combination, []).append(place)
    groups: list[Group] = []
    for combination, found in places.items():
        first = groups[-1].first + groups[-1].size if groups else 0
        groups.append(Group(dict(zip(static, combination, strict=True)), first, len(found) * inner, np.array(found)))
    return tuple(groups)


def _size(axes: tuple[Axis, ...]) -> int:
    return math.prod(axis.length for axis in axes)


def _taken(axes: tuple[Axis, ...], places: np.ndarray) -> Columns:
    if not axes:
        return {}
    indices = np.unravel_index(places, [axis.length for axis in axes])
    return {name: column[i] for axis, i in zip(axes, indices, strict=True) for name, column in axis.columns.items()}


def _names(key) -> tuple[str, ...]:
    names = (key,) if isinstance(key, str) else key
    if not isinstance(names, tuple) or not names:
        raise TypeError(f"axes: got the key {key!r}; needs a name, or a tuple of names that vary together")
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"axes: got the name {name!r}; needs one of a parameter of a function")
    return names


def _axis(key, values, static: Sequence[str]) -> Columns:
    names = _names(key)
    if isinstance(key, str):
        return {key: _column(key, values, key in static)}
    try:
        rows = [tuple(row) for row in values]
    except TypeError as error:
        raise TypeError(f"axes[{key!r}]: got {values!r}; needs a row of {len(names)} values each") from error
    for place, row in enumerate(rows):
        if len(row) != len(names):
            raise ValueError(f"axes[{key!r}]: got {row!r} in place {place}; needs {len(names)} values")
    if not rows:
        raise ValueError(f"axes[{key!r}]: got no rows; needs at least one")
    columns = zip(*rows, strict=True)
    return {name: _column(name, column, name in static) for name, column in zip(names, columns, strict=True)}


def _column(name: str, values, static: bool) -> np.ndarray:
    """As the function gets it: in the precision of JAX, but for static parameters."""
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"axes[{name!r}]: got shape {array.shape}; needs a sequence of at least one value")
    if array.dtype.kind not in ("biufU" if static else "biuf"):
        needs = "numbers, or words" if static else "real numbers (words only for names in `static`)"
        raise TypeError(f"axes[{name!r}]: got values of {array.dtype}; needs {needs}")
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        place = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"axes[{name!r}]: got {array[place]} in place {place}; needs finite numbers")
    if static:
        return array
    with np.errstate(over="ignore"):
        canonical = array.astype(jax.dtypes.canonicalize_dtype(array.dtype))
    if array.dtype.kind in "iu" and not np.array_equal(canonical, array):
        raise ValueError(f"axes[{name!r}]: got integers beyond {canonical.dtype}; needs jax_enable_x64")
    if not np.all(np.isfinite(canonical)):
        raise ValueError(f"axes[{name!r}]: got numbers beyond {canonical.dtype}; needs jax_enable_x64")
    return canonical
