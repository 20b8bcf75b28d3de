"""One neuron: rates, times, turning, the kink at the teacher, and every reading of "conditions better"."""

import sympy as sp

from sobolev_theory.symbolic import descent as angles

from .notation import (
    DG_H,
    DG_L,
    G_H,
    G_J,
    G_L,
    Dot,
    Expectation,
    Kappa,
    Kappa2,
    LambdaMax,
    LambdaMin,
    Name,
    Number,
    PlaneDeterminant,
    c,
    descent,
    distance,
    e,
    grad_H,
    half,
    hess_H,
    pi,
    r,
    r_star,
    rho,
    s,
    theta,
    vector,
    w,
    w_star,
)
from .statement import above, at_least, at_most, below, equal, states

Q = sp.Rational

# How fast |w - w*|^2/2 falls, on whole domains.

_y, _phi = (r - r_star) / (r + r_star), pi - theta
SHARP = states(
    at_least(descent(G_J), r / (2 * (r + r_star)) * distance**2),
    remark="with equality exactly at the teacher and for opposite vectors",
)
SHARP_FACTORED = (
    r_star * (r + r_star) * _phi / (2 * pi)
    * (
        pi * sp.sin(_phi / 2) ** 2 / _phi * (_y + theta / (2 * pi)) ** 2
        + sp.sin(theta / 2) ** 2
        - sp.sin(_phi / 2) ** 2 * theta**2 / (4 * pi * _phi)
    )
)  # fmt: skip
L2_RATE = states(at_most(descent(G_L), distance**2 / 2 - r_star * (r + r_star) * theta**3 / (20 * pi)))
L2_RATE_FACTORED = r_star / (2 * pi) * (
    r_star * (theta - s * c) + r * (s - theta * c) - (r + r_star) * theta**3 / 10
)  # fmt: skip
H1_RATE = states(
    at_least(descent(G_H) / distance**2, Q(816, 1000)),
    remark="so the distance to the teacher falls exponentially at this rate, for L at best at one half",
)
_rate = 1 + r_star * (2 * theta * (r * c - r_star) - s * (r - r_star * c)) / (2 * pi) / distance**2
H1_RATE_FACTORED = _rate - Q(816, 1000)
H1_LOSS_RATE = states(at_least(descent(grad_H) / distance**2, 1))
H1_LOSS_RATE_FACTORED = _rate - 1 + r_star**2 * s * c / (2 * pi) / distance**2
_per_curvature = descent(G_H) / LambdaMax(DG_H) - descent(G_L) / LambdaMax(DG_L)
_advantage = r_star * s * (r - r_star * c) / (2 * pi)
NORMALISED_RATE = states(equal(_per_curvature, _advantage), at_least(_advantage, 0))
NORMALISED_RATE_EVERYWHERE = states(at_least(_per_curvature, 0), remark="for every w")

# Times to |w - w*| = epsilon, in units of the logarithm of |w(0) - w*|/epsilon.


class Time(Number):
    """Of the flow under minus a gradient."""

    spelled = r"T({})"


UNITS = sp.log(Name(r"|w_0 - w^*|", positive=True) / sp.Symbol("epsilon", positive=True))
TIMES = states(
    at_least(Time(G_L), 2 * UNITS),
    at_most(Time(G_H), 1 / H1_RATE.bounds[0].rhs * UNITS),
    at_most(Time(grad_H), 1 / H1_LOSS_RATE.bounds[0].rhs * UNITS),
    remark="T the time until the distance to the teacher has fallen to epsilon",
)

# Near the teacher, in the direction n at the angle psi to w*.

psi = angles.psi


class NearTeacher(Number):
    """The limit of (w - w*).G/|w - w*|^2 for w = w* + epsilon n, epsilon -> 0."""

    def _latex(self, printer, exp=None) -> str:
        return rf"\lim_{{w \to w^*}} \frac{{(w - w^*) \cdot {printer.doprint(self.args[0])}}}{{|w - w^*|^2}}"


_local = 1 + sp.sin(psi) * sp.cos(psi) / (2 * pi)
H1_LOCAL_RATE = states(equal(NearTeacher(G_H), _local), at_least(_local, 1 - 1 / (4 * pi)))
L2_LOCAL_RATE = states(equal(NearTeacher(G_L), half))

# Descent of L everywhere: an expectation of what is not negative.

_x = vector("x")
p, q = Dot(w, _x), Dot(w_star, _x)


class Indicator(Number):
    def _latex(self, printer, exp=None) -> str:
        return rf"\mathbf{{1}}\left[{', '.join(printer.doprint(x) for x in self.args)}\right]"


