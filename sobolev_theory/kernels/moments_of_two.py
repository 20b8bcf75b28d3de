"""E[F(u) H(u')] over Gaussian pairs (u, u') for the factors of activations, deltas included, with all derivatives.

Three rules make every one of them that has a closed form, for fields of any means:
* one field alone: truncated moments of a normal variable (`moments_of_one`);
* a delta in u pins u; what is left is one field, u' given u (`_pinned`);
* a power n >= 1 comes down by Stein's identity, E[u F H] = mean E[F H] + variance E[F' H] + covariance E[F H'].
What they end in is the orthant probability E[1(u > 0) 1(u' > 0)], and the characteristic function for two waves.
Widths only widen the pair: E[(u + width Z)_+^n ...] is a moment of (u + width Z, u'). The rest is `quadrature`.

Derivatives are Price's theorem: d/d mean is E[F' H], d/d covariance E[F' H'], d/d variance E[F'' H] / 2. So they are
moments again, and exact at every angle where they exist.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import comb

import jax
import jax.numpy as jnp

from ..geometry.angles import inverse_or_zero, inverse_sine
from ..model.activation_terms import ONE, Factor, Terms, derivative
from ..model.materialised import materialised
from . import quadrature, truncated_powers
from .gaussian_pairs import GaussianPair, Pairs, standardised
from .moments_of_one import delta_moment, of_one, pointwise, without_jumps
from .orthant_probability import normal_cdf, normal_density, orthant_probability
from .quadrature import Rule

Request = tuple[Factor, Factor]


def expectations(products: Sequence[tuple[Terms, Terms]], pair: GaussianPair, nodes: int) -> list[Pairs]:
    """E[F(u) H(u')] for products of sums of factors; `nodes` on one axis for what has no closed form."""
    requests = tuple(dict.fromkeys((f, h) for left, right in products for _, f in left for _, h in right))
    known = dict(zip(requests, moments(requests, nodes, pair), strict=True))
    return [sum((a * b * known[f, h] for a, f in left for b, h in right), zero(pair)) for left, right in products]


def zero(pair: GaussianPair) -> Pairs:
    return jnp.zeros_like(pair.norm * pair.norm_ * pair.angles.cos)


def is_closed(left: Factor, right: Factor) -> bool:
    """Whether E[F(u) H(u')] needs no quadrature in two dimensions."""
    if left.is_delta or right.is_delta or ONE in (left, right):
        return True
    kinds = {left.kind, right.kind}
    return "function" not in kinds and kinds != {"truncated power", "wave"}  # those need a complex error function


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def moments(requests: tuple[Request, ...], nodes: int, pair: GaussianPair) -> tuple[Pairs, ...]:
    """E[F(u) H(u')] for every request (F, H)."""
    tables: dict[tuple[float, float, float, float], _Table] = {}
    rule = Rule(nodes, pair.coarse)
    known = _by_quadrature([request for request in requests if not is_closed(*request)], rule, pair)
    for left, right in requests:
        if (left, right) not in known:
            place = (left.kink, right.kink, left.width, right.width)
            if place not in tables:
                tables[place] = _Table(pair.shifted(*place[:2]).widened(*place[2:]), rule)
            known[left, right] = tables[place](_bare(left), _bare(right))
    return tuple(known[request] + zero(pair) for request in requests)


def _by_quadrature(requests: list[Request], rule: Rule, pair: GaussianPair) -> dict[Request, Pairs]:
    """In one pass over the plane for all requests with the same kinks."""
    passes: dict[tuple, list[Request]] = {}
    for left, right in requests:
        passes.setdefault((left.where_not_smooth, right.where_not_smooth), []).append((left, right))
    known: dict[Request, Pairs] = {}
    for (kinks, kinks_), together in passes.items():
        sides = [list(dict.fromkeys(side)) for side in zip(*together, strict=True)]
        wanted = [(sides[0].index(left), sides[1].index(right)) for left, right in together]
        f, h = ([pointwise(factor) for factor in side] for side in sides)
        known |= zip(together, quadrature.of_two(f, kinks, h, kinks_, wanted, rule, pair), strict=True)
    return known


@moments.defjvp
def _moments_jvp(requests, nodes, primals, tangents):
    (pair,), (step,) = primals, tangents
    _, of_covariance = jax.jvp(lambda pair: pair.covariance, (pair,), (step,))
    rates = {  # by how often F and H are differentiated
        (2, 0): pair.norm * step.norm,
        (0, 2): pair.norm_ * step.norm_,
        (1, 1): of_covariance,
    }
    if pair.mean is not None:
        rates[1, 0] = step.mean
    if pair.mean_ is not None:
        rates[0, 1] = step.mean_
    wanted: dict[Request, int] = {request: k for k, request in enumerate(dict.fromkeys(requests))}
    sums = []
    for left, right in requests:
        sums.append(
            [
                (c * c_, wanted.setdefault((f, h), len(wanted)), rate)
                for (n, k), rate in rates.items()
                for c, f in derivative(((1.0, left),), n)
                for c_, h in derivative(((1.0, right),), k)
            ]
        )
    values = moments(tuple(wanted), nodes, pair)
    along = tuple(sum((c * values[k] * rate for c, k, rate in terms), zero(pair)) for terms in sums)
    return tuple(values[wanted[request]] for request in requests), along


def _bare(factor: Factor) -> Factor:
    return replace(factor, kink=0.0, width=0.0)


class _Table:
    """The moments of one pair of fields, each computed once; truncated powers and powers at 0, of width 0."""

    def __init__(self, pair: GaussianPair, rule: Rule, exchanged: "_Table | None" = None):
        self.pair, self.rule = pair, rule
        self.known: dict[Request, Pairs] = {}
        self.exchanged = _Table(pair.exchanged, rule, self) if exchanged is None else exchanged

    def __call__(self, left: Factor, right: Factor) -> Pairs:
        if (left, right) not in self.known:
            self.known[left, right] = materialised(self._found(left, right))
        return self.known[left, right]

    def _found(self, left: Factor, right: Factor) -> Pairs:
        if left.is_delta:
            return self._pinned(left, right)
        if right.is_delta:
            return self.exchanged(right, left)
        if left == ONE:
            return of_one(right, self.pair.means[1], self.pair.norm_, self.rule)
        if right == ONE:
            return of_one(left, self.pair.means[0], self.pair.norm, self.rule)
        if left.kind == right.kind == "wave":
            return self._waves(left, right)
        if left.kind == right.kind == "truncated power":
            if self.pair.is_centred and truncated_powers.is_stable(left.power, right.power):
                return truncated_powers.moment(left.power, right.power, self.pair)
            if left.power == right.power == 0:
                return self._orthant()
        return self._by_stein(left, right) if left.power > 0 else self.exchanged(right, left)

    def _by_stein(self, left: Factor, right: Factor) -> Pairs:
        """u F with F of one power less."""
        pair, less = self.pair, replace(left, power=left.power - 1)
        value = zero(pair) if pair.mean is None else pair.mean * self(less, right)
        for (n, k), rate in (((1, 0), pair.norm**2), ((0, 1), pair.covariance)):
            for c, f in derivative(((1.0, less),), n):
                for c_, h in derivative(((1.0, right),), k):
                    value = value + c * c_ * rate * self(f, h)
        return value

    def _pinned(self, delta: Factor, right: Factor) -> Pairs:
        """The a-th derivative in the mean of the density of u at 0 times E[H(u') | u = 0]."""
        pair, order = self.pair, -1 - delta.power
        own = pair.means[0]
        far = normal_density(standardised(own, pair.norm)) == 0.0  # where 1 / norm may overflow
        # of the mean of u' with that of u
        turn = jnp.where(far, 0.0, -pair.angles.cos * pair.norm_ * inverse_or_zero(pair.norm))
        value = zero(pair)
        for k in range(order + 1):
            rest = (c * self._given_zero(h) for c, h in derivative(((1.0, right),), k))
            density = of_one(replace(delta, power=delta.power + k), own, pair.norm, self.rule)
            value = value + comb(order, k) * density * turn**k * sum(rest, zero(pair))
        return value

    def _given_zero(self, factor: Factor) -> Pairs:
        """E[H(u') | u = 0]; with the inverse of the sine 0 where the pair is parallel, the mean of its limits."""
        mean, norm = self._law_given_zero(factor.kink)
        if factor.is_delta:
            inverse = inverse_sine(self.pair.angles) * inverse_or_zero(self.pair.norm_)
            return delta_moment(-1 - factor.power, mean * inverse, inverse)
        if factor.kind != "function":
            return of_one(replace(factor, kink=0.0), mean, norm, self.rule)
        value = quadrature.of_one(without_jumps(factor), factor.kinks, mean, norm, self.rule)
        for kink in factor.kinks:
            if jump := factor.beside(kink).jump:
                value = value + jump * normal_cdf(standardised(*self._law_given_zero(kink)))
        return value

    def _law_given_zero(self, kink: float = 0.0) -> tuple[Pairs, Pairs]:
        """Mean and standard deviation of u' - kink given u = 0."""
        pair = self.pair.shifted(0.0, kink)
        cos, sin, r_ = pair.angles.cos, pair.angles.sin, pair.norm_
        # of fields that pin each other, on the kink: the mean of the limits there
        smallest = jnp.maximum(r_ * jnp.finfo(sin.dtype).eps ** 2, 4 * jnp.finfo(sin.dtype).tiny)
        if pair.is_centred:
            return zero(pair), jnp.where((sin == 0) & (r_ > 0), smallest, r_ * sin) + zero(pair)
        mean, mean_ = pair.means
        z, z_ = standardised(mean, pair.norm), standardised(mean_, r_)
        # z' - cos z, for parallel fields as a difference, exactly 0 for equal ones, and a small rest
        rest = z * sin**2 / (1 + jnp.abs(cos))
        apart = jnp.where(cos >= 0, (z_ - z) + rest, (z_ + z) - rest)
        norm = jnp.where((apart == 0) & (sin == 0), smallest, r_ * sin)
        return jnp.where(r_ == 0, mean_, r_ * apart), norm

    def _waves(self, left: Factor, right: Factor) -> Pairs:
        """cos a cos b = (cos(a - b) + cos(a + b)) / 2, and E[cos X] = cos(mean) exp(-variance / 2)."""
        pair, (mean, mean_) = self.pair, self.pair.means
        f, f_ = left.frequency, right.frequency
        a, b = f * mean + left.phase, f_ * mean_ + right.phase
        sizes, cross = (f * pair.norm) ** 2 + (f_ * pair.norm_) ** 2, 2 * f * f_ * pair.covariance
        return (jnp.cos(a - b) * jnp.exp(-(sizes - cross) / 2) + jnp.cos(a + b) * jnp.exp(-(sizes + cross) / 2)) / 2

    def _orthant(self) -> Pairs:
        pair, (mean, mean_) = self.pair, self.pair.means
        return orthant_probability(standardised(mean, pair.norm), standardised(mean_, pair.norm_), pair.angles)
