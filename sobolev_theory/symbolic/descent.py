"""One neuron near and far from its teacher: acceleration, local rates, and when the angle closes; with proofs.

Returns, every function:
    Inner products and rates are expressions, velocities a `Cartesian`, and each statement about all w a `Proof`.
"""

from functools import cache
from typing import NamedTuple

import sympy as sp

from . import integrals, single_neuron
from .algebra import normal, tidy
from .frame import e, r, r_star, rho, theta, u, w, w_star
from .proof import Proof, Step

__all__ = [
    "Cartesian", "acceleration", "cartesian", "collapse", "collapse_time", "descent", "epsilon", "h1_local_rate",
    "h1_loss_velocity", "l2_acceleration", "l2_descent", "l2_descent_by_sectors", "l2_local_rate", "least_local_rate",
    "local_rate", "loss_acceleration", "psi", "seminorm_descent", "seminorm_loss_descent",
]  # fmt: skip
__dir__ = __all__.copy

psi = sp.Symbol("psi", positive=True)  # the angle of w - w* and w*
epsilon = sp.Symbol("epsilon", positive=True)  # |w - w*| / |w*|


# Acceleration.


@cache
def descent(field: sp.Matrix) -> sp.Expr:
    """(w - w*).field: how fast |w - w*|^2 / 2 falls under w' = -field."""
    return tidy((w - w_star).dot(field))


def l2_descent() -> sp.Expr:
    """(w - w*).G_L."""
    return descent(single_neuron.l2_gradient().as_immutable())


def seminorm_descent() -> sp.Expr:
    """(w - w*).G_J."""
    return descent(single_neuron.seminorm_population_gradient().as_immutable())


def seminorm_loss_descent() -> sp.Expr:
    """(w - w*).grad J."""
    return descent(single_neuron.seminorm_loss_gradient().as_immutable())


def acceleration() -> Proof:
    """(w - w*).G_J >= 0 for every w, with equality at w = w* alone.

    With a = |w| / |w*| and tau = theta / (2 pi), so that 0 <= tau <= 1/2: for acute angles complete the square in a,
    for obtuse ones no term is negative.
    """
    a, tau, c = 1 / rho, theta / (2 * sp.pi), sp.cos(theta)
    obtuse = a**2 + 2 * a * (1 - tau) * (-c) + (1 - 2 * tau)
    twice = 2 * _in_units_of_the_teacher(seminorm_descent())
    return Proof(
        (_completed_square(), Step("no negative term, obtuse angles", twice - obtuse)),
        (*ACUTE, r"\theta \ge \pi/2:\ -\cos\theta \ge 0,\ \tau \le 1/2, \text{ and } a > 0: \text{ no equality}"),
    )


def l2_descent_by_sectors() -> sp.Expr:
    """With p = w.x and q = w*.x: E[(p - q)^2] where both are positive, E[p (p - q)] where p alone is."""
    p, q = single_neuron.student, single_neuron.teacher
    both, alone = (p - q) ** 2 - p * (p - q), p * (p - q)
    return tidy(integrals.expectation(both, integrals.BOTH) + integrals.expectation(alone, integrals.W))


def l2_acceleration() -> Proof:
    """(w - w*).G_L >= 0 for every w, with equality at w = w* alone: no integrand is negative."""
    return Proof(
        (Step("sector by sector", l2_descent() - l2_descent_by_sectors()),),
        (r"(p - q)^2 \ge 0", r"p > 0 \ge q:\ p(p - q) \ge p^2 > 0"),
    )


def loss_acceleration() -> Proof:
    """(w - w*).grad J >= 0 for every w: the boundary term adds |w*|^2 sin cos / (2 pi), a help at acute angles."""
    a, tau, c, delta = 1 / rho, theta / (2 * sp.pi), sp.cos(theta), sp.pi - theta
    boundary = (seminorm_loss_descent() - seminorm_descent()) / r_star**2
    obtuse = a**2 + 2 * a * (1 - tau) * (-c) + (delta - sp.sin(delta) * sp.cos(delta)) / sp.pi
    twice = 2 * _in_units_of_the_teacher(seminorm_loss_descent())
    return Proof(
        (
            _completed_square(),
            Step("what the boundary adds", boundary - sp.sin(theta) * c / (2 * sp.pi)),
            Step("no negative term, obtuse angles", twice - obtuse),
        ),
        (
            *ACUTE,
            r"\theta \le \pi/2:\ \sin\theta\cos\theta \ge 0",
            r"\theta \ge \pi/2,\ \delta = \pi - \theta:\ -\cos\theta \ge 0, "
            r"\ \delta \ge \sin\delta \ge \sin\delta\cos\delta",
        ),
    )


ACUTE = (
    r"\theta \le \pi/2:\ \sin\theta \ge 2\theta/\pi = 4\tau \text{ (Jordan)},\ 1 - \tau \ge 3/4, "
    r"\text{ so } (1-\tau)\sin\theta - \tau \ge 3\tau - \tau \ge 0",
    r"\text{equality: } \tau = 0 \text{ and } a = \cos\theta = 1",
)


def _completed_square() -> Step:
    """2 (w - w*).G_J / |w*|^2 = (a - (1 - tau) cos)^2 + ((1 - tau) sin - tau)((1 - tau) sin + tau)."""
    tau, s = theta / (2 * sp.pi), sp.sin(theta)
    square = (1 / rho - (1 - tau) * sp.cos(theta)) ** 2 + ((1 - tau) * s - tau) * ((1 - tau) * s + tau)
    return Step("completed square, acute angles", 2 * _in_units_of_the_teacher(seminorm_descent()) - square)


