"""One neuron of RePU(2) and its teacher, derived: how fast the terms of H2 draw it to the teacher, and a proof.

Activations are max(0, t)^2, so that D g = 2 (w.x)_+ w and D^2 g = 2 1(w.x > 0) w w'. J_1 and J_2 are the Sobolev
terms of orders 1 and 2; their population gradients are the averages of the gradients of a sample, as SGD follows.

Returns, every function:
    Inner products are expressions in r, r* and theta; `second_order_acceleration` a `Proof`.
"""

from functools import cache

import sympy as sp

from . import integrals
from .algebra import tidy
from .frame import r, r_star, theta, w, w_star
from .integrals import BOTH, W
from .proof import Proof, Step
from .single_neuron import student, teacher

__all__ = ["first_order_descent", "second_order_acceleration", "second_order_descent"]
__dir__ = __all__.copy

_along, _step = w.dot(w_star), w - w_star


@cache
def first_order_descent() -> sp.Expr:
    """(w - w*).G_{J_1}: of 1/2 |2 (w.x)_+ w - 2 (w*.x)_+ w*|^2, differentiated under the expectation."""
    alone = 4 * (student * r**2 * (student - teacher) + student**2 * w.dot(_step))
    both = -4 * (teacher * _along * (student - teacher) + student * teacher * w_star.dot(_step))
    return tidy(integrals.expectation(sp.expand(alone), W) + integrals.expectation(sp.expand(both), BOTH))


@cache
def second_order_descent() -> sp.Expr:
    """(w - w*).G_{J_2}: of 1/2 |2 1(w.x > 0) w w' - 2 1(w*.x > 0) w* w*'|^2, without what its jumps add.

    Example:
        >>> from sobolev_theory.symbolic import squared_relu, theta
        >>> squared_relu.second_order_descent().subs(theta, 0).factor()
        4*r*(r - r^*)**2*(r + r^*)
    """
    alone = 8 * r**2 * w.dot(_step)
    both = -8 * _along * w_star.dot(_step)
    return tidy(integrals.expectation(alone, W) + integrals.expectation(both, BOTH))


def second_order_acceleration() -> Proof:
    """(w - w*).G_{J_2} >= 2 (w.w*) |w - w*|^2 in the ball |w - w*| <= |w*|: what is left over is a sum of two terms.

    The first is a square, and the second has the sign of |w - w*|^2 - (2 theta/pi) w*.(w* - w).
    """
    distance = _step.dot(_step)
    left = 4 * (r**2 - _along) ** 2 + 2 * _along * (distance - 2 * theta / sp.pi * (r_star**2 - _along))
    margin = second_order_descent() - 2 * _along * distance
    return Proof(
        (Step("a square and another term", sp.expand(margin - left)),),
        (
            r"|w - w^*| \le |w^*|:\ w \cdot w^* \ge 0,\ \theta \le \pi/2",
            r"\theta \le \tfrac{\pi}{2}\sin\theta \text{ (Jordan)}, \ |w^*|\sin\theta \le |w - w^*| "
            r"\text{ (distance of } w^* \text{ from the line of } w)",
            r"w^* \cdot (w^* - w) \le |w^*||w - w^*|,\ \text{so } "
            r"\tfrac{2\theta}{\pi}w^* \cdot (w^* - w) \le |w - w^*|^2",
        ),
    )
