"""E[F(u)] of one Gaussian field u ~ N(mean, norm^2), for every factor of `activation_terms`."""

import jax.numpy as jnp

from ..geometry.angles import inverse_or_zero
from ..model.activation_terms import Factor
from ..model.one_sided import Function, smooth_beside
from . import quadrature
from .gaussian_pairs import FAR, Pairs, standardised
from .orthant_probability import normal_cdf, normal_density
from .quadrature import Rule


def of_one(factor: Factor, mean: Pairs, norm: Pairs, rule: Rule) -> Pairs:
    """E[F(u)]; a delta on a field without variance counts as 0. The rule is for a function of the user's."""
    if factor.kind == "function":
        return quadrature.of_one(pointwise(factor), factor.kinks, mean, norm, rule)
    if factor.kind == "wave":
        return jnp.cos(factor.frequency * mean + factor.phase) * jnp.exp(-((factor.frequency * norm) ** 2) / 2)
    mean = mean - factor.kink if factor.kink else mean
    if factor.width:
        norm = jnp.hypot(norm, factor.width)
    z = standardised(mean, norm)
    if factor.is_delta:
        return delta_moment(-1 - factor.power, z, inverse_or_zero(norm))
    if factor.kind == "power":
        before, value, first = jnp.zeros_like(z), jnp.ones_like(z), mean
    else:
        before, value = norm * normal_density(z), normal_cdf(z)
        first = mean * value + before
    for n in range(1, factor.power + 1):
        before, value = value, (first if n == 1 else mean * value + (n - 1) * norm**2 * before)
    return value


def delta_moment(order: int, z: Pairs, inverse: Pairs) -> Pairs:
    """E[delta^(order)(u)]: the derivative of the density in the mean, z = mean / norm, inverse = 1 / norm.

    Where the density is 0, so is its product with any power of the inverse, also with one that overflows.
    """
    z = jnp.clip(z, -FAR, FAR)
    before, hermite = jnp.zeros_like(z), jnp.ones_like(z)
    for n in range(order):
        before, hermite = hermite, z * hermite - n * before
    density = normal_density(z)
    inverse = jnp.where(density == 0.0, 0.0, inverse)
    return (-inverse) ** order * inverse * hermite * density


def pointwise(factor: Factor) -> Function:
    """The function itself, if it is no sharp delta: its expectation over a field without variance."""
    if factor.function is not None:
        return smooth_beside(factor.function, factor.power, factor.kinks)
    return lambda t: of_one(factor, t, jnp.zeros_like(t), Rule(0))


def without_jumps(factor: Factor) -> Function:
    """A function of the user's less steps of its jumps at its kinks, so that it is continuous, also at the kinks."""
    function = pointwise(factor)

    def continuous(t: Pairs) -> Pairs:
        value = function(t)
        for kink in factor.kinks:
            value = jnp.where(t == kink, factor.beside(kink).below, value)
        for kink in factor.kinks:
            value = value - jnp.where(t > kink, factor.beside(kink).jump, 0.0)
        return value

    return continuous
