"""Population loss and gradients of any activation, from its duals at the Gram matrix of the neurons.

  L = 1/2 sum_ij c_i c_j sum_m lambda_m kappa_m(v_i, v_j),   kappa_m = (w.w')^m D_m(|w|^2, w.w', |w'|^2),
with D_m = E[sigma^(m)(u) sigma^(m)(u')]. A kernel of the Gram entries has
  grad_w kappa = (d kappa / d w.w') w' + 2 (d kappa / d|w|^2) w,
so a gradient costs two matrix products besides the scalar derivatives of D_m, which JAX takes.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from .rows import Rows, by_rows
from .sums import Neurons, Sums, Weights

Dual = Callable[..., Float[Array, "*pairs"]]


def sums(dual: Dual) -> Sums:
    """For an activation whose derivatives, up to the order used, do not jump: there is no boundary term."""
    both = partial(gradient, dual)
    return Sums(partial(loss, dual), both, no_boundary, both)


def kernel(dual: Dual, weights: Weights, variance, covariance, variance_) -> Float[Array, "*pairs"]:
    """sum_m lambda_m (w.w')^m D_m."""
    terms = (weight * covariance**m * dual(m, variance, covariance, variance_) for m, weight in enumerate(weights))
    return sum(terms, jnp.zeros_like(covariance))


def loss(dual: Dual, weights: Weights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Float[Array, ""]:
    neurons, signed = _stacked(student, teacher)
    variances = jnp.sum(neurons * neurons, axis=1)

    def energy(x, rows: Rows) -> Float[Array, " B"]:
        weights, neurons, variances, signed = x
        gram = neurons[rows] @ neurons.T
        return signed[rows] * (kernel(dual, weights, variances[rows][:, None], gram, variances[None, :]) @ signed) / 2

    count = signed.shape[0]
    return jnp.sum(by_rows(energy, (weights, neurons, variances, signed), count, count, mesh)[:count])


def gradient(dual: Dual, weights: Weights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Neurons:
    def of_block(x, rows: Rows) -> Neurons:
        weights, student, teacher = x
        neurons, signed = _stacked(student, teacher)
        own, output = student[0][rows], student[1][rows]
        variances, own_variances = (jnp.sum(w * w, axis=1) for w in (neurons, own))
        gram = own @ neurons.T
        value, (by_variance, by_covariance) = _value_and_slopes(
            partial(kernel, dual, weights),
            jnp.broadcast_to(own_variances[:, None], gram.shape),
            gram,
            jnp.broadcast_to(variances, gram.shape),
        )
        pull = (by_covariance * signed) @ neurons + 2 * (by_variance @ signed)[:, None] * own
        return output[:, None] * pull, value @ signed

    count = student[1].shape[0]
    rows, output = by_rows(of_block, (weights, student, teacher), count, count + teacher[1].shape[0], mesh)
    return rows[:count], output[:count]


def _stacked(student: Neurons, teacher: Neurons) -> Neurons:
    """All neurons, the teacher's output weights with the sign they have in the difference."""
    return jnp.concatenate([student[0], teacher[0]]), jnp.concatenate([student[1], -teacher[1]])


def _value_and_slopes(f, variance, covariance, variance_):
    """f and its derivatives in its first two arguments, elementwise."""
    ones, zeros = jnp.ones_like(covariance), jnp.zeros_like(covariance)
    value, by_variance = jax.jvp(f, (variance, covariance, variance_), (ones, zeros, zeros))
    _, by_covariance = jax.jvp(f, (variance, covariance, variance_), (zeros, ones, zeros))
    return value, (by_variance, by_covariance)


def no_boundary(weights: Weights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Float[Array, "K d"]:
    return jnp.zeros_like(student[0])
