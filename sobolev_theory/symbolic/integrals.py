"""Gaussian expectations over the sets where neurons are active, by integration in polar coordinates.

In the plane of w and w*, x = R (cos phi, sin phi), the neuron w is active for |phi| < pi/2 and w* for
|phi - theta| < pi/2: polynomials are integrated over a sector of angles, with the radius apart. A delta on a
hyperplane leaves the two rays of a line. The third coordinate is independent of the plane and standard normal.

Returns, every function:
    An expression for an expression; for a vector or a matrix one of its shape.
"""

from functools import cache

import sympy as sp

from .algebra import tidy
from .frame import theta

__all__ = [
    "expectation", "gaussian_moment", "half_line_moment", "on_the_boundary", "phi", "radial_moment", "radius", "x1",
    "x2", "x3",
]  # fmt: skip
__dir__ = __all__.copy

x1, x2, x3 = sp.symbols("x_1:4", real=True)
x = sp.Matrix([x1, x2, x3])
phi, radius = sp.Symbol("phi", real=True), sp.Symbol("R", positive=True)

W, W_STAR, BOTH = "w", "w*", "both"
SECTORS = {
    W: (-sp.pi / 2, sp.pi / 2),
    W_STAR: (theta - sp.pi / 2, theta + sp.pi / 2),
    BOTH: (theta - sp.pi / 2, sp.pi / 2),
}


def expectation(polynomial: sp.Expr | sp.Matrix, active: str) -> sp.Expr | sp.Matrix:
    """E[f(x) 1(the neurons are active)], x ~ N(0, I), for f a polynomial in x_1, x_2, x_3, entry by entry.

    Args:
        active: "w", "w*" or "both".

    Raises:
        ValueError: another `active`.

    Example:
        >>> from sobolev_theory.symbolic import integrals
        >>> integrals.expectation(1, "both")
        -theta/(2*pi) + 1/2
    """
    if active not in SECTORS:
        raise ValueError(f"active: got {active!r}; needs one of {', '.join(map(repr, SECTORS))}")
    if isinstance(polynomial, sp.MatrixBase):
        return polynomial.applyfunc(lambda entry: expectation(entry, active))
    terms = sp.Poly(polynomial, x1, x2, x3).terms()
    return tidy(sum(c * _sector_moment(m, n, *SECTORS[active]) * gaussian_moment(k) for (m, n, k), c in terms))


def on_the_boundary(polynomial: sp.Expr | sp.Matrix, norm: sp.Expr) -> sp.Expr | sp.Matrix:
    """E[f(x) delta(w.x) 1(w*.x > 0)], w = norm v: the ray x_1 = 0, x_2 > 0 on which w switches and w* is active.

    The density of w.x at 0 is 1 / (norm sqrt(2 pi)).

    Example:
        >>> from sobolev_theory.symbolic import integrals
        >>> integrals.on_the_boundary(integrals.x, integrals.radius).T
        Matrix([[0, 1/(2*pi*R), 0]])
    """
    if isinstance(polynomial, sp.MatrixBase):
        return polynomial.applyfunc(lambda entry: on_the_boundary(entry, norm))
    terms = sp.Poly(polynomial, x1, x2, x3).terms()
    density = 1 / (norm * sp.sqrt(2 * sp.pi))
    return sum(c * density * half_line_moment(n) * gaussian_moment(k) for (m, n, k), c in terms if m == 0)


@cache
def gaussian_moment(n: int) -> sp.Expr:
    """E[t^n], t ~ N(0, 1)."""
    return half_line_moment(n) * (1 + (-1) ** n)


@cache
def half_line_moment(n: int) -> sp.Expr:
    """E[t^n 1(t > 0)], t ~ N(0, 1)."""
    density = sp.exp(-(radius**2) / 2) / sp.sqrt(2 * sp.pi)
    return sp.simplify(sp.integrate(radius**n * density, (radius, 0, sp.oo)))


@cache
def radial_moment(n: int) -> sp.Expr:
    """E[R^n], R = |x| for x ~ N(0, I_2)."""
    return sp.simplify(sp.integrate(radius ** (n + 1) * sp.exp(-(radius**2) / 2), (radius, 0, sp.oo)))


@cache
def _sector_moment(m: int, n: int, start: sp.Expr, stop: sp.Expr) -> sp.Expr:
    """E[x_1^m x_2^n 1(start < phi < stop)] in the plane."""
    antiderivative = sp.integrate(sp.cos(phi) ** m * sp.sin(phi) ** n, phi)
    swept = antiderivative.subs(phi, stop) - antiderivative.subs(phi, start)
    return radial_moment(m + n) * swept / (2 * sp.pi)
