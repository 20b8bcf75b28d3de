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
from jaxtyping import Array, Float

from .angles import Angles, Polar, angles_among, angles_between, direction, inverse_sine, polar
from .sums import Neurons, Weights

TWO_PI = 2 * jnp.pi


# The functions of the angle.


def kernel(angles: Angles, weights: Weights) -> Float[Array, "*pairs"]:
    """K = lambda_0 J_1 / (2 pi) + lambda_1 cos J_0 / (2 pi)."""
    j0_cos = angles.supplement * angles.cos
    return (weights[0] * (angles.sin + j0_cos) + weights[1] * j0_cos) / TWO_PI


def towards(angles: Angles, weights: Weights) -> Float[Array, "*pairs"]:
    """T = -K' / sin without its jump: (lambda_0 + lambda_1) (pi - theta) / (2 pi)."""
    return (weights[0] + weights[1]) * angles.supplement / TWO_PI


def along(angles: Angles, weights: Weights) -> Float[Array, "*pairs"]:
    """R = K - T cos = lambda_0 sin / (2 pi)."""
    return weights[0] * angles.sin / TWO_PI


def jump(angles: Angles, weights: Weights) -> Float[Array, "*pairs"]:
    """b = lambda_1 cos / (2 pi), from the derivative of the orthant probability (pi - theta) / (2 pi)."""
    return weights[1] * angles.cos / TWO_PI


def jump_parts(angles: Angles, weights: Weights) -> tuple[Float[Array, "*pairs"], Float[Array, "*pairs"]]:
    """b / sin and b cos / sin in b e = (b / sin) u' - (b cos / sin) u; 0 where e does not exist."""
    toward = jump(angles, weights) * inverse_sine(angles)
    return toward, toward * angles.cos


# The sums, as they are written.


class Geometry(NamedTuple):
    """Student and teacher neurons, their masses rho = c |v|, and the angles the sums need."""

    student: Polar
    teacher: Polar
    among: Angles
    between: Angles
    output_weights: Float[Array, " K"]
    teacher_output_weights: Float[Array, " K_star"]

    @property
    def rho(self) -> Float[Array, " K"]:
        return self.output_weights * self.student.norm

    @property
    def rho_star(self) -> Float[Array, " K_star"]:
        return self.teacher_output_weights * self.teacher.norm


def geometry(student: Neurons, teacher: Neurons) -> Geometry:
    s, t = polar(student[0]), polar(teacher[0])
    return Geometry(s, t, angles_among(s), angles_between(s, t), student[1], teacher[1])


def mass_unit(g: Geometry) -> Float[Array, ""]:
    """A power of two near the largest mass: in its units the terms of a loss do not overflow, nor inf - inf arise."""
    _, exponent = jnp.frexp(jnp.maximum(jnp.max(jnp.abs(g.rho)), jnp.max(jnp.abs(g.rho_star))))
    largest = jnp.finfo(g.rho.dtype).maxexp - 4
    return jnp.ldexp(jnp.ones_like(g.rho[0]), jnp.clip(exponent, -largest, largest))


def plain_loss(weights: Weights, g: Geometry) -> Float[Array, ""]:
    own, cross = kernel(g.among, weights), kernel(g.between, weights)
    teacher = kernel(angles_among(g.teacher), weights)
    unit = mass_unit(g)
    rho, rho_star = g.rho / unit, g.rho_star / unit
    return ((rho @ own @ rho + rho_star @ teacher @ rho_star) / 2 - rho @ cross @ rho_star) * unit * unit


def plain_gradient(weights: Weights, g: Geometry) -> Neurons:
    """G_k for the weights, and dL/da_k = |w_k| sum_j rho_j K for the output weights."""
    radial = along(g.among, weights) @ g.rho - along(g.between, weights) @ g.rho_star
    potential = kernel(g.among, weights) @ g.rho - kernel(g.between, weights) @ g.rho_star
    pull = _pull(g, towards(g.among, weights), towards(g.between, weights))
    return per_neuron(g, pull + radial[:, None] * direction(g.student)), g.student.norm * potential


def plain_boundary(weights: Weights, g: Geometry) -> Float[Array, "K d"]:
    (toward, back), (toward_star, back_star) = (jump_parts(x, weights) for x in (g.among, g.between))
    radial = back @ g.rho - back_star @ g.rho_star
    return per_neuron(g, _pull(g, toward, toward_star) - radial[:, None] * direction(g.student))


def _pull(g: Geometry, on_student: Float[Array, "K K"], on_teacher: Float[Array, "K K_star"]):
    """Sum of coefficient times rho_j u_j = c_j v_j over all neurons."""
    return (on_student * g.output_weights) @ g.student.weights - (
        on_teacher * g.teacher_output_weights
    ) @ g.teacher.weights


def per_neuron(g: Geometry, sums: Float[Array, "K d"]) -> Float[Array, "K d"]:
    """Times a_k; 0 for a zero neuron, which no sample activates."""
    return jnp.where((g.student.norm > 0)[:, None], g.output_weights[:, None] * sums, 0.0)
