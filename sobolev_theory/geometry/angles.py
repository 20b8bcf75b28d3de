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

from .fixed_tangents import jvp_along_moving

# Above this |cosine| a Gram matrix no longer gives the angle to 1e-14, and the remainder is used.
CLOSE = 0.97


class Polar(NamedTuple):
    """Rows w of a matrix with their norms.

    `scale` is 1, or the power of two that brings a very small or large row to size about 1. It lets
    norms of 1e-150 and 1e150 meet in one formula, and differences be taken of exact numbers.
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
        return Polar(*(field[rows] for field in self))


class Angles(NamedTuple):
    """The angle of every pair, with what would cancel if it were computed from `theta` alone.

    `supplement` is pi - theta to full relative accuracy, `sin` and `cos` likewise near their zeros.
    """

    theta: Float[Array, "*pairs"]
    supplement: Float[Array, "*pairs"]
    sin: Float[Array, "*pairs"]
    cos: Float[Array, "*pairs"]

    def take(self, *indices) -> "Angles":
        return Angles(*(field[indices] for field in self))


def inverse_or_zero(x: Float[Array, "*shape"], tiny: float = 0.0) -> Float[Array, "*shape"]:
    """1 / x, and 0 where |x| <= tiny: the value that drops a direction which does not exist."""
    small = jnp.abs(x) <= tiny
    return jnp.where(small, 0.0, 1.0 / jnp.where(small, 1.0, x))


def inverse_sine(angles: Angles) -> Float[Array, "*pairs"]:
    """1 / sin(theta), and 0 where the pair is parallel to rounding: there the direction e does not exist."""
    return inverse_or_zero(angles.sin, 8 * float(jnp.finfo(angles.sin.dtype).eps))


@jax.custom_jvp
def polar(weights: Float[Array, "n d"]) -> Polar:
    """The norm of every row, for rows of any size that the dtype holds; its derivative at a zero row is 0."""
    plain = jnp.sqrt(jnp.sum(weights * weights, axis=1))
    ones = jnp.ones_like(plain)

    def rescaled():
        _, exponent = jnp.frexp(jnp.max(jnp.abs(weights), axis=1))
        largest = jnp.finfo(weights.dtype).maxexp - 4  # so that the scale itself is a normal number
        scale = jnp.where(_moderate(plain), ones, jnp.ldexp(ones, -jnp.clip(exponent, -largest, largest)))
        scaled = weights * scale[:, None]
        return Polar(weights, jnp.sqrt(jnp.sum(scaled * scaled, axis=1)) / scale, scale)

    return lax.cond(jnp.all(_moderate(plain)), lambda: Polar(weights, plain, ones), rescaled)


def _moderate(norm: Float[Array, " n"]) -> Bool[Array, " n"]:
    """Whether products of such norms neither overflow nor lose digits to underflow."""
    limit = 2.0 ** (jnp.finfo(norm.dtype).maxexp // 4)
    return (norm > 1 / limit) & (norm < limit)


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


def cosines(a: Polar, b: Polar) -> Float[Array, "n m"]:
    """u.u' of all pairs. Rows are brought to size 1 beforehand only if some norm needs it: it costs a copy."""

    def plain():
        inverse, inverse_ = inverse_or_zero(a.norm), inverse_or_zero(b.norm)
        return (a.weights @ b.weights.T) * inverse[:, None] * inverse_

    def by_direction():
        return direction(a) @ direction(b).T

    norms = jnp.concatenate([a.norm, b.norm])
    return lax.cond(jnp.all(_moderate(norms) | (norms == 0)), plain, by_direction)


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


def angles_from_chord(chord: Float[Array, "*pairs"], opposite: Bool[Array, "*pairs"]) -> Angles:
    """The angle whose chord on the unit circle is |u - u'|, or |u + u'| where `opposite`."""
    chord = jnp.minimum(chord, 2.0)
    small = 2 * jnp.arctan2(chord, jnp.sqrt((2 - chord) * (2 + chord)))
    cos = 1 - chord * chord / 2
    return Angles(
        jnp.where(opposite, jnp.pi - small, small),
        jnp.where(opposite, small, jnp.pi - small),
        chord * jnp.sqrt(1 - chord * chord / 4),
        jnp.where(opposite, -cos, cos),
    )


def angles_from_cosine(cos: Float[Array, "*pairs"]) -> Angles:
    """Accurate to rounding for |cos| <= CLOSE."""
    cos = jnp.clip(cos, -1.0, 1.0)
    sin = jnp.sqrt((1 - cos) * (1 + cos))
    theta = jnp.arctan2(sin, cos)
    return Angles(theta, jnp.pi - theta, sin, cos)


def refine(angles: Angles, pending: Bool[Array, "n m"], a: Polar, b: Polar) -> Angles:
    """Replace the pending pairs' angles by those of the exact remainder.

    One pending pair of every row at a time: close pairs are few, and no [n, m, d] array is formed.
    """
    rows = jnp.arange(pending.shape[0])

    def step(state):
        angles, pending = state
        column = jnp.argmax(pending, axis=1)
        opposite = angles.cos[rows, column] < 0
        partner = b.take(column)
        partner = partner._replace(weights=jnp.where(opposite[:, None], -partner.weights, partner.weights))
        chord = jnp.linalg.norm(difference(a, partner).direction, axis=1)
        exact = angles_from_chord(chord, opposite)
        chosen = pending[rows, column]
        angles = Angles(
            *(
                old.at[rows, column].set(jnp.where(chosen, new, old[rows, column]))
                for old, new in zip(angles, exact, strict=True)
            )
        )
        return angles, pending.at[rows, column].set(False)

    return lax.while_loop(lambda state: jnp.any(state[1]), step, (angles, pending))[0]


@jax.custom_jvp
def angles_between(a: Polar, b: Polar, itself: Bool[Array, "n m"] | None = None) -> Angles:
    """All angles between the rows of `a` and the rows of `b`, to rounding; a zero row is orthogonal to all.

    Where `itself`, the rows are one and the same neuron, and the angle is exactly 0.

    Derivative: d theta = -(u'.du + u.du') / sin(theta); 0 at theta = 0 and pi, the mean of the two
    one-sided values, since theta has a cone there.
    """
    cos = cosines(a, b)
    if itself is None:
        return refine(angles_from_cosine(cos), jnp.abs(cos) > CLOSE, a, b)
    angles = angles_from_cosine(jnp.where(itself, 1.0, cos))
    return refine(angles, (jnp.abs(cos) > CLOSE) & ~itself, a, b)


@partial(angles_between.defjvp, symbolic_zeros=True)
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
