"""E[s_1 s_2 s_3 s_4] and E[|u_i| |u_j| s_k s_l] of the signs s of four pre-activations u: the orthant of four.

The only expectation in the second moments of a ReLU gradient that is not elementary. By Plackett (1954), shrinking
the correlations of one neuron with the other three from t = 1 to 0,
  M = E[s_1 s_2 s_3 s_4] = (4 / pi^2) sum_b int_0^1 r_1b A_1b(t) / sqrt(1 - t^2 r_1b^2) dt,
  A_ab = arcsin of the correlation of the other two fields given that u_a = u_b = 0,
one integral of smooth functions, whose layers at t = 1, where neurons nearly coincide, a double exponential rule
resolves. The A at t = 1 are what else is needed: dM = -(4 / pi^2) sum_ab A_ab dtheta_ab, and, by Stein's identity,
  E[|u_i| |u_j| s_k s_l] = r_ij M + (4 / pi^2) sum_ab B_ij,ab A_ab         (unit norms; `across`),
over the six pairs. P(all four > 0) = (1 + (2 / pi) sum_ab arcsin r_ab + M) / 16.

Three neurons in a plane have signs that never all agree, after turning some: s_1 s_2 s_3 is a sum of single signs,
and M of arcsines. That is taken where the volume of three is below sqrt(eps); everything is continuous there.

The absolute error is 1e-13 for neurons at large, 1e-11 where two pairs nearly coincide; near a plane, at a volume h
of three, M keeps its digits and the A lose eps / h, so at worst sqrt(eps).
"""

import itertools
import math
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..geometry.angles import Angles, inverse_or_zero

EDGES = tuple(itertools.combinations(range(4), 2))
FIRST, SECOND = (np.array(side) for side in zip(*EDGES, strict=True))
OTHERS = np.array([[c for c in range(4) if c not in edge] for edge in EDGES])
TRIPLES = np.array([[c for c in range(4) if c != left_out] for left_out in range(4)])
# [v, o]: an order of the four that begins with v and ends with o.
ORDERS = np.array(
    [[[v, *(c for c in range(4) if c not in (v, o)), o] if v != o else range(4) for o in range(4)] for v in range(4)]
)
FACTOR = 4 / math.pi**2


class Four(NamedTuple):
    """Four neurons each, in an order of their own.

    Attributes:
        order: the indices of the neurons.
        signs: M.
        dihedral: A of the six pairs, EDGES of that order.
    """

    order: Int[Array, "N 4"]
    signs: Float[Array, " N"]
    dihedral: Float[Array, "N 6"]


def four_signs(units: Float[Array, "m n"], angles: Angles, quadruples: Int[np.ndarray, "N 4"]) -> Four:
    """Of quadruples of directions.

    Args:
        units: unit vectors; of a zero row the result is a number without a meaning.
        angles: between all of them.
    """
    volumes = jax.vmap(_volume)(units[quadruples[:, TRIPLES].reshape(-1, 3)]).reshape(-1, 4)
    first, last = (f(volumes, axis=1).astype(jnp.int32) for f in (jnp.argmax, jnp.argmin))
    chosen = jnp.asarray(ORDERS, jnp.int32)[first, last]
    order = jnp.take_along_axis(jnp.asarray(quadruples, jnp.int32), chosen, axis=1)
    pairs = Angles(*(x[order[:, :, None], order[:, None, :]] for x in angles))
    whole = jax.vmap(_volume)(units[order])
    largest, smallest = (jnp.take_along_axis(volumes, chosen[:, [k]], axis=1)[:, 0] for k in (0, 3))
    flat = smallest <= math.sqrt(jnp.finfo(units.dtype).eps)
    turns = _turns(pairs)
    edges = Angles(*(x[:, FIRST, SECOND] for x in pairs))
    dihedral = _dihedral(pairs, edges, whole)
    flat_dihedral = jnp.zeros_like(dihedral).at[:, np.flatnonzero(SECOND == 3)].set(turns * (math.pi / 2))
    dihedral = jnp.where(flat[:, None], flat_dihedral, dihedral)
    in_plane = jnp.sum(turns * (math.pi / 2 - pairs.theta[:, :3, 3]), axis=1) * (2 / math.pi)
    at_large = _plackett(pairs, largest, whole)
    signs = _with_schlaefli(jnp.where(flat, in_plane, at_large), dihedral, edges.theta)
    return Four(order, signs, dihedral)


