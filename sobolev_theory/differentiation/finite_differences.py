"""Finite differences on a uniform grid of an interval: central inside, one-sided near the ends, of any even accuracy.

The weights are those of Fornberg's recurrence (Mathematics of Computation 51, 1988), in rational numbers, so that no
rounding enters them. An error of order h^accuracy is left, times the derivative of order `order + accuracy`, besides
the rounding of the samples over h^order.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .grids import Interval, along_last, check_interval, check_order, check_points

__all__ = ["derivative", "grid", "weights"]
__dir__ = __all__.copy


def grid(n: int, interval: Interval) -> Float[Array, " n"]:
    """n points of the interval, equally far apart, both ends included.

    Args:
        n: number of points, at least 2.
        interval: its two ends.

    Returns:
        The points in increasing order, an array [n] of the precision that is the default.

    Raises:
        ValueError: n < 2, or an interval that is none.

    Example:
        >>> from sobolev_theory.differentiation import finite_differences
        >>> finite_differences.grid(5, (-1.0, 1.0)).tolist()
        [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    check_points(n)
    return jnp.linspace(*check_interval(interval), n)


def weights(offsets: Sequence[float], order: int) -> np.ndarray:
    """The weights of u(x + offsets[k] h): their sum over h^order is the derivative of the interpolating polynomial.

    Args:
        offsets: distinct numbers, more than `order`; the derivative is taken at 0.
        order: of the derivative, 0 or more.

    Returns:
        An array of NumPy in double precision, one entry an offset.

    Raises:
        ValueError: offsets that repeat, or too few of them; a negative order.

    Example:
        >>> from sobolev_theory.differentiation import finite_differences
        >>> finite_differences.weights((-1, 0, 1), 2).tolist()
        [1.0, -2.0, 1.0]
    """
    check_order(order, 0)
    exact = tuple(Fraction(offset) for offset in offsets)
    if len(set(exact)) != len(exact) or len(exact) <= order:
        raise ValueError(f"offsets: got {tuple(offsets)}; needs more than {order} distinct numbers for order {order}")
    return np.array([float(w) for w in _fornberg(exact, order)])


def derivative(
    u: Float[Array, "..."], order: int = 1, *, interval: Interval, accuracy: int = 2, axis: int = -1
) -> Float[Array, "..."]:
    """The derivative along one axis of samples on a uniform grid of the interval, both ends included.

    Each row of the scheme weighs differences from the value at its own point, so constants have derivative 0 exactly.

    Args:
        u: samples, n along the axis; see `grid`.
        order: of the derivative, 1 or more.
        interval: where the samples were taken.
        accuracy: an even number: halving the spacing divides the error by 2^accuracy.
        axis: along which to differentiate.

    Returns:
        An array shaped like u, of its precision.

    Raises:
        TypeError: samples that are complex or no numbers.
        ValueError: samples that are not finite, an order < 1, an accuracy that is odd or < 2, an interval that is
            none, an axis that u does not have, or fewer than order + accuracy points along it.

    Example:
        >>> from sobolev_theory.differentiation import finite_differences
        >>> x = finite_differences.grid(5, (0.0, 4.0))
        >>> finite_differences.derivative(x**2, interval=(0.0, 4.0)).tolist()
        [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    check_order(order)
    a, b = check_interval(interval)
    check_accuracy(accuracy)
    u = along_last(u, axis, order + accuracy)
    unit = ((b - a) / (u.shape[-1] - 1)) ** order
    return jnp.moveaxis(_rows(u, order, accuracy) / unit, -1, axis)


def check_accuracy(accuracy: int) -> None:
    """Raise a ValueError for an accuracy that is no even number from 2."""
    if isinstance(accuracy, bool) or not isinstance(accuracy, int) or accuracy < 2 or accuracy % 2:
        raise ValueError(f"accuracy: got {accuracy!r}; needs an even number >= 2")


def reach(order: int, accuracy: int) -> int:
    """How many spacings a central difference goes to each side."""
    return (order - 1) // 2 + accuracy // 2


@lru_cache(maxsize=256)
def central_weights(order: int, accuracy: int) -> tuple[float, ...]:
    """Those of offsets -reach ... reach."""
    half = reach(order, accuracy)
    return tuple(weights(range(-half, half + 1), order).tolist())


def amplification(n: int, order: int, accuracy: int) -> np.ndarray:
    """How much each of the n rows of the scheme amplifies errors of the samples at most, for spacing 1."""
    rows = np.abs(_first_rows(order, accuracy)).sum(axis=1)
    inside = np.full(n - 2 * len(rows), np.abs(central_weights(order, accuracy)).sum())
    return np.concatenate([rows, inside, rows[::-1]])


@partial(jax.jit, static_argnums=(1, 2))
def _rows(u: Float[Array, "... n"], order: int, accuracy: int) -> Float[Array, "... n"]:
    """The derivative for spacing 1."""
    n, half = u.shape[-1], reach(order, accuracy)
    centre = u[..., half : n - half]
    inside = jnp.zeros_like(centre)
    for offset, weight in zip(range(-half, half + 1), central_weights(order, accuracy), strict=True):
        if offset and weight:
            inside += weight * (u[..., half + offset : n - half + offset] - centre)
    left = _one_sided(u, order, accuracy)
    right = (-1) ** order * _one_sided(u[..., ::-1], order, accuracy)[..., ::-1]
    return jnp.concatenate([left, inside, right], axis=-1)


@lru_cache(maxsize=256)
def _first_rows(order: int, accuracy: int) -> np.ndarray:
    """Weights [reach, order + accuracy] of the first points for the derivatives at the first `reach` of them."""
    width = order + accuracy
    return np.array([weights(range(-i, width - i), order) for i in range(reach(order, accuracy))])


def _one_sided(u: Float[Array, "... n"], order: int, accuracy: int) -> Float[Array, "... reach"]:
    rows = _first_rows(order, accuracy)
    count, width = rows.shape
    differences = u[..., None, :width] - u[..., :count, None]
    return jnp.sum(jnp.asarray(rows, u.dtype).reshape(*(1,) * (u.ndim - 1), count, width) * differences, axis=-1)


def _fornberg(x: tuple[Fraction, ...], order: int) -> list[Fraction]:
    """delta[m][k]: the weight of point k in the derivative of order m at 0, one point more in each round."""
    delta = [[Fraction(0)] * len(x) for _ in range(order + 1)]
    delta[0][0] = Fraction(1)
    previous = Fraction(1)
    for n in range(1, len(x)):
        product = Fraction(1)
        last = [row[n - 1] for row in delta]
        for k in range(n):
            distance = x[n] - x[k]
            product *= distance
            for m in range(min(n, order), -1, -1):
                lower = m * delta[m - 1][k] if m else 0
                delta[m][k] = (x[n] * delta[m][k] - lower) / distance
        for m in range(min(n, order), -1, -1):
            lower = m * last[m - 1] if m else 0
            delta[m][n] = previous / product * (lower - x[n - 1] * last[m])
        previous = product
    return delta[order]
