"""The sums of `arc_cosine` as differences over matched student and teacher neurons.

With student j matched to teacher l, rho_j phi(u_j) - rho*_l phi(u*_l) = rho_j (phi(u_j) - phi(u*_l))
+ (rho_j - rho*_l) phi(u*_l): an identity for any matching, and free of cancellation when j is close to l.
Near an optimum loss and gradients then keep their digits down to differences of 1e-9 and below, where
the plain sum of terms of size one has none left. Without a close pair the plain sum is used.

Derivatives are those of the plain sums; the loss's derivative is its gradient with the boundary term.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .angles import Angles, angles_among, difference, direction, inverse_or_zero, inverse_sine
from .arc_cosine import (
    TWO_PI,
    Geometry,
    Neurons,
    Weights,
    along,
    geometry,
    jump,
    jump_parts,
    kernel,
    mass_unit,
    per_neuron,
    plain_boundary,
    plain_gradient,
    plain_loss,
    towards,
)
from .differences import Change, Corners, CosineSteps, arc_excess, change, mixed_change
from .matching import Matching, match


@jax.custom_jvp
def loss(weights: Weights, student: Neurons, teacher: Neurons) -> Float[Array, ""]:
    """1/2 sum rho_i rho_j K(theta_ij) over student and teacher neurons."""
    return _either(_matched_loss, plain_loss, weights, geometry(student, teacher))


@loss.defjvp
def _loss_jvp(primals, tangents):
    weights, student, teacher = primals
    d_weights, d_student, d_teacher = tangents

    def slope(neurons, others, d_neurons):
        d_rows, d_output = gradient(weights, neurons, others)
        d_rows = d_rows + boundary(weights, neurons, others)
        return jnp.vdot(d_rows, d_neurons[0]) + jnp.vdot(d_output, d_neurons[1])

    by_order = loss(d_weights, student, teacher)  # the loss is linear in its weights
    value = loss(weights, student, teacher)
    return value, by_order + slope(student, teacher, d_student) + slope(teacher, student, d_teacher)


@jax.custom_jvp
def gradient(weights: Weights, student: Neurons, teacher: Neurons) -> Neurons:
    """The almost-everywhere part of the gradient, for weights and output weights."""
    return _either(_matched_gradient, plain_gradient, weights, geometry(student, teacher))


@gradient.defjvp
def _gradient_jvp(primals, tangents):
    plain = jax.jvp(lambda weights, s, t: plain_gradient(weights, geometry(s, t)), primals, tangents)
    return gradient(*primals), plain[1]


@jax.custom_jvp
def boundary(weights: Weights, student: Neurons, teacher: Neurons) -> Float[Array, "K d"]:
    """What the jumps of the highest derivative on the hyperplanes w_k.x = 0 add to the gradient."""
    return _either(_matched_boundary, plain_boundary, weights, geometry(student, teacher))


@boundary.defjvp
def _boundary_jvp(primals, tangents):
    plain = jax.jvp(lambda weights, s, t: plain_boundary(weights, geometry(s, t)), primals, tangents)
    return boundary(*primals), plain[1]


def _either(matched, plain, weights: Weights, g: Geometry):
    pairs = match(g.rho, g.rho_star, g.between)
    return lax.cond(
        jnp.any(pairs.matched),
        lambda: matched(weights, _dipoles(g, pairs)),
        lambda: plain(weights, g),
    )


class _Dipoles(NamedTuple):
    """Student and teacher regrouped by a matching.

    `moved` is u_j - u*_l for a matched student j, else u_j; `distance` its length. `excess` is what
    remains of the teacher: rho_j - rho*_l for a matched teacher l, else -rho*_l. `base` holds the
    angles of all students to l = partner[j].
    """

    geometry: Geometry
    partner: Int[Array, " K"]
    matched: Bool[Array, " K"]
    base: Angles
    moved: Float[Array, "K d"]
    distance: Float[Array, " K"]
    excess: Float[Array, " K_star"]


def _dipoles(g: Geometry, matching: Matching) -> _Dipoles:
    partner, matched = matching
    step = difference(g.student, g.teacher.take(partner))
    d_rho = (
        g.output_weights * step.norm
        + (g.output_weights - g.teacher_output_weights[partner]) * g.teacher.norm[partner]
    )
    target = jnp.where(matched, partner, g.rho_star.shape[0])
    moved = jnp.where(matched[:, None], step.direction, direction(g.student))
    return _Dipoles(
        g,
        partner,
        matched,
        base=g.between.take(slice(None), partner),
        moved=moved,
        distance=jnp.linalg.norm(moved, axis=1),
        excess=(-g.rho_star).at[target].set(d_rho, mode="drop"),
    )


def _change_to_base(p: _Dipoles) -> Change:
    student = p.geometry.student
    d_cos = (student.weights @ p.moved.T) * inverse_or_zero(student.norm)[:, None]
    return change(p.geometry.among, p.base, d_cos, p.distance)


def _onto_partner(p: _Dipoles, columns: Float[Array, "K K"]) -> Float[Array, "K K_star"]:
    """The matched students' columns, added up in the columns of their teachers."""
    zeros = jnp.zeros_like(p.geometry.between.theta)
    return zeros.at[:, p.partner].add(jnp.where(p.matched, columns, 0.0))


def _teacher_sum(g: Geometry, coefficients: Float[Array, "K K_star"]) -> Float[Array, "K d"]:
    """Sum of coefficients times u*_l, without a copy of the directions."""
    return (coefficients * inverse_or_zero(g.teacher.norm)) @ g.teacher.weights


