"""The sums of `arc_cosine` as differences over matched student and teacher neurons.

With student j matched to teacher l, rho_j phi(u_j) - rho*_l phi(u*_l) = rho_j (phi(u_j) - phi(u*_l))
+ (rho_j - rho*_l) phi(u*_l): an identity for any matching, and free of cancellation when j is close to l.
Near an optimum loss and gradients then keep their digits down to differences of 1e-9 and below, where
the plain sum of terms of size one has none left. Without a close pair the plain sum is used.

Each function gives the rows of a block of students; `relu_sums` puts the blocks together.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ...geometry.angle_differences import Change, Corners, CosineSteps, arc_excess, change, mixed_change
from ...geometry.angles import Angles, angles_between, difference, direction, inverse_or_zero, inverse_sine
from ...model.losses import OrderWeights
from .matching import Matching
from .plain_sums import TWO_PI, Geometry, Layers, along, jump, jump_parts, kernel, per_neuron, towards


class Moves(NamedTuple):
    """Student and teacher regrouped by a matching.

    `moved` is u_j - u*_l for a matched student j, else u_j; `distance` its length. `excess` is what
    remains of the teacher: rho_j - rho*_l for a matched teacher l, else -rho*_l.
    """

    partner: Int[Array, " K"]
    matched: Bool[Array, " K"]
    moved: Float[Array, "K d"]
    distance: Float[Array, " K"]
    excess: Float[Array, " K_star"]


def moves(layers: Layers, matching: Matching) -> Moves:
    partner, matched = matching
    step = difference(layers.student, layers.teacher.take(partner))
    d_rho = (
        layers.output_weights * step.norm
        + (layers.output_weights - layers.teacher_output_weights[partner]) * layers.teacher.norm[partner]
    )
    target = jnp.where(matched, partner, layers.rho_star.shape[0])
    moved = jnp.where(matched[:, None], step.direction, direction(layers.student))
    excess = (-layers.rho_star).at[target].set(d_rho, mode="drop")
    return Moves(partner, matched, moved, jnp.linalg.norm(moved, axis=1), excess)


class Dipoles(NamedTuple):
    """A block's geometry, the moves of all students, and the angles of the block to their partners."""

    geometry: Geometry
    moves: Moves
    base: Angles


def dipoles(geometry: Geometry, moves: Moves) -> Dipoles:
    return Dipoles(geometry, moves, geometry.between.take(slice(None), moves.partner))


class MatchedPull(NamedTuple):
    """As `arc_cosine.Pull`, but over the displacements `moved` and the directions u*_l, and with an extra term."""

    on_moved: Float[Array, "B K"]
    on_teacher: Float[Array, "B K_star"]
    radial: Float[Array, " B"]
    extra: Float[Array, "B d"] | float = 0.0


def matched_rows(p: Dipoles, pull: MatchedPull) -> Float[Array, "B d"]:
    """The sums of a pull carried out, without a copy of the teacher's directions."""
    teacher = p.geometry.layers.teacher
    sums = pull.on_moved @ p.moves.moved + (pull.on_teacher * inverse_or_zero(teacher.norm)) @ teacher.weights
    return per_neuron(p.geometry, sums + pull.radial[:, None] * direction(p.geometry.block) + pull.extra)


def _change_to_base(p: Dipoles) -> Change:
    block = p.geometry.block
    d_cos = (block.weights @ p.moves.moved.T) * inverse_or_zero(block.norm)[:, None]
    return change(p.geometry.among, p.base, d_cos, p.moves.distance)


def _onto_partner(p: Dipoles, columns: Float[Array, "B K"]) -> Float[Array, "B K_star"]:
    """The matched students' columns, added up in the columns of their teachers."""
    zeros = jnp.zeros_like(p.geometry.between.theta)
    return zeros.at[:, p.moves.partner].add(jnp.where(p.moves.matched, columns, 0.0))


def _kernel_change(lambdas: OrderWeights, d: Change, first: Angles, second: Angles):
    """K(first) - K(second); in J_1 the terms of first order in d theta cancel, and are left out from the start."""
    turn = second.supplement * d.cos
    j1 = turn + 2 * first.sin * jnp.sin(d.theta / 2) ** 2 - first.cos * arc_excess(d.theta)
    return (lambdas[0] * j1 + lambdas[1] * (turn - d.theta * first.cos)) / TWO_PI


def matched_gradient(lambdas: OrderWeights, p: Dipoles) -> MatchedPull:
    g, d = p.geometry, _change_to_base(p)
    rho, excess = g.layers.rho, p.moves.excess
    d_towards = -(lambdas[0] + lambdas[1]) * d.theta / TWO_PI
    d_along = jnp.where(p.moves.matched, lambdas[0] * d.sin / TWO_PI, along(g.among, lambdas))
    return MatchedPull(
        on_moved=towards(g.among, lambdas) * rho,
        on_teacher=_onto_partner(p, d_towards * rho) + towards(g.between, lambdas) * excess,
        radial=d_along @ rho + along(g.between, lambdas) @ excess,
    )


def matched_potential(lambdas: OrderWeights, p: Dipoles) -> Float[Array, " B"]:
    g, d = p.geometry, _change_to_base(p)
    to_base = _kernel_change(lambdas, d, g.among, p.base)
    d_kernel = jnp.where(p.moves.matched, to_base, kernel(g.among, lambdas))
    return g.block.norm * (d_kernel @ g.layers.rho + kernel(g.between, lambdas) @ p.moves.excess)


