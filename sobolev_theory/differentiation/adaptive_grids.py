"""Finite differences of samples on a grid that choose their own order, and say how wrong they may be.

High orders suit smooth samples, low ones keep the trouble of a kink or a steep place local. Every order is compared
with the next lower one and with itself on every second point; the larger difference around a point, taken twice since
both may err to the same side, plus a bound on rounding, estimates its error. At every point the order of least
estimate is taken. Samples say nothing of waves shorter than two of their spacings.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from . import finite_differences
from .estimates import EstimatedDerivative, check_highest, check_positive, pick, relative_noise, within
from .grids import Interval, along_last, check_interval, check_order

__all__ = ["derivative"]
__dir__ = __all__.copy

NEIGHBOURS = 2  # on each side: an estimate that is small by accident is overruled by theirs


def derivative(
    u: Float[Array, "..."],
    order: int = 1,
    *,
    interval: Interval,
    tolerance: float | None = None,
    highest_accuracy: int = 10,
    axis: int = -1,
    noise: float | None = None,
) -> EstimatedDerivative:
    """The derivative along one axis of samples on a uniform grid, by the order that suits them at each point.

    Args:
        u: samples, n along the axis, both ends of the interval included. Every second of them makes the coarser grid
            to compare with.
        order: of the derivative, 1 or more.
        interval: where the samples were taken.
        tolerance: the absolute error that is wanted at every point; None takes what there is.
        highest_accuracy: of the schemes of accuracy 4, 6, ... that are tried; the grid must hold its stencil.
        axis: along which to differentiate.
        noise: error of the samples, relative to the largest of a line; None for twice the rounding unit of their
            precision.

    Returns:
        The derivative, an estimate of its error, and the scheme taken, arrays shaped like u.

    Raises:
        TypeError: samples that are complex or no numbers.
        ToleranceNotMetError: the estimated error exceeds the tolerance at a point. Under jit it is raised as
            equinox.error_if raises, without the estimate.
        ValueError: samples that are not finite, an order < 1, an accuracy that is odd or < 4, an interval that is
            none, an axis that u does not have, fewer than 2 (order + highest_accuracy) points along it, a tolerance
            or a noise that is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import adaptive_grids, finite_differences
        >>> x = finite_differences.grid(65, (0.0, 1.0))
        >>> found = adaptive_grids.derivative(jnp.exp(x), interval=(0.0, 1.0), tolerance=1e-2)
        >>> bool(jnp.all(abs(found.value - jnp.exp(x)) <= found.error))
        True
    """
    check_order(order)
    check_highest(highest_accuracy)
    check_positive(tolerance=tolerance, noise=noise)
    a, b = check_interval(interval)
    u = along_last(u, axis, 2 * (order + highest_accuracy))
    spacing = (b - a) / (u.shape[-1] - 1)
    found = _best(u, order, spacing, highest_accuracy, relative_noise(noise, u.dtype))
    return within(jax.tree.map(lambda array: jnp.moveaxis(array, -1, axis), found), tolerance)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _best(u: Float[Array, "... n"], order: int, h: float, highest_accuracy: int, noise: float) -> EstimatedDerivative:
    n = u.shape[-1]
    scale = jnp.max(jnp.abs(u), axis=-1, keepdims=True)
    accuracies = range(2, highest_accuracy + 1, 2)
    interval = (0.0, h * (n - 1))
    values = [finite_differences.derivative(u, order, interval=interval, accuracy=p) for p in accuracies]
    errors = []
    for value, lower, accuracy in zip(values[1:], values, accuracies[1:], strict=False):
        coarse = _on_every_second(u, order, h, accuracy)
        difference = jnp.maximum(jnp.abs(value - lower), jnp.abs(value - coarse))
        amplification = jnp.asarray(finite_differences.amplification(n, order, accuracy) / h**order, u.dtype)
        amplification = amplification.reshape(*(1,) * (u.ndim - 1), n)
        errors.append(2 * _largest_nearby(difference) + 2 * noise * amplification * scale)
    table = jnp.stack(errors)
    best = jnp.argmin(table, axis=0)
    return EstimatedDerivative(
        pick(jnp.stack(values[1:]), best),
        pick(table, best),
        jnp.array(accuracies[1:])[best],
        jnp.full(u.shape, h, u.dtype),
    )


def _on_every_second(u: Float[Array, "... n"], order: int, h: float, accuracy: int) -> Float[Array, "... n"]:
    """The derivatives by spacings of 2 h, of the even points among themselves and of the odd ones."""
    found = jnp.zeros_like(u)
    for first in (0, 1):
        part = u[..., first::2]
        interval = (0.0, 2 * h * (part.shape[-1] - 1))
        part = finite_differences.derivative(part, order, interval=interval, accuracy=accuracy)
        found = found.at[..., first::2].set(part)
    return found


def _largest_nearby(error: Float[Array, "... n"]) -> Float[Array, "... n"]:
    padded = jnp.pad(error, [(0, 0)] * (error.ndim - 1) + [(NEIGHBOURS, NEIGHBOURS)], mode="edge")
    n = error.shape[-1]
    return jnp.max(jnp.stack([padded[..., k : k + n] for k in range(2 * NEIGHBOURS + 1)]), axis=0)
