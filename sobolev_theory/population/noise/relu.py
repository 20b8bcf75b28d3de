"""Second moments for ReLU: arcsines, and for two different neurons the orthant of four.

D = g - g* = (S + A) / 2 with S = sum_i c_i u_i odd and A = sum_i c_i |u_i| even, and 1(u_k > 0) = (1 + s_k) / 2 with
s the signs. A sample's gradient is g_k = a_k 1(u_k > 0) (lambda_0 (D - noise) x + lambda_1 grad D). D is homogeneous:
x . grad D = D and E[|x|^2 D^2 1] = (d + 2) E[D^2 1], so that
  E[g_k . g_l] = a_k a_l {(lambda_0^2 (d + 2) + 2 lambda_0 lambda_1) V_kl + lambda_1^2 J_kl},
  V_kk = E[D^2 1(u_k > 0)]        = L_0 + E[S A s_k] / 4                     (L_0 and L_1 the population losses)
  J_kk = E[|grad D|^2 1(u_k > 0)] = L_1 + E[grad S . grad A s_k] / 4
  V_kl = {2 L_0 + E[S A (s_k + s_l)] / 2 + E[S^2 s_k s_l] / 4 + E[A^2 s_k s_l] / 4} / 4,    J_kl alike.
With C the Gram matrix and sin, theta those of pairs, E[u_i |u_j| s_k] = (2/pi) (C_ij (pi/2 - theta_jk) + |v_j| sin_jk
v_i . w_k / |w_k|); what E[A^2 s_k s_l] has of four different neurons is `kernels.four_signs`. The diagonal keeps its
digits near an optimum, as the losses do; beside it the error is a few eps of the largest term, more where neurons
nearly coincide or lie nearly in a plane (`four_signs`).
"""

import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ...geometry.angles import Angles, angles_between, direction, polar
from ...geometry.span import reduction
from ...kernels.four_signs import EDGES, OTHERS, absolute_products, across, four_signs
from ...model.activations import ReLU
from ...model.networks import parameters
from ...model.precision import full_products
from ..engine import IsotropicSums
from .moments import Mean, Moments, Noisy, signed_neurons


class _Everyone(NamedTuple):
    """Student and teacher neurons, in the span; `rows` are c_i v_i and `sizes` c_i |v_i|."""

    units: Float[Array, "m n"]
    rows: Float[Array, "m n"]
    sizes: Float[Array, " m"]
    angles: Angles
    linear: Float[Array, " n"]  # grad S
    turned: Float[Array, "K n"]  # E[grad A s_k]
    bent: Float[Array, " K"]  # sum_j c_j |v_j| sin_jk
    of_sign: Float[Array, " K"]  # E[S A s_k]


@full_products
def squares(p: Noisy) -> Moments:
    """E|g_k|^2 of every neuron."""
    sums = IsotropicSums(ReLU())
    ours, theirs = (parameters(network)[:2] for network in (p.student, p.teacher))
    losses = jax.vmap(lambda lambdas: sums.loss((lambdas[0], lambdas[1]), ours, theirs))(jnp.eye(2, dtype=p.dtype))
    return _diagonal(p, _everyone(p), (losses[0], losses[1]))


@full_products
def block(p: Noisy) -> Moments:
    """E[g_k . g_l] of every two."""
    return _block(p, _everyone(p))


@full_products
def mean_and_block(p: Noisy) -> tuple[Mean, Moments]:
    """Also the loss and its population gradient, from sums that cancel near an optimum: what an equation needs."""
    one = _everyone(p)
    value, slope = p.lambdas
    losses = _plain_losses(one)
    of_derivatives = (one.linear[None, :] + one.turned) / 4  # E[1(u_k > 0) grad D]
    of_values = of_derivatives + one.units[: p.student.neurons] * (one.bent / (2 * math.pi))[:, None]
    forces = value * of_values + slope * of_derivatives
    of_outputs = jnp.sum(p.student.weights * forces, axis=1)
    loss = value * losses[0] + slope * losses[1]
    return Mean(loss, p.student.output_weights[:, None] * forces, of_outputs), _block(p, one)


def _block(p: Noisy, one: _Everyone) -> Moments:
    students = p.student.neurons
    pairs = Angles(*(x[:students, :students] for x in one.angles))
    signs = (pairs.supplement - pairs.theta) / math.pi
    odd, even = _of_odd_parts(one, pairs, signs), _of_even_parts(one, pairs, signs)
    losses = _plain_losses(one)
    values = 2 * losses[0] + _sums(one.of_sign) / 2 + (odd[0] + even[0]) / 4
    slopes = 2 * losses[1] + _sums(one.turned @ one.linear) / 2 + (odd[1] + even[1]) / 4
    outputs = jnp.outer(p.student.output_weights, p.student.output_weights)
    found = _weighted(p, values / 4, slopes / 4, pairs.supplement / (2 * math.pi), outputs)
    every = jnp.arange(students)
    return Moments(*(x.at[every, every].set(y) for x, y in zip(found, _diagonal(p, one, losses), strict=True)))


def _diagonal(p: Noisy, one: _Everyone, losses: tuple[Float[Array, ""], Float[Array, ""]]) -> Moments:
    values = losses[0] + one.of_sign / 4
    slopes = losses[1] + one.turned @ one.linear / 4
    return _weighted(p, values, slopes, jnp.full_like(values, 0.5), p.student.output_weights**2)