def matched_boundary(lambdas: OrderWeights, p: Dipoles) -> MatchedPull:
    """As the gradient; but each student's jump against its own partner keeps the exact direction."""
    g, d = p.geometry, _change_to_base(p)
    rho, excess = g.layers.rho, p.moves.excess
    matched, partner = p.moves.matched[g.rows], p.moves.partner[g.rows]
    own = matched[:, None] & (partner[:, None] == jnp.arange(excess.shape[0]))

    (toward, back), (toward_base, back_base) = (jump_parts(x, lambdas) for x in (g.among, p.base))
    inverse = inverse_sine(g.among) * inverse_sine(p.base)  # 0 at a kink, where plain subtraction serves
    strength = lambdas[1] / TWO_PI
    d_toward = jnp.where(inverse > 0, -strength * jnp.sin(d.theta) * inverse, toward - toward_base)
    d_back = jnp.where(inverse > 0, -strength * d.sin * (inverse + 1), back - back_base)
    d_toward, d_back = jnp.where(g.itself, 0.0, d_toward), jnp.where(g.itself, 0.0, d_back)
    toward_star, back_star = (jnp.where(own, 0.0, x) for x in jump_parts(g.between, lambdas))
    return MatchedPull(
        on_moved=toward * rho,
        on_teacher=_onto_partner(p, d_toward * rho) + toward_star * excess,
        radial=-(jnp.where(p.moves.matched, d_back, back) @ rho + back_star @ excess),
        extra=-_own_jump(lambdas, p),
    )


def _own_jump(lambdas: OrderWeights, p: Dipoles) -> Float[Array, "B d"]:
    """rho*_l b e of every matched student of the block and its partner l."""
    rows = p.geometry.rows
    partner, moved = p.moves.partner[rows], p.moves.moved[rows]
    angles = p.geometry.between.take(jnp.arange(partner.shape[0]), partner)
    half_square = p.moves.distance[rows] ** 2 / 2  # 1 - cos
    e = (half_square[:, None] * direction(p.geometry.block) - moved) * inverse_or_zero(angles.sin)[:, None]
    size = jump(angles, lambdas) * p.geometry.layers.rho_star[partner]
    return jnp.where(p.moves.matched[rows], size, 0.0)[:, None] * e


def matched_loss(lambdas: OrderWeights, p: Dipoles, unit: Float[Array, ""]) -> Float[Array, " B"]:
    """What each student of the block adds to the loss; what is left of the teacher adds `half_energy` of `excess`."""
    rho, excess = p.geometry.layers.rho / unit, p.moves.excess / unit
    teacher, partner = p.geometry.layers.teacher, p.moves.partner[p.geometry.rows]
    itself = partner[:, None] == jnp.arange(excess.shape[0])
    base_teacher = angles_between(teacher.take(partner), teacher, itself)
    d_teacher = p.moves.moved[p.geometry.rows] @ direction(teacher).T
    own, cross = (part(lambdas, p, base_teacher, d_teacher) for part in (_own_changes, _cross_changes))
    return rho[p.geometry.rows] * (own @ rho / 2 + cross @ excess)


def _own_changes(
    lambdas: OrderWeights, p: Dipoles, base_teacher: Angles, d_teacher: Float[Array, "B K_star"]
) -> Float[Array, "B K"]:
    """Both ends of a student pair move to their partners."""
    g, m = p.geometry, p.moves
    rows, student, moved = g.rows, g.layers.student, m.moved[g.rows]
    bases = g.layers.teacher.take(m.partner[rows])
    base_student, base_base = angles_between(bases, student), base_teacher.take(slice(None), m.partner)
    steps = CosineSteps(
        dp_q=moved @ direction(student).T,
        dp_q_=d_teacher[:, m.partner],
        p_dq=direction(g.block) @ m.moved.T,
        p__dq=direction(bases) @ m.moved.T,
        dp_dq=moved @ m.moved.T,
    )
    corners = Corners(g.among, p.base, base_student, base_base)
    mixed = mixed_change(corners, steps, jnp.maximum(m.distance[rows][:, None], m.distance))
    both = (lambdas[0] * mixed.j1 + lambdas[1] * mixed.supplement_cos) / TWO_PI
    row, column = m.matched[rows][:, None], m.matched
    on_base = jnp.where(column, kernel(p.base, lambdas), 0.0)
    on_row_base = jnp.where(row, kernel(base_student, lambdas), 0.0)
    on_bases = jnp.where(row & column, kernel(base_base, lambdas), 0.0)
    return jnp.where(row & column, both, kernel(g.among, lambdas) - on_base - on_row_base + on_bases)


def _cross_changes(
    lambdas: OrderWeights, p: Dipoles, base_teacher: Angles, d_teacher: Float[Array, "B K_star"]
) -> Float[Array, "B K_star"]:
    """One end of a pair of a student and a teacher moves."""
    g, rows = p.geometry, p.geometry.rows
    d = change(g.between, base_teacher, d_teacher, p.moves.distance[rows][:, None])
    moved = _kernel_change(lambdas, d, g.between, base_teacher)
    return jnp.where(p.moves.matched[rows][:, None], moved, kernel(g.between, lambdas))
