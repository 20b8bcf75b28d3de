"""The arc-cosine kernels E[(w.x)_+^n (w*.x)_+^n] = (|w||w*|)^n J_n(theta) / (2 pi), by three ways that must agree.

By integration over the wedge where both neurons are active; by the derivative formula of Cho & Saul (2009, eq. 4); by
Price's theorem, dJ_n/dcos(theta) = n^2 J_(n-1), with J_n(pi) = 0. And the orthant probability with its gradient.

Returns, every function:
    An expression in theta, or in r, r* and theta; gradients are vectors in the frame (v, e, orthogonal).
"""

from functools import cache

import sympy as sp

from . import integrals
from .algebra import tidy
from .frame import gradient, r, r_star, theta, u, v, w, w_star

__all__ = [
    "angular", "angular_by_derivatives", "angular_by_recursion", "orthant_gradient", "orthant_gradient_by_delta",
    "orthant_probability", "price_defect", "repu", "sobolev",
]  # fmt: skip
__dir__ = __all__.copy

HIGHEST = 8  # beyond it the expressions fill pages


@cache
def angular(n: int) -> sp.Expr:
    """J_n(theta) by integration over the wedge.

    Raises:
        ValueError: n is not a whole number from 0 to 8.

    Example:
        >>> from sobolev_theory.symbolic import kernels
        >>> kernels.angular(1)
        -theta*cos(theta) + sin(theta) + pi*cos(theta)
    """
    _check(n)
    x = integrals.x
    return tidy(2 * sp.pi * integrals.expectation((v.dot(x) * u.dot(x)) ** n, integrals.BOTH))


def angular_by_derivatives(n: int) -> sp.Expr:
    """J_n = (-1)^n sin^(2n+1) ((1/sin) d/dtheta)^n ((pi - theta)/sin), Cho & Saul (2009), eq. 4."""
    _check(n)
    value = (sp.pi - theta) / sp.sin(theta)
    for _ in range(n):
        value = sp.diff(value, theta) / sp.sin(theta)
    return tidy((-1) ** n * sp.sin(theta) ** (2 * n + 1) * value)


@cache
def angular_by_recursion(n: int) -> sp.Expr:
    """J_0 = pi - theta, J_n(theta) = n^2 int_theta^pi J_(n-1) sin, Price's theorem and J_n(pi) = 0."""
    _check(n)
    if n == 0:
        return sp.pi - theta
    antiderivative = sp.integrate(sp.expand(angular_by_recursion(n - 1) * sp.sin(theta)), theta)
    return tidy(n**2 * (antiderivative.subs(theta, sp.pi) - antiderivative))


def price_defect(n: int) -> sp.Expr:
    """dJ_n/dcos(theta) - n^2 J_(n-1) of the integrals, for n >= 1; 0 by Price's theorem."""
    _check(n)
    return tidy(-sp.diff(angular(n), theta) / sp.sin(theta) - n**2 * (angular(n - 1) if n else 0))


@cache
def repu(n: int) -> sp.Expr:
    """E[(w.x)_+^n (w*.x)_+^n] as a function of r, r* and theta.

    Example:
        >>> from sobolev_theory.symbolic import kernels
        >>> kernels.repu(0)
        -theta/(2*pi) + 1/2
    """
    return tidy((r * r_star) ** n * angular(n) / (2 * sp.pi))


def orthant_probability() -> sp.Expr:
    """P(w.x > 0, w*.x > 0) = (pi - theta) / (2 pi)."""
    return integrals.expectation(sp.Integer(1), integrals.BOTH)


def orthant_gradient() -> sp.Matrix:
    """grad_w P = e / (2 pi r), by differentiation of the probability."""
    return gradient(orthant_probability())


def orthant_gradient_by_delta() -> sp.Matrix:
    """E[delta(w.x) 1(w*.x > 0) x], the same without the probability."""
    return integrals.on_the_boundary(integrals.x, r)


def sobolev(activation_power: int, order: int) -> sp.Expr:
    """kappa_m = (w.w*)^m E[sigma^(m)(w.x) sigma^(m)(w*.x)] of sigma = (t)_+^p, for m <= p.

    Raises:
        ValueError: m > p, where the expectation is infinite or not defined.

    Example:
        >>> from sobolev_theory.symbolic import kernels
        >>> kernels.sobolev(1, 1)
        -r*r^**theta*cos(theta)/(2*pi) + r*r^**cos(theta)/2
    """
    if not 0 <= order <= activation_power:
        raise ValueError(f"order: got {order}; needs a whole number from 0 to the power {activation_power}")
    falling = sp.ff(activation_power, order) ** 2
    return tidy(falling * w.dot(w_star) ** order * repu(activation_power - order))


def _check(n: int) -> None:
    if not (isinstance(n, int) and 0 <= n <= HIGHEST):
        raise ValueError(f"n: got {n!r}; needs a whole number from 0 to {HIGHEST}")
