"""Finite differences that choose their own order and spacing, and say how wrong they may be.

A small spacing amplifies the rounding of the values, a large one leaves out more of the Taylor series, and a high
order moves the optimum to larger spacings as far as the function is smooth. Every candidate is compared with the next
lower order, with the next larger spacing and, for a function, with what all smaller spacings allow. The largest
difference, plus a bound on rounding, estimates its error; at every point the candidate of least estimate is taken.
Differences say nothing of what no sample sees: of waves shorter than two spacings of a given grid, or of a kink in
the middle of a symmetric function, where all central differences agree on 0.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._validation import real_array
from . import finite_differences
from .finite_differences import central_weights, check_accuracy, reach
from .grids import Interval, along_last, check_interval, check_order

RATIO = (5**0.5 - 1) / 2  # of successive spacings: irrational, so that no wave looks constant at two of them
NEIGHBOURS = 2  # on each side: an estimate that is small by accident is overruled by theirs


class Estimate(eqx.Module):
    """A derivative and how it was found, point by point.

    Attributes:
        value: the derivative.
        error: an estimate, meant as a bound, of the absolute error of `value`.
        accuracy: the order of the scheme taken.
        spacing: the spacing taken.
    """

    value: Float[Array, "..."]
    error: Float[Array, "..."]
    accuracy: Int[Array, "..."]
    spacing: Float[Array, "..."]


class ToleranceNotMetError(ArithmeticError):
    """No candidate had an estimated error within the tolerance; `estimate` is the best found."""

    def __init__(self, message: str, estimate: Estimate):
        super().__init__(message)
        self.estimate = estimate


def derivative(
    f: Callable[[Float[Array, "..."]], Float[Array, "..."]],
    x: Float[Array, "..."],
    order: int = 1,
    *,
    tolerance: float | None = None,
    largest_spacing: float = 0.5,
    levels: int = 32,
    highest_accuracy: int = 8,
    noise: float | None = None,
) -> Estimate:
    """The derivative of a function at points x, by the order and the spacing that suit it there.

    Args:
        f: works elementwise on arrays, of JAX or, outside of transformations, of NumPy. Where it is not finite it is
            taken as not defined, and candidates that would need it there are left out.
        x: points; f is called once, for all points of all candidates.
        order: of the derivative, 1 or more.
        tolerance: the absolute error that is wanted at every point; None takes what there is.
        largest_spacing: from which on spacings fall by the golden ratio.
        levels: number of spacings, at least 2.
        highest_accuracy: of the schemes of accuracy 4, 6, ... that are tried.
        noise: relative error of the values of f; None for twice the rounding unit of their precision.

    Returns:
        Arrays shaped like x.

    Raises:
        ToleranceNotMetError: the estimated error exceeds the tolerance at a point, or f has too few finite values
            near it. Under jit it is raised as equinox.error_if raises, without the estimate.
        ValueError: an order < 1, an accuracy that is odd or < 4, fewer than 2 levels, a spacing, a tolerance or a
            noise that is not positive; values that are not shaped like the points.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import adaptive
        >>> found = adaptive.derivative(jnp.exp, 0.0, tolerance=1e-4)
        >>> bool(abs(found.value - 1) <= found.error), bool(found.error <= 1e-4)
        (True, True)
    """
    check_order(order)
    _check_highest(highest_accuracy)
    _check_positive(tolerance=tolerance, largest_spacing=largest_spacing, noise=noise)
    if levels < 2:
        raise ValueError(f"levels: got {levels}; needs at least 2 spacings to compare")
    x = real_array("x", x)
    half = reach(order, highest_accuracy)
    spacings = jnp.asarray(largest_spacing * RATIO ** np.arange(levels), x.dtype)
    h = spacings.reshape(-1, *[1] * x.ndim)
    points = x + h[:, None] * jnp.arange(-half, half + 1, dtype=x.dtype).reshape(1, -1, *[1] * x.ndim)
    values = jnp.asarray(f(points))
    if values.shape != points.shape:
        raise ValueError(f"f: got values of shape {values.shape} at points of shape {points.shape}; needs the same")
    values = values.astype(x.dtype)

    accuracies = tuple(range(2, highest_accuracy + 1, 2))
    found, rounding = [], []
    for accuracy in accuracies:
        value, error = _central(values, points, h, order, accuracy, noise)
        found.append(value)
        rounding.append(error)
    table, unsure = jnp.stack(found), jnp.stack(rounding)
    differences = [
        jnp.abs(table[1:, 1:] - table[:-1, 1:]),  # from the lower order
        jnp.abs(table[1:, 1:] - table[1:, :-1]),  # from the larger spacing
        _out_of_reach(table, unsure)[1:, 1:],
    ]
    known = jnp.isfinite(unsure)
    usable = known[1:, 1:] & known[:-1, 1:] & known[1:, :-1]
    errors = jnp.where(usable, jnp.max(jnp.stack(differences), axis=0) + unsure[1:, 1:], jnp.inf)

    flat = errors.reshape(-1, *x.shape)
    best = jnp.argmin(flat, axis=0)
    scheme, level = best // (levels - 1), best % (levels - 1)
    estimate = Estimate(
        _pick(table[1:, 1:].reshape(flat.shape), best),
        _pick(flat, best),
        jnp.asarray(accuracies[1:])[scheme],
        spacings[1:][level],
    )
    return _within(estimate, tolerance, x)


def grid_derivative(
    u: Float[Array, "..."],
    order: int = 1,
    *,
    interval: Interval,
    tolerance: float | None = None,
    highest_accuracy: int = 10,
    axis: int = -1,
    noise: float | None = None,
) -> Estimate:
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
        Arrays shaped like u.

    Raises:
        ToleranceNotMetError: the estimated error exceeds the tolerance at a point. Under jit it is raised as
            equinox.error_if raises, without the estimate.
        ValueError: an order < 1, an accuracy that is odd or < 4, an interval that is none, an axis that u does not
            have, fewer than 2 (order + highest_accuracy) points along it, a tolerance or a noise that is not
            positive.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import adaptive, finite_differences
        >>> x = finite_differences.grid(65, (0.0, 1.0))
        >>> found = adaptive.grid_derivative(jnp.exp(x), interval=(0.0, 1.0), tolerance=1e-2)
        >>> bool(jnp.all(abs(found.value - jnp.exp(x)) <= found.error))
        True
    """
    check_order(order)
    _check_highest(highest_accuracy)
    _check_positive(tolerance=tolerance, noise=noise)
    a, b = check_interval(interval)
    u = along_last(u, axis, 2 * (order + highest_accuracy))
    n = u.shape[-1]
    h = (b - a) / (n - 1)
    noise = _noise(noise, u.dtype)
    scale = jnp.max(jnp.abs(u), axis=-1, keepdims=True)
    accuracies = tuple(range(2, highest_accuracy + 1, 2))
    values = [finite_differences.derivative(u, order, interval=(a, b), accuracy=p) for p in accuracies]
    errors = []
    for number, accuracy in enumerate(accuracies[1:], start=1):
        amplification = jnp.asarray(finite_differences.amplification(n, order, accuracy) / h**order, u.dtype)
        from_lower_order = jnp.abs(values[number] - values[number - 1])
        from_larger_spacing = jnp.abs(values[number] - _on_every_second(u, order, h, accuracy))
        difference = _largest_nearby(jnp.maximum(from_lower_order, from_larger_spacing))
        errors.append(2 * difference + 2 * noise * amplification * scale)
    table = jnp.stack(errors)
    best = jnp.argmin(table, axis=0)
    estimate = Estimate(
        _pick(jnp.stack(values[1:]), best),
        _pick(table, best),
        jnp.asarray(accuracies[1:])[best],
        jnp.full(u.shape, h, u.dtype),
    )
    estimate = jax.tree.map(lambda array: jnp.moveaxis(array, -1, axis), estimate)
    return _within(estimate, tolerance)


