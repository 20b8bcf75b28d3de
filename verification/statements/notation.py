"""The symbols that statements are written in: neurons, their geometry, and the quantities that are claimed about.

r = |w|, r* = |w*|, theta and rho = r*/r are those of `sobolev_theory.symbolic`; vectors are columns of d entries. Of
a pair of any two neurons the second one is printed v. A quantity has no formula here: each method computes it.
"""

from typing import ClassVar

import sympy as sp

from sobolev_theory.symbolic import r, r_star, rho, theta

d = sp.Symbol("d", integer=True, positive=True)
identity = sp.Identity(d)


def vector(name: str) -> sp.MatrixSymbol:
    return sp.MatrixSymbol(name, d, 1)


def matrix(name: str) -> sp.MatrixSymbol:
    return sp.MatrixSymbol(name, d, d)


# Neurons, the unit vectors along them, and those in their plane that are orthogonal to one, towards the other.
w, w_star = vector("w"), vector("w^{*}")
w_hat, w_star_hat = vector(r"\hat{w}"), vector(r"\hat{w}^{*}")
e, e_star = vector("e"), vector("e^{*}")

s, c, pi = sp.sin(theta), sp.cos(theta), sp.pi
half = sp.Rational(1, 2)


class Name(sp.Symbol):
    """A name that is printed as it is spelled, and stands for the other side of its equation."""

    def _latex(self, printer) -> str:
        return self.name


class Number(sp.Function):
    """A real number that depends on numbers, vectors or matrices; `spelled` says how it is printed."""

    spelled: ClassVar[str] = ""
    is_commutative = True
    is_real = True

    @classmethod
    def eval(cls, *arguments):
        return None

    def _eval_is_commutative(self) -> bool:
        return True

    def _latex(self, printer, exp: str | None = None) -> str:
        text = self.spelled.format(*(printer.doprint(x) for x in self.args))
        return text if exp is None else f"{{{text}}}^{{{exp}}}"


class Norm(Number):
    spelled = "|{}|"


class Dot(Number):
    def _latex(self, printer, exp: str | None = None) -> str:
        a, b = (printer.in_brackets(x) for x in self.args)
        return rf"{a} \cdot {b}" if exp is None else rf"\left({a} \cdot {b}\right)^{{{exp}}}"


class LambdaMin(Number):
    spelled = r"\lambda_{{\min}}({})"


class LambdaMax(Number):
    spelled = r"\lambda_{{\max}}({})"


class Kappa(Number):
    """The largest eigenvalue over the smallest one."""

    spelled = r"\kappa({})"


class Kappa2(Number):
    """The condition number in the 2-norm."""

    spelled = r"\kappa_2({})"


class PlaneDeterminant(Number):
    """The determinant of a matrix in the plane of w and w*."""

    spelled = r"\det({})|_{{\mathrm{{span}}(w, w^*)}}"


class Eigenvalue(Number):
    """Of the matrix in the first place, to a direction: a unit vector, or I for all orthogonal to w and w*."""

    def _latex(self, printer, exp: str | None = None) -> str:
        of, direction = self.args
        place = r"\perp" if isinstance(direction, sp.Identity) else printer.doprint(direction)
        return rf"\lambda_{{{place}}}({printer.doprint(of)})"


class Expectation(Number):
    spelled = r"E\left[{}\right]"


# Quantities: losses, population gradients, gradients of losses, Jacobians and Hessians.
L, J, H = sp.symbols("L J H", real=True)
G_L, G_J, G_H = vector("G_L"), vector("G_J"), vector("G_H")
grad_J, grad_H = vector(r"\nabla J"), vector(r"\nabla H")
DG_L, DG_J, DG_H, hess_H = matrix("DG_L"), matrix("DG_J"), matrix("DG_H"), matrix(r"\nabla^2H")
QUANTITIES = (L, J, H, G_L, G_J, G_H, grad_J, grad_H, DG_L, DG_J, DG_H, hess_H)

distance = Norm(w - w_star)


def descent(gradient: sp.MatrixSymbol) -> sp.Expr:
    """(w - w*) . G: how fast |w - w*|^2 / 2 falls."""
    return Dot(w - w_star, gradient)


__all__ = ["r", "r_star", "rho", "theta"]
