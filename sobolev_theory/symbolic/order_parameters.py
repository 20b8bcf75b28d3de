"""What SGD in order parameters rests on, derived: Saad and Solla's integral of four, and Hermite terms of ReLU.

Returns, every function:
    Expressions: of the integral in the covariances C[i, j] of four fields, of Hermite terms in numbers.
"""

from functools import cache
from typing import NamedTuple

import sympy as sp

from .frame import theta
from .kernels import angular
from .orthants import at_the_origin

__all__ = ["C", "Lambdas", "integral_of_four", "kernel_coefficients", "lambdas", "relu_coefficient"]
__dir__ = __all__.copy

C = sp.IndexedBase("C", real=True)


class Lambdas(NamedTuple):
    """The numbers that the integral of four is made of."""

    four: sp.Expr
    zero: sp.Expr
    one: sp.Expr
    two: sp.Expr


@cache
def lambdas() -> Lambdas:
    """g'(u_1) g'(u_2) = (2/pi) exp(-(u_1^2 + u_2^2) / 2) makes another Gaussian of u_3 and u_4.

    Its covariance D is C_bb - C_ba (C_aa + I)^(-1) C_ab, a being 1 and 2, b 3 and 4. Given are det(C_aa + I), and by
    it multiplied D_34, 1 + D_33 and 1 + D_44.

    Example:
        >>> import sympy as sp
        >>> from sobolev_theory.symbolic.order_parameters import C, lambdas
        >>> sp.expand(lambdas().four - (1 + C[1, 1]) * (1 + C[2, 2]) + C[1, 2] ** 2)
        0
    """
    a, b = (1, 2), (3, 4)
    first = sp.Matrix(2, 2, lambda i, j: _covariance(a[i], a[j]) + int(i == j))
    across = sp.Matrix(2, 2, lambda i, j: _covariance(a[i], b[j]))
    given = sp.Matrix(2, 2, lambda i, j: _covariance(b[i], b[j])) * first.det() - across.T * first.adjugate() * across
    four = first.det()
    return Lambdas(four, given[0, 1], four + given[0, 0], four + given[1, 1])


def _covariance(i: int, j: int) -> sp.Expr:
    return C[min(i, j), max(i, j)]


def integral_of_four(of: Lambdas) -> sp.Expr:
    """E[g'(u_1) g'(u_2) g(u_3) g(u_4)], g(u) = erf(u / sqrt(2)) = E[sign(u + z)] with z standard normal.

    The mean of two signs is 4 P - 1, P the probability that both are positive, at the angle whose cosine is the
    correlation.

    Example:
        >>> import sympy as sp
        >>> from sobolev_theory.symbolic import order_parameters
        >>> order_parameters.integral_of_four(order_parameters.Lambdas(*sp.symbols("a b c d", positive=True)))
        4*asin(b/(sqrt(c)*sqrt(d)))/(pi**2*sqrt(a))
    """
    correlation = of.zero / sp.sqrt(of.one * of.two)
    signs = sp.expand(4 * at_the_origin() - 1).subs(theta, sp.pi / 2 - sp.asin(correlation))
    return 2 / sp.pi / sp.sqrt(of.four) * sp.expand(signs)


@cache
def relu_coefficient(k: int) -> sp.Expr:
    """c_k = E[Z_+ He_k(Z)].

    Example:
        >>> from sobolev_theory.symbolic import order_parameters
        >>> [order_parameters.relu_coefficient(k) for k in (1, 3)]
        [1/2, 0]
    """
    z = sp.Symbol("z", positive=True)
    polynomial = sp.expand(z * 2 ** sp.Rational(-k, 2) * sp.hermite(k, z / sp.sqrt(2)))
    density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    return sp.simplify(sp.integrate(polynomial * density, (z, 0, sp.oo)))


@cache
def kernel_coefficients(highest: int) -> tuple[sp.Expr, ...]:
    """Of cos(theta)^k, k = 1 ... `highest`, in kappa_0 + kappa_1 = (J_1 + cos(theta) J_0) / (2 pi) of unit neurons.

    Example:
        >>> from sobolev_theory.symbolic import order_parameters
        >>> order_parameters.kernel_coefficients(3)
        (1/2, 3/(4*pi), 0)
    """
    c = sp.Symbol("c")
    both = (angular(1) + sp.cos(theta) * angular(0)).subs(theta, sp.pi / 2 - sp.asin(c)) / (2 * sp.pi)
    return tuple(sp.simplify(sp.diff(both, c, k).subs(c, 0) / sp.factorial(k)) for k in range(1, highest + 1))
