"""The sums of `plain_sums` as differences over matched student and teacher neurons.

With student j matched to teacher l, rho_j phi(u_j) - rho*_l phi(u*_l) = rho_j (phi(u_j) - phi(u*_l))
+ (rho_j - rho*_l) phi(u*_l): an identity for any matching, and free of cancellation when j is close to l.
Near an optimum loss and gradients then keep their digits down to differences of 1e-9 and below, where
the plain sum of terms of size one has none left. Without a close pair it is the plain sum.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ...geometry.angle_differences import Change, Corners, CosineSteps, arc_excess, change, mixed_change
from ...geometry.angles import Angles, difference, direction, inverse_or_zero, inverse_sine
from ...kernels.activation_pairs import Part
from ...model.losses import OrderWeights
from ..row_blocks import Rows
from .blocks import Geometry
from .matching import Matching
from .plain_sums import TWO_PI, Gradient, Pull, along, jump, jump_pull, kernel, towards


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


def moves(g: Geometry, matching: Matching) -> Moves:
    (partner, matched), n = matching, g.students
    student, teacher = g.everyone.take(slice(0, n)), g.everyone.take(n + matching.partner)
    step = difference(student.polar, teacher.polar)
    d_rho = (
        student.output_weights * step.norm + (student.output_weights + teacher.output_weights) * teacher.polar.norm
    )
    target = jnp.where(matched, partner, g.neurons - n)
    moved = jnp.where(matched[:, None], step.direction, direction(student.polar))
    excess = (-g.rho_star).at[target].set(d_rho, mode="drop")
    return Moves(partner, matched, moved, jnp.sqrt(jnp.sum(moved * moved, axis=1)), excess)


class Dipoles(NamedTuple):
    """A block of students: their angles to all neurons, to students alone, to teachers, and to all partners."""

    rows: Rows
    unit: Float[Array, "B d"]
    everyone: Angles
    among: Angles
    between: Angles
    base: Angles
    to_base: Change


def dipoles(g: Geometry, m: Moves, rows: Rows) -> Dipoles:
    angles = g.angles(g.of_students(rows))
    among, between = angles.take(slice(None), slice(0, g.students)), angles.take(slice(None), slice(g.students, None))
    base, unit = between.take(slice(None), m.partner), direction(g.everyone.polar.take(g.of_students(rows)))
    to_base = change(among, base, unit @ m.moved.T, m.distance[None, :])
    return Dipoles(rows, unit, angles, among, between, base, to_base)


def matched_gradient(part: Part, lambdas: OrderWeights, g: Geometry, m: Moves, rows: Rows) -> Gradient:
    """Of a block of students."""
    p = dipoles(g, m, rows)
    block = g.everyone.take(g.of_students(rows))
    steps = {"population": [_smooth_steps], "boundary": [_jump_steps], "loss": [_smooth_steps, _jump_steps]}[part]
    masses = jnp.concatenate([g.rho, m.excess])
    all_pulls, changes = zip(*(step(lambdas, g, m, p) for step in steps), strict=True)
    pulled, changed = (Pull(*(sum(terms) for terms in zip(*pulls, strict=True))) for pulls in (all_pulls, changes))

    matched, rho = m.matched[None, :], g.rho[None, :]
    on_ends = (
        (pulled.towards * masses[None, :])
        .at[:, g.students + m.partner]
        .add(jnp.where(matched, changed.towards * rho, 0.0))
    )
    alongs = pulled.along.at[:, : g.students].set(jnp.where(matched, changed.along, pulled.along[:, : g.students]))
    ends = jnp.concatenate([m.moved, direction(g.everyone.polar.take(slice(g.students, None)))])
    rows_ = on_ends @ ends + (alongs @ masses)[:, None] * p.unit
    output = jnp.zeros_like(block.output_weights)
    if part != "population":
        rows_ = rows_ - _own_jump(lambdas, g, m, p)
    if part != "boundary":
        kernels = kernel(p.everyone, lambdas)
        to_base = _kernel_change(lambdas, p.to_base, p.among, p.base)
        kernels = kernels.at[:, : g.students].set(jnp.where(matched, to_base, kernels[:, : g.students]))
        output = block.polar.norm * (kernels @ masses)
    return Gradient(block.output_weights[:, None] * rows_, output)


def _kernel_change(lambdas: OrderWeights, d: Change, first: Angles, second: Angles):
    """K(first) - K(second); in J_1 the terms of first order in d theta cancel, and are left out from the start."""
    turn = second.supplement * d.cos
    j1 = turn + 2 * first.sin * jnp.sin(d.theta / 2) ** 2 - first.cos * arc_excess(d.theta)
    return (lambdas[0] * j1 + lambdas[1] * (turn - d.theta * first.cos)) / TWO_PI


def _smooth_steps(lambdas: OrderWeights, g: Geometry, m: Moves, p: Dipoles) -> tuple[Pull, Pull]:
    """T and R at all neurons, and their changes from a partner to its student."""
    d = p.to_base
    changes = Pull(-(lambdas[0] + lambdas[1]) / TWO_PI * d.theta, lambdas[0] / TWO_PI * d.sin)
    return Pull(towards(p.everyone, lambdas), along(p.everyone, lambdas)), changes


def _jump_steps(lambdas: OrderWeights, g: Geometry, m: Moves, p: Dipoles) -> tuple[Pull, Pull]:
    """The same of the jumps; but each student's jump against its own partner is `_own_jump`."""
    d, n = p.to_base, g.students
    own = g.students + jnp.where(m.matched, m.partner, g.neurons)[p.rows]
    own = own[:, None] == jnp.arange(g.neurons)[None, :]
    everyone = jump_pull(p.everyone, lambdas)
    base = jump_pull(p.base, lambdas)
    inverse = inverse_sine(p.among) * inverse_sine(p.base)  # 0 at a kink, where plain subtraction serves
    strength = lambdas[1] / TWO_PI
    toward = jnp.where(inverse > 0, -strength * jnp.sin(d.theta) * inverse, everyone.towards[:, :n] - base.towards)
    back = jnp.where(inverse > 0, -strength * d.sin * (inverse + 1), base.along - everyone.along[:, :n])
    itself = jnp.arange(n)[p.rows][:, None] == jnp.arange(n)[None, :]
    changes = Pull(jnp.where(itself, 0.0, toward), jnp.where(itself, 0.0, -back))
    return Pull(*(jnp.where(own, 0.0, x) for x in everyone)), changes