BOTH_ACTIVE = Expectation((p - q) ** 2 * Indicator(above(p, 0), above(q, 0)))
FIRST_ACTIVE = Expectation(p * (p - q) * Indicator(above(p, 0), at_most(q, 0)))
_l2_fall = Dot(w, w) / 2 - ((pi - theta) * Dot(w, w_star) + r * r_star * s) / (2 * pi) - (
    Dot(w, w_star) / 2 - ((pi - theta) * r_star**2 + r_star * s * r_star * c) / (2 * pi)
)  # fmt: skip
L2_DESCENT = states(equal(descent(G_L), _l2_fall), above(_l2_fall, 0))
L2_DESCENT_BY_SECTORS = states(equal(descent(G_L), BOTH_ACTIVE + FIRST_ACTIVE), above(BOTH_ACTIVE + FIRST_ACTIVE, 0))

# The angle under the gradient of the loss.

_turning = r_star * (2 * (pi - theta) * s + c) / (2 * pi)
TURNING = states(
    equal(-Dot(e, grad_H), _turning), remark="the norm of w times the speed of the angle: its sign changes"
)
TURNS_TO_THE_TEACHER = states(
    at_least(-Dot(e, grad_H), 0),
    remark="at every w, as it is under minus the population gradients; beyond the angle where the sign changes "
    "the neuron turns away and vanishes",
)

# The kink.


class OneSided(Number):
    """The derivative at t = 0+ of a loss on the ray w* + t w."""

    def _latex(self, printer, exp=None) -> str:
        loss, ray = map(printer.doprint, self.args)
        return rf"\left.\tfrac{{d}}{{dt}} {loss}({ray})\right|_{{t = 0+}}"


_t = sp.Symbol("t")
SLOPE, SLOPE_BACK, L2_SLOPE = (
    OneSided(sp.Symbol(loss), w_star + sign * _t * w) for loss, sign in (("H", 1), ("H", -1), ("L", 1))
)
_slope = r * r_star * s / (2 * pi)
KINK = states(equal(SLOPE, _slope), equal(SLOPE_BACK, _slope), equal(L2_SLOPE, sp.Integer(0)))
DIFFERENTIABLE = states(equal(SLOPE + SLOPE_BACK, sp.Integer(0)), remark="as for a function with a gradient there")

# Positive definite, and better conditioned, by the reading.

_p, _tau = sp.symbols("p tau")
_meaning_p, _meaning_tau = equal(_p, rho / (2 * pi)), equal(_tau, 2 * rho * s / pi)
_l2_least, _h1_least = half - rho * s / pi, 1 - 3 * rho * s / (2 * pi)
L2_POSITIVE = states(equal(LambdaMin(DG_L), _l2_least), at_least(_l2_least, Q(1, 50)))
H1_POSITIVE = states(equal(LambdaMin(DG_H), _h1_least), at_least(_h1_least, Q(1, 25)))
_symmetric = (DG_H + DG_H.T) / 2
_determinant = 1 - 3 * _p * s - _p**2 * c**2 / 4
SYMMETRIC_POSITIVE = states(
    equal(PlaneDeterminant(_symmetric), _determinant), at_least(_determinant, Q(1, 25)), where=(_meaning_p,)
)
RATIO = states(
    at_most(Kappa(DG_H) / Kappa(DG_L), 1 - _tau / 5),
    where=(_meaning_tau,),
    remark="better wherever both are positive definite and the vectors are not parallel",
)
RATIO_FACTORED = 2 * rho * s / pi / (4 - 6 * rho * s / pi) - 2 * rho * s / (5 * pi)


def _spread(kappa: sp.Expr) -> sp.Expr:
    """Increasing in a condition number, and rational in the matrix."""
    return kappa + 1 / kappa


def _better(of_h1: sp.Expr, of_l2: sp.Expr, square: sp.Expr, determinant: sp.Expr):
    """kappa + 1/kappa of both, and their difference: positive exactly where its bracket is."""
    bracket = s**2 * (7 - 3 * _tau) - c**2 * square
    return states(
        below(of_h1, of_l2),
        equal(_spread(of_l2) - _spread(of_h1), _p**2 * bracket / ((1 - _tau) * determinant)),
        where=(_meaning_p, _meaning_tau),
    )


TWO_NORM = _better(Kappa2(DG_H), Kappa2(DG_L), 1 - _tau, 1 - 3 * _tau / 4)
SYMMETRIC_PART = _better(Kappa(_symmetric), Kappa(DG_L), (1 - _tau / 2) ** 2, _determinant)
_quotient = 1 + sp.Max(0, rho * sp.cos(2 * theta) / (2 * pi * s))
LOSS_HESSIAN = states(equal(Kappa(hess_H) / Kappa(DG_L), _quotient), at_least(_quotient, 1), remark="never better")
TWO_NORM_EVERYWHERE = states(at_most(_spread(Kappa2(DG_H)), _spread(Kappa2(DG_L))))
SYMMETRIC_PART_EVERYWHERE = states(at_most(_spread(Kappa(_symmetric)), _spread(Kappa(DG_L))))
LOSS_HESSIAN_BETTER = states(at_most(Kappa(hess_H), Kappa(DG_L)))
