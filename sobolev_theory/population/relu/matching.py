"""Which teacher neuron a student neuron has nearly become.

Near an optimum the sum over student and teacher cancels pair by pair. Pairing each student with
its teacher neuron first lets the population formulas be summed as differences (`matched_sums`).
Any injective partial pairing is valid; a good one keeps digits.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Float, Int

from ...geometry.angles import CLOSE, Angles, inverse_or_zero
from ..row_blocks import Rows, by_rows
from .blocks import Geometry


class Matching(NamedTuple):
    """`partner[j]` is the teacher neuron of student j where `matched[j]`, else 0."""

    partner: Int[Array, " K"]
    matched: Bool[Array, " K"]


class _Free(NamedTuple):
    """Who is not paired yet."""

    students: Bool[Array, " K"]
    teachers: Bool[Array, " K_star"]


class _Nearest(NamedTuple):
    """Among those close and free, the nearest teacher of each student of a block, and the reverse.

    `found` says whether a student has any; `student[b, l]` is teacher l's nearest in block b, at `distance[b, l]`,
    infinite if there is none.
    """

    teacher: Int[Array, " B"]
    found: Bool[Array, " B"]
    student: Int[Array, "blocks K_star"]
    distance: Float[Array, "blocks K_star"]


def match(g: Geometry, mesh: Mesh | None) -> Matching:
    """Pair students with teachers of nearly the same direction, the nearest first.

    Near in rho u, output weight included: of two teachers in one direction a student takes the one like itself.

    Rounds of mutual nearest neighbours among those not yet paired, each from one survey of all blocks, until
    one finds no close pair.
    """
    students, teachers = g.students, g.neurons - g.students
    rows = jnp.arange(students)

    def pair_up(state):
        free, (partner, matched), _ = state
        found = by_rows(_nearest, (free, g), students, g.neurons, mesh)
        choice, has_one = found.teacher[:students], found.found[:students]
        block = jnp.argmin(found.distance, axis=0)
        best = found.student[block, jnp.arange(teachers)]
        mutual = has_one & (best[choice] == rows)
        taken = jnp.zeros(teachers, bool).at[choice].max(mutual)
        free = _Free(free.students & ~mutual, free.teachers & ~taken)
        more = jnp.any(mutual) & jnp.any(free.students) & jnp.any(free.teachers)
        return free, Matching(jnp.where(mutual, choice, partner), matched | mutual), more

    everyone = _Free(jnp.ones(students, bool), jnp.ones(teachers, bool))
    nobody = Matching(jnp.zeros_like(rows), jnp.zeros(students, bool))
    any_close = jnp.array(True) if g.kept is None else jnp.any(g.kept.cos[:students, students:] > CLOSE)
    return lax.while_loop(lambda state: state[2], pair_up, (everyone, nobody, any_close))[1]


def _nearest(x: tuple[_Free, Geometry], rows: Rows) -> _Nearest:
    free, g = x
    angles = g.angles(g.of_students(rows)).take(slice(None), slice(g.students, None))
    students = jnp.arange(g.students)[rows]
    close = (angles.cos > CLOSE) & free.students[rows][:, None] & free.teachers[None, :]
    distance = jnp.where(close, _squared_distance(g.rho[rows], g.rho_star, angles), jnp.inf)
    by_teacher = students[jnp.argmin(distance, axis=0)][None], jnp.min(distance, axis=0)[None]
    return _Nearest(jnp.argmin(distance, axis=1), jnp.any(close, axis=1), *by_teacher)


def _squared_distance(
    rho: Float[Array, " B"], rho_star: Float[Array, " K_star"], angles: Angles
) -> Float[Array, "B K_star"]:
    """|rho u - rho* u*|^2 over the square of the larger |rho|."""
    one, other = jnp.broadcast_arrays(rho[:, None], rho_star[None, :])
    swap = jnp.abs(other) > jnp.abs(one)
    ratio = jnp.where(swap, one, other) * inverse_or_zero(jnp.where(swap, other, one))
    return (1 - ratio) ** 2 + 2 * ratio * (1 - angles.cos)
