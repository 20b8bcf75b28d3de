"""Second moments for polynomials, exactly.

With D = g - g* = sum_i c_i s(u_i), a sample's gradient is g_k = a_k (P_k x + R_k),
  P_k = lambda_0 (D - noise) s'(u_k) + lambda_1 s''(u_k) w_k . grad D,    R_k = lambda_1 s'(u_k) grad D,
so that E[g_k . g_l] is a sum over i and j of means of four fields u_k, u_l, u_i, u_j = F z, z standard normal in R^4
and F F' their Gram matrix. There |x|^2 is |z|^2 and d - 4 from the other directions, also where d < 4 or fields
depend on each other: then F z has directions that do nothing. The integrand has degree 4 q for polynomials of degree
q, and the rule of Gauss and Hermite with 2 q + 1 nodes on an axis is exact for it, as the theorem of Isserlis is.
"""

import math
from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ...geometry.angles import inverse_or_zero
from ...model.activations import Activation, Polynomial
from ...model.losses import SobolevLoss
from ...model.precision import full_products
from ..gradients import population_gradient, population_loss
from .moments import Mean, Moments, Noisy, signed_neurons

POINTS = 2**18  # of all quadruples that are summed side by side
FLAT = 64  # eps of a square of a norm, below which a field has no direction of its own

Entries = Float[Array, " P"]


def squares(p: Noisy) -> Moments:
    """E|g_k|^2 of every neuron."""
    each = np.arange(p.student.neurons)
    per_dimension, rest = _moments(p, each, each)
    outputs = p.student.output_weights**2
    return Moments(outputs * per_dimension, outputs * rest)


def block(p: Noisy) -> Moments:
    """E[g_k . g_l] of every two."""
    count = p.student.neurons
    left, right = np.triu_indices(count)
    outputs = jnp.outer(p.student.output_weights, p.student.output_weights)

    def symmetric(entries: Entries) -> Float[Array, "K K"]:
        upper = jnp.zeros((count, count), entries.dtype).at[left, right].set(entries)
        return outputs * upper.at[right, left].set(entries)

    return Moments(*map(symmetric, _moments(p, left, right)))


def mean_and_block(p: Noisy) -> tuple[Mean, Moments]:
    """Also the loss and its population gradient."""
    loss = SobolevLoss(p.lambdas)
    gradient = population_gradient(p.student, p.teacher, loss)
    value = population_loss(p.student, p.teacher, loss)
    return Mean(value, gradient.weights, gradient.output_weights), block(p)


@full_products
def _moments(p: Noisy, left: Int[np.ndarray, " P"], right: Int[np.ndarray, " P"]) -> tuple[Entries, Entries]:
    """E[P_k P_l], and E[(|x|^2 - d) P_k P_l + P_k x . R_l + P_l x . R_k + R_k . R_l], without the output weights."""
    activation = p.student.activation
    degree = len(activation.coefficients) - 1 if isinstance(activation, Polynomial) else 1
    v, c = signed_neurons(p)
    gram = v @ v.T
    z, weights = (jnp.asarray(x, gram.dtype) for x in _rule(2 * degree + 1))
    radius = jnp.sum(z * z, axis=1) - z.shape[1]
    derivatives = _derivatives(activation)
    value, slope = p.lambdas

    def fields(places: Int[Array, " n"]):
        root = _root(gram[places[:, None], places[None, :]])
        u = z[:, : len(places)] @ root.T
        return u, derivatives(u)

    def of_four(places: Int[Array, " 4"]) -> Float[Array, " 2"]:
        k, l, i, j = places  # noqa: E741
        u, (s, s1, s2) = fields(places)
        of_k = value * s[:, 2] * s1[:, 0] + slope * gram[k, i] * s2[:, 0] * s1[:, 2]
        of_l = value * s[:, 3] * s1[:, 1] + slope * gram[l, j] * s2[:, 1] * s1[:, 3]
        both = of_k * of_l
        beside = of_k * u[:, 3] * s1[:, 3] * s1[:, 1] + of_l * u[:, 2] * s1[:, 2] * s1[:, 0]
        slopes = slope**2 * gram[i, j] * jnp.prod(s1, axis=1)
        return c[i] * c[j] * jnp.stack([weights @ both, weights @ (radius * both + slope * beside + slopes)])

    def of_two(places: Int[Array, " 2"]) -> Float[Array, " 2"]:
        _, (_, s1, _) = fields(places)
        both = value**2 * p.label_variance * s1[:, 0] * s1[:, 1]
        return jnp.stack([weights @ both, weights @ (radius * both)])

    pairs = np.stack([left, right], axis=1)
    others = np.stack(np.meshgrid(*(np.arange(len(c)),) * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    quadruples = np.concatenate([np.repeat(pairs, len(others), axis=0), np.tile(others, (len(pairs), 1))], axis=1)
    together = max(1, POINTS // len(weights))
    sums = jax.lax.map(of_four, jnp.asarray(quadruples, jnp.int32), batch_size=together)
    found = jnp.sum(sums.reshape(len(pairs), -1, 2), axis=1)
    found = found + jax.lax.map(of_two, jnp.asarray(pairs, jnp.int32), batch_size=together)
    return found[:, 0], found[:, 1]


def _derivatives(activation: Activation) -> Callable[[Array], tuple[Array, Array, Array]]:
    """s, s' and s''."""

    def first(t):
        return jax.jvp(activation, (t,), (jnp.ones_like(t),))

    def of(t):
        (value, slope), (_, bend) = jax.jvp(first, (t,), (jnp.ones_like(t),))
        return value, slope, bend

    return of


def _root(gram: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """F with F F' = the matrix, by Cholesky; a field that depends on those before it adds no direction."""
    n, tiny = len(gram), FLAT * jnp.finfo(gram.dtype).eps
    rows = jnp.zeros_like(gram)
    for j in range(n):
        left = gram[:, j] - rows @ rows[j]
        own = jnp.where(left[j] > tiny * gram[j, j], left[j], 0.0)
        size = jnp.where(own > 0, jnp.sqrt(jnp.where(own > 0, own, 1.0)), 0.0)
        column = jnp.where(np.arange(n) >= j, left * inverse_or_zero(size), 0.0)
        rows = rows.at[:, j].set(column)
    return rows


@cache
def _rule(nodes: int) -> tuple[Float[np.ndarray, "N 4"], Float[np.ndarray, " N"]]:
    """Of Gauss and Hermite, for N(0, I_4)."""
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / math.sqrt(2 * math.pi)
    points = np.stack(np.meshgrid(*(z,) * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    products = weights[:, None, None, None] * weights[:, None, None] * weights[:, None] * weights
    return points, products.ravel()
