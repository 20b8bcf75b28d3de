"""Finite differences of a function that choose their own order and spacing, and say how wrong they may be.

A small spacing amplifies the rounding of the values, a large one leaves out more of the Taylor series, and a high
order moves the optimum to larger spacings as far as the function is smooth. Every candidate is compared with the next
lower order, with the next larger spacing and with what all smaller spacings allow. The largest difference, plus a
bound on rounding, estimates its error; at every point the candidate of least estimate is taken. Differences say
nothing of what no sample sees: at a kink in the middle of a symmetric function all of them agree on 0.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.arguments import real_array
from .estimates import EstimatedDerivative, check_highest, check_positive, pick, relative_noise, within
from .finite_differences import central_weights, reach
from .grids import check_order

__all__ = ["derivative"]
__dir__ = __all__.copy

RATIO = (5**0.5 - 1) / 2  # of successive spacings: irrational, so that no wave looks constant at two of them


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
) -> EstimatedDerivative:
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
        The derivative, an estimate of its error, and the scheme taken, arrays shaped like x.

    Raises:
        TypeError: points or values that are complex or no numbers.
        ToleranceNotMetError: the estimated error exceeds the tolerance at a point, or f has too few finite values
            near it. Under jit it is raised as equinox.error_if raises, without the estimate.
        ValueError: points that are not finite, an order < 1, an accuracy that is odd or < 4, fewer than 2 levels, a
            spacing, a tolerance or a noise that is not positive; values that are not shaped like the points.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import adaptive
        >>> found = adaptive.derivative(jnp.exp, 0.0, tolerance=1e-4)
        >>> bool(abs(found.value - 1) <= found.error), bool(found.error <= 1e-4)
        (True, True)
    """
    check_order(order)
    check_highest(highest_accuracy)
    check_positive(tolerance=tolerance, largest_spacing=largest_spacing, noise=noise)
    if levels < 2:
        raise ValueError(f"levels: got {levels}; needs at least 2 spacings to compare")
    x = real_array("x", x)
    half = reach(order, highest_accuracy)
    spacings = jnp.asarray(largest_spacing * RATIO ** np.arange(levels), x.dtype)
    offsets = jnp.arange(-half, half + 1, dtype=x.dtype)
    points = x[None, None] + (spacings[:, None] * offsets[None]).reshape(levels, -1, *[1] * x.ndim)
    values = jnp.asarray(f(points))
    if not jnp.issubdtype(values.dtype, jnp.floating) and not jnp.issubdtype(values.dtype, jnp.integer):
        raise TypeError(f"f: got values of dtype {values.dtype}; needs real numbers")
    if values.shape != points.shape:
        raise ValueError(f"f: got values of shape {values.shape} at points of shape {points.shape}; needs the same")
    estimate = _best(
        values.astype(x.dtype), points, spacings, order, highest_accuracy, relative_noise(noise, x.dtype)
    )
    return within(estimate, tolerance, x)


@partial(jax.jit, static_argnums=(3, 4))
def _best(
    values: Float[Array, "levels offsets *shape"],
    points: Float[Array, "levels offsets *shape"],
    spacings: Float[Array, " levels"],
    order: int,
    highest_accuracy: int,
    noise: float,
) -> EstimatedDerivative:
    """Of all orders and levels but the first of each, which have nothing to be compared with."""
    accuracies = range(2, highest_accuracy + 1, 2)
    h = spacings.reshape(-1, *[1] * (values.ndim - 2))
    found = [_central(values, points, h, order, accuracy, noise) for accuracy in accuracies]
    table, rounding = (jnp.stack(each) for each in zip(*found, strict=True))
    differences = [
        jnp.abs(table[1:, 1:] - table[:-1, 1:]),  # from the lower order
        jnp.abs(table[1:, 1:] - table[1:, :-1]),  # from the larger spacing
        _out_of_reach(table, rounding)[1:, 1:],
    ]
    known = jnp.isfinite(rounding)
    usable = known[1:, 1:] & known[:-1, 1:] & known[1:, :-1]
    errors = jnp.where(usable, jnp.max(jnp.stack(differences), axis=0) + rounding[1:, 1:], jnp.inf)

    flat = errors.reshape(-1, *values.shape[2:])
    best = jnp.argmin(flat, axis=0)
    scheme, level = jnp.divmod(best, len(spacings) - 1)
    return EstimatedDerivative(
        pick(table[1:, 1:].reshape(flat.shape), best),
        pick(flat, best),
        jnp.array(accuracies[1:])[scheme],
        spacings[1:][level],
    )


def _central(values, points, h, order: int, accuracy: int, noise: float):
    """Derivatives [levels, ...] of one accuracy, and bounds on their rounding, infinite where they are not defined.

    The values carry a relative error `noise`, and the points were rounded, which counts times the slope: the largest
    one seen at this or a smaller spacing, beyond the noise.
    """
    middle, half = values.shape[1] // 2, reach(order, accuracy)
    weights = central_weights(order, accuracy)
    finite = jnp.isfinite(values)
    safe = jnp.where(finite, values, 0.0)
    centre = safe[:, middle]
    total, defined = jnp.zeros_like(centre), finite[:, middle]
    size, slope, weight_sum = jnp.abs(centre), jnp.zeros_like(centre), 0.0
    safe_h = jnp.where(h > 0, h, 1.0)  # small spacings may underflow
    for offset, weight in zip(range(-half, half + 1), weights, strict=True):
        if not offset:
            continue
        value = safe[:, middle + offset]
        total += weight * (value - centre)
        defined &= finite[:, middle + offset]
        size = jnp.maximum(size, jnp.abs(value))
        rise = jnp.abs(value - centre) - 2 * noise * jnp.maximum(jnp.abs(value), jnp.abs(centre))
        slope = jnp.maximum(slope, jnp.where(h > 0, rise / (abs(offset) * safe_h), 0.0))
        weight_sum += abs(weight)
    unit = jnp.finfo(values.dtype).eps
    moved = unit * jnp.max(jnp.abs(points), axis=1) * jax.lax.cummax(slope, axis=0, reverse=True)
    least = jnp.finfo(values.dtype).tiny  # below which values are lost
    unit_cell = h**order
    safe_cell = jnp.where(unit_cell > 0, unit_cell, 1.0)  # and so may their powers
    rounding = 2 * weight_sum * (noise * size + moved + least) / safe_cell
    found = total / safe_cell
    defined &= (unit_cell > 0) & jnp.isfinite(rounding) & jnp.isfinite(found)
    return jnp.where(defined, found, 0.0), jnp.where(defined, rounding, jnp.inf)


def _out_of_reach(table, unsure):
    """How far each of [orders, levels, ...] is outside what rounding allows around those of smaller spacings.

    Where a spacing resolves nothing all orders can agree on too small a derivative; smaller spacings refute them.
    """
    highest = jax.lax.cummin(table + unsure, axis=1, reverse=True)
    lowest = jax.lax.cummax(table - unsure, axis=1, reverse=True)
    return jnp.maximum(jnp.maximum(table - highest, lowest - table), 0.0)