def _in_units_of_the_teacher(expression: sp.Expr) -> sp.Expr:
    """Divided by |w*|^2, with |w| = |w*| / rho."""
    return tidy((expression / r_star**2).subs(r, r_star / rho))


# Rates near the teacher: w = w* + epsilon |w*| n, n at the angle psi to w*.


@cache
def local_rate(inner: sp.Expr) -> sp.Expr:
    """The limit of inner / |w - w*|^2 as epsilon -> 0, for an inner product with (w - w*) as in `descent`.

    A second derivative at epsilon = 0, with r and theta as functions of epsilon.
    """
    forward, across = 1 + epsilon * sp.cos(psi), epsilon * sp.sin(psi)
    norm, angle = r_star * sp.sqrt(forward**2 + across**2), sp.atan(across / forward)
    second = sp.diff(inner.subs({r: norm, theta: angle}), epsilon, 2).subs(epsilon, 0)
    return normal(second / (2 * r_star**2))


def l2_local_rate() -> sp.Expr:
    """(w - w*).G_L / |w - w*|^2 -> 1/2 in every direction."""
    return local_rate(l2_descent())


def h1_local_rate() -> sp.Expr:
    """(w - w*).G_H / |w - w*|^2 -> 1 + sin(psi) cos(psi) / (2 pi).

    Example:
        >>> from sobolev_theory.symbolic import descent
        >>> descent.h1_local_rate() - 1
        sin(psi)*cos(psi)/(2*pi)
    """
    return tidy(local_rate(l2_descent() + seminorm_descent()))


def least_local_rate() -> Proof:
    """1 + sin(psi) cos(psi) / (2 pi) >= 1 - 1/(4 pi), with equality at psi = 3 pi / 4."""
    excess = h1_local_rate() - (1 - 1 / (4 * sp.pi))
    return Proof(
        (
            Step("a square", 4 * sp.pi * excess - (sp.sin(psi) + sp.cos(psi)) ** 2),
            Step("attained at 3 pi / 4", excess.subs(psi, 3 * sp.pi / 4)),
        ),
        (r"(\sin\psi + \cos\psi)^2 \ge 0",),
    )


# The angle under the flow of the loss H.


class Cartesian(NamedTuple):
    """Velocity of w along w* and orthogonal to it, away from it."""

    along: sp.Expr
    height: sp.Expr


def cartesian(field: sp.Matrix) -> Cartesian:
    """w' = -field, along w* and across."""
    across = sp.sin(theta) * (w / r) - sp.cos(theta) * e
    return Cartesian(*(tidy(-direction.dot(field)) for direction in (u, across)))


def h1_loss_velocity() -> Cartesian:
    """-grad H: along w*, and the height of w over the line of w*.

    Example:
        >>> from sobolev_theory.symbolic import descent
        >>> descent.h1_loss_velocity().height
        -r*sin(theta) + r^**sin(theta)**2/pi - r^*/(2*pi)
    """
    return cartesian(single_neuron.h1_loss_gradient())


def collapse_time() -> sp.Expr:
    """log(1 + 2 pi r sin / (r* cos 2 theta)): for theta < pi/4 the angle is 0 before, under w' = -grad H."""
    return sp.log(1 + 2 * sp.pi * r * sp.sin(theta) / (r_star * sp.cos(2 * theta)))


def collapse() -> Proof:
    """From theta_0 < pi/4 the flow of the loss H reaches theta = 0 before `collapse_time` of its start.

    The height y = r sin(theta) obeys y' = -y - (r*/2 pi) cos(2 theta), and theta falls while it is below pi/2, so
    that cos(2 theta) >= cos(2 theta_0): y stays below the solution of y' = -y - b, b = (r*/2 pi) cos(2 theta_0).
    """
    time, y, b = sp.symbols("t y_0 b", positive=True)
    solution = (y + b) * sp.exp(-time) - b
    velocity = single_neuron.h1_loss_flow()
    height = r * sp.sin(theta)
    moved = sp.diff(height, r) * velocity.norm + sp.diff(height, theta) * velocity.angle
    turning = -(r_star / (2 * sp.pi * r)) * (2 * (sp.pi - theta) * sp.sin(theta) + sp.cos(theta))
    bound = sp.log(1 + y / b)
    return Proof(
        (
            Step("the height", moved + height + r_star * sp.cos(2 * theta) / (2 * sp.pi)),
            Step("the same from the gradient", moved - h1_loss_velocity().height),
            Step("the angle", velocity.angle - turning),
            Step("the comparison solves its equation", sp.diff(solution, time) + solution + b),
            Step("the comparison starts there", solution.subs(time, 0) - y),
            Step("the comparison ends there", sp.simplify(solution.subs(time, bound))),
            Step(
                "the time",
                sp.exp(collapse_time())
                - sp.exp(bound).subs({y: height, b: r_star * sp.cos(2 * theta) / (2 * sp.pi)}),
            ),
        ),
        (
            r"\theta \le \pi/2:\ 2(\pi - \theta)\sin\theta + \cos\theta > 0, \text{ so } \theta \text{ falls}",
            r"\theta \le \pi/2:\ r' + r = |w^*|(\sin\theta + 2(\pi-\theta)\cos\theta)/(2\pi) > 0, "
            r"\text{ so } r \text{ stays positive}",
            r"y' \le -y - b,\ y(0) = y_0 \text{ gives } y(t) \le (y_0 + b)e^{-t} - b",
        ),
    )
