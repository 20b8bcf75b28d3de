"""Angles between unit vectors and lines from differences of unit vectors, for all pairs at once.

A sine is known to eps, whatever its size, and with it the direction e; memory is that of all differences. Where an
angle has to keep its relative accuracy, and for many neurons, there is `angles`.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.precision import full_products
from .angles import Angles, inverse_or_zero, parallel_below


class LineAngles(NamedTuple):
    """Cosines, sines and unit vectors orthogonal to u_k towards the nearer ray of another neuron's line."""

    cos: Float[Array, "K m"]
    sin: Float[Array, "K m"]
    e: Float[Array, "K m n"]

    def columns(self, chosen: slice) -> "LineAngles":
        return LineAngles(self.cos[:, chosen], self.sin[:, chosen], self.e[:, chosen])

    @property
    def angles(self) -> Angles:
        """To eps of a right angle; of two zero neurons 0, with derivative 0."""
        nothing = (self.sin == 0) & (self.cos == 0)
        theta = jnp.arctan2(self.sin, jnp.where(nothing, 1.0, self.cos))
        return Angles(theta, jnp.pi - theta, self.sin, self.cos)


@full_products
def line_angles(u: Float[Array, "K n"], others: Float[Array, "m n"]) -> LineAngles:
    """For unit vectors; e, and its sine, are 0 to rounding where two are parallel."""
    cos = u @ others.T
    return LineAngles(cos, *towards(u[:, None], others[None], cos))


def towards(
    u: Float[Array, "*pairs n"], other: Float[Array, "*pairs n"], cos: Float[Array, "*pairs"]
) -> tuple[Float[Array, "*pairs"], Float[Array, "*pairs n"]]:
    """The sine between pairs of unit vectors and lines, and e."""
    step = jnp.where(cos < 0, -1.0, 1.0)[..., None].astype(u.dtype) * other - u
    across = step - jnp.sum(step * u, axis=-1, keepdims=True) * u
    square = jnp.sum(across**2, axis=-1)
    sin = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)  # its derivative at 0 is 0
    return sin, across * inverse_or_zero(sin, parallel_below(sin.dtype))[..., None]
