"""Duals E[sigma^(m)(u) sigma^(m)(u')] of centred Gaussian pairs, derived from the definition of each activation.

u and u' have standard deviations r and r* and correlation cos(theta). Kinked activations are sums over half-planes,
polynomials by Isserlis' theorem, waves by the characteristic function, exponentials of squares by a tilted Gaussian;
the GELU is a ReLU smoothed by a Gaussian, less a density.

Returns, every function:
    An expression in r, r*, theta and the parameters of the activation: E[s^(m)(u) s^(m)(u')] of order m.
"""

from collections.abc import Sequence
from functools import cache

import sympy as sp

from . import kernels
from .algebra import tidy
from .frame import r, r_star, theta

__all__ = [
    "absolute_value", "cosine", "erf", "frequency", "gaussian", "gelu", "gelu_remainder", "leaky_relu", "phase",
    "polynomial", "repu", "sine", "slope",
]  # fmt: skip
__dir__ = __all__.copy

frequency, phase = sp.symbols("omega phi", real=True)
slope = sp.Symbol("s", real=True)
covariance = r * r_star * sp.cos(theta)
_t, _a, _b, _c = sp.symbols("t a b c", real=True)


def repu(power: int, order: int) -> sp.Expr:
    """Of (t)_+^p: its derivative is a truncated power, whose kernel is an integral over a wedge.

    Example:
        >>> from sobolev_theory.symbolic import duals
        >>> duals.repu(1, 1)
        -theta/(2*pi) + 1/2
    """
    _check(order, power)
    return tidy(sp.ff(power, order) ** 2 * kernels.repu(power - order))


def leaky_relu(slope_symbol: sp.Expr, order: int) -> sp.Expr:
    """Of t_+ - s (-t)_+: four half-plane pairs, two of them at the angle pi - theta.

    Example:
        >>> from sobolev_theory.symbolic import duals
        >>> duals.leaky_relu(1, 1)
        1
    """
    _check(order, 1)
    same = kernels.repu(1 - order)
    opposite = same.subs(theta, sp.pi - theta)
    sign = (-1) ** (order + 1)
    return tidy((1 + slope_symbol**2) * same + 2 * sign * slope_symbol * opposite)


def absolute_value(order: int) -> sp.Expr:
    """Of |t| = t_+ + (-t)_+: the leaky ReLU of slope -1.

    Example:
        >>> from sobolev_theory.symbolic import duals
        >>> duals.absolute_value(1)
        -2*theta/pi + 1
    """
    return leaky_relu(sp.Integer(-1), order)


def polynomial(coefficients: Sequence[sp.Expr], order: int) -> sp.Expr:
    """Of sum_k c_k t^k, by Isserlis' theorem.

    Example:
        >>> from sobolev_theory.symbolic import duals
        >>> duals.polynomial([0, 1], 0)
        r*r^**cos(theta)
    """
    _check(order)
    slopes = sp.diff(sum(c * _t**k for k, c in enumerate(coefficients)), _t, order)
    return sp.expand(_expected(slopes, r**2, r_star**2, covariance))


def sine(order: int) -> sp.Expr:
    """Of sin(omega t + phi), by the characteristic function of u - u' and u + u'.

    Example:
        >>> from sobolev_theory.symbolic import duals, theta
        >>> duals.sine(0).subs({duals.frequency: 0, duals.phase: 0})
        0
    """
    _check(order)
    return _wave(phase + order * sp.pi / 2 - sp.pi / 2, order)


def cosine(order: int) -> sp.Expr:
    """Of cos(omega t + phi), by the characteristic function of u - u' and u + u'.

    Example:
        >>> from sobolev_theory.symbolic import duals, theta
        >>> duals.cosine(0).subs({duals.frequency: 0, duals.phase: 0})
        1
    """
    _check(order)
    return _wave(phase + order * sp.pi / 2, order)


@cache
def erf(order: int) -> sp.Expr:
    """Of erf(t): a Gaussian integral for m >= 1; for m = 0 Price's theorem integrated from covariance 0.

    Example:
        >>> from sobolev_theory.symbolic import duals, theta
        >>> duals.erf(0).subs(theta, 0).subs({duals.r: 1, duals.r_star: 1})
        2*asin(2/3)/pi
    """
    _check(order)
    if order:
        return _tilted(sp.diff(sp.erf(_t), _t, order) * sp.exp(_t**2), sp.Integer(1))
    edge = sp.sqrt((1 + 2 * r**2) * (1 + 2 * r_star**2))  # the rate is 4 / (pi sqrt(edge^2 - 4 c^2)), 2c = edge t
    integral = sp.integrate(2 / sp.pi / sp.sqrt(1 - _t**2), _t)
    return integral.subs(_t, 2 * covariance / edge) - integral.subs(_t, 0)


