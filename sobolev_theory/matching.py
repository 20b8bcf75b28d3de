"""Which teacher neuron a student neuron has nearly become.

Near an optimum the sum over student and teacher cancels pair by pair. Pairing each student with
its teacher neuron first lets the population formulas be summed as differences (`arc_cosine`).
Any injective partial pairing is valid; a good one keeps digits.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .angles import CLOSE, Angles, Polar, inverse_or_zero


class Matching(NamedTuple):
    """`partner[j]` is the teacher neuron of student j where `matched[j]`, else 0."""

    partner: Int[Array, " K"]
    matched: Bool[Array, " K"]


def match(student: Polar, teacher: Polar, angles: Angles) -> Matching:
    """Pair students with teachers of nearly the same direction, the nearest first.

    Rounds of mutual nearest neighbours among those not yet paired; each round pairs at least one,
    and no round is run where no pair is close.
    """
    rows = jnp.arange(angles.cos.shape[0])

    def pair_up(state):
        free, (partner, matched) = state
        candidates = jnp.where(free, _squared_distance(student, teacher, angles), jnp.inf)
        nearest = jnp.argmin(candidates, axis=1)
        mutual = (jnp.argmin(candidates, axis=0)[nearest] == rows) & jnp.any(free, axis=1)
        taken = jnp.zeros(free.shape[1], bool).at[nearest].max(mutual)
        free = free & ~mutual[:, None] & ~taken[None, :]
        return free, Matching(jnp.where(mutual, nearest, partner), matched | mutual)

    nobody = Matching(jnp.zeros_like(rows), jnp.zeros(rows.shape, bool))
    return lax.while_loop(lambda state: jnp.any(state[0]), pair_up, (angles.cos > CLOSE, nobody))[1]


def _squared_distance(student: Polar, teacher: Polar, angles: Angles) -> Float[Array, "K K_star"]:
    """|w - w*|^2 over the square of the larger norm."""
    larger = jnp.maximum(student.norm[:, None], teacher.norm[None, :])
    ratio = jnp.minimum(student.norm[:, None], teacher.norm[None, :]) * inverse_or_zero(larger)
    return (1 - ratio) ** 2 + 2 * ratio * (1 - angles.cos)
