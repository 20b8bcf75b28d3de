"""What activations are made of, as functions with all their derivatives: truncated powers, powers, waves, functions.

An activation is a sum of coefficients times factors, `Terms`; a factor is a function of one pre-activation t:
* `truncated_power`: E[(t - kink + width Z)_+^power], Z standard normal. Width 0 is the truncated power itself. Power
  0 is the step (of width > 0: the normal distribution function), power -1 its derivative, the delta (the normal
  density), and power -1 - a the a-th derivative of the delta.
* `power`: (t - kink)^power.
* `wave`: cos(frequency t + phase).
* `function_of`: a function of the user's, later its derivative of order `power` as it is between its kinks.
Sums of them are closed under differentiation, deltas at kinks included, and so their expectations over Gaussian pairs
are closed under the gradient (`kernels`). ReLU is one factor, GELU two, erf and a constant two.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from .one_sided import Function, Sides, sides

__all__ = ["Factor", "function_of", "power", "truncated_power", "wave"]
__dir__ = __all__.copy


@dataclass(frozen=True)
class Factor:
    """One function; see the module. Compared by value, the function of the user's by identity."""

    kind: Literal["truncated power", "power", "wave", "function"]
    power: int = 0
    kink: float = 0.0
    width: float = 0.0
    frequency: float = 0.0
    phase: float = 0.0
    function: Function | None = None
    kinks: tuple[float, ...] = ()

    @property
    def is_delta(self) -> bool:
        return self.kind == "truncated power" and self.power < 0

    @property
    def is_sharp(self) -> bool:
        """A truncated power without width, which has a kink or is a delta."""
        return self.kind == "truncated power" and self.width == 0.0

    @property
    def where_not_smooth(self) -> tuple[float, ...]:
        return (self.kink,) if self.is_sharp else self.kinks

    def beside(self, kink: float) -> Sides:
        """The limits of a function of the user's at one of its kinks."""
        assert self.function is not None
        return sides(self.function, self.power, kink, self.kinks)


ONE = Factor("power")

Term = tuple[float, Factor]
Terms = tuple[Term, ...]  # sum of coefficient x factor


def truncated_power(power: int, kink: float = 0.0, width: float = 0.0) -> Factor:
    """max(0, t - kink)^power, averaged over t + width Z with Z standard normal.

    Args:
        power: >= 0; 0 is the step 1(t > kink), or with a width the normal distribution function of t / width. From
            -1 downwards, with a width: the normal density of standard deviation `width` and its derivatives.
        kink: where it is not smooth, if the width is 0.
        width: >= 0.

    Returns:
        A factor for `Activation.terms`.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> class Softened(st.Activation):  # a ReLU averaged over a noise of 0.1
        ...     def __call__(self, t):
        ...         z = t / 0.1
        ...         return t * jax.scipy.stats.norm.cdf(z) + 0.1 * jax.scipy.stats.norm.pdf(z)
        ...     @property
        ...     def terms(self):
        ...         return ((1.0, st.activation_terms.truncated_power(1, width=0.1)),)
        >>> round(float(st.dual(Softened(), 0, 1.0, 1.0, correlation=0.0)), 4)  # 1.01 / (2 pi)
        0.1607
    """
    return Factor("truncated power", power, kink=float(kink), width=float(width))


def power(power: int, kink: float = 0.0) -> Factor:
    """(t - kink)^power, for a power >= 0.

    Returns:
        A factor for `Activation.terms`.

    Example:
        >>> import sobolev_theory as st
        >>> class Ramp(st.Activation):  # max(0, t + 1) - 1
        ...     kinks = (-1.0,)
        ...     def __call__(self, t):
        ...         return st.ReLU()(t + 1) - 1
        ...     @property
        ...     def terms(self):
        ...         terms = st.activation_terms
        ...         return ((1.0, terms.truncated_power(1, kink=-1.0)), (-1.0, terms.power(0)))
        >>> Ramp().highest_order
        1
    """
    return Factor("power", power, kink=float(kink) if power else 0.0)


