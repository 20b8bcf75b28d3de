"""Certified E[sigma^(m)(w.x) sigma^(m)(v.x)] of smooth activations and of biased ReLUs, as one integral.

Given w.x, v.x is normal with a known mean and variance; the mean of sigma^(m) of it is elementary. What is left is an
integral over w.x, whose error Arb bounds (acb.integral). No closed form of a pair is used.

An activation here is a function (m, mean, variance) -> E[sigma^(m)(N(mean, variance))] of complex balls; at variance
0 it is sigma^(m) itself. m = 0, 1, 2.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb, factorial, isqrt

import flint
import numpy as np
from flint import acb, arb

from .arithmetic import density, distribution
from .integrals import Balls, Plane, Vector, plane
from .precision import rational

Smoothed = Callable[[int, acb, arb], acb]


def erf(m: int, mean: acb, variance: arb) -> acb:
    """erf(t) = 2 P(N < sqrt(2) t) - 1, and N less sqrt(2) times the noise is normal again."""
    q = (1 + 2 * variance).sqrt()
    x = mean / q
    bell = 2 / arb.pi().sqrt() * (-x * x).exp()
    return (x.erf(), bell / q, -2 * x * bell / q**2)[m]


def gaussian(m: int, mean: acb, variance: arb) -> acb:
    """exp(-t^2/2) is sqrt(2 pi) times a density, and densities convolve."""
    q = (1 + variance).sqrt()
    x = mean / q
    return (acb(1), -x, x * x - 1)[m] * (-x * x / 2).exp() / q ** (m + 1)


def gelu(m: int, mean: acb, variance: arb) -> acb:
    """E[X Phi(X)] = mean E[Phi(X)] + variance E[phi(X)] by Stein's lemma, and its derivatives in the mean."""
    q = (1 + variance).sqrt()
    x = mean / q
    if m == 0:
        return mean * distribution(x) + variance / q * density(x)
    return (distribution(x) + x * density(x) / q**2, density(x) / q * (1 + (1 - x * x) / q**2))[m - 1]


def relu(width: Fraction) -> Smoothed:
    """E[(t + width Z)_+], whose slope is Phi(t / width): (N + width Z)_+ of one normal number of both variances."""

    def smoothed(m: int, mean: acb, variance: arb) -> acb:
        q = (rational(width) ** 2 + variance).sqrt()
        x = mean / q
        return (q * (x * distribution(x) + density(x)), distribution(x), density(x) / q)[m]

    return smoothed


def cosine(frequency: Fraction, phase: Fraction, quarters: int = 0) -> Smoothed:
    """cos(frequency t + phase + quarters pi/2): E exp(i s N) = exp(-s^2/2)."""

    def smoothed(m: int, mean: acb, variance: arb) -> acb:
        omega = rational(frequency)
        angle = omega * mean + rational(phase) + (m + quarters) * arb.pi() / 2
        return omega**m * (-(omega**2) * variance / 2).exp() * angle.cos()

    return smoothed


def polynomial(coefficients: Sequence[Fraction]) -> Smoothed:
    """By the moments (2j - 1)!! of the normal distribution."""

    def smoothed(m: int, mean: acb, variance: arb) -> acb:
        total = acb(0)
        for n, coefficient in enumerate(coefficients[m:]):
            scale = coefficient * (factorial(n + m) // factorial(n))
            for j in range(n // 2 + 1):
                pairings = comb(n, 2 * j) * factorial(2 * j) // (2**j * factorial(j))
                total += rational(Fraction(scale * pairings)) * variance**j * mean ** (n - 2 * j)
        return total

    return smoothed


# Integrals.


def moments(activation: Smoothed, w: Vector, v: Vector, orders: int = 3) -> Balls:
    """Of every order below `orders`, for activations with |sigma^(m)(t)| <= 8 (1 + |t|)^3."""
    p = plane(w, v)

    def moment(m: int) -> arb:
        def integrand(z: acb, _) -> acb:
            return density(z) * activation(m, p.r * z, arb(0)) * activation(m, p.a * z, p.b**2)

        end = _end()
        return acb.integral(integrand, acb(-end), acb(end)).real + _tails(p, end)

    return np.array([moment(m) for m in range(orders)], dtype=object)


def biased_moments(w: Vector, v: Vector, biases: Sequence[Fraction]) -> Balls:
    """E[(w.x + b)_+ (v.x + b')_+] and the probability that both are positive, over w.x > -b.

    The mean of (N(mean, s^2))_+ is mean Phi(mean / s) + s phi(mean / s).
    """
    p, (b, b_) = plane(w, v), map(rational, biases)

    def moment(m: int) -> arb:
        def integrand(z: acb, _) -> acb:
            x = (p.a * z + b_) / p.b
            theirs = p.b * (x * distribution(x) + density(x)) if m == 0 else distribution(x)
            return density(z) * (p.r * z + b) ** (1 - m) * theirs

        end = _end()
        return acb.integral(integrand, acb(-b / p.r), acb(end)).real + _tails(p, end)

    return np.array([moment(m) for m in range(2)], dtype=object)


def _end() -> int:
    """T: exp(-T^2/2) is below the working precision."""
    return isqrt(7 * flint.ctx.prec // 5) + 2


def _tails(p: Plane, end: int) -> arb:
    """A ball around 0 of the integral over |z| > T >= 4 of a product bounded by 8 (1 + |u|)^3 8 (1 + |u'|)^3.

    1 + |x + y| <= (1 + |x|)(1 + |y|), E(1 + b|N|)^3 <= 9 (1 + b)^3, (1 + r|z|)^3 <= (1 + r)^3 |z|^3 for |z| >= 1, and
    the integral of z^6 phi(z) from T is at most 2 T^5 phi(T).
    """
    T = arb(end)
    growth = 64 * 9 * ((1 + p.r) * (1 + abs(p.a)) * (1 + p.b)) ** 3
    return arb(0, 1) * (growth * 4 * T**5 * density(T)).upper()
