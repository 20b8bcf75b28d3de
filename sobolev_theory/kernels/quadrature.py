"""Gaussian expectations without a closed form, of functions that are smooth between known kinks.

Without kinks, the trapezoidal rule on the line: for functions that are analytic about the real axis it converges like
exp(-2 pi a / h), a the distance of the nearest pole and h the spacing, where Gauss-Hermite rules converge like
exp(-c sqrt(n)) (Goodwin 1949; Trefethen, SIAM Review 2022).
With kinks, the double exponential rule (Takahasi & Mori 1974) on every piece: its nodes crowd at the ends at all
scales, so that it also resolves the layer of width sin(theta) about the kink of one neuron that the other, nearly
parallel, one averages over. Memory is that of 64 times the pairs; time grows with the square of the nodes.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..geometry.angles import inverse_or_zero, inverse_sine
from ..model.one_sided import Function
from .gaussian_pairs import GaussianPair, Pairs

Kinks = tuple[float, ...]
TOGETHER = 64  # nodes of the inner axis
WIDTH = 3.2  # of the double exponential rule: to 1e-17 from the ends
REACH = 9.0  # beyond it the normal density is below 2^-58 of its value at 0

# What estimated errors are held to, relative to the largest value: far above rounding, which is reached where a rule
# converges, and below what Monte Carlo or a figure would show.
TOLERANCE = {np.dtype("float64"): 1e-9, np.dtype("float32"): 1e-4}


class Rule(NamedTuple):
    """So many nodes on one axis, or where `coarse`, which a program may be told when it runs, three quarters of them.

    The difference is an estimate of the error, which costs no second program.
    """

    nodes: int
    coarse: Bool[Array, ""] | None = None


def of_one(function: Function, kinks: Kinks, mean: Pairs, norm: Pairs, rule: Rule) -> Pairs:
    """E[f(u)], u ~ N(mean, norm^2)."""
    cuts = [(kink - mean) * inverse_or_zero(norm) for kink in kinks]

    def at(z, weight):
        return weight * function(mean + norm * z)

    return _integral(at, cuts, _points(rule, cuts, norm), jnp.zeros_like(mean + norm))


def of_two(
    left: Sequence[Function],
    kinks: Kinks,
    right: Sequence[Function],
    kinks_: Kinks,
    wanted: Sequence[tuple[int, int]],
    rule: Rule,
    pair: GaussianPair,
) -> list[Pairs]:
    """E[f(u) h(u')] of the wanted (f, h), in one pass, with u = mean + r z and u' = mean' + r' (cos z + sin y)."""
    (mean, mean_), (_, _, sin, cos) = pair.means, pair.angles
    r, r_ = pair.norm, pair.norm_
    zero = jnp.zeros_like(r * r_ * cos)
    own = [(kink - mean) * inverse_or_zero(r) for kink in kinks]
    others = [(kink - mean_) * inverse_or_zero(r_) for kink in kinks_]
    cuts = own + [cut * inverse_or_zero(cos, 1e-3) for cut in others]  # where the mean of u' given u meets its kink

    def outer(z, weight):
        def inner(y, weight_):
            u_ = mean_ + r_ * (cos * z + sin * y)
            return jnp.stack([weight_ * h(u_) for h in right])

        across = [(cut - cos * z) * inverse_sine(pair.angles) for cut in others]
        given = _integral(inner, across, _points(rule, across, zero), zero, total=_zeros(right, zero))
        u = mean + r * z
        values = [weight * f(u) for f in left]
        return jnp.stack([values[i] * given[j] for i, j in wanted])

    return list(_integral(outer, cuts, _points(rule, cuts, zero), zero, together=1, total=_zeros(wanted, zero)))


def _zeros(each: Sequence, zero: Pairs) -> Float[Array, "n *pairs"]:
    return jnp.zeros((len(each), *zero.shape), zero.dtype)


def coarser(nodes: int) -> int:
    """Three quarters of them, for an estimate of the error."""
    return nodes * 3 // 4


def finer(nodes: int) -> int:
    """Many more of them, for one dimension, at other places."""
    return 4 * nodes + 1


def spacing(nodes: int, cuts: list[Pairs], zero: Pairs) -> Pairs:
    """Of the points, where they are farthest from each other."""
    if not cuts:
        return jnp.full_like(zero, 2 * REACH / (nodes - 1))
    return jnp.max(jnp.diff(_ends(cuts, zero), axis=0), axis=0) * (math.pi / 2 * WIDTH / (nodes - 1))


def require_converged(result: Any, error: Float[Array, ""], name: str) -> Any:
    """The result, a pytree of numbers, if its estimated relative error is small.

    Raises:
        RuntimeError: with the estimate; under jit and vmap when the compiled function runs, and without it.
    """
    limit = TOLERANCE[np.dtype(error.dtype)]
    message = f"{name}: the quadrature of its activation has not converged"
    needs = f"needs at most {limit:g}: more nodes, smaller neurons, or all kinks of the activation"
    if isinstance(error, jax.core.Tracer):
        asked = f"{message}; its estimated error {needs}"
        return eqx.error_if(jax.tree.map(jnp.asarray, result), ~(error <= limit), asked)
    if not float(error) <= limit:
        raise RuntimeError(f"{message}: got an estimated error of {float(error):.2g}; {needs}")
    return result


def of_many(
    integrand, cuts: list[Pairs], rules: Iterable[int], zero: Pairs, total: Float[Array, "n *pairs"]
) -> list[Float[Array, "n *pairs"]]:
    """Several integrals of an integrand(z, phi(z) dz), by rules of several numbers of nodes, as one program.

    z has the shape of `zero`, values that of `total`.
    """
    chunks = [_chunks(_points(Rule(nodes), cuts, zero), TOGETHER) for nodes in rules]
    names = [np.full(len(points[0]), k) for k, points in enumerate(chunks)]
    points = tuple(jnp.concatenate(parts) for parts in zip(*chunks, strict=True))
    function = _on_pieces(integrand, cuts, zero)

    def step(totals, chunk):
        name, points = chunk
        return totals.at[name].add(jnp.sum(jax.vmap(function)(points), axis=0)), None

    totals = jnp.zeros((len(chunks), *total.shape), total.dtype)
    return list(jax.lax.scan(step, totals, (jnp.concatenate(names), points))[0])


def _integral(
    integrand, cuts: list[Pairs], points, zero: Pairs, together: int = TOGETHER, total: Any = None
) -> Float[Array, "..."]:
    """int integrand(z, phi(z) dz) over the line, cut into pieces where it is not smooth, of the shape of `total`.

    So many points at a time, so that memory does not grow with their number.
    """
    function = _on_pieces(integrand, cuts, zero)

    def step(total, chunk):
        return total + jnp.sum(jax.vmap(function)(chunk), axis=0), None

    return jax.lax.scan(step, zero if total is None else total, _chunks(points, together))[0]


def _points(rule: Rule, cuts: list[Pairs], like: Pairs) -> tuple[Array, ...]:
    """Of a rule on a piece; those of a coarse one are filled up with points of weight 0."""
    table = _double_exponential if cuts else _trapezoidal
    fine = [jnp.asarray(x, like.dtype) for x in table(rule.nodes)]
    if rule.coarse is None:
        return tuple(fine)
    few = [np.pad(x, (0, rule.nodes - len(x))) for x in table(coarser(rule.nodes))]
    return tuple(jnp.where(rule.coarse, jnp.asarray(x, like.dtype), y) for x, y in zip(few, fine, strict=True))


def _chunks(points: tuple[Array, ...], together: int) -> tuple[Array, ...]:
    missing = -len(points[0]) % together
    return tuple(jnp.pad(x, (0, missing)).reshape(-1, together) for x in points)


def _on_pieces(integrand, cuts: list[Pairs], zero: Pairs):
    """What one point of a rule adds, over all pieces."""
    if not cuts:
        return lambda point: integrand(point[0], point[1] * density(point[0]))
    ends = _ends(cuts, zero)

    def at(point):
        left, right, weight = point

        def of_piece(a, b):
            length = b - a
            z = jnp.where(left < right, a + length * left, b - length * right)  # from the nearer end
            return integrand(z, length * weight * density(z))

        return jnp.sum(jax.vmap(of_piece)(ends[:-1], ends[1:]), axis=0)

    return at


def density(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _ends(cuts: list[Pairs], zero: Pairs) -> Float[Array, "pieces+1 *pairs"]:
    """Of the pieces, in order."""
    inner = jnp.sort(jnp.stack([jnp.clip(cut + zero, -REACH, REACH) for cut in cuts]), axis=0)
    return jnp.concatenate([jnp.full_like(zero, -REACH)[None], inner, jnp.full_like(zero, REACH)[None]])


@cache
def _trapezoidal(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    z = np.linspace(-REACH, REACH, nodes)
    return z, np.full(nodes, z[1] - z[0])


@cache
def _double_exponential(nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes of (0, 1) as distances from its left and its right end, both exact, and weights."""
    t = np.linspace(-WIDTH, WIDTH, nodes)
    a = np.pi / 2 * np.sinh(t)
    weight = (t[1] - t[0]) * np.pi / 4 * np.cosh(t) / np.cosh(a) ** 2
    return 1 / (1 + np.exp(-2 * a)), 1 / (1 + np.exp(2 * a)), weight