def _plain_losses(one: _Everyone) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """L_0 and L_1 from sums that cancel near an optimum."""
    signs = (one.angles.supplement - one.angles.theta) / math.pi
    square = jnp.sum(one.linear**2)
    gram = jnp.outer(one.sizes, one.sizes)
    gradients = jnp.sum(gram * one.angles.cos * signs)
    values = gradients + (2 / math.pi) * jnp.sum(gram * one.angles.sin)
    return (square + values) / 8, (square + gradients) / 8


def _of_odd_parts(one: _Everyone, pairs: Angles, signs: Float[Array, "K K"]) -> tuple[Float[Array, "K K"], ...]:
    """E[S^2 s_k s_l] and E[|grad S|^2 s_k s_l]."""
    along, square = one.units[: len(signs)] @ one.linear, jnp.sum(one.linear**2)
    k, l = along[:, None], along[None, :]  # noqa: E741
    return square * signs + (2 / math.pi) * across(k, k, l, l, pairs), square * signs


def _of_even_parts(one: _Everyone, pairs: Angles, signs: Float[Array, "K K"]) -> tuple[Float[Array, "K K"], ...]:
    """E[A^2 s_k s_l] and E[|grad A|^2 s_k s_l].

    Sums over two neurons i, j: equal ones; k or l beside any other one; k and l; and two others, `_of_four`.
    """
    students = len(signs)
    gram, sizes = one.rows @ one.rows.T, one.sizes[:students, None]
    own, along = gram[:students, :students], one.rows @ one.units[:students].T
    trace = jnp.sum(one.sizes**2) * signs
    bent = one.bent[None, :]

    of_slopes = one.rows[:students] @ one.turned.T - sizes**2 * signs - own
    of_values = of_slopes + (2 / math.pi) * (along[:students] * bent - sizes**2 * pairs.cos * pairs.sin)
    k, l = along.T[:, None], along.T[None]  # noqa: E741
    equal = (2 / math.pi) * jnp.sum(across(k, k, l, l, Angles(*(x[..., None] for x in pairs))), axis=2)
    values, slopes = _of_four(one, gram, students)
    values = values + trace + equal + 2 * (of_values + of_values.T) + 2 * own
    return values, slopes + trace + 2 * (of_slopes + of_slopes.T) + 2 * own


def _sums(x: Float[Array, " K"]) -> Float[Array, "K K"]:
    return x[:, None] + x[None, :]


def _weighted(p: Noisy, values, slopes, active, outputs) -> Moments:
    """Of neurons that are alive: no sample activates a zero neuron."""
    alive = jnp.any(p.student.weights != 0, axis=1)
    outputs = jnp.where(alive if outputs.ndim == 1 else alive[:, None] & alive[None, :], outputs, 0.0)
    value, slope = p.lambdas
    per_dimension = value**2 * (values + p.label_variance * active)
    rest = 2 * value * (value + slope) * values + slope**2 * slopes
    return Moments(outputs * per_dimension, outputs * rest)


def _everyone(p: Noisy) -> _Everyone:
    students = p.student.neurons
    v, c = signed_neurons(p)
    if v.shape[1] > len(c):
        v = v @ reduction(p.student, p.teacher).basis
    neurons = polar(v)
    itself = jnp.eye(len(c), dtype=bool)
    angles, units = angles_between(neurons, neurons, itself), direction(neurons)
    sizes, rows = c * neurons.norm, c[:, None] * v
    linear = _over_both(jnp.ones((1, len(c)), rows.dtype), rows, students)[0]
    turned = _over_both(((angles.supplement - angles.theta)[:students] / math.pi), rows, students)
    bent = _over_both(angles.sin[:students], sizes[:, None], students)[:, 0]
    of_sign = turned @ linear + (2 / math.pi) * (units[:students] @ linear) * bent
    return _Everyone(units, rows, sizes, angles, linear, turned, bent, of_sign)


def _over_both(factors: Float[Array, "K m"], rows: Float[Array, "m n"], students: int) -> Float[Array, "K n"]:
    """Students less teachers, each summed for itself: exactly 0 where they are the same."""
    return factors[:, :students] @ rows[:students] + factors[:, students:] @ rows[students:]


def _of_four(one: _Everyone, gram: Float[Array, "m m"], students: int) -> tuple[Float[Array, "K K"], ...]:
    """What four different neurons give to E[A^2 s_k s_l] and E[|grad A|^2 s_k s_l]."""
    total = jnp.zeros_like(gram)
    quadruples = _quadruples(len(gram), students)
    if not len(quadruples):
        return (total[:students, :students],) * 2
    four = four_signs(one.units, one.angles, quadruples)
    first, second = (four.order[:, np.array(side)] for side in zip(*EDGES, strict=True))
    k, l = (four.order[:, OTHERS[:, side]] for side in (0, 1))  # noqa: E741
    of_values = 2 * one.sizes[first] * one.sizes[second] * absolute_products(four, one.angles)
    of_slopes = 2 * gram[first, second] * four.signs[:, None]
    sums = (total.at[k, l].add(x) for x in (of_values, of_slopes))
    return tuple((x + x.T)[:students, :students] for x in sums)


def _quadruples(neurons: int, students: int) -> Int[np.ndarray, "N 4"]:
    """Those with two students at least; students come first."""
    every = [q for q in itertools.combinations(range(neurons), 4) if q[1] < students]
    return np.array(every, int).reshape(-1, 4)
