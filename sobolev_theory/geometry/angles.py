"""Norms, directions and angles of neurons, accurate where the textbook formulas are not.

An angle computed from a cosine loses half its digits near 0 and pi. Here close pairs go
through the difference of their unit vectors, formed without rounding the cancelling part, so
that an angle of 1e-12 is known as well as an angle of 1. Mathematics: Kahan's angle formula,
with an exact remainder in the place of the difference of rounded unit vectors.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ..model.precision import full_products
from .fixed_tangents import jvp_along_moving

# Above this |cosine| a Gram matrix no longer gives the angle to 1e-14, and the remainder is used.
CLOSE = 0.97


class Polar(NamedTuple):
    """Rows w of a matrix with their norms.

    `scale` is the power of two that brings a row to size about 1. It lets norms of 1e-150 and 1e150 meet in one
    formula, and differences be taken of exact numbers.
    """

    weights: Float[Array, "n d"]
    norm: Float[Array, " n"]
    scale: Float[Array, " n"]

    @property
    def scaled(self) -> Float[Array, "n d"]:
        return self.weights * self.scale[:, None]

    @property
    def scaled_norm(self) -> Float[Array, " n"]:
        return self.norm * self.scale

    def take(self, rows: slice | Int[Array, " k"]) -> "Polar":
        return Polar(*(_taken(field, rows) for field in self))


class Angles(NamedTuple):
    """The angle of every pair, with what would cancel if it were computed from `theta` alone.

    `supplement` is pi - theta to full relative accuracy, `sin` and `cos` likewise near their zeros.
    """

    theta: Float[Array, "*pairs"]
    supplement: Float[Array, "*pairs"]
    sin: Float[Array, "*pairs"]
    cos: Float[Array, "*pairs"]

    def take(self, *indices) -> "Angles":
        return Angles(*(_taken(field, indices) for field in self))


def _taken(x: Array, indices) -> Array:
    """x[indices], for indices that are in range and not negative."""
    if all(isinstance(index, slice) for index in (indices if isinstance(indices, tuple) else (indices,))):
        return x[indices]
    return x.at[indices].get(mode="promise_in_bounds", wrap_negative_indices=False)


def inverse_or_zero(x: Float[Array, "*shape"], tiny: float = 0.0) -> Float[Array, "*shape"]:
    """1 / x, and 0 where |x| <= tiny: the value that drops a direction which does not exist."""
    return 1.0 / jnp.where(jnp.abs(x) <= tiny, jnp.inf, x)


def parallel_below(dtype) -> float:
    """The sine up to which two neurons count as parallel: the direction between them is known to 2 eps / sin, so that
    at 8 eps a quarter of it is rounding."""
    return 8 * float(jnp.finfo(dtype).eps)


def inverse_sine(angles: Angles) -> Float[Array, "*pairs"]:
    """1 / sin(theta), and 0 where the pair is parallel to rounding: there the direction e does not exist."""
    return inverse_or_zero(angles.sin, parallel_below(angles.sin.dtype))


def power_of_two(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """One near x > 0, in the middle half of the dtype's exponents: its square and its inverse are normal numbers.

    Of constants XLA makes (w s)^2 into w^2 s^2: an s whose square overflows would make NaN of a constant zero.
    """
    info = jnp.finfo(x.dtype)
    ends = 2.0 ** (2 - info.maxexp // 2), 2.0 ** (info.maxexp // 2 - 2)
    return lax.reduce_precision(jnp.clip(x, *ends), exponent_bits=info.nexp, mantissa_bits=0)


@jax.custom_jvp
def polar(weights: Float[Array, "n d"]) -> Polar:
    """The norm of every row, for rows of any size that the dtype holds; its derivative at a zero row is 0."""
    scale = 1 / power_of_two(jnp.max(jnp.abs(weights), axis=1))
    scaled = weights * scale[:, None]
    return Polar(weights, jnp.sqrt(jnp.sum(scaled * scaled, axis=1)) / scale, scale)


@polar.defjvp
def _polar_jvp(primals, tangents):
    (weights,), (d_weights,) = primals, tangents
    rows = polar(weights)
    return rows, Polar(d_weights, jnp.sum(direction(rows) * d_weights, axis=1), jnp.zeros_like(rows.scale))


@jax.custom_jvp
def direction(rows: Polar) -> Float[Array, "n d"]:
    """u = w / |w|, and 0 for a zero row. Derivative: (dw - u (u.dw)) / |w|, and 0 at a zero row."""
    return rows.weights * (rows.scale * inverse_or_zero(rows.scaled_norm))[:, None]


@direction.defjvp
def _direction_jvp(primals, tangents):
    (rows,), (d_rows,) = primals, tangents
    u = direction(rows)
    across = d_rows.weights - jnp.sum(u * d_rows.weights, axis=1, keepdims=True) * u
    return u, across * inverse_or_zero(rows.norm)[:, None]


class Difference(NamedTuple):
    """u - u' of two unit vectors and r - r' of their norms, with relative accuracy also when small."""

    direction: Float[Array, "n d"]
    norm: Float[Array, " n"]


def difference(a: Polar, b: Polar) -> Difference:
    """Row by row a - b in direction and norm, from the exact remainder z = a - c b.

    The multiplier c is the quotient of the norms cut to half a mantissa, so that c times half a
    mantissa of b has no rounding error and z keeps the digits that a - c b cancels. c is 1 as
    soon as the norms agree to half the digits, and then z is the exact difference.
    """
    half = (jnp.finfo(a.scaled.dtype).nmant + 1) // 2 - 2
    ratio = _cut(a.scaled_norm * inverse_or_zero(b.scaled_norm), half)
    c, high = ratio[:, None], _cut(b.scaled, half)
    z = (a.scaled - c * high) - c * (b.scaled - high)
    reach = a.scaled_norm + ratio * b.scaled_norm
    norm = jnp.sum(z * (a.scaled + c * b.scaled), axis=1) * inverse_or_zero(reach)
    across = (z - norm[:, None] * direction(b)) * inverse_or_zero(a.scaled_norm)[:, None]
    step = ratio / a.scale - 1 / b.scale
    return Difference(across, norm / a.scale + step * b.scaled_norm)


def _cut(x: Float[Array, "*shape"], bits: int) -> Float[Array, "*shape"]:
    """x rounded to so many bits of mantissa."""
    return lax.reduce_precision(x, exponent_bits=jnp.finfo(x.dtype).nexp, mantissa_bits=bits)


def angles_from_cosine(cos: Float[Array, "*pairs"]) -> Angles:
    """Accurate to rounding for |cos| <= CLOSE."""
    cos = jnp.clip(cos, -1.0, 1.0)
    sin = jnp.sqrt((1 - cos) * (1 + cos))
    theta = jnp.arctan2(sin, cos)
    return Angles(theta, jnp.pi - theta, sin, cos)


def _close_chords(
    pending: Bool[Array, "n m"], opposite: Bool[Array, "n m"], a: Polar, b: Polar
) -> Float[Array, "n m"]:
    """|u - u'| of the pending pairs, or |u + u'| where `opposite`, by the exact remainder; 0 for the others.

    One pending pair of every row at a time: close pairs are few, and no [n, m, d] array is formed.
    """
    columns = jnp.arange(pending.shape[1])

    def step(state):
        chord, pending = state
        column = jnp.argmax(pending, axis=1)
        here = pending & (columns[None, :] == column[:, None])
        partner = b.take(column)
        turned = jnp.any(here & opposite, axis=1)[:, None]
        partner = partner._replace(weights=jnp.where(turned, -partner.weights, partner.weights))
        across = difference(a, partner).direction
        exact = jnp.sqrt(jnp.sum(across * across, axis=1))
        return jnp.where(here, exact[:, None], chord), pending & ~here

    zeros = jnp.zeros(pending.shape, a.norm.dtype)
    return lax.while_loop(lambda state: jnp.any(state[1]), step, (zeros, pending))[0]


@jax.custom_jvp
def angles_between(a: Polar, b: Polar, itself: Bool[Array, "n m"] | None = None) -> Angles:
    """All angles between the rows of `a` and the rows of `b`, to rounding.

    Where `itself`, the rows are one and the same neuron, and the angle is exactly 0. A zero row is opposite to all,
    also to itself: it has no part in any half-space, since no sample activates it.

    Derivative: d theta = -(u'.du + u.du') / sin(theta); 0 at theta = 0 and pi, the mean of the two
    one-sided values, since theta has a cone there.
    """
    inverse, inverse_ = inverse_or_zero(a.scaled_norm), inverse_or_zero(b.scaled_norm)
    cos = (a.scaled @ b.scaled.T) * inverse[:, None] * inverse_[None, :]
    known = (a.norm == 0)[:, None] | (b.norm == 0)[None, :]
    cos = jnp.where(known, -1.0, cos)
    if itself is not None:
        cos, known = jnp.where(itself & ~known, 1.0, cos), known | itself
    opposite, size = cos < 0, jnp.minimum(jnp.abs(cos), 1.0)
    close = (size > CLOSE) & ~known
    chord = _close_chords(close, opposite, a, b)
    sin = jnp.where(close, chord * jnp.sqrt(1 - chord * chord / 4), jnp.sqrt((1 - size) * (1 + size)))
    size = jnp.where(close, 1 - chord * chord / 2, size)
    acute = jnp.arctan2(sin, size)  # the angle, or its supplement where `opposite`
    obtuse = jnp.pi - acute
    return Angles(
        jnp.where(opposite, obtuse, acute),
        jnp.where(opposite, acute, obtuse),
        sin,
        jnp.where(opposite, -size, size),
    )


@partial(angles_between.defjvp, symbolic_zeros=True)
@full_products
def _angles_between_jvp(primals, tangents):
    """Without the product of a side that does not move."""
    a, b, itself = primals
    (u, du), (u_, du_) = (_turning(*side) for side in ((a, tangents[0]), (b, tangents[1])))
    products = [left @ right.T for left, right in ((du, u_), (u, du_)) if left is not None and right is not None]
    angles = angles_between(a, b, itself)
    return angles, _tangent(angles, sum(products, jnp.zeros_like(angles.cos)))


def _turning(rows: Polar, d_rows: Polar) -> tuple[Float[Array, "n d"], Float[Array, "n d"] | None]:
    """The directions and their derivative, None if it is 0."""
    moving, value, tangent = jvp_along_moving(direction, (rows,), (d_rows,))
    return value, tangent if moving else None


def _tangent(angles: Angles, d_cos: Float[Array, "*pairs"]) -> Angles:
    d_theta = -d_cos * inverse_sine(angles)
    return Angles(d_theta, -d_theta, angles.cos * d_theta, -angles.sin * d_theta)


@jax.jit
def angle_and_directions(
    w: Float[Array, " d"], v: Float[Array, " d"]
) -> tuple[Angles, Float[Array, " d"], Float[Array, " d"]]:
    """The angle of two vectors and the unit vectors e, orthogonal to w towards v, and e', orthogonal to v towards w.

    e = (v/|v| - cos w/|w|) / sin, and e' with w and v exchanged; both 0 where the vectors are parallel.
    Their relative error is a few eps / sin(theta), their condition number.
    """
    a, b = polar(w[None]), polar(v[None])
    angles = angles_between(a, b).take(0, 0)
    u, u_ = direction(a)[0], direction(b)[0]
    inverse = inverse_sine(angles)
    return angles, (u_ - angles.cos * u) * inverse, (u - angles.cos * u_) * inverse