def _central(values, points, h, order: int, accuracy: int, noise: float | None):
    """Derivatives [levels, ...] of one accuracy, and bounds on their rounding, infinite where a value is not finite.

    The values carry a relative error `noise`, and the points were rounded, which counts times the slope: the largest
    one seen at this or a smaller spacing, beyond the noise.
    """
    noise = _noise(noise, values.dtype)
    middle, half = values.shape[1] // 2, reach(order, accuracy)
    weights = central_weights(order, accuracy)
    finite = jnp.isfinite(values)
    safe = jnp.where(finite, values, 0.0)
    centre = safe[:, middle]
    total, defined = jnp.zeros_like(centre), finite[:, middle]
    size, slope, weight_sum = jnp.abs(centre), jnp.zeros_like(centre), 0.0
    for offset, weight in zip(range(-half, half + 1), weights, strict=True):
        if not offset:
            continue
        value = safe[:, middle + offset]
        total += weight * (value - centre)
        defined &= finite[:, middle + offset]
        size = jnp.maximum(size, jnp.abs(value))
        rise = jnp.abs(value - centre) - 2 * noise * jnp.maximum(jnp.abs(value), jnp.abs(centre))
        slope = jnp.maximum(slope, rise / (abs(offset) * h))
        weight_sum += abs(weight)
    unit = jnp.finfo(values.dtype).eps
    moved = unit * jnp.max(jnp.abs(points), axis=1) * jax.lax.cummax(slope, axis=0, reverse=True)
    least = jnp.finfo(values.dtype).tiny  # below which values are lost
    rounding = 2 * weight_sum * (noise * size + moved + least) / h**order
    return total / h**order, jnp.where(defined, rounding, jnp.inf)


