"""Whether a rule of quadrature has seen the function that it integrates.

Two rules of few points can agree because both miss the same thing: a step between two points, a bump between them.
So every function of the user's is looked at once more, in one dimension, where many points are cheap: for a neuron
u = mean + norm z the products of its derivatives with themselves, which are what the pairs of neurons integrate, by
the rule at hand and by a fine one, whose points lie elsewhere. The mean size of a derivative over that of the
function is a frequency, which must not be beyond what the points of the rule can tell from a lower one. And the fine
rule is held to Stein's identity, E[z p(z) f(u)] - E[p'(z) f(u)] = norm E[p(z) f'(u)] with p(z) = 1 + z/2 and f' with
the deltas of the known jumps: it fails where a step is too steep even for the fine rule, at kinks that nobody has
declared, and for wrong rules of differentiation.
"""

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import inverse_or_zero
from ..model.activation_terms import Factor
from . import quadrature
from .gaussian_pairs import Pairs
from .moments_of_one import pointwise
from .orthant_probability import normal_density

if TYPE_CHECKING:
    from ..model.activations import Activation

FINE = 2**16 + 1  # points, as many as a pair of neurons takes in two dimensions


def unresolved(
    sigma: "Activation", order: int, mean: Pairs, norm: Pairs, nodes: int, further: int = 2
) -> Float[Array, ""]:
    """How far a rule of so many nodes, or any, is from seeing the functions of an activation; 0 if it has none.

    Args:
        order: of the derivative that is integrated; `further`: how many derivatives beyond it.
        mean, norm: of the pre-activations of any number of neurons.

    Returns:
        A scalar: the largest error of a product of two derivatives, each times a power of the norm, as gradients have
        it, relative to the largest product of no more derivatives; or the square of the defect of Stein's identity.
    """
    mean, norm = jnp.ravel(mean + 0 * norm), jnp.ravel(norm + 0 * mean)
    worst = jnp.zeros((), norm.dtype)
    for _, factor in sigma.terms:
        if factor.kind == "function":
            factor = replace(factor, power=factor.power + order)
            worst = jnp.maximum(worst, jnp.max(_of_function(factor, mean, norm, nodes, further)))
    return worst


def _of_function(factor: Factor, mean: Pairs, norm: Pairs, nodes: int, further: int) -> Pairs:
    """For every neuron."""
    derivatives = [replace(factor, power=factor.power + k) for k in range(max(further, 1) + 1)]
    taken = [(k, 0) for k in range(further + 1)] + ([(1, 1)] if further > 1 else [])
    functions = [pointwise(one) for one in derivatives]

    def at(z, weight):
        z = z + 0 * norm
        values = [norm**k * function(mean + norm * z) for k, function in enumerate(functions)]
        products = [values[k] * values[n] for k, n in taken]
        p = 1 + z / 2
        defects = [(z * p - 0.5) * f - p * df for f, df in itertools.pairwise(values)]
        sizes = [jnp.abs(x) for x in (*products, *values)]
        return jnp.stack([weight * x for x in (*(p * x for x in products), *defects, *sizes)])

    cuts = [(kink - mean) * inverse_or_zero(norm) for kink in factor.kinks]
    lengths = len(taken), len(functions) - 1, len(taken), len(functions)
    total = jnp.zeros((sum(lengths), *norm.shape), norm.dtype)
    rules = nodes, max(quadrature.finer(nodes), FINE)
    rough, fine = quadrature.of_many(at, cuts, rules, jnp.zeros_like(norm), total)
    ends = [sum(lengths[:k]) for k in range(1, 4)]
    products, defects, sizes, values = jnp.split(fine, ends)
    errors = [jnp.abs(rough[k] - products[k]) * _inverse(sizes[: k + 1]) for k in range(len(taken))]
    for k, (one, defect) in enumerate(zip(derivatives, defects, strict=False)):
        for kink, cut in zip(factor.kinks, cuts, strict=True):
            found = one.beside(kink).jump * norm**k * (1 + cut / 2) * normal_density(cut)
            defect = defect - jnp.where(norm == 0, 0.0, found)
        errors.append((defect * _inverse(values[: k + 2])) ** 2)
        waves = values[k + 1] > jnp.pi / quadrature.spacing(nodes, cuts, norm) * values[k]
        felt = values[k + 1] > max(1e-6, 1e3 * float(jnp.finfo(norm.dtype).eps)) * jnp.max(values[: k + 1], axis=0)
        errors.append(jnp.where(waves & felt, 1.0, 0.0))
    return jnp.max(jnp.stack(errors), axis=0)


def _inverse(sizes: Float[Array, "n *pairs"]) -> Pairs:
    """Of the largest."""
    return inverse_or_zero(jnp.max(sizes, axis=0))
