"""Population loss and gradients of ReLU networks, from the angles between their neurons.

With rho_j = c_j |v_j| over student (c = a) and teacher (c = -a*) neurons and theta_ij their angles,
  loss      L   = 1/2 sum_ij rho_i rho_j K(theta_ij)
  gradient  G_k = a_k sum_j rho_j [ T(theta_kj) u_j + R(theta_kj) u_k ]   + boundary term
  boundary  B_k = a_k sum_j rho_j b(theta_kj) e_kj,   e_kj the unit vector orthogonal to u_k towards u_j
(theory of the arc-cosine kernels: Cho & Saul 2009; gradients: Tian, arXiv 1703.00560 and arXiv 2509.19773.)
Here the sums are written as the formulas are; `matched_sums` sums the same as differences where student and
teacher nearly coincide.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ...geometry.angles import Angles, Polar, angles_between, direction, inverse_sine, polar
from ...model.losses import OrderWeights
from ...model.networks import Neurons
from ..row_blocks import EVERY, Rows

TWO_PI = 2 * jnp.pi


# The functions of the angle.


def kernel(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """K = lambda_0 J_1 / (2 pi) + lambda_1 cos J_0 / (2 pi)."""
    j0_cos = angles.supplement * angles.cos
    return (lambdas[0] * (angles.sin + j0_cos) + lambdas[1] * j0_cos) / TWO_PI


def towards(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """T = -K' / sin without its jump: (lambda_0 + lambda_1) (pi - theta) / (2 pi)."""
    return (lambdas[0] + lambdas[1]) * angles.supplement / TWO_PI


def along(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """R = K - T cos = lambda_0 sin / (2 pi)."""
    return lambdas[0] * angles.sin / TWO_PI


def jump(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """b = lambda_1 cos / (2 pi), from the derivative of the orthant probability (pi - theta) / (2 pi)."""
    return lambdas[1] * angles.cos / TWO_PI


def jump_parts(angles: Angles, lambdas: OrderWeights) -> tuple[Float[Array, "*pairs"], Float[Array, "*pairs"]]:
    """b / sin and b cos / sin in b e = (b / sin) u' - (b cos / sin) u; 0 where e does not exist."""
    toward = jump(angles, lambdas) * inverse_sine(angles)
    return toward, toward * angles.cos


# The sums, as they are written, for the rows of a block of students.


class Layers(NamedTuple):
    """Student and teacher neurons v, their output weights c, and their masses rho = c |v|."""

    student: Polar
    teacher: Polar
    output_weights: Float[Array, " K"]
    teacher_output_weights: Float[Array, " K_star"]

    @property
    def rho(self) -> Float[Array, " K"]:
        return self.output_weights * self.student.norm

    @property
    def rho_star(self) -> Float[Array, " K_star"]:
        return self.teacher_output_weights * self.teacher.norm


def layers(student: Neurons, teacher: Neurons) -> Layers:
    return Layers(polar(student[0]), polar(teacher[0]), student[1], teacher[1])


class Geometry(NamedTuple):
    """The angles from the students `rows` to all students and to all teachers."""

    layers: Layers
    rows: Rows
    itself: Bool[Array, "B K"]
    among: Angles
    between: Angles

    @property
    def block(self) -> Polar:
        return self.layers.student.take(self.rows)


def geometry(layers: Layers, rows: Rows = EVERY) -> Geometry:
    block, itself = layers.student.take(rows), same(layers.student, rows)
    among = angles_between(block, layers.student, itself)
    return Geometry(layers, rows, itself, among, angles_between(block, layers.teacher))


def same(neurons: Polar, rows: Rows) -> Bool[Array, "B n"]:
    """Where a row of the block is the neuron itself."""
    indices = jnp.arange(neurons.norm.shape[0])
    return indices[rows][:, None] == indices


def mass_unit(layers: Layers) -> Float[Array, ""]:
    """A power of two near the largest mass: in its units the terms of a loss do not overflow, nor inf - inf arise."""
    rho = layers.rho
    _, exponent = jnp.frexp(jnp.maximum(jnp.max(jnp.abs(rho)), jnp.max(jnp.abs(layers.rho_star))))
    largest = jnp.finfo(rho.dtype).maxexp - 4
    return jnp.ldexp(jnp.ones_like(rho[0]), jnp.clip(exponent, -largest, largest))


def plain_loss(lambdas: OrderWeights, g: Geometry, unit: Float[Array, ""]) -> Float[Array, " B"]:
    """What each student of the block adds to the loss; the teacher's own part is `half_energy`."""
    rho, rho_star = g.layers.rho / unit, g.layers.rho_star / unit
    return rho[g.rows] * (kernel(g.among, lambdas) @ rho / 2 - kernel(g.between, lambdas) @ rho_star)


def half_energy(
    lambdas: OrderWeights, neurons: Polar, masses: Float[Array, " n"], rows: Rows = EVERY
) -> Float[Array, " B"]:
    """1/2 masses_i sum_j masses_j K(theta_ij) for the rows i."""
    angles = angles_between(neurons.take(rows), neurons, same(neurons, rows))
    return masses[rows] * (kernel(angles, lambdas) @ masses) / 2


class Pull(NamedTuple):
    """A gradient before its matrix products, per a_k: sums over c_j v_j and c*_l v*_l, and a multiple of u_k."""

    on_student: Float[Array, "B K"]
    on_teacher: Float[Array, "B K_star"]
    radial: Float[Array, " B"]


def plain_gradient(lambdas: OrderWeights, g: Geometry) -> Pull:
    radial = along(g.among, lambdas) @ g.layers.rho - along(g.between, lambdas) @ g.layers.rho_star
    return Pull(towards(g.among, lambdas), towards(g.between, lambdas), radial)


def plain_boundary(lambdas: OrderWeights, g: Geometry) -> Pull:
    (toward, back), (toward_star, back_star) = (jump_parts(x, lambdas) for x in (g.among, g.between))
    return Pull(toward, toward_star, back_star @ g.layers.rho_star - back @ g.layers.rho)


def plain_rows(g: Geometry, pull: Pull) -> Float[Array, "B d"]:
    """The sums of a pull carried out."""
    own, others = g.layers.student.weights, g.layers.teacher.weights
    sums = (pull.on_student * g.layers.output_weights) @ own - (
        pull.on_teacher * g.layers.teacher_output_weights
    ) @ others
    return per_neuron(g, sums + pull.radial[:, None] * direction(g.block))


def plain_potential(lambdas: OrderWeights, g: Geometry) -> Float[Array, " B"]:
    """dL/da_k = |w_k| sum_j rho_j K, the derivative in the output weights."""
    rho, rho_star = g.layers.rho, g.layers.rho_star
    return g.block.norm * (kernel(g.among, lambdas) @ rho - kernel(g.between, lambdas) @ rho_star)


def per_neuron(g: Geometry, sums: Float[Array, "B d"]) -> Float[Array, "B d"]:
    """Times a_k; 0 for a zero neuron, which no sample activates."""
    return jnp.where((g.block.norm > 0)[:, None], g.layers.output_weights[g.rows][:, None] * sums, 0.0)
