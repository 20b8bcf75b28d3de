"""Checks of what users pass, at the boundary: the message names the argument, what came, what is needed."""

from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
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
    return jnp.asarray(array)


def _from_sequence(name: str, value) -> Array | np.ndarray:
    """By NumPy, or by JAX if a traced value or another array of JAX is among the entries."""
    leaves = jax.tree.leaves(value)
    try:
        if not any(isinstance(leaf, jax.Array) for leaf in leaves):
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