def _out_of_reach(table, unsure):
    """How far each of [orders, levels, ...] is outside what rounding allows around those of smaller spacings.

    Where a spacing resolves nothing all orders can agree on too small a derivative; smaller spacings refute them.
    """
    highest = jax.lax.cummin(table + unsure, axis=1, reverse=True)
    lowest = jax.lax.cummax(table - unsure, axis=1, reverse=True)
    return jnp.maximum(jnp.maximum(table - highest, lowest - table), 0.0)


def _on_every_second(u: Float[Array, "... n"], order: int, h: float, accuracy: int) -> Float[Array, "... n"]:
    """The derivatives by spacings of 2 h, of the even points among themselves and of the odd ones."""
    found = jnp.zeros_like(u)
    for first in (0, 1):
        part = u[..., first::2]
        interval = (0.0, 2 * h * (part.shape[-1] - 1))
        part = finite_differences.derivative(part, order, interval=interval, accuracy=accuracy)
        found = found.at[..., first::2].set(part)
    return found


def _noise(noise: float | None, dtype) -> float:
    return 2 * float(jnp.finfo(dtype).eps) if noise is None else noise


def _largest_nearby(error: Float[Array, "... n"]) -> Float[Array, "... n"]:
    padded = jnp.pad(error, [(0, 0)] * (error.ndim - 1) + [(NEIGHBOURS, NEIGHBOURS)], mode="edge")
    n = error.shape[-1]
    return jnp.max(jnp.stack([padded[..., k : k + n] for k in range(2 * NEIGHBOURS + 1)]), axis=0)


def _pick(table: Float[Array, "k ..."], index: Int[Array, "..."]) -> Float[Array, "..."]:
    return jnp.take_along_axis(table, index[None], axis=0)[0]


def _within(estimate: Estimate, tolerance: float | None, x: Array | None = None) -> Estimate:
    """The estimate, if it is within the tolerance everywhere; without one, if it is finite."""
    limit = float(jnp.finfo(estimate.error.dtype).max) if tolerance is None else tolerance
    missed = ~(estimate.error <= limit)
    if isinstance(missed, jax.core.Tracer):
        message = f"tolerance: got {tolerance}; needs one that the estimated error of the differences keeps"
        return eqx.error_if(estimate, missed, message)
    if bool(jnp.any(missed)):
        at = np.unravel_index(int(jnp.argmax(estimate.error)), estimate.error.shape)
        where = f"index {list(map(int, at))}" if x is None else f"x = {float(x[at])}"
        raise ToleranceNotMetError(
            f"tolerance: got {tolerance}; needs at least {float(estimate.error[at]):.3g}, the error estimated at "
            f"{where} with accuracy {int(estimate.accuracy[at])} and spacing {float(estimate.spacing[at]):.3g}",
            estimate,
        )
    return estimate


def _check_highest(accuracy: int) -> None:
    check_accuracy(accuracy)
    if accuracy < 4:
        raise ValueError(f"highest_accuracy: got {accuracy}; needs at least 4, to be compared with 2")


def _check_positive(**numbers: float | None) -> None:
    for name, number in numbers.items():
        if number is not None and not (np.isfinite(number) and number > 0):
            raise ValueError(f"{name}: got {number}; needs a finite number > 0")
