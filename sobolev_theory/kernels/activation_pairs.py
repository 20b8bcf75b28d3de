"""What a sum over pairs needs of two activations: E[sigma^(m)(u) tau^(m)(u')], and its slopes in the first neuron.

With u = w.x + b, x ~ N(mean, Sigma), and f and h the m-th derivatives,
  d/dw E[f(u) h(u')] = E[f'(u) h(u') x] = E[f' h] mean + E[f'' h] Sigma w + E[f' h'] Sigma w'   (Stein),
where f' is a distribution. The population gradient has f' without the deltas at kinks of f, which no sample sees; the
boundary term has them alone; the gradient of the loss has all of f'. Everything else is the same.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import jax
import jax.numpy as jnp

from ..model.activation_terms import deltas, derivative, smooth_part
from ..model.activations import has_jumps
from .gaussian_pairs import GaussianPair, Pairs
from .moments_of_two import expectations, is_closed, zero

if TYPE_CHECKING:
    from ..model.activations import Activation

Part = Literal["population", "boundary", "loss"]  # of a gradient
PARTS = {"population": smooth_part, "boundary": deltas, "loss": lambda terms: terms}


class Slopes(NamedTuple):
    """E[f h], E[f' h], E[f'' h] and E[f' h']."""

    value: Pairs
    mean: Pairs
    own: Pairs
    covariance: Pairs


def values(
    sigma: "Activation", tau: "Activation", orders: Sequence[int], pair: GaussianPair, nodes: int
) -> list[Pairs]:
    """E[sigma^(m)(u) tau^(m)(u')] for every order."""
    if _by_dual(sigma, tau, pair):
        return [sigma.dual(m, *_gram(pair)) for m in orders]
    products = [(derivative(sigma.terms, m), derivative(tau.terms, m)) for m in orders]
    return expectations(products, pair, nodes)


def slopes(
    sigma: "Activation", tau: "Activation", orders: Sequence[int], pair: GaussianPair, part: Part, nodes: int
) -> list[Slopes]:
    """The value and what the gradient of the first neuron needs, f' being the `part` of it, for every order.

    Of the boundary term the value is 0.
    """
    if _by_dual(sigma, tau, pair) and part != "boundary":
        whole = [_slopes_of_dual(sigma, m, pair) for m in orders]
        if part == "loss" or not any(has_jumps(sigma, m) for m in orders):
            return whole
        unseen = slopes(sigma, tau, orders, pair, "boundary", nodes)
        return [Slopes(*(x - y for x, y in zip(*both, strict=True))) for both in zip(whole, unseen, strict=True)]
    products = []
    for m in orders:
        f, h = derivative(sigma.terms, m), derivative(tau.terms, m)
        slope = PARTS[part](derivative(f))
        products += [
            (f if part != "boundary" else (), h),
            (slope if pair.mean is not None else (), h),
            (derivative(slope), h),
            (slope, derivative(h)),
        ]
    found = iter(expectations(products, pair, nodes))
    return [Slopes(*four) for four in zip(found, found, found, found, strict=True)]


def by_quadrature(sigma: "Activation", tau: "Activation", order: int, centred: bool) -> bool:
    """Whether E[sigma^(m)(u) tau^(m)(u')] has no closed form."""
    if centred and sigma.has_own_dual and sigma == tau:
        return False
    f, h = derivative(sigma.terms, order), derivative(tau.terms, order)
    if any(factor.kind == "function" for _, factor in (*f, *h)):
        return True
    return not all(is_closed(left, right) for _, left in f for _, right in h)


def _by_dual(sigma: "Activation", tau: "Activation", pair: GaussianPair) -> bool:
    return sigma.has_own_dual and bool(sigma == tau) and pair.is_centred


def _gram(pair: GaussianPair) -> tuple[Pairs, Pairs, Pairs]:
    ones = jnp.ones_like(pair.covariance)
    return pair.norm**2 * ones, pair.covariance, pair.norm_**2 * ones


def _slopes_of_dual(sigma: "Activation", order: int, pair: GaussianPair) -> Slopes:
    gram = _gram(pair)
    ones, zeros = jnp.ones_like(gram[1]), jnp.zeros_like(gram[1])

    def dual(*entries):
        return sigma.dual(order, *entries)

    value, by_variance = jax.jvp(dual, gram, (ones, zeros, zeros))
    _, by_covariance = jax.jvp(dual, gram, (zeros, ones, zeros))
    return Slopes(value, zero(pair), 2 * by_variance, by_covariance)