def _own_jump(lambdas: OrderWeights, g: Geometry, m: Moves, p: Dipoles) -> Float[Array, "B d"]:
    """rho*_l b e of every matched student of the block and its partner l."""
    partner, moved = m.partner[p.rows], m.moved[p.rows]
    angles = p.between.take(jnp.arange(partner.shape[0]), partner)
    half_square = m.distance[p.rows] ** 2 / 2  # 1 - cos
    e = (half_square[:, None] * p.unit - moved) * inverse_or_zero(angles.sin)[:, None]
    size = jump(angles, lambdas) * g.rho_star[partner]
    return jnp.where(m.matched[p.rows], size, 0.0)[:, None] * e


def matched_energy(lambdas: OrderWeights, g: Geometry, m: Moves, unit, rows: Rows) -> Float[Array, " B"]:
    """What each student of the block adds to the loss, in units of `unit`^2."""
    p, n = dipoles(g, m, rows), g.students
    bases = n + m.partner[rows]
    at_bases = g.angles(bases)
    base_teacher = at_bases.take(slice(None), slice(n, None))
    teacher = direction(g.everyone.polar.take(slice(n, None)))
    moved = m.moved[rows]
    d_teacher = moved @ teacher.T

    cross = change(p.between, base_teacher, d_teacher, m.distance[rows][:, None])
    on_teacher = _kernel_change(lambdas, cross, p.between, base_teacher)
    on_teacher = jnp.where(m.matched[rows][:, None], on_teacher, kernel(p.between, lambdas))

    corners = Corners(
        p.among, p.base, at_bases.take(slice(None), slice(0, n)), at_bases.take(slice(None), n + m.partner)
    )
    steps = CosineSteps(
        dp_q=moved @ direction(g.everyone.polar.take(slice(0, n))).T,
        dp_q_=d_teacher[:, m.partner],
        p_dq=p.unit @ m.moved.T,
        p__dq=teacher[m.partner[rows]] @ m.moved.T,
        dp_dq=moved @ m.moved.T,
    )
    masses = jnp.concatenate([g.rho / 2, m.excess]) / unit
    on_everyone = jnp.concatenate([_own_changes(lambdas, m, rows, corners, steps), on_teacher], axis=1)
    return g.rho[rows] / unit * (on_everyone @ masses)


def _own_changes(lambdas: OrderWeights, m: Moves, rows: Rows, corners: Corners, steps: CosineSteps):
    """Both ends of a student pair move to their partners."""
    mixed = mixed_change(corners, steps, jnp.maximum(m.distance[rows][:, None], m.distance[None, :]))
    both = (lambdas[0] * mixed.j1 + lambdas[1] * mixed.supplement_cos) / TWO_PI
    row, column = m.matched[rows][:, None], m.matched[None, :]
    pq, pq_, p_q, p_q_ = (kernel(corner, lambdas) for corner in corners)
    plain = pq - jnp.where(column, pq_, 0.0) - jnp.where(row, p_q, 0.0)
    return jnp.where(row & column, both, plain)
