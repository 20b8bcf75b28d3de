"""What the schemes on an interval share: its checks, and the axis along which they work."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from ..model.arguments import real_array

Interval = tuple[float, float]


def check_interval(interval: Interval) -> Interval:
    """The ends as floats.

    Raises:
        ValueError: they are not two finite numbers in increasing order.
    """
    try:
        a, b = (float(end) for end in interval)
    except (TypeError, ValueError) as error:
        raise ValueError(f"interval: got {interval!r}; needs two numbers a < b") from error
    if not (math.isfinite(a) and math.isfinite(b) and a < b):
        raise ValueError(f"interval: got {interval!r}; needs finite a < b")
    return a, b


def check_order(order: int, least: int = 1) -> None:
    """Raise a ValueError for an order of derivative that is no integer or too small."""
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < least:
        raise ValueError(f"order: got {order!r}; needs an integer >= {least}")


def check_points(n: int, least: int = 2) -> None:
    """Raise a ValueError for a number of points that is no integer or too small."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < least:
        raise ValueError(f"n: got {n!r}; needs an integer >= {least}")


def at_least_single(u: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """Of a precision that has a Fourier transform."""
    return u if jnp.finfo(u.dtype).bits >= 32 else u.astype(jnp.float32)


def along_last(u, axis: int, least: int, name: str = "u") -> Float[Array, "... n"]:
    """The argument of that name as a real array, with the axis moved to the end.

    Raises:
        TypeError: u is complex or not of numbers.
        ValueError: u is not finite, has no such axis, or fewer points along it than `least`.
    """
    u = real_array(name, u)
    if not -u.ndim <= axis < u.ndim:
        raise ValueError(f"axis: got {axis}; needs an axis of an array of shape {u.shape}")
    u = jnp.moveaxis(u, axis, -1)
    if u.shape[-1] < least:
        raise ValueError(f"{name}: got {u.shape[-1]} points along the axis; needs at least {least}")
    return u
