"""What activations are made of, as functions with all their derivatives: truncated powers, powers, waves, and others.

A `Factor` is a function of one pre-activation t of one of four kinds:
* `half`: E[(t - kink + width Z)_+^power], Z standard normal. Width 0 is the truncated power itself. Power 0 is the
  step (of width > 0: the normal distribution function), power -1 its derivative, the delta (the normal density),
  and power -1 - a the a-th derivative of the delta.
* `whole`: (t - kink)^power.
* `wave`: cos(frequency t + phase).
* `other`: the derivative of order `power` of a function of the user's, as it is between its kinks.
Sums of them are closed under differentiation, deltas at kinks included, and so their expectations over Gaussian pairs
are closed under the gradient (`moments`). ReLU is one factor, GELU two, erf and a constant two.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Function = Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]


@dataclass(frozen=True)
class Factor:
    """One function; see the module. Compared by value, the function of the user's by identity."""

    kind: Literal["half", "whole", "wave", "other"]
    power: int = 0
    kink: float = 0.0
    width: float = 0.0
    frequency: float = 0.0
    phase: float = 0.0
    function: Function | None = None
    kinks: tuple[float, ...] = ()

    @property
    def is_delta(self) -> bool:
        return self.kind == "half" and self.power < 0

    @property
    def is_sharp(self) -> bool:
        """A truncated power without width, which has a kink or is a delta."""
        return self.kind == "half" and self.width == 0.0

    @property
    def where_not_smooth(self) -> tuple[float, ...]:
        return (self.kink,) if self.is_sharp else self.kinks


ONE = Factor("whole")

Term = tuple[float, Factor]
Terms = tuple[Term, ...]  # sum of coefficient x factor


def half(power: int, kink: float = 0.0, width: float = 0.0) -> Factor:
    return Factor("half", power, kink=float(kink), width=float(width))


def whole(power: int, kink: float = 0.0) -> Factor:
    return Factor("whole", power, kink=float(kink) if power else 0.0)


def wave(frequency: float, phase: float) -> Factor:
    return Factor("wave", frequency=float(frequency), phase=float(phase))


def other(function: Function, kinks: tuple[float, ...] = ()) -> Factor:
    return Factor("other", function=function, kinks=tuple(float(t) for t in kinks))


def slopes(factor: Factor) -> Terms:
    """The derivative as a distribution."""
    if factor.kind == "wave":
        return ((factor.frequency, replace(factor, phase=factor.phase + math.pi / 2)),)
    if factor.kind == "whole":
        return ((float(factor.power), whole(factor.power - 1, factor.kink)),) if factor.power else ()
    if factor.kind == "half":
        return ((float(factor.power) if factor.power > 0 else 1.0, replace(factor, power=factor.power - 1)),)
    steps = ((jump(factor, kink), half(-1, kink)) for kink in factor.kinks)
    return ((1.0, replace(factor, power=factor.power + 1)), *(term for term in steps if term[0] != 0.0))


def derivative(terms: Terms, order: int = 1) -> Terms:
    """As a distribution."""
    for _ in range(order):
        terms = collected((c * c_, found) for c, factor in terms for c_, found in slopes(factor))
    return terms


def collected(terms: Iterable[Term]) -> Terms:
    """Equal factors added up, those of coefficient 0 dropped."""
    total: dict[Factor, float] = {}
    for coefficient, factor in terms:
        total[factor] = total.get(factor, 0.0) + coefficient
    return tuple((c, factor) for factor, c in total.items() if c != 0.0)


def smooth_part(terms: Terms) -> Terms:
    """Without the deltas that no sample sees: the derivative almost everywhere."""
    return tuple(term for term in terms if not (term[1].is_delta and term[1].is_sharp))


def jumps(terms: Terms) -> Terms:
    """The deltas that no sample sees."""
    return tuple(term for term in terms if term[1].is_delta and term[1].is_sharp)


MANY = 10  # derivatives of a user's function that are looked at for jumps


def highest_order(terms: Terms) -> int | None:
    """The highest order m with E[(f^(m))^2] finite; None if every order is."""
    if not kinks(terms):
        return None
    order = 0
    while not jumps(derivative(terms)):
        terms, order = derivative(terms), order + 1
        if order == MANY:
            return None
    return order


def kinks(terms: Terms) -> tuple[float, ...]:
    """Where some derivative jumps."""
    return tuple(sorted({kink for _, factor in terms for kink in factor.where_not_smooth}))


@cache
def of_order(function: Function, order: int) -> Function:
    """The derivative of a function that acts elementwise, elementwise."""
    if order == 0:
        return function
    below = of_order(function, order - 1)

    def slope(t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return jax.jvp(below, (t,), (jnp.ones_like(t),))[1]

    return slope


@cache
def jump(factor: Factor, kink: float) -> float:
    """What a function of the user's, of order `power`, jumps by at its kink; 0 within rounding."""
    with jax.ensure_compile_time_eval():
        beside = np.nextafter(kink, [-np.inf, np.inf]) if kink else np.array([-1.0, 1.0]) * np.finfo(float).tiny
        function = of_order(factor.function, factor.power)
        below, above = (float(x) for x in function(jnp.asarray(beside)))
        size = float(jnp.max(jnp.abs(function(kink + jnp.array([-0.1, 0.1])))))
    size = max(size, abs(below), abs(above))
    return above - below if abs(above - below) > 1e-6 * size else 0.0
