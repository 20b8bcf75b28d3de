"""The recurrence and the obtuse series of `sobolev_theory.kernels.truncated_powers`, from the kernels' integrals.

Returns, every function:
    A defect is an expression, 0 if the recurrence holds; a coefficient is a rational number.
"""

import sympy as sp

from . import kernels
from .algebra import tidy
from .frame import theta

__all__ = ["obtuse_coefficient", "recurrence_defect"]
__dir__ = __all__.copy


def recurrence_defect(n: int) -> sp.Expr:
    """J_(n+1) - (2n+1) cos J_n - n^2 sin^2 J_(n-1) for n >= 1, and J_1 - sin - cos J_0 for n = 0; 0 if it holds.

    Example:
        >>> from sobolev_theory.symbolic import truncated_powers
        >>> truncated_powers.recurrence_defect(2)
        0
    """
    J, cos, sin = kernels.angular, sp.cos(theta), sp.sin(theta)
    if n == 0:
        return tidy(J(1) - sin - cos * J(0))
    return tidy(J(n + 1) - (2 * n + 1) * cos * J(n) - n**2 * sin**2 * J(n - 1))


def obtuse_coefficient(n: int, k: int) -> sp.Rational:
    """c_k of J_n = x^(n + 1/2) sum_k c_k x^k, x = (1 + cos)/2: Price's theorem integrated n times from cos = -1.

    J_0 = 2 arcsin(sqrt(x)), whose series is that of (1 - s^2)^(-1/2) integrated; dcos = 2 dx.

    Example:
        >>> from sobolev_theory.symbolic import truncated_powers
        >>> truncated_powers.obtuse_coefficient(0, 1)
        1/3
    """
    coefficient = 2 * (-1) ** k * sp.binomial(sp.Rational(-1, 2), k) / (2 * k + 1)
    x = sp.Symbol("x", positive=True)
    term = coefficient * x ** (k + sp.Rational(1, 2))
    for step in range(1, n + 1):
        term = 2 * step**2 * sp.integrate(term, x)
    return sp.Rational(term.subs(x, 1))
