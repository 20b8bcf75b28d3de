"""Which teacher neuron a student neuron has nearly become.

Near an optimum the sum over student and teacher cancels pair by pair. Pairing each student with
its teacher neuron first lets the population formulas be summed as differences (`arc_cosine`).
Any injective partial pairing is valid; a good one keeps digits.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .angles import CLOSE, Angles, inverse_or_zero


class Matching(NamedTuple):
    """`partner[j]` is the teacher neuron of student j where `matched[j]`, else 0."""

    partner: Int[Array, " K"]
    matched: Bool[Array, " K"]


def match(rho: Float[Array, " K"], rho_star: Float[Array, " K_star"], angles: Angles) -> Matching:
    """Pair students with teachers of nearly the same direction, the nearest first.

    Near in rho u, output weight included: of two teachers in one direction a student takes the one like itself.

    Rounds of mutual nearest neighbours among those not yet paired; each round pairs at least one,
    and no round is run where no pair is close.
    """
    rows = jnp.arange(angles.cos.shape[0])

    def pair_up(state):
        free, (partner, matched) = state
        candidates = jnp.where(free, _squared_distance(rho, rho_star, angles), jnp.inf)
        nearest = jnp.argmin(candidates, axis=1)
        mutual = (jnp.argmin(candidates, axis=0)[nearest] == rows) & jnp.any(free, axis=1)
        taken = jnp.zeros(free.shape[1], bool).at[nearest].max(mutual)
        free = free & ~mutual[:, None] & ~taken[None, :]
        return free, Matching(jnp.where(mutual, nearest, partner), matched | mutual)

    nobody = Matching(jnp.zeros_like(rows), jnp.zeros(rows.shape, bool))
    return lax.while_loop(lambda state: jnp.any(state[0]), pair_up, (angles.cos > CLOSE, nobody))[1]


def _squared_distance(
    rho: Float[Array, " K"], rho_star: Float[Array, " K_star"], angles: Angles
) -> Float[Array, "K K_star"]:
    """|rho u - rho* u*|^2 over the square of the larger |rho|."""
    one, other = rho[:, None], rho_star[None, :]
    swap = jnp.abs(other) > jnp.abs(one)
    ratio = jnp.where(swap, one, other) * inverse_or_zero(jnp.where(swap, other, one))
    return (1 - ratio) ** 2 + 2 * ratio * (1 - angles.cos)
