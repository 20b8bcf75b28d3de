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
from jaxtyping import Array, Float

from .sums import Neurons, Sums, Weights

Dual = Callable[..., Float[Array, "*pairs"]]


def sums(dual: Dual) -> Sums:
    """For an activation whose derivatives, up to the order used, do not jump: there is no boundary term."""
    return Sums(partial(loss, dual), partial(gradient, dual), no_boundary)


def kernel(dual: Dual, weights: Weights, variance, covariance, variance_) -> Float[Array, "*pairs"]:
    """sum_m lambda_m (w.w')^m D_m."""
    terms = (weight * covariance**m * dual(m, variance, covariance, variance_) for m, weight in enumerate(weights))
    return sum(terms, jnp.zeros_like(covariance))


def loss(dual: Dual, weights: Weights, student: Neurons, teacher: Neurons) -> Float[Array, ""]:
    rows = jnp.concatenate([student[0], teacher[0]])
    signed = jnp.concatenate([student[1], -teacher[1]])
    variances = jnp.sum(rows * rows, axis=1)
    return signed @ kernel(dual, weights, variances[:, None], rows @ rows.T, variances[None, :]) @ signed / 2


def gradient(dual: Dual, weights: Weights, student: Neurons, teacher: Neurons) -> Neurons:
    rows = jnp.concatenate([student[0], teacher[0]])
    signed = jnp.concatenate([student[1], -teacher[1]])
    variances, own = jnp.sum(rows * rows, axis=1), jnp.sum(student[0] ** 2, axis=1)
    gram = student[0] @ rows.T
    shape = gram.shape
    value, (by_variance, by_covariance) = _value_and_slopes(
        partial(kernel, dual, weights),
        jnp.broadcast_to(own[:, None], shape),
        gram,
        jnp.broadcast_to(variances, shape),
    )
    pull = (by_covariance * signed) @ rows + 2 * (by_variance @ signed)[:, None] * student[0]
    return student[1][:, None] * pull, value @ signed


def _value_and_slopes(f, variance, covariance, variance_):
    """f and its derivatives in its first two arguments, elementwise."""
    ones, zeros = jnp.ones_like(covariance), jnp.zeros_like(covariance)
    value, by_variance = jax.jvp(f, (variance, covariance, variance_), (ones, zeros, zeros))
    _, by_covariance = jax.jvp(f, (variance, covariance, variance_), (zeros, ones, zeros))
    return value, (by_variance, by_covariance)


def no_boundary(weights: Weights, student: Neurons, teacher: Neurons) -> Float[Array, "K d"]:
    return jnp.zeros_like(student[0])
