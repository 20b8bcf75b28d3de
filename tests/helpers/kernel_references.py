"""E[f(u) h(u')] of correlated Gaussians in ball arithmetic, to 40 digits, by another route than the library's.

The library comes down by Stein's identity to orthant probabilities. Here one variable is integrated by Arb, with a
certified error, and the other, given it, is averaged in a closed form of its own: moments of a truncated Gaussian by
recursion, completed squares, characteristic functions.
"""

from collections.abc import Callable
from itertools import pairwise
from math import comb, factorial
from typing import NamedTuple

from flint import acb, arb

from verification.balls import precision

DIGITS, BITS = 40, 240
REACH = 16  # exp(-16^2 / 2) = 3e-56, times powers of 16 below 1e9


class Inner(NamedTuple):
    """A function with at most a kink at 0: analytic below and above it, and E[f(m + s Z)] of m and s."""

    below: Callable[[acb], acb]
    above: Callable[[acb], acb]
    mean: Callable[[acb, arb], acb]


def precisely():
    """Balls of BITS bits."""
    return precision(BITS)


def density(x):
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def distribution(x):
    return (-x / arb(2).sqrt()).erfc() / 2


def smooth(mean: Callable[[acb, arb], acb]) -> Inner:
    return Inner(lambda t: mean(t, arb(0)), lambda t: mean(t, arb(0)), mean)


def truncated(n: int) -> Inner:
    """(t)_+^n."""

    def mean(m, s):
        x = m / s
        moments = [distribution(x), x * distribution(x) + density(x)]
        for k in range(2, n + 1):
            moments.append(x * moments[k - 1] + (k - 1) * moments[k - 2])
        return s**n * moments[n]

    return Inner(lambda t: acb(0), lambda t: acb(t) ** n, mean)


def power(n: int) -> Inner:
    """t^n."""
    return smooth(
        lambda m, s: sum((comb(n, k) * _moment(k) * s**k * acb(m) ** (n - k) for k in range(n + 1)), acb(0))
    )


def _moment(k: int) -> int:
    return 0 if k % 2 else factorial(k) // (2 ** (k // 2) * factorial(k // 2))


def wave(frequency: float, phase) -> Inner:
    return smooth(lambda m, s: (frequency * acb(m) + phase).cos() * (-((arb(frequency) * s) ** 2) / 2).exp())


def scaled(factor, inner: Inner) -> Inner:
    below, above, mean = inner
    return Inner(lambda t: factor * below(t), lambda t: factor * above(t), lambda m, s: factor * mean(m, s))


def added(*inners: Inner) -> Inner:
    return Inner(
        lambda t: sum((inner.below(t) for inner in inners), acb(0)),
        lambda t: sum((inner.above(t) for inner in inners), acb(0)),
        lambda m, s: sum((inner.mean(m, s) for inner in inners), acb(0)),
    )


def bell(order: int) -> Inner:
    """The derivatives of exp(-t^2 / 2)."""

    def mean(m, s):
        v = 1 + s * s
        size = (-m * m / (2 * v)).exp() / v.sqrt()
        return size * (acb(1), -m / v, m * m / v**2 - 1 / v)[order]

    return smooth(mean)


def error_function(order: int) -> Inner:
    def mean(m, s):
        v = 1 + 2 * s * s
        if order == 0:
            return (m / v.sqrt()).erf()
        size = 2 / (arb.pi() * v).sqrt() * (-m * m / v).exp()
        return size * (acb(1), -2 * m / v)[order - 1]

    return smooth(mean)


def gelu(order: int) -> Inner:
    def mean(m, s):
        v = 1 + s * s
        q = v.sqrt()
        x = m / q
        if order == 0:
            return m * distribution(x) + s * s / q * density(x)
        if order == 1:
            return distribution(x) + m * density(x) / q**3
        return density(x) * (1 / q + 1 / q**3 - m * m / q**5)

    return smooth(mean)


def falling(p: int, m: int) -> int:
    return factorial(p) // factorial(p - m)


def expectation(f: Inner, h: Inner, norms, angle, means=(0.0, 0.0)) -> arb:
    """E[f(u) h(u')]; floats are taken as exact, balls as they are.

    Raises:
        ArithmeticError: the error is not certified to DIGITS.
    """
    with precisely():
        r, r_, theta, mean, mean_ = (x if isinstance(x, arb) else arb(float(x)) for x in (*norms, angle, *means))
        along, s = r_ * theta.cos(), r_ * theta.sin()
        if s == 0:
            return _of_one_variable(f, h, (r, along), (mean, mean_))

        def total(side, low: arb, high: arb) -> arb:
            def integrand(z, _):
                return density(z) * side(mean + r * z) * h.mean(mean_ + along * z, s)

            return acb.integral(integrand, acb(low), acb(high)).real

        kink = (-mean / r).max(arb(-REACH)).min(arb(REACH))
        value = total(f.below, arb(-REACH), kink) + total(f.above, kink, arb(REACH))
        if not value.rad() < arb(10) ** -DIGITS:
            raise ArithmeticError(f"reference: got {value}; needs {DIGITS} digits")
        return value


def _of_one_variable(f: Inner, h: Inner, slopes, means) -> arb:
    """u' is a function of u: between the kinks of both."""
    kinks = sorted(-mean / slope for mean, slope in zip(means, slopes, strict=True) if abs(mean / slope) < REACH)
    edges = [arb(-REACH), *kinks, arb(REACH)]
    total = arb(0)
    for low, high in pairwise(edges):
        sides = [
            inner.above if mean + slope * (low + high) / 2 > 0 else inner.below
            for inner, slope, mean in zip((f, h), slopes, means, strict=True)
        ]

        def integrand(z, _, sides=sides):
            product = density(z)
            for side, slope, mean in zip(sides, slopes, means, strict=True):
                product *= side(mean + slope * z)
            return product

        total += acb.integral(integrand, acb(low), acb(high)).real
    return total
