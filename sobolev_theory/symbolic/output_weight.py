"""One ReLU neuron a s(w.x) and its teacher a* s(w*.x), where the output weight a trains as well.

The planar system of `single_neuron` gets a third variable. What a^2 - |w|^2 does is derived from the fields as they
are, without the homogeneity of ReLU. A flow that stops at the teacher has a r = a* r*: one point for each balance.

Returns, every function:
    Fields are a `Field`, flows a `Velocity` and rates `Rates`, named tuples of expressions in r, r*, theta, a, a*.
"""

from functools import cache
from typing import NamedTuple

import sympy as sp

from . import frame, integrals, single_neuron
from .algebra import tidy
from .frame import r, r_star, theta, w, w_star
from .integrals import BOTH, W
from .proof import Proof, Step
from .single_neuron import student, teacher

__all__ = [
    "Balance", "Field", "Rates", "Velocity", "a", "a_star", "balance_rate", "flow", "h1_loss_balance",
    "h1_loss_field", "h1_loss_flow", "h1_loss_rates", "h1_population_balance", "h1_population_field",
    "h1_population_flow", "h1_population_rates", "l2_balance", "l2_field", "l2_flow", "l2_rates", "rates",
]  # fmt: skip
__dir__ = __all__.copy

a, a_star = sp.symbols("a a^*", positive=True)


class Field(NamedTuple):
    """A gradient in the weights and in the output weight."""

    weights: sp.Matrix
    output_weight: sp.Expr


@cache
def l2_field() -> Field:
    """E[(a s(u) - a* s(u*)) (a 1(u > 0) x, s(u))]."""
    own = integrals.expectation(student * integrals.x, W), integrals.expectation(student**2, W)
    cross = integrals.expectation(teacher * integrals.x, BOTH), integrals.expectation(student * teacher, BOTH)
    return Field(tidy(a * (a * own[0] - a_star * cross[0])), tidy(a * own[1] - a_star * cross[1]))


def _seminorm_in_the_output_weight() -> sp.Expr:
    """E[(a 1(u > 0) w - a* 1(u* > 0) w*) . 1(u > 0) w]."""
    one = sp.Integer(1)
    return tidy(
        a * integrals.expectation(one, W) * w.dot(w) - a_star * integrals.expectation(one, BOTH) * w.dot(w_star)
    )


@cache
def h1_population_field() -> Field:
    """That of L2 and the expectation of the derivative term's, indicators held."""
    one = sp.Integer(1)
    weights = a * (a * integrals.expectation(one, W) * w - a_star * integrals.expectation(one, BOTH) * w_star)
    return _plus_l2(Field(weights, _seminorm_in_the_output_weight()))


@cache
def h1_loss_field() -> Field:
    """By differentiation of a^2 E[1(u > 0) w.w]/2 - a a* E[1(u > 0) 1(u* > 0) w.w*] in w, and of L's term.

    Example:
        >>> from sobolev_theory.symbolic import output_weight
        >>> output_weight.balance_rate(output_weight.h1_loss_field())
        0
    """
    one = sp.Integer(1)
    own, cross = integrals.expectation(one, W) * w.dot(w), integrals.expectation(one, BOTH) * w.dot(w_star)
    return _plus_l2(Field(frame.gradient(a**2 * own / 2 - a * a_star * cross), _seminorm_in_the_output_weight()))


def _plus_l2(field: Field) -> Field:
    return Field(*(tidy(x + y) for x, y in zip(l2_field(), field, strict=True)))


# The balance.


def balance_rate(field: Field) -> sp.Expr:
    """d/dt (a^2 - |w|^2) under minus the field."""
    return tidy(2 * w.dot(field.weights) - 2 * a * field.output_weight)


class Balance(NamedTuple):
    """w.G and the derivative in a, at a = a* = 1: equal where the balance is conserved."""

    weights: sp.Expr
    output_weight: sp.Expr


def _balance(field: Field) -> Balance:
    return Balance(*(tidy(x.subs({a: 1, a_star: 1})) for x in (w.dot(field.weights), field.output_weight)))


@cache
def l2_balance() -> Balance:
    """Of `l2_field`."""
    return _balance(l2_field())


@cache
def h1_population_balance() -> Balance:
    """Of `h1_population_field`."""
    return _balance(h1_population_field())


@cache
def h1_loss_balance() -> Balance:
    """Of `h1_loss_field`."""
    return _balance(h1_loss_field())


# The flow, and how it comes to the teacher.


class Velocity(NamedTuple):
    """d|w|/dt, d theta/dt and da/dt."""

    norm: sp.Expr
    angle: sp.Expr
    output_weight: sp.Expr


