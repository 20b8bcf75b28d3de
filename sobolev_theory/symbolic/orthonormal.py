"""The symmetric slice of an orthonormal teacher, for any number n of neurons: a planar system in (x, y).

Student w_j = x w*_j + y sum_(l != j) w*_l, teacher w*_1 ... w*_n orthonormal. Three angles occur: phi of two student
neurons, alpha of w_j and w*_j, beta of w_j and another w*_l. Sums over pairs are taken from the kernels and gradients
of `pair`; with r = |w_j|, the roots S = r^2 sin(phi), A = r sin(alpha), B = r sin(beta) have polynomial squares.

Returns, every function:
    Losses are expressions in x, y and n, flows a `Velocity` of two of them.
"""

from functools import cache
from typing import NamedTuple

import sympy as sp

from . import frame, pair
from .algebra import normal

__all__ = [
    "OTHER_TEACHERS", "OWN_TEACHER", "STUDENTS", "A", "Angle", "B", "S", "Velocity", "alpha", "beta",
    "h1_flow_of_the_loss", "h1_loss", "h1_loss_flow", "h1_population_flow", "l2_flow", "l2_flow_of_the_loss",
    "l2_loss", "n", "phi", "r", "reduced", "slope", "x", "y",
]  # fmt: skip
__dir__ = __all__.copy

x, y = sp.symbols("x y", real=True)
n = sp.Symbol("n", positive=True)
r, S, A, B = sp.symbols("r S A B", positive=True)
phi, alpha, beta = sp.symbols("phi alpha beta", positive=True)

DOT = 2 * x * y + (n - 2) * y**2  # w_j.w_k
NORM_SQUARE = x**2 + (n - 1) * y**2
SQUARES = {S: r**4 - DOT**2, A: r**2 - x**2, B: r**2 - y**2, r: NORM_SQUARE}


class Angle(NamedTuple):
    """A pair of neurons: the symbol of its angle with sine and cosine, the other's norm, and how many there are."""

    symbol: sp.Symbol
    sine: sp.Expr
    cosine: sp.Expr
    norm: sp.Expr
    count: sp.Expr
    others: sp.Matrix  # their sum, in the coordinates (x, y)


STUDENTS = Angle(phi, S / r**2, DOT / r**2, r, n - 1, sp.Matrix([(n - 1) * y, x + (n - 2) * y]))
OWN_TEACHER = Angle(alpha, A / r, x / r, sp.Integer(1), sp.Integer(1), sp.Matrix([1, 0]))
OTHER_TEACHERS = Angle(beta, B / r, y / r, sp.Integer(1), n - 1, sp.Matrix([0, 1]))
SELF = sp.Matrix([x, y])


class Velocity(NamedTuple):
    """dx/dt and dy/dt."""

    x: sp.Expr
    y: sp.Expr


# Losses.


@cache
def l2_loss() -> sp.Expr:
    """L on the slice."""
    return _loss(pair.value_kernel())


@cache
def h1_loss() -> sp.Expr:
    """H on the slice."""
    return _loss(pair.value_kernel() + pair.slope_kernel())


def _loss(kernel: sp.Expr) -> sp.Expr:
    """1/2 sum_ij c_i c_j kappa(v_i, v_j): n neurons of the student, n of the teacher, and all their pairs."""
    own, unit = (_at_zero_angle(kernel).subs({frame.r: q, frame.r_star: q}) for q in (r, 1))
    right_angle = kernel.subs({frame.r: 1, frame.r_star: 1, frame.theta: sp.pi / 2})
    student = own + (n - 1) * _at(kernel, STUDENTS)
    teacher = unit + (n - 1) * right_angle
    crossed = _at(kernel, OWN_TEACHER) + (n - 1) * _at(kernel, OTHER_TEACHERS)
    return n * (student / 2 + teacher / 2 - crossed)


# Flows: the velocity of one neuron is in the slice, and all neurons move alike.


@cache
def l2_flow() -> Velocity:
    """Under -G_L = -grad L, from the gradient of one pair."""
    return _flow(pair.value_gradient(), pair.self_value_gradient())


@cache
def h1_population_flow() -> Velocity:
    """Under -G_H."""
    return _flow(
        pair.value_gradient() + pair.slope_gradient(), pair.self_value_gradient() + pair.self_slope_gradient()
    )


@cache
def h1_loss_flow() -> Velocity:
    """Under -grad H: with the boundary part of every pair."""
    gradient = pair.value_gradient() + pair.slope_gradient() + pair.slope_boundary()
    return _flow(gradient, pair.self_value_gradient() + pair.self_slope_gradient())


def l2_flow_of_the_loss() -> Velocity:
    """-grad L from the loss on the slice: the gradients of n and of n (n - 1) equal coordinates are shared."""
    return _flow_of(l2_loss())


def h1_flow_of_the_loss() -> Velocity:
    """-grad H from the loss on the slice."""
    return _flow_of(h1_loss())


def _flow(gradient: sp.Matrix, own: sp.Matrix) -> Velocity:
    """Minus the gradient of w_1, a sum over the pairs it is in."""
    pulls = _pull(gradient, STUDENTS) - _pull(gradient, OWN_TEACHER) - _pull(gradient, OTHER_TEACHERS)
    itself = own[0].subs(frame.r, r) / r * SELF
    return Velocity(*(-(itself + pulls)))


def _pull(gradient: sp.Matrix, angle: Angle) -> sp.Matrix:
    """A vector a v + b e is (a - b cot) w/|w| + (b/sin) w*/|w*|; summed over the neurons at this angle."""
    along, across = (_at(component, angle) for component in gradient[:2])
    own = (along - across * angle.cosine / angle.sine) / r
    return angle.count * own * SELF + across / (angle.sine * angle.norm) * angle.others


def _flow_of(loss: sp.Expr) -> Velocity:
    return Velocity(-slope(loss, x) / n, -slope(loss, y) / (n * (n - 1)))


def slope(expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    """The derivative in x or y of what also depends on them through r, the angles and the roots."""
    dr = sp.diff(NORM_SQUARE, variable) / (2 * r)
    total = sp.diff(expression, variable) + sp.diff(expression, r) * dr
    for root in (S, A, B):
        square = SQUARES[root]
        total += sp.diff(expression, root) * (sp.diff(square, variable) + sp.diff(square, r) * dr) / (2 * root)
    for angle in (STUDENTS, OWN_TEACHER, OTHER_TEACHERS):
        dcosine = sp.diff(angle.cosine, variable) + sp.diff(angle.cosine, r) * dr
        total -= sp.diff(expression, angle.symbol) * dcosine / angle.sine
    return total


def reduced(expression: sp.Expr) -> sp.Expr:
    """The normal form modulo the squares of r, S, A and B.

    Example:
        >>> from sobolev_theory.symbolic import orthonormal as o
        >>> o.reduced(o.r**2 - o.y**2 - o.B**2)
        0
    """
    return normal(expression, SQUARES)


def _at(expression: sp.Expr, angle: Angle) -> sp.Expr:
    """An expression in |w|, |w*| and theta, for this pair."""
    theta = frame.theta
    trigonometric = {sp.sin(theta): angle.sine, sp.cos(theta): angle.cosine}
    return expression.xreplace(trigonometric).xreplace(
        {frame.r: r, frame.r_star: sp.sympify(angle.norm), theta: angle.symbol}
    )


def _at_zero_angle(kernel: sp.Expr) -> sp.Expr:
    return kernel.subs(frame.theta, 0)
