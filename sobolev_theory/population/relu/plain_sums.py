"""Population gradients of ReLU networks as the formulas are written, from the angles between their neurons.

With rho_j = c_j |v_j| over student (c = a) and teacher (c = -a*) neurons and theta_ij their angles,
  loss      L   = 1/2 sum_ij rho_i rho_j K(theta_ij)
  gradient  G_k = a_k sum_j rho_j [ T(theta_kj) u_j + R(theta_kj) u_k ]   + boundary term
  boundary  B_k = a_k sum_j rho_j b(theta_kj) e_kj,   e_kj the unit vector orthogonal to u_k towards u_j
(theory of the arc-cosine kernels: Cho & Saul 2009; gradients: Tian, arXiv 1703.00560 and arXiv 2509.19773.)
`matched_sums` sums the same as differences where student and teacher nearly coincide; derivatives are those of these.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...geometry.angles import Angles, Polar, direction, inverse_sine
from ...kernels.activation_pairs import Part
from ...model.losses import OrderWeights

TWO_PI = 2 * jnp.pi


def kernel(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """K = lambda_0 J_1 / (2 pi) + lambda_1 cos J_0 / (2 pi)."""
    j0_cos = angles.supplement * angles.cos
    return (lambdas[0] * (angles.sin + j0_cos) + lambdas[1] * j0_cos) / TWO_PI


def towards(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """T = -K' / sin without its jump: (lambda_0 + lambda_1) (pi - theta) / (2 pi)."""
    return (lambdas[0] + lambdas[1]) / TWO_PI * angles.supplement


def along(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """R = K - T cos = lambda_0 sin / (2 pi)."""
    return lambdas[0] / TWO_PI * angles.sin


def jump(angles: Angles, lambdas: OrderWeights) -> Float[Array, "*pairs"]:
    """b = lambda_1 cos / (2 pi), from the derivative of the orthant probability (pi - theta) / (2 pi)."""
    return lambdas[1] / TWO_PI * angles.cos


class Pull(NamedTuple):
    """What a neuron at u_k is pulled by another at u_j, per rho_j: `towards` u_j + `along` u_k."""

    towards: Float[Array, "*pairs"]
    along: Float[Array, "*pairs"]


def jump_pull(angles: Angles, lambdas: OrderWeights) -> Pull:
    """b e = (b / sin) u' - (b cos / sin) u; 0 where e does not exist."""
    toward = jump(angles, lambdas) * inverse_sine(angles)
    return Pull(toward, -toward * angles.cos)


def pull(part: Part, angles: Angles, lambdas: OrderWeights) -> Pull:
    """Of one part of the gradient; both parts before the matrix products, so that they cost no more than one."""
    if part == "boundary":
        return jump_pull(angles, lambdas)
    smooth = Pull(towards(angles, lambdas), along(angles, lambdas))
    if part == "population":
        return smooth
    jumps = jump_pull(angles, lambdas)
    return Pull(smooth.towards + jumps.towards, smooth.along + jumps.along)


class Neurons(NamedTuple):
    """Neurons v with their output weights c, those of a teacher with the sign they have in the difference."""

    polar: Polar
    output_weights: Float[Array, " n"]

    @property
    def rho(self) -> Float[Array, " n"]:
        return self.output_weights * self.polar.norm

    def take(self, rows) -> "Neurons":
        return Neurons(self.polar.take(rows), self.output_weights[rows])


class Gradient(NamedTuple):
    """In the weights, and in the output weights."""

    rows: Float[Array, "B d"]
    output: Float[Array, " B"]


def plain_gradient(
    part: Part, lambdas: OrderWeights, block: Neurons, others: Neurons, angles: Angles, in_output: bool = True
) -> Gradient:
    """What a block of students is pulled by other neurons, at the angles [B, n]; 0 in output weights if not there."""
    found, rho = pull(part, angles, lambdas), others.rho
    rows = (found.towards * others.output_weights[None, :]) @ others.polar.weights
    rows = rows + (found.along @ rho)[:, None] * direction(block.polar)
    output = jnp.zeros_like(block.output_weights)
    if part != "boundary" and in_output:
        output = block.polar.norm * (kernel(angles, lambdas) @ rho)
    return Gradient(block.output_weights[:, None] * rows, output)