def absolute_products(four: Four, angles: Angles) -> Float[Array, "N 6"]:
    """E[|u_i| |u_j| s_k s_l] of unit neurons for the six choices of {i, j}, k and l the other two."""
    pairs = Angles(*(x[four.order[:, :, None], four.order[:, None, :]] for x in angles))
    cos = pairs.cos
    own = cos[:, FIRST, SECOND] * four.signs[:, None]
    parts = across(
        cos[:, FIRST, :][:, :, FIRST], cos[:, SECOND, :][:, :, FIRST],
        cos[:, FIRST, :][:, :, SECOND], cos[:, SECOND, :][:, :, SECOND],
        Angles(*(x[:, None, FIRST, SECOND] for x in pairs)),
    )  # fmt: skip
    return own + FACTOR * jnp.sum(parts * four.dihedral[:, None, :], axis=2)


def across(
    i_a: Float[Array, "*shape"],
    j_a: Float[Array, "*shape"],
    i_b: Float[Array, "*shape"],
    j_b: Float[Array, "*shape"],
    angles: Angles,
) -> Float[Array, "*shape"]:
    """B_ij,ab = (r_ia r_jb + r_ib r_ja - r_ab (r_ia r_ja + r_ib r_jb)) / sin(theta_ab), without the quotient.

    E[u_i u_j s_a s_b] = (2 / pi) (r_ij arcsin r_ab + B_ij,ab). It is sin(theta_ab) (p_i p_j - q_i q_j), p and q the
    bisectors of a and b: 0 where they are parallel.
    """
    plus = jnp.tan(angles.theta / 2) * (i_a + i_b) * (j_a + j_b)
    minus = jnp.tan(angles.supplement / 2) * (i_a - i_b) * (j_a - j_b)
    return (plus - minus) / 2


def _volume(rows: Float[Array, "k n"]) -> Float[Array, ""]:
    """Of the parallelepiped, with an absolute error of rounding: by Gram and Schmidt, not from a determinant."""
    volume = jnp.ones((), rows.dtype)
    basis: list[Float[Array, " n"]] = []
    for row in rows:
        for unit in basis:
            row = row - jnp.sum(row * unit) * unit
        square = jnp.sum(row * row)
        norm = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
        basis.append(row * inverse_or_zero(norm))
        volume = volume * norm
    return volume


def _given(pairs: Angles, a, b, c, d) -> Float[Array, "N *edges"]:
    """The covariance of u_c and u_d given u_a = u_b = 0, times sin(theta_ab)^2."""
    cos, square = pairs.cos, pairs.sin[:, a, b] ** 2
    r = cos[:, a, b]
    first = cos[:, c, a] * (cos[:, d, a] - r * cos[:, d, b])
    return cos[:, c, d] * square - first - cos[:, c, b] * (cos[:, d, b] - r * cos[:, d, a])


def _dihedral(pairs: Angles, edges: Angles, whole: Float[Array, " N"]) -> Float[Array, "N 6"]:
    given = _given(pairs, FIRST, SECOND, OTHERS[:, 0], OTHERS[:, 1])
    return _arctan2(given, edges.sin * whole[:, None])