def wave(frequency: float, phase: float = 0.0) -> Factor:
    """cos(frequency t + phase).

    Returns:
        A factor for `Activation.terms`.

    Example:
        >>> import jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> class Snake(st.Activation):  # t + sin(t)^2
        ...     def __call__(self, t):
        ...         return t + jnp.sin(t) ** 2
        ...     @property
        ...     def terms(self):
        ...         terms = st.activation_terms
        ...         return ((1.0, terms.power(1)), (0.5, terms.power(0)), (-0.5, terms.wave(2.0)))
        >>> round(float(st.dual(Snake(), 0, 1.0, 1.0, correlation=0.0)), 4)  # (1 - exp(-2))^2 / 4
        0.1869
    """
    return Factor("wave", frequency=float(frequency), phase=float(phase))


def function_of(function: Function, kinks: tuple[float, ...] = ()) -> Factor:
    """Any function that acts elementwise and is smooth between its kinks: expectations by quadrature.

    Returns:
        A factor for `Activation.terms`.

    Example:
        >>> import jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> class Residual(st.Activation):  # t + tanh(t)
        ...     def __call__(self, t):
        ...         return t + jnp.tanh(t)
        ...     @property
        ...     def terms(self):
        ...         terms = st.activation_terms
        ...         return ((1.0, terms.power(1)), (1.0, terms.function_of(jnp.tanh)))
        >>> round(float(st.dual(Residual(), 0, 1.0, 1.0, correlation=1.0)), 4)
        2.6057
    """
    return Factor("function", function=function, kinks=tuple(float(t) for t in kinks))


def derivative(terms: Terms, order: int = 1) -> Terms:
    """As a distribution."""
    for _ in range(order):
        terms = collected((c * c_, found) for c, factor in terms for c_, found in _derivative_of(factor))
    return terms


def _derivative_of(factor: Factor) -> Terms:
    if factor.kind == "wave":
        return ((factor.frequency, replace(factor, phase=factor.phase + math.pi / 2)),)
    if factor.kind == "power":
        return ((float(factor.power), power(factor.power - 1, factor.kink)),) if factor.power else ()
    if factor.kind == "truncated power":
        return ((float(factor.power) if factor.power > 0 else 1.0, replace(factor, power=factor.power - 1)),)
    found = [(1.0, replace(factor, power=factor.power + 1))]
    for kink in factor.kinks:
        jump = factor.beside(kink).jump
        if math.isinf(jump):
            raise ValueError(
                f"function: got a derivative of order {factor.power} without a finite limit at the kink {kink}; "
                "needs one-sided limits, of every order that the loss and its gradient take"
            )
        if jump:
            found.append((jump, truncated_power(-1, kink)))
    return tuple(found)


def collected(terms: Iterable[Term]) -> Terms:
    """Equal factors added up, those of coefficient 0 dropped."""
    total: dict[Factor, float] = {}
    for coefficient, factor in terms:
        total[factor] = total.get(factor, 0.0) + coefficient
    return tuple((c, factor) for factor, c in total.items() if c != 0.0)


def smooth_part(terms: Terms) -> Terms:
    """Without the deltas that no sample sees: the derivative almost everywhere."""
    return tuple(term for term in terms if not (term[1].is_delta and term[1].is_sharp))


def deltas(terms: Terms) -> Terms:
    """The deltas that no sample sees."""
    return tuple(term for term in terms if term[1].is_delta and term[1].is_sharp)


MANY = 8  # derivatives of a function of the user's that are looked at for jumps


def highest_order(terms: Terms) -> int | None:
    """The highest order m with E[(f^(m))^2] finite; None if every order is."""
    if not kinks(terms):
        return None
    for order in range(MANY):
        if not _is_limited(terms) or deltas(derivative(terms)):
            return order if _is_limited(terms) else max(0, order - 1)
        terms = derivative(terms)
    return None


def _is_limited(terms: Terms) -> bool:
    """Whether functions of the user's have finite limits at their kinks."""
    return not any(
        math.isinf(factor.beside(kink).jump) for _, factor in terms if factor.function for kink in factor.kinks
    )


def kinks(terms: Terms) -> tuple[float, ...]:
    """Where some derivative jumps."""
    return tuple(sorted({kink for _, factor in terms for kink in factor.where_not_smooth}))
