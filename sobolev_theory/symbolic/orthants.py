"""The orthant probability P(X > -h, Y > -k) with thresholds: its derivatives, and the two sides that make it up.

X, Y are standard normal with correlation cos(theta), so that everything starts from their covariance matrix. The
derivative in the angle is found twice: by Plackett's identity, from the density, and from the sides seen from the
origin, as `sobolev_theory.orthants` sums them. Without thresholds it integrates to the opening of the wedge.
"""

import sympy as sp

from .algebra import normal
from .frame import theta

h, k = sp.symbols("h k", real=True)

COVARIANCE = sp.Matrix([[1, sp.cos(theta)], [sp.cos(theta), 1]])


def corner_square() -> sp.Expr:
    """r^2, the square of the corner's distance from the origin where the Gaussian is isotropic.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.corner_square().subs(orthants.theta, orthants.sp.pi / 2)
        h**2 + k**2
    """
    corner = sp.Matrix([-h, -k])
    return normal((corner.T * COVARIANCE.inv() * corner)[0])


def density() -> sp.Expr:
    """The density of (X, Y) at the corner (-h, -k), for 0 < theta < pi."""
    return sp.exp(-corner_square() / 2) / (2 * sp.pi * sp.sin(theta))


def ordinate(near: sp.Symbol = h, other: sp.Symbol = k) -> sp.Expr:
    """A with P(Y > -k | X = -h) = Phi(A), from the mean and the variance of Y given X = -h.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.ordinate()
        (-h*cos(theta) + k)/sin(theta)
    """
    mean = COVARIANCE[1, 0] / COVARIANCE[0, 0] * -near
    return normal((other + mean) / sp.sin(theta))  # the variance is 1 - cos^2


def plackett_remainder() -> sp.Expr:
    """(dp/dtheta - dcos/dtheta d^2p/dh dk) / p for the density p: 0, as p solves this heat equation.

    Integrated over h and k, dP/dtheta = -sin(theta) p(h, k): `derivative_by_plackett`.
    """
    p = density()
    return normal((sp.diff(p, theta) - sp.diff(sp.cos(theta), theta) * sp.diff(p, h, k)) / p)


def derivative_by_plackett() -> sp.Expr:
    """dP/dtheta in units of exp(-r^2 / 2)."""
    return normal(-sp.sin(theta) * density() * sp.exp(corner_square() / 2))


def derivative_by_sides() -> sp.Expr:
    """dP/dtheta in units of exp(-r^2 / 2), from P = S(-h; -A) + S(-k; -A'), h, k < 0, whose distances do not turn.

    dS/dA = -D exp(-(D^2 + A^2)/2) / (2 pi (D^2 + A^2)), and D^2 + A^2 = r^2 for both lines.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.derivative_by_sides()
        -1/(2*pi)
    """
    turned = sum(
        -distance * sp.diff(-ordinate(*line), theta) / (2 * sp.pi * corner_square())
        for distance, line in ((-h, (h, k)), (-k, (k, h)))
    )
    return normal(turned)


def at_the_origin() -> sp.Expr:
    """P(X > 0, Y > 0), integrated from theta = pi, where it is 0.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.at_the_origin()
        (pi - theta)/(2*pi)
    """
    angle = sp.Dummy("theta")
    return normal(-sp.integrate(derivative_by_sides().subs(theta, angle), (angle, theta, sp.pi)))
