"""A statement of SymPy in ball arithmetic: what certified integrals are compared with."""

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp
from flint import acb, arb

from sobolev_theory.symbolic import orthants, theta

from .precision import rational


def density(x):
    """The standard normal density of a ball, real or complex."""
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def distribution(x):
    """The standard normal distribution function of a ball, real or complex."""
    return (-x / arb(2).sqrt()).erfc() / 2


def corner(h: arb, k: arb, angle: arb) -> arb:
    square = (h * h + k * k - 2 * h * k * angle.cos()) / angle.sin() ** 2
    return (-square / 2).exp() / (2 * arb.pi())


def orthant(h: arb, k: arb, angle: arb) -> arb:
    """By Plackett's identity from a right angle, where X and Y are independent: dP/dtheta is minus the corner."""

    def slope(t: acb, _) -> acb:
        square = (h * h + k * k - 2 * h * k * t.cos()) / (t.sin() * t.sin())
        return (-square / 2).exp() / (2 * arb.pi())

    return distribution(h) * distribution(k) - acb.integral(slope, acb(arb.pi() / 2), acb(angle)).real


FUNCTIONS = {
    sp.exp: arb.exp,
    sp.sin: arb.sin,
    sp.cos: arb.cos,
    sp.asin: arb.asin,
    sp.acos: arb.acos,
    orthants.Density: density,
    orthants.Phi: distribution,
}


def evaluated(expression: sp.Expr, values: Mapping[sp.Symbol, arb]) -> arb:
    """By the tree of the expression; rationals and pi are balls of the working precision.

    Raises:
        TypeError: a symbol without a value, or a function or a power without a meaning here.
    """
    if expression in values:
        return values[expression]
    if isinstance(expression, sp.Rational):
        return rational(Fraction(int(expression.p), int(expression.q)))
    if expression is sp.pi:
        return arb.pi()
    arguments = [evaluated(argument, values) for argument in expression.args]
    if isinstance(expression, sp.Add):
        return sum(arguments, arb(0))
    if isinstance(expression, sp.Mul):
        product = arb(1)
        for argument in arguments:
            product *= argument
        return product
    if isinstance(expression, sp.Pow) and (2 * expression.exp).is_Integer:
        base = arguments[0] if expression.exp.is_Integer else arguments[0].sqrt()
        return base ** int(expression.exp if expression.exp.is_Integer else 2 * expression.exp)
    if isinstance(expression, orthants.Orthant | orthants.Corner):
        h, k = arguments
        return (orthant if isinstance(expression, orthants.Orthant) else corner)(h, k, values[theta])
    if expression.func in FUNCTIONS:
        return FUNCTIONS[expression.func](*arguments)
    raise TypeError(
        f"expression: got {expression}; needs rationals, pi, known symbols and functions, whole powers, roots"
    )
