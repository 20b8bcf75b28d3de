"""E[f(u) h(u')] of correlated Gaussians at 30 digits and more, by another route than the library's.

The library comes down by Stein's identity to orthant probabilities. Here one variable is integrated numerically, and
the other, given it, is averaged in a closed form of its own: binomial sums of incomplete gamma functions, completed
squares, characteristic functions.
"""

from collections.abc import Callable
from math import comb

import mpmath as mp

Inner = Callable[[mp.mpf, mp.mpf], mp.mpf]  # E[f(m + s Z)] as a function of m and s; s = 0 gives f(m)
DIGITS = 30
REACH = 13  # exp(-13^2 / 2) = 2e-37


def truncated(n: int) -> Inner:
    """(t)_+^n."""

    def mean(m, s):
        if s == 0:
            return mp.mpf(m) ** n if m > 0 else mp.mpf(0)
        return mp.fsum(comb(n, k) * m ** (n - k) * s**k * _upper_moment(k, -m / s) for k in range(n + 1))

    return mean


def _upper_moment(k: int, a: mp.mpf) -> mp.mpf:
    """E[Z^k 1(Z > a)]."""
    tail = 2 ** (mp.mpf(k) / 2) / (2 * mp.sqrt(mp.pi)) * mp.gammainc(mp.mpf(k + 1) / 2, a * a / 2)
    return tail if a >= 0 else _moment(k) - (-1) ** k * tail


def _moment(k: int) -> mp.mpf:
    return mp.mpf(0) if k % 2 else mp.fac2(k - 1)


def power(n: int) -> Inner:
    return lambda m, s: mp.fsum(comb(n, k) * m ** (n - k) * s**k * _moment(k) for k in range(n + 1))


def wave(frequency: float, phase: float) -> Inner:
    w = mp.mpf(frequency)
    return lambda m, s: mp.cos(w * m + phase) * mp.exp(-((w * s) ** 2) / 2)


def scaled(factor, inner: Inner) -> Inner:
    return lambda m, s: factor * inner(m, s)


def added(*inners: Inner) -> Inner:
    return lambda m, s: mp.fsum(inner(m, s) for inner in inners)


def bell(order: int) -> Inner:
    """The derivatives of exp(-t^2 / 2)."""

    def mean(m, s):
        v = 1 + s * s
        size = mp.exp(-m * m / (2 * v)) / mp.sqrt(v)
        return size * (1, -m / v, m * m / v**2 - 1 / v)[order]

    return mean


def error_function(order: int) -> Inner:
    def mean(m, s):
        v = 1 + 2 * s * s
        if order == 0:
            return mp.erf(m / mp.sqrt(v))
        size = 2 / mp.sqrt(mp.pi * v) * mp.exp(-m * m / v)
        return size * (None, 1, -2 * m / v)[order]

    return mean


def gelu(order: int) -> Inner:
    def mean(m, s):
        v = 1 + s * s
        x = m / mp.sqrt(v)
        phi = mp.npdf(x)
        return (
            m * mp.ncdf(x) + s * s / mp.sqrt(v) * phi,
            mp.ncdf(x) + m * phi / v ** mp.mpf("1.5"),
            phi * (1 / mp.sqrt(v) + 1 / v ** mp.mpf("1.5") - m * m / v ** mp.mpf("2.5")),
        )[order]

    return mean


def falling(p: int, m: int) -> int:
    return mp.factorial(p) / mp.factorial(p - m)


def expectation(f: Inner, h: Inner, norms, angle, means=(0.0, 0.0), kinked: bool = False) -> mp.mpf:
    """E[f(u) h(u')]; `kinked` if f or h has a kink at 0."""
    with mp.workdps(DIGITS + 10):
        r, r_, theta, mean, mean_ = (mp.mpf(float(x)) for x in (*norms, angle, *means))
        cos, sin = mp.cos(theta), mp.sin(theta)
        cuts = {-REACH, -4, 0, 4, REACH}
        if kinked:
            cuts.add(-mean / r)
            centre, width = -mean_ / (r_ * cos), sin / abs(cos)  # 0 for one and the same field
            cuts |= {centre + k * width for k in (-8, -2, 0, 2, 8)}
        points = sorted(x for x in cuts if abs(x) <= REACH)

        def integrand(z):
            return mp.npdf(z) * f(mean + r * z, mp.mpf(0)) * h(mean_ + r_ * cos * z, r_ * sin)

        return mp.quad(integrand, points)
