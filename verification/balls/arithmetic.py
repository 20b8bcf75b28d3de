"""Balls as the numbers that a statement is evaluated in: what certified integrals are compared with."""

from fractions import Fraction

import sympy as sp
from flint import acb, arb

from sobolev_theory.symbolic import orthants, theta

from ..statements.evaluation import Arithmetic, Environment
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


def with_orthants(at: Environment) -> Environment:
    """Orthants and corners between two thresholds are those of the environment's angle."""
    angle = at.values[theta]
    functions = {orthants.Orthant: orthant, orthants.Corner: corner}
    return at.having({}, {name: lambda h, k, f=f: f(h, k, angle) for name, f in functions.items()})


BALLS = Arithmetic(
    lambda x: x if isinstance(x, arb) else arb(float(x)),
    lambda p, q: rational(Fraction(p, q)),
    arb.pi,
    arb.sqrt,
    arb.atan2,
    {
        **{f: getattr(arb, f.__name__) for f in (sp.exp, sp.log, sp.sin, sp.cos, sp.tan, sp.asin, sp.acos)},
        sp.Max: lambda a, b: arb(a).max(arb(b)),
        orthants.Density: density,
        orthants.Phi: distribution,
    },
)