def _kernel_change(weights: Weights, d: Change, first: Angles, second: Angles):
    """K(first) - K(second); in J_1 the terms of first order in d theta cancel, and are left out from the start."""
    turn = second.supplement * d.cos
    j1 = turn + 2 * first.sin * jnp.sin(d.theta / 2) ** 2 - first.cos * arc_excess(d.theta)
    return (weights[0] * j1 + weights[1] * (turn - d.theta * first.cos)) / TWO_PI


def _matched_gradient(weights: Weights, p: _Dipoles) -> Neurons:
    g, d = p.geometry, _change_to_base(p)
    among, between = g.among, g.between
    d_towards = -(weights[0] + weights[1]) * d.theta / TWO_PI
    on_teacher = _onto_partner(p, d_towards * g.rho) + towards(between, weights) * p.excess
    pull = (towards(among, weights) * g.rho) @ p.moved + _teacher_sum(g, on_teacher)
    d_along = jnp.where(p.matched, weights[0] * d.sin / TWO_PI, along(among, weights))
    radial = d_along @ g.rho + along(between, weights) @ p.excess
    d_kernel = jnp.where(p.matched, _kernel_change(weights, d, among, p.base), kernel(among, weights))
    potential = d_kernel @ g.rho + kernel(between, weights) @ p.excess
    return per_neuron(g, pull + radial[:, None] * direction(g.student)), g.student.norm * potential


def _matched_boundary(weights: Weights, p: _Dipoles) -> Float[Array, "K d"]:
    """As the gradient; but each student's jump against its own partner keeps the exact direction."""
    g, d = p.geometry, _change_to_base(p)
    students, teachers = jnp.arange(g.rho.shape[0]), jnp.arange(g.rho_star.shape[0])
    itself = students[:, None] == students
    own = p.matched[:, None] & (p.partner[:, None] == teachers)

    (toward, back), (toward_base, back_base) = (jump_parts(x, weights) for x in (g.among, p.base))
    inverse = inverse_sine(g.among) * inverse_sine(p.base)  # 0 at a kink, where plain subtraction serves
    strength = weights[1] / TWO_PI
    d_toward = jnp.where(inverse > 0, -strength * jnp.sin(d.theta) * inverse, toward - toward_base)
    d_back = jnp.where(inverse > 0, -strength * d.sin * (inverse + 1), back - back_base)
    d_toward, d_back = jnp.where(itself, 0.0, d_toward), jnp.where(itself, 0.0, d_back)
    toward_star, back_star = (jnp.where(own, 0.0, x) for x in jump_parts(g.between, weights))

    on_teacher = _onto_partner(p, d_toward * g.rho) + toward_star * p.excess
    pull = (toward * g.rho) @ p.moved + _teacher_sum(g, on_teacher)
    radial = jnp.where(p.matched, d_back, back) @ g.rho + back_star @ p.excess
    return per_neuron(g, pull - radial[:, None] * direction(g.student) - _own_jump(weights, p))


def _own_jump(weights: Weights, p: _Dipoles) -> Float[Array, "K d"]:
    """rho*_l b e of every matched student and its partner l."""
    students = jnp.arange(p.partner.shape[0])
    angles = p.base.take(students, students)
    half_square = p.distance**2 / 2  # 1 - cos
    e = (half_square[:, None] * direction(p.geometry.student) - p.moved) * inverse_or_zero(angles.sin)[:, None]
    size = jump(angles, weights) * p.geometry.rho_star[p.partner]
    return jnp.where(p.matched, size, 0.0)[:, None] * e


def _matched_loss(weights: Weights, p: _Dipoles) -> Float[Array, ""]:
    g, partner = p.geometry, p.partner
    teacher = angles_among(g.teacher)
    base_base = teacher.take(partner[:, None], partner)
    moved_teacher = p.moved @ direction(g.teacher).T
    d_student = direction(g.student) @ p.moved.T
    d_base = moved_teacher[:, partner].T

    # Both ends of a student pair move to their partners.
    mixed = mixed_change(
        Corners(g.among, p.base, Angles(*(x.T for x in p.base)), base_base),
        CosineSteps(d_student.T, d_base.T, d_student, d_base, p.moved @ p.moved.T),
        jnp.maximum(p.distance[:, None], p.distance),
    )
    both = (weights[0] * mixed.j1 + weights[1] * mixed.supplement_cos) / TWO_PI
    on_base = jnp.where(p.matched, kernel(p.base, weights), 0.0)
    on_bases = jnp.where(p.matched[:, None] & p.matched, kernel(base_base, weights), 0.0)
    by_values = kernel(g.among, weights) - on_base - on_base.T + on_bases
    own = jnp.where(p.matched[:, None] & p.matched, both, by_values)

    # One end of a pair of a student and a teacher does.
    base_teacher = teacher.take(partner)
    d = change(g.between, base_teacher, moved_teacher, p.distance[:, None])
    cross = jnp.where(
        p.matched[:, None],
        _kernel_change(weights, d, g.between, base_teacher),
        kernel(g.between, weights),
    )
    unit = mass_unit(g)
    rho, excess = g.rho / unit, p.excess / unit
    rest = excess @ kernel(teacher, weights) @ excess / 2
    return (rho @ own @ rho / 2 + rho @ cross @ excess + rest) * unit * unit
