"""Population loss and gradients of ReLU networks: the sums over all pairs of neurons, block by block of students.

Values are those of `matched_sums`, which keep their digits near an optimum; of many neurons without a close pair
those of `plain_sums`, which are the same and cost less. Derivatives are those of the plain sums; the derivative of
the loss is its gradient with the boundary term.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ...geometry.angles import angles_between, polar, power_of_two
from ...geometry.fixed_tangents import instantiated, is_fixed, jvp_along_moving
from ...kernels.activation_pairs import Part
from ...model import networks
from ...model.losses import OrderWeights
from ...model.precision import full_products
from ..preactivations import Fields
from ..row_blocks import Rows, by_rows
from .blocks import Geometry, by_students, geometry
from .matched_sums import Moves, matched_energy, matched_gradient, moves
from .matching import Matching, match
from .plain_sums import Gradient, Neurons, kernel, plain_gradient

FEW = 2**12  # pairs and weights: up to it a second program for what has no match costs more than it saves


@dataclass(frozen=True)
class ReluSums:
    """As `Sums`."""

    def loss(self, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None) -> Float[Array, ""]:
        return _loss(_of_both_orders(lambdas), student[:2], teacher[:2], mesh)

    def gradient(
        self, part: Part, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None
    ) -> Fields:
        return Fields(*_gradient(part, _of_both_orders(lambdas), student[:2], teacher[:2], mesh))


def _of_both_orders(lambdas: OrderWeights) -> OrderWeights:
    return (*lambdas, 0.0)[:2]


@partial(jax.custom_jvp, nondiff_argnums=(0, 4))
def _gradient(
    part: Part, lambdas: OrderWeights, student: networks.Neurons, teacher: networks.Neurons, mesh: Mesh | None
) -> Gradient:
    """One part, for the weights; dL/da for the output weights, of which the boundary term has none."""
    g = geometry(student, teacher, mesh, of_teachers=False)
    matching = match(g, mesh)

    def matched():
        return by_students(partial(_matched_rows, part), (lambdas, moves(g, matching)), g, mesh)

    def plain():
        return by_students(partial(_plain_rows, part), lambdas, g, mesh)

    return _either(g, matching, matched, plain)


def _matched_rows(part: Part, operands: tuple[OrderWeights, Moves], g: Geometry, rows: Rows) -> Gradient:
    lambdas, moved = operands
    return matched_gradient(part, lambdas, g, moved, rows)


def _plain_rows(part: Part, lambdas: OrderWeights, g: Geometry, rows: Rows) -> Gradient:
    chosen = g.of_students(rows)
    return plain_gradient(part, lambdas, g.everyone.take(chosen), g.everyone, g.angles(chosen))


@partial(_gradient.defjvp, symbolic_zeros=True)
@full_products
def _gradient_jvp(part, mesh, primals, tangents):
    return _gradient(part, *primals, mesh), jvp_along_moving(partial(_apart, part, mesh), primals, tangents)[2]


def _apart(part: Part, mesh: Mesh | None, lambdas: OrderWeights, student, teacher) -> Gradient:
    """The plain sums over students and teachers one after the other: a side that does not move has no derivative."""
    count, columns = len(student[1]), len(student[1]) + len(teacher[1])

    def of_block(x, rows: Rows) -> Gradient:
        lambdas, *sides = x
        block, each = sides[0].take(rows), jnp.arange(count)
        itself = each[rows][:, None] == each[None, :]
        angles = [angles_between(block.polar, side.polar, at) for side, at in zip(sides, (itself, None), strict=True)]
        pulls = [plain_gradient(part, lambdas, block, *pair) for pair in zip(sides, angles, strict=True)]
        return jax.tree.map(jnp.add, *pulls)

    sides = Neurons(polar(student[0]), student[1]), Neurons(polar(teacher[0]), -teacher[1])
    return jax.tree.map(lambda x: x[:count], by_rows(of_block, (lambdas, *sides), count, columns, mesh))


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def _loss(
    lambdas: OrderWeights, student: networks.Neurons, teacher: networks.Neurons, mesh: Mesh | None
) -> Float[Array, ""]:
    """1/2 sum rho_i rho_j K(theta_ij) over student and teacher neurons."""
    g = geometry(student, teacher, mesh, of_teachers=True)
    matching = match(g, mesh)
    unit = power_of_two(jnp.max(jnp.abs(g.everyone.rho)))  # so that no term overflows, nor inf - inf arises

    def matched():
        moved = moves(g, matching)
        rows = by_students(_matched_energy, (lambdas, moved, unit), g, mesh)
        return jnp.sum(rows) + _of_teachers(lambdas, moved.excess / unit, g, mesh)

    def plain():
        rows = by_students(_plain_energy, (lambdas, unit), g, mesh)
        return jnp.sum(rows) + _of_teachers(lambdas, g.rho_star / unit, g, mesh)

    return _either(g, matching, matched, plain) * unit * unit


def _matched_energy(operands, g: Geometry, rows: Rows) -> Float[Array, " B"]:
    lambdas, moved, unit = operands
    return matched_energy(lambdas, g, moved, unit, rows)


def _plain_energy(operands, g: Geometry, rows: Rows) -> Float[Array, " B"]:
    """What each student of the block adds to the loss."""
    lambdas, unit = operands
    masses = jnp.concatenate([g.rho / 2, -g.rho_star]) / unit
    return g.rho[rows] / unit * (kernel(g.angles(g.of_students(rows)), lambdas) @ masses)


def _of_teachers(lambdas: OrderWeights, masses: Float[Array, " K_star"], g: Geometry, mesh) -> Float[Array, ""]:
    """What is left of the teachers, with themselves."""

    def energy(x, rows: Rows) -> Float[Array, " B"]:
        lambdas, masses, g = x
        angles = g.angles(g.of_teachers(rows)).take(slice(None), slice(g.students, None))
        return masses[rows] * (kernel(angles, lambdas) @ masses) / 2

    count = g.neurons - g.students
    return jnp.sum(by_rows(energy, (lambdas, masses, g), count, g.neurons, mesh)[:count])


@partial(_loss.defjvp, symbolic_zeros=True)
@full_products
def _loss_jvp(mesh, primals, tangents):
    lambdas, student, teacher = primals
    d_lambdas, d_student, d_teacher = tangents
    value = _loss(lambdas, student, teacher, mesh)
    slope = jnp.zeros_like(value)
    if not is_fixed(d_lambdas):  # the loss is linear in its lambdas
        slope += _loss(instantiated(d_lambdas), student, teacher, mesh)
    for neurons, others, d_neurons in ((student, teacher, d_student), (teacher, student, d_teacher)):
        if not is_fixed(d_neurons):
            parts = zip(_gradient("loss", lambdas, neurons, others, mesh), instantiated(d_neurons), strict=True)
            slope += sum(jnp.vdot(by, step) for by, step in parts)
    return value, slope


def _either(g: Geometry, matching: Matching, matched, plain):
    if g.students * g.neurons + g.everyone.polar.weights.size <= FEW:
        return matched()
    return jax.lax.cond(jnp.any(matching.matched), matched, plain)
