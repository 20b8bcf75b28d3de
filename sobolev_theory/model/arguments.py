"""Checks of what users pass, at the boundary: the message names the argument, what came, what is needed."""

import math
import operator
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float


def real_array(name: str, value) -> Float[Array, "..."]:
    """As a floating array of its own precision, finite where its values are known (not under jit).

    Nested lists and tuples may hold numbers, arrays and traced values side by side.

    Raises:
        TypeError: what is not real: truth values, complex numbers, text.
        ValueError: a ragged sequence; NaN or infinity, with its place.
    """
    array = value if isinstance(value, jax.Array) else _from_sequence(name, value)
    if array.dtype == bool or not (
        jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)
    ):
        raise TypeError(f"{name}: got dtype {array.dtype}; needs real floating-point numbers")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(float)
    if not isinstance(array, jax.core.Tracer) and array.size and not bool(np.all(np.isfinite(np.asarray(array)))):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(np.asarray(array)))[0])
        raise ValueError(f"{name}: got {np.asarray(array)[where]} at {list(where)}; needs finite numbers")
    return array if isinstance(array, jax.Array) else jax.device_put(array)  # jnp.asarray compiles a program


def _from_sequence(name: str, value) -> Array | np.ndarray:
    """By NumPy, whose values are known, or by JAX if a traced value is among the entries."""
    leaves = jax.tree.leaves(value)
    try:
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            return np.asarray(value)
        with jax.numpy_dtype_promotion("standard"):  # entries of several precisions make one array
            return jnp.asarray(value)
    except (TypeError, ValueError) as error:
        kinds = sorted({type(leaf).__name__ for leaf in leaves if not hasattr(leaf, "__float__")})
        if kinds or None in jax.tree.leaves(value, is_leaf=lambda x: x is None):
            raise TypeError(
                f"{name}: got entries of type {', '.join(kinds) or 'None'}; needs real numbers"
            ) from error
        raise ValueError(f"{name}: got a ragged sequence; needs a rectangular array of real numbers") from error


def common_dtype(*values) -> np.dtype:
    """The precision that holds all of them, also where JAX is set to promote none by itself."""
    with jax.numpy_dtype_promotion("standard"):
        return jnp.result_type(*values)


def check_choice(name: str, value: str, choices) -> None:
    """Raise unless the value is one of a `Literal`."""
    if value not in get_args(choices):
        raise ValueError(f"{name}: got {value!r}; needs one of {', '.join(map(repr, get_args(choices)))}")


def whole(name: str, value, least: int, most: int | None = None) -> int:
    """As an int: one of Python, NumPy or JAX, no truth value and no float.

    Raises:
        TypeError, ValueError: something else; a number out of range.
    """
    needs = f"a whole number >= {least}" if most is None else f"a whole number from {least} to {most}"
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError as error:  # also of arrays, of floats, and of traced numbers
        raise TypeError(f"{name}: got {value!r}; needs {needs}") from error
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name}: got {number}; needs {needs}")
    return number


def finite(name: str, value, least: float | None = None, above: float | None = None, words: str = "") -> float:
    """As a float: any real number of known value, also of an array of shape [], but no truth value.

    Args:
        words: what the message says of the number after its range, such as "seconds".

    Raises:
        TypeError, ValueError: something else; a number that is not finite or out of range.
    """
    bound = "" if least is None else f" >= {least}"
    needs = f"a finite number{bound if above is None else f' > {above}'}{words and ' '}{words}"
    try:
        if isinstance(value, bool | np.bool_ | str | bytes) or np.ndim(value) or np.iscomplexobj(value):
            raise TypeError
        number = float(value)
    except OverflowError:  # a whole number or a fraction beyond all floats
        number = math.inf
    except TypeError as error:
        raise TypeError(f"{name}: got {value!r}; needs {needs}") from error
    if not math.isfinite(number) or (least is not None and number < least) or (above is not None and number <= above):
        raise ValueError(f"{name}: got {value}; needs {needs}")
    return number


def flag(name: str, value, alternative: str = "") -> bool:
    """As a bool."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: got {value!r}; needs True, False{alternative}")
    return bool(value)


def plain_mesh(mesh) -> Mesh | None:
    """The mesh without the types of its axes: work is divided by us."""
    if mesh is None:
        return None
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh: got {mesh!r}; needs a jax.sharding.Mesh, or None")
    return Mesh(mesh.devices, mesh.axis_names)
