"""One pair of neurons (w, v): the kernels kappa_0 and kappa_1, their derivatives, moments of powers, orthants."""

import sympy as sp

from .notation import (
    Dot,
    Expectation,
    Name,
    Number,
    c,
    e,
    e_star,
    identity,
    matrix,
    pi,
    r,
    r_star,
    s,
    theta,
    vector,
    w,
    w_hat,
    w_star,
    w_star_hat,
)
from .statement import Statement, above, equal, states

x = vector("x")
HIGHEST = 4  # power
sigma = sp.Function("sigma")
_across = identity - w_hat * w_hat.T
_apart = pi - theta


def of_pair(*relations: sp.Basic, remark: str = "") -> Statement:
    return states(*relations, remark=remark, pair=True)


class Probability(Number):
    def _latex(self, printer, exp=None) -> str:
        return rf"P({', '.join(printer.doprint(x) for x in self.args)})"


# The kernels.

VALUES = Expectation(sigma(Dot(w, x)) * sigma(Dot(w_star, x)))
BOTH_ACTIVE = Probability(above(Dot(w, x), 0), above(Dot(w_star, x), 0))
SLOPES = Dot(w, w_star) * BOTH_ACTIVE
VALUE_KERNEL = of_pair(equal(Name(r"\kappa_0"), VALUES), equal(VALUES, r * r_star * (s + _apart * c) / (2 * pi)))
SLOPE_KERNEL = of_pair(equal(Name(r"\kappa_1"), SLOPES), equal(SLOPES, _apart * Dot(w, w_star) / (2 * pi)))

# Their derivatives: in w once and twice, in w and v; of kappa_1 almost everywhere, and on w.x = 0.

d_value, d_slope = vector(r"\partial_w\kappa_0"), vector(r"\partial_w\kappa_1|_{\text{a.e.}}")
d_boundary = vector(r"\partial_w\kappa_1|_{w \cdot x = 0}")
dd_value, dd_slope = matrix(r"\partial_w^2\kappa_0"), matrix(r"\partial_w(\partial_w\kappa_1|_{\text{a.e.}})")
dd_boundary = matrix(r"\partial_w(\partial_w\kappa_1|_{w \cdot x = 0})")
mixed_value = matrix(r"\partial_v\partial_w\kappa_0")
mixed_slope = matrix(r"\partial_v(\partial_w\kappa_1|_{\text{a.e.}})")
mixed_boundary = matrix(r"\partial_v(\partial_w\kappa_1|_{w \cdot x = 0})")

VALUE_GRADIENT = of_pair(equal(d_value, (_apart * w_star + r_star * s * w_hat) / (2 * pi)))
SLOPE_GRADIENT = of_pair(equal(d_slope, _apart / (2 * pi) * w_star))
SLOPE_BOUNDARY = of_pair(equal(d_boundary, Dot(w, w_star) / (2 * pi * r) * e))
VALUE_HESSIAN = of_pair(equal(dd_value, r_star * s / (2 * pi * r) * (_across + e * e.T)))
VALUE_MIXED_HESSIAN = of_pair(
    equal(mixed_value, (_apart * identity + s * (e * e_star.T + w_hat * w_star_hat.T)) / (2 * pi))
)
SLOPE_JACOBIAN = of_pair(equal(dd_slope, 1 / (2 * pi * r) * w_star * e.T))
SLOPE_MIXED_JACOBIAN = of_pair(equal(mixed_slope, (_apart * identity + w_star_hat * e_star.T) / (2 * pi)))
SLOPE_BOUNDARY_JACOBIAN = of_pair(
    equal(
        dd_boundary,
        r_star / (2 * pi * r) * (s * e * e.T - c * w_hat * e.T - c**2 / s * (_across - e * e.T)),
    )
)
SLOPE_BOUNDARY_MIXED_JACOBIAN = of_pair(equal(mixed_boundary, (e * w_hat.T + c / s * (_across - e * e.T)) / (2 * pi)))

# Moments of powers: J_n is 2 pi times that of unit vectors.


def angular(theta, cos, sin, pi) -> tuple:
    """J_0 ... J_4, of numbers of any kind."""
    both = pi - theta
    return (
        both,
        sin + both * cos,
        3 * sin * cos + both * (1 + 2 * cos**2),
        sin * (4 + 11 * cos**2) + both * (9 * cos + 6 * cos**3),
        sin * cos * (55 + 50 * cos**2) + both * (9 + 72 * cos**2 + 24 * cos**4),
    )


ANGULAR = angular(theta, c, s, pi)
SUPPLEMENT = tuple(J.subs(theta, pi - theta) for J in ANGULAR)


class Positive(Number):
    """max(0, t), to a power: t_+^n."""

    def _latex(self, printer, exp=None) -> str:
        t, power = self.args
        return rf"({printer.doprint(t)})_+^{{{printer.doprint(power)}}}"


def moment(n: int) -> sp.Expr:
    return Expectation(Positive(Dot(w, x), n) * Positive(Dot(w_star, x), n))


MOMENTS = of_pair(*(equal(moment(n), (r * r_star) ** n * J / (2 * pi)) for n, J in enumerate(ANGULAR)))


class AngularSlope(Number):
    """dJ_n/dcos(theta)"""

    spelled = r"\frac{{d J_{0}}}{{d \cos\theta}}"


PRICE = of_pair(
    *(equal(AngularSlope(n), n**2 * ANGULAR[n - 1]) for n in range(1, HIGHEST + 1)),
    remark="by Price's theorem; the right sides are the kernels one power below, times the square of the power",
)
switching = vector(r"\nabla_w P(w \cdot x > 0, v \cdot x > 0)")
ORTHANT_GRADIENT = of_pair(equal(switching, 1 / (2 * pi * r) * e))


class LeastPivot(Number):
    """Of Gaussian elimination of the Gram matrix of some neurons in a kernel."""

    spelled = r"\sum_{{i,j}} c_i c_j J_{0}(\theta_{{ij}})"


POSITIVE_DEFINITE = states(
    *(above(LeastPivot(n), 0) for n in range(HIGHEST + 1)),
    where=tuple(equal(sp.Symbol(f"J_{n}"), J) for n, J in enumerate(ANGULAR)),
    remark="for every c that is not all zeros",
    pair=True,
)