def _arctan2(y: Float[Array, "*shape"], x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """With derivative 0 where both are 0."""
    nothing = (x == 0) & (y == 0)
    return jnp.arctan2(jnp.where(nothing, 0.0, y), jnp.where(nothing, 1.0, x))


def _turns(pairs: Angles) -> Float[Array, "N 3"]:
    """k with s_1 s_2 s_3 = sum_i k_i s_i, of three neurons in a plane.

    With lambda_1 u_1 + lambda_2 u_2 + lambda_3 u_3 = 0, the signs of the three lambda_i u_i never all agree: their
    product is minus their sum. The lambda are a row of the adjugate of the Gram matrix.
    """
    first, second, third = np.array([0, 1, 2]), np.array([1, 2, 0]), np.array([2, 0, 1])
    sin, cos = pairs.sin, pairs.cos
    diagonal = sin[:, second, third] ** 2
    of_pair = cos[:, first, third] * cos[:, second, third] - cos[:, first, second]  # 01, 12, 20
    rows = jnp.stack(
        [
            jnp.stack([diagonal[:, 0], of_pair[:, 0], of_pair[:, 2]], axis=1),
            jnp.stack([of_pair[:, 0], diagonal[:, 1], of_pair[:, 1]], axis=1),
            jnp.stack([of_pair[:, 2], of_pair[:, 1], diagonal[:, 2]], axis=1),
        ],
        axis=1,
    )
    best = jnp.argmax(diagonal, axis=1)
    row = jnp.take_along_axis(rows, best[:, None, None], axis=1)[:, 0]
    on_a_line = jnp.max(diagonal, axis=1) <= 64 * jnp.finfo(row.dtype).eps
    line = jnp.stack([jnp.ones_like(cos[:, 0, 1]), -cos[:, 0, 1], jnp.ones_like(cos[:, 0, 1])], axis=1)
    sign = jnp.where(jnp.where(on_a_line[:, None], line, row) < 0, -1.0, 1.0).astype(row.dtype)
    return -sign[:, second] * sign[:, third]


def _plackett(pairs: Angles, volume_of_three: Float[Array, " N"], volume: Float[Array, " N"]) -> Float[Array, " N"]:
    """The first neuron shrunk, by t = sin(psi) and w = cos(psi): the determinants are linear in t^2."""
    cos = pairs.cos
    first, b = np.zeros(3, int), np.array([1, 2, 3])
    c, d = np.array([2, 1, 1]), np.array([3, 3, 2])
    r, square = cos[:, 0, 1:], pairs.sin[:, 0, 1:] ** 2
    apart = cos[:, c, d] - cos[:, c, b] * cos[:, d, b]
    joint = _given(pairs, first, b, c, d)
    three, four = (x[:, None] ** 2 for x in (volume_of_three, volume))

    def step(total, node):
        w, t, weight = node
        scale = w * w + square * (t * t)
        size = jnp.sqrt(scale * (w * w * three + t * t * four))
        angle = _arctan2(w * w * apart + t * t * joint, size)
        return total + weight * jnp.sum(r * angle / jnp.sqrt(scale), axis=1), None

    nodes = tuple(jnp.asarray(x, r.dtype) for x in _nodes(r.dtype))
    return FACTOR * jax.lax.scan(step, jnp.zeros_like(volume), nodes)[0]


@cache
def _nodes(dtype: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """cos(psi), sin(psi) and cos(psi) dpsi at one half of the double exponential rule on -pi/2 < psi < pi/2."""
    count, reach = (65, 3.2) if dtype == jnp.float64 else (25, 2.6)
    x = np.linspace(0.0, reach, count)
    a = math.pi / 2 * np.sinh(x)
    from_end = math.pi / (1 + np.exp(2 * a))
    weight = (x[1] - x[0]) * math.pi**2 / 4 * np.cosh(x) / np.cosh(a) ** 2
    weight[0] /= 2
    return np.sin(from_end), np.cos(from_end), weight * np.sin(from_end)


@jax.custom_jvp
def _with_schlaefli(
    signs: Float[Array, " N"], dihedral: Float[Array, "N 6"], theta: Float[Array, "N 6"]
) -> Float[Array, " N"]:
    """M with its derivative in the angles, which is exact, for that of the integral."""
    return signs


@_with_schlaefli.defjvp
def _with_schlaefli_jvp(primals, tangents):
    signs, dihedral, theta = primals
    along = -FACTOR * jnp.sum(dihedral * tangents[2], axis=1)
    return _with_schlaefli(signs, dihedral, theta), along