@cache
def gaussian(order: int) -> sp.Expr:
    """Of exp(-t^2/2), a Gaussian integral in two dimensions.

    Example:
        >>> from sobolev_theory.symbolic import duals, theta
        >>> duals.gaussian(0).subs(theta, 0).subs({duals.r: 1, duals.r_star: 1})
        sqrt(3)/3
    """
    _check(order)
    return _tilted(sp.diff(sp.exp(-(_t**2) / 2), _t, order) * sp.exp(_t**2 / 2), sp.Rational(1, 2))


@cache
def gelu(order: int) -> sp.Expr:
    """Of t Phi(t) = E[(t + V)_+] - phi(t), V standard normal (`gelu_remainder`); slopes by Price's theorem.

    u + V and u' + V' have variances A = 1 + r^2 and B = 1 + r*^2, covariance c, and D^2 = AB - c^2.

    Example:
        >>> from sobolev_theory.symbolic import duals, theta
        >>> duals.gelu(1).subs(theta, duals.sp.pi / 2)
        1/4
    """
    _check(order)
    A, B, c, D, psi = sp.symbols("A B c D psi", positive=True)
    both = kernels.repu(1).subs({r: sp.sqrt(A), r_star: sp.sqrt(B), theta: psi}, simultaneous=True)
    both = sp.expand(both).subs({sp.sin(psi): D / sp.sqrt(A * B), sp.cos(psi): c / sp.sqrt(A * B)})
    # phi(u') tilts u' to the variance B - 1 over B, and u + V to A - c^2 / B = D^2 / B, whose half line this is.
    one_density = (D / sp.sqrt(B)) / sp.sqrt(2 * sp.pi) / sp.sqrt(2 * sp.pi * B)
    densities = 1 / (2 * sp.pi * D)
    value = both - one_density - one_density.subs({A: B, B: A}, simultaneous=True) + densities
    for _ in range(order):  # by Price: D^2 = AB - c^2 and cos(psi) = c / sqrt(AB) move with c
        value = sp.diff(value, c) - c / D * sp.diff(value, D) - sp.diff(value, psi) / D
    here = {A: 1 + r**2, B: 1 + r_star**2, c: covariance}
    root, angle = sp.sqrt((A * B - c**2).subs(here)), sp.acos((c / sp.sqrt(A * B)).subs(here))
    return sp.expand(sp.simplify(value)).subs({**here, D: root, psi: angle}, simultaneous=True)


def gelu_remainder() -> sp.Expr:
    """E[(t + V)_+] - phi(t) - t Phi(t) by integration over V > -t; 0."""
    density = sp.exp(-(_a**2) / 2) / sp.sqrt(2 * sp.pi)
    smoothed = sp.integrate((_t + _a) * density, (_a, -_t, sp.oo))
    return sp.simplify((smoothed - density.subs(_a, _t) - _t * (1 + sp.erf(_t / sp.sqrt(2))) / 2).rewrite(sp.erf))


def _wave(shift: sp.Expr, order: int) -> sp.Expr:
    """omega^(2m) E[cos(omega u + shift) cos(omega u' + shift)]."""
    apart, together = (sp.exp(-(frequency**2) * (r**2 + r_star**2 + sign * 2 * covariance) / 2) for sign in (-1, 1))
    return frequency ** (2 * order) * (apart + sp.cos(2 * shift) * together) / 2


def _tilted(factor: sp.Expr, rate: sp.Expr) -> sp.Expr:
    """E[p(u) p(u') exp(-rate (u^2 + u'^2))]: Gaussian again, its inverse covariance larger by 2 rate."""
    sigma = sp.Matrix([[_a, _c], [_c, _b]])
    total = sp.eye(2) + 2 * rate * sigma
    narrow = (sigma * total.adjugate()) / total.det()
    value = _expected(sp.expand(sp.simplify(factor)), narrow[0, 0], narrow[1, 1], narrow[0, 1])
    value = sp.factor(sp.together(value)) / sp.sqrt(sp.expand(total.det()))
    return value.subs({_a: r**2, _b: r_star**2, _c: covariance}, simultaneous=True)


def _expected(factor: sp.Expr, a: sp.Expr, b: sp.Expr, c: sp.Expr) -> sp.Expr:
    """E[p(u) p(u')] of a polynomial p, for variances a, b and covariance c."""

    @cache
    def moment(i: int, j: int) -> sp.Expr:
        """Isserlis: u is paired with another u, or with one of u'."""
        if i < 0 or j < 0:
            return sp.Integer(0)
        if i == 0:
            return sp.Integer(1) if j == 0 else (j - 1) * b * moment(0, j - 2)
        return (i - 1) * a * moment(i - 2, j) + j * c * moment(i - 1, j - 1)

    terms = sp.Poly(factor, _t).terms()
    return sum((p * q * moment(i, j) for (i,), p in terms for (j,), q in terms), sp.Integer(0))


def _check(order: int, highest: int | None = None) -> None:
    if not isinstance(order, int) or order < 0 or (highest is not None and order > highest):
        bound = "" if highest is None else f", at most {highest}"
        raise ValueError(f"order: got {order!r}; needs a whole number of at least 0{bound}")
