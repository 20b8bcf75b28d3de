"""Checks of what users pass, at the boundary: the message names the argument, what came, what is needed."""

from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def real_array(name: str, value) -> Float[Array, "..."]:
    """As a floating array of its own precision, finite where its values are known (not under jit)."""
    try:
        array = value if isinstance(value, jax.Array) else np.asarray(value)
    except ValueError as error:  # ragged nested sequences
        raise ValueError(f"{name}: got a ragged sequence; needs a rectangular array of real numbers") from error
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


def check_choice(name: str, value: str, choices) -> None:
    """Raise unless the value is one of a `Literal`."""
    if value not in get_args(choices):
        raise ValueError(f"{name}: got {value!r}; needs one of {', '.join(map(repr, get_args(choices)))}")