def flow(field: Field) -> Velocity:
    """Norm, angle and output weight under minus the field.

    Example:
        >>> from sobolev_theory.symbolic import output_weight
        >>> output_weight.flow(output_weight.l2_field()).output_weight.subs(output_weight.theta, 0)
        -a*r**2/2 + a^**r*r^*/2
    """
    moving = frame.motion()
    norm, angle = (tidy(-(slope * field.weights)[0]) for slope in (moving.norm, moving.angle))
    return Velocity(norm, angle, tidy(-field.output_weight))


class Rates(NamedTuple):
    """At a r = a* r*, theta = 0.

    Attributes:
        radial: of (r, a) across the fixed points, whose other rate, along them, is `along`.
        angular: of theta; 0 where `closing`, the speed at which it falls, is not.
    """

    radial: sp.Expr
    along: sp.Expr
    angular: sp.Expr
    closing: sp.Expr


def rates(velocity: Velocity) -> Rates:
    """By linearisation; the radial one is the trace of a matrix whose determinant is that of `along`, 0.

    Example:
        >>> from sobolev_theory.symbolic import output_weight
        >>> output_weight.rates(output_weight.flow(output_weight.h1_population_field())).angular
        a**2
    """
    fixed = {r_star: a * r / a_star}
    on_ray = sp.Matrix([velocity.norm, velocity.output_weight]).subs(theta, 0)
    matrix = tidy(-on_ray.jacobian([r, a]).subs(fixed))
    closing = tidy(-velocity.angle.subs(theta, 0).subs(fixed))
    angular = tidy(-velocity.angle.diff(theta).subs(theta, 0).subs(fixed)) if closing == 0 else sp.Integer(0)
    return Rates(tidy(matrix.trace()), tidy(matrix.det() / matrix.trace()), angular, closing)


# The flow of a w, what the network is: that of w alone, faster.


def _of_product(field: Field) -> single_neuron.PlanarVelocity:
    """d(a|w|)/dt and d theta/dt."""
    velocity = flow(field)
    return single_neuron.PlanarVelocity(tidy(a * velocity.norm + r * velocity.output_weight), velocity.angle)


def _where_both_are_one(velocity: single_neuron.PlanarVelocity) -> single_neuron.PlanarVelocity:
    return single_neuron.PlanarVelocity(*(tidy(x.subs({a: 1, a_star: 1})) for x in velocity))


@cache
def l2_flow() -> single_neuron.PlanarVelocity:
    """Of a w, under minus `l2_field`, at a = a* = 1."""
    return _where_both_are_one(_of_product(l2_field()))


@cache
def h1_population_flow() -> single_neuron.PlanarVelocity:
    """Of a w, under minus `h1_population_field`, at a = a* = 1."""
    return _where_both_are_one(_of_product(h1_population_field()))


@cache
def h1_loss_flow() -> single_neuron.PlanarVelocity:
    """Of a w, under minus `h1_loss_field`, at a = a* = 1."""
    return _where_both_are_one(_of_product(h1_loss_field()))


LINEAR = r"\text{near a zero of a smooth field its flow has the rates of the linear one}"


def _proof(field: Field, alone: single_neuron.PlanarVelocity, radial: sp.Expr, across: sp.Expr) -> Proof:
    """The flow of a w is that of `alone`, of one neuron a w and its teacher, a^2 + |w|^2 times as fast along w and
    a^2 times across; its rates at the teacher are these, in angle the speed at which it closes if that is not 0."""
    found, ends = _of_product(field), rates(flow(field))
    norm, angle = (x.subs({r: a * r, r_star: a_star * r_star}, simultaneous=True) for x in alone)
    steps = (
        Step("along w", found.norm - (a**2 + r**2) * norm),
        Step("across w", found.angle - a**2 * angle),
        Step("radial", ends.radial - radial),
        Step("in angle", ends.angular + ends.closing - across),
        Step("balance", ends.along),
    )
    return Proof(steps, (LINEAR,))


def l2_rates() -> Proof:
    """Any a: the flow of a w is a faster one; it comes to the teacher at (a^2 + r^2)/2, and in angle at a^2/2."""
    return _proof(l2_field(), single_neuron.l2_flow(), (a**2 + r**2) / 2, a**2 / 2)


def h1_population_rates() -> Proof:
    """The same at a^2 + r^2, and in angle at a^2: twice as fast as L2."""
    return _proof(h1_population_field(), single_neuron.h1_population_flow(), a**2 + r**2, a**2)


def h1_loss_rates() -> Proof:
    """The same at a^2 + r^2; a small angle closes at the speed a^2/(2 pi)."""
    return _proof(h1_loss_field(), single_neuron.h1_loss_flow(), a**2 + r**2, a**2 / (2 * sp.pi))
