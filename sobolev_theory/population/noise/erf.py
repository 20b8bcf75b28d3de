"""Second moments for erf, in closed form: Saad and Solla's integral of four, and its derivatives in the Gram matrix.

With D = g - g*, a sample's gradient is g_k = a_k (P_k x + R_k),
  P_k = lambda_0 (D - noise) s'(u_k) + lambda_1 s''(u_k) w_k . grad D,    R_k = lambda_1 s'(u_k) grad D.
All expectations come from I(k, l, i, j) = E[s'(u_k) s'(u_l) s(u_i) s(u_j)], four fields of any Gram matrix: by the
theorem of Price the derivative in the covariance of two of them differentiates both functions, so that
  E[P_k P_l] = sum_ij c_i c_j (lambda_0 + lambda_1 C_ki d/dC_ki) (lambda_0 + lambda_1 C_lj d/dC_lj) I;
x . grad D is the derivative in the scale of the neurons of D, and E[|x|^2 F] = d E[F] + 2 dE[F] / dtau for input of
covariance tau I. So P_k P_l, which d multiplies, has a part from derivatives: only for ReLU there is none.

Source: Saad & Solla, Phys. Rev. E 52 (1995), appendix A, whose g(u) is erf(u / sqrt(2)).
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ...model.precision import full_products
from .moments import Mean, Moments, Noisy, signed_neurons

Entries = Float[Array, "*pairs"]


def squares(p: Noisy) -> Moments:
    """E|g_k|^2 of every neuron."""
    each = jnp.arange(p.student.neurons)
    per_dimension, rest, beside = _moments(p, each, each)
    return _with_outputs(p.student.output_weights**2, per_dimension, rest + 2 * beside)


def block(p: Noisy) -> Moments:
    """E[g_k . g_l] of every two."""
    count, outputs = p.student.neurons, p.student.output_weights
    left, right = (x.ravel() for x in jnp.meshgrid(jnp.arange(count), jnp.arange(count), indexing="ij"))
    per_dimension, rest, beside = (x.reshape(count, count) for x in _moments(p, left, right))
    return _with_outputs(jnp.outer(outputs, outputs), per_dimension, rest + beside + beside.T)


@full_products
def mean_and_block(p: Noisy) -> tuple[Mean, Moments]:
    """Also the loss, a function of the Gram matrix and the output weights, and its gradient."""
    v, c = signed_neurons(p)

    def loss(gram, c):
        squares = jnp.diagonal(gram)
        rest = (1 + 2 * squares[:, None]) * (1 + 2 * squares[None, :]) - 4 * gram * gram
        values = (2 / math.pi) * jnp.arctan2(2 * gram, jnp.sqrt(rest))
        slopes = gram * (4 / math.pi) / jnp.sqrt(rest)
        return c @ (p.lambdas[0] * values + p.lambdas[1] * slopes) @ c / 2

    value, (of_gram, of_outputs) = jax.value_and_grad(loss, argnums=(0, 1))(v @ v.T, c)
    students = p.student.neurons
    return Mean(value, ((of_gram + of_gram.T) @ v)[:students], of_outputs[:students]), block(p)


def _with_outputs(outputs, per_dimension, rest) -> Moments:
    return Moments(outputs * per_dimension, outputs * rest)


def of_four(kk, kl, ll, ki, kj, li, lj, ii, ij, jj) -> Entries:
    """I: the weight s'(u_k) s'(u_l) = (4 / pi) exp(-u_k^2 - u_l^2) makes another Gaussian of the other two fields."""
    k, l = kk + 0.5, ll + 0.5  # noqa: E741
    determinant = k * l - kl * kl

    def given(a, b, a_, b_):
        return (a * l * a_ - (a * b_ + b * a_) * kl + b * k * b_) / determinant

    ii, ij, jj = ii - given(ki, li, ki, li), ij - given(ki, li, kj, lj), jj - given(kj, lj, kj, lj)
    rest = (1 + 2 * ii) * (1 + 2 * jj) - 4 * ij * ij
    return (4 / math.pi**2) * jnp.arctan2(2 * ij, jnp.sqrt(rest)) / jnp.sqrt(determinant)


def slopes_of_two(kk, kl, ll) -> Entries:
    """E[s'(u_k) s'(u_l)]."""
    return (4 / math.pi) / jnp.sqrt((1 + 2 * kk) * (1 + 2 * ll) - 4 * kl * kl)


@full_products
def _moments(p: Noisy, left: Int[Array, " P"], right: Int[Array, " P"]) -> tuple[Entries, Entries, Entries]:
    """E[P_k P_l], E[(|x|^2 - d) P_k P_l + R_k . R_l] and E[P_k x . R_l], without the output weights a_k, a_l."""
    v, c = signed_neurons(p)
    gram = v @ v.T
    kk, kl, ll = (gram[a, b] for a, b in ((left, left), (left, right), (right, right)))
    k, l = gram[left], gram[right]  # noqa: E741
    pairs, sizes = tuple(x[:, None, None] for x in (kk, kl, ll)), jnp.outer(c, c)[None]
    own = jnp.diagonal(gram)[None]
    value, slope = p.lambdas
    zero, one = jnp.zeros((), gram.dtype), jnp.ones((), gram.dtype)

    def gaussian(along_k, along_l, tau, scale, both):
        """I of every four, at neurons moved along what is differentiated."""
        ki, li, lj = k[:, :, None], l[:, :, None], l[:, None, :]
        moved = ki * (tau + along_k), tau * (1 + scale) * k[:, None, :]
        moved_ = tau * li, lj * (tau * (1 + scale) + along_l)
        others = own[:, :, None] * tau, gram[None] * (tau * (1 + scale) + both), own[:, None] * tau * (1 + scale) ** 2
        entries = [*(x * tau for x in pairs), *moved, *moved_, *others]
        return jnp.sum(sizes * of_four(*entries), axis=(1, 2))

    def with_slope_of_k(along_l, tau, scale):
        found = jax.jvp(lambda t: gaussian(t, along_l, tau, scale, zero), (zero,), (one,))
        return value * found[0] + slope * found[1]

    def of_both(tau):
        found = jax.jvp(lambda t: with_slope_of_k(t, tau, zero), (zero,), (one,))
        noise = p.label_variance * slopes_of_two(kk * tau, kl * tau, ll * tau)
        return value * found[0] + slope * found[1] + value**2 * noise

    per_dimension, by_tau = jax.jvp(of_both, (one,), (one,))
    _, beside = jax.jvp(lambda t: with_slope_of_k(zero, one, t), (zero,), (one,))
    _, both = jax.jvp(lambda t: gaussian(zero, zero, one, zero, t), (zero,), (one,))
    return per_dimension, 2 * by_tau + slope**2 * both, slope * beside
