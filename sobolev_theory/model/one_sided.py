"""A function of the user's beside its kinks: its derivatives, and their limits from both sides.

What a function says at a kink itself is a convention of whoever wrote it, and close to it rounding may speak: of the
constant that is added first, of the second derivative of a root of a square. What expectations need are the limits.
Polynomials through five points a side give them, at distances from 1e-2 to 1e-6 of which the best is taken: near
points for functions that vary fast, far ones where rounding swallows near ones; and they stand for the function
between these points and the kink. All of it is found in double precision, whatever the precision of the caller, so
that a kink is the same fact in both.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Function = Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]

STEPS = np.arange(1.0, 6.0)
TO_ZERO, TO_ZERO_OF_FOUR = np.array([5.0, -10, 10, -5, 1]), np.array([4.0, -6, 4, -1, 0])  # Lagrange's weights
DISTANCES = 10.0 ** -np.arange(2.0, 7.0)
SMALLEST_JUMP = 1e-7  # relative to the function and its derivatives so far: above what rounding makes of a constant


class Sides(NamedTuple):
    """Limits from below and above; the jump between them is 0 within rounding, and infinite if a limit is."""

    below: float
    above: float
    jump: float
    size: float
    polynomials: tuple[
        tuple[float, float], ...
    ] = ()  # in (t - kink) / distance, of both sides, the highest power first
    distance: float = 0.0

    @property
    def middle(self) -> float:
        return (self.below + self.above) / 2


@cache
def of_order(function: Function, order: int) -> Function:
    """The derivative of a function that acts elementwise, elementwise."""
    if order == 0:
        return function
    below = of_order(function, order - 1)

    def rate(t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return jax.jvp(below, (t,), (jnp.ones_like(t),))[1]

    return rate


def smooth_beside(function: Function, order: int, kinks: tuple[float, ...]) -> Function:
    """The derivative of this order, close to its kinks by polynomials.

    At a kink it is what the function says, and where that is not finite the mean of the limits.
    """
    plain = of_order(function, order)

    def value(t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        found = plain(t)
        for kink in kinks:
            beside = sides(function, order, kink, kinks)
            found = jnp.where((t == kink) & ~jnp.isfinite(found), beside.middle, found)
            if beside.polynomials:
                x, near = (t - kink) / beside.distance, jnp.zeros_like(t)
                for below, above in beside.polynomials:
                    near = near * x + jnp.where(x > 0, above, below)
                found = jnp.where((jnp.abs(x) < 1) & (x != 0), near, found)
        return found

    return value


@cache
def sides(function: Function, order: int, kink: float, kinks: tuple[float, ...]) -> Sides:
    """Of the derivative of this order at one of the kinks.

    Raises:
        ValueError: a function that is not finite beside its kink, or that is not elementwise.
    """
    nearest = min((abs(other - kink) for other in kinks if other != kink), default=np.inf)
    reach = min(max(1.0, abs(kink)), 30 * nearest)
    values, distances, eps = _beside(of_order(function, order), kink, reach)
    limits, rest = values @ TO_ZERO, np.abs(values @ (TO_ZERO - TO_ZERO_OF_FOUR))
    errors = rest + 32 * eps * np.max(np.abs(values), axis=-1)
    errors = np.where(np.isfinite(limits), errors, np.inf)
    if not np.all(np.isfinite(np.min(errors, axis=1))):
        raise ValueError(
            f"function: got a derivative of order {order} that is not finite beside the kink {kink}; needs a "
            "function that is smooth between its kinks"
        )
    best = np.argmin(errors, axis=1)
    below, above = (float(limits[side, k]) for side, k in enumerate(best))
    known = values[np.isfinite(values)]
    size = float(np.max(np.abs(known)) + 20 * np.ptp(known))  # at a distance of 1, seen from 0.05
    if order:
        size = max(size, sides(function, order - 1, kink, kinks).size)
    jump, error = above - below, float(np.min(errors, axis=1).sum())
    if abs(jump) <= max(SMALLEST_JUMP, 1e4 * eps) * size:
        jump = 0.0
    elif abs(jump) <= 1e3 * error:  # no limit to be seen: it grows on and on, or falls to 0
        far, near = (np.max(np.abs(limits[:, k])) for k in (0, -1))
        return Sides(below, above, np.inf if near > 1.5 * far else 0.0, size)
    if error > 1e-9 * size:
        return Sides(below, above, jump, size)
    k = max(best[0], best[1])  # the nearer distance, where both are good
    signs = np.array([-1.0, 1.0]) ** np.arange(4, -1, -1)[:, None]
    polynomials = signs * np.linalg.solve(np.vander(STEPS), values[:, k].T)
    return Sides(below, above, jump, size, tuple(map(tuple, polynomials.tolist())), float(distances[k]))


def _beside(function: Function, kink: float, reach: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Values [side, distance, step], the distances, and eps: of single precision where the function insists on it."""
    for dtype in (jnp.float64, jnp.float32):
        eps = float(jnp.finfo(dtype).eps)
        distances = (1.0 if dtype == jnp.float64 else 50.0) * reach * DISTANCES
        offsets = distances[:, None] * STEPS
        with jax.ensure_compile_time_eval(), jax.enable_x64(dtype == jnp.float64):
            t = jnp.asarray(kink + np.stack([-offsets, offsets]), dtype)
            try:
                values: Any = function(t)
            except TypeError:
                if dtype == jnp.float32:
                    raise
                continue  # it knows one precision only
            if jnp.shape(values) != t.shape:
                raise ValueError(f"function: got shape {jnp.shape(values)} of {t.shape}; needs one elementwise")
            if values.dtype == dtype:
                break
    return np.asarray(values, float), distances, eps
