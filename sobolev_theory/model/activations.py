"""Activations: point values for sampling, and what they are made of, from which the exact formulas follow.

A new activation is one class here or in a user's own file; nothing else is edited. What it must give is `__call__`, a
JAX function of the pre-activation, and `kinks`, if it has any. What it may give, for closed forms, not quadrature:
* `terms`, if it is a sum of the truncated powers, powers and waves of `activation_terms`, also smoothed by a
  Gaussian: then all expectations are exact, with biases, under any Gaussian input, beside any other such activation;
* or `dual`, E[sigma^(m)(u) sigma^(m)(u')] of a centred Gaussian pair: then losses without biases are exact.
"""

import abc
import dataclasses
import math
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .activation_terms import (
    Terms,
    deltas,
    derivative,
    function_of,
    highest_order,
    kinks,
    power,
    truncated_power,
    wave,
)
from .arguments import finite, whole

Points = Float[Array, "*shape"]


class Activation(eqx.Module):
    """Base class of all activations: immutable, compared by value, static under jit.

    Parameters of an activation are static fields, `eqx.field(static=True)`, of plain numbers. A user's class may
    set `kinks`, `why_no_higher_order`, for the error message, and `nodes`, of quadrature on one axis, by assignment.

    So no derivative is taken in a parameter; that would take factors that carry arrays beside what is static in them,
    and their part in the derivative of `kernels.moments_of_two.moments`. What enters linearly, as the slope of a
    leaky ReLU does, is an output weight of neurons with the same weights: s t + (1 - s) t_+.

    Raises:
        TypeError: a field that is not static, or that holds an array; the message names it.
    """

    why_no_higher_order: ClassVar[str] = (
        "the next derivative has delta functions, whose square has no finite expectation"
    )
    nodes: ClassVar[int] = 256

    def __check_init__(self):
        for field in dataclasses.fields(self):
            held = getattr(self, field.name)
            inside = [held] if field.metadata.get("static", False) else jax.tree.leaves(held)
            if any(isinstance(x, jax.Array) or not _is_hashable(x) for x in inside):
                raise TypeError(
                    f"{field.name}: got {held!r}, with an array in it; an activation is static under jit, and needs "
                    "plain numbers, compared by value, or a function that closes over its arrays"
                )
            if inside and not field.metadata.get("static", False):
                raise TypeError(f"{field.name}: got a field that is not static; needs `eqx.field(static=True)`")

    @abc.abstractmethod
    def __call__(self, t: Points) -> Points:
        """sigma(t), elementwise."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """The points t where sigma or one of its derivatives jumps."""
        return ()

    @property
    def terms(self) -> Terms:
        """The activation as a sum of factors; by default one, a function to be integrated numerically."""
        return ((1.0, function_of(self, self.kinks)),)

    @property
    def highest_order(self) -> int | None:
        """The highest order m with E[sigma^(m)(u)^2] finite; None if there is no limit."""
        return highest_order(self.terms)

    def dual(self, order: int, variance: Points, covariance: Points, variance_: Points) -> Points:
        """E[sigma^(m)(u) sigma^(m)(u')] for a centred Gaussian pair (u, u'), m = order; elementwise.

        For a class to give, if its activation is no sum of terms; it must be differentiable by JAX in the three
        arguments, also at covariance^2 = variance * variance_. To evaluate a dual, call `st.dual`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no dual of its own; st.dual evaluates it")

    @property
    def has_own_dual(self) -> bool:
        return type(self).dual is not Activation.dual


class _Composed(Activation):
    """A sum of factors that are not the user's."""

    @property
    @abc.abstractmethod
    def terms(self) -> Terms: ...

    @property
    def kinks(self) -> tuple[float, ...]:
        return kinks(self.terms)


def has_jumps(sigma: Activation, order: int) -> bool:
    """Whether the derivative of this order jumps, of any neuron of a mixed one, so that there is a boundary term."""
    each = getattr(sigma, "activations", (sigma,))
    return any(deltas(derivative(one.terms, order + 1)) for one in each)


def jump_of_slope(sigma: Activation) -> float | None:
    """At 0, where alone the first derivative jumps: 1 for ReLU; None for other activations, and mixed ones."""
    if hasattr(sigma, "activations"):
        return None
    jumps = deltas(derivative(sigma.terms, 2))
    one = len(jumps) == 1 and (jumps[0][1].power, jumps[0][1].kink) == (-1, 0.0)
    return jumps[0][0] if one else None


def finite_numbers(name: str, values: Iterable) -> tuple[float, ...]:
    """As floats; the message has the place of one that is none."""
    if not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name}: got {values!r}; needs a sequence of numbers")
    return tuple(finite(f"{name}[{n}]", value) for n, value in enumerate(values))


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


class ReLU(_Composed):
    """max(0, t). Sobolev losses up to H1."""

    why_no_higher_order: ClassVar[str] = (
        "its second derivative is a delta function, whose square has infinite expectation, so the H2 loss of "
        "a ReLU network is infinite"
    )

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, jnp.zeros_like(t))

    @property
    def terms(self) -> Terms:
        return ((1.0, truncated_power(1)),)


class RePU(_Composed):
    """max(0, t)^p, the rectified power unit, p = 1 ... 8. Sobolev losses up to H^p. RePU(1) is ReLU as a function.

    Source: arc-cosine kernels of Cho & Saul (2009), by the stable recurrence of `truncated_powers`.

    Raises:
        ValueError: a power that is no whole number from 1 to 8.

    Example:
        >>> import sobolev_theory as st
        >>> student = st.Network([1.0, 0.0], activation=st.RePU(2))
        >>> teacher = st.Network([-1.0, 0.0], activation=st.RePU(2))
        >>> float(st.population_loss(student, teacher, st.H2))  # 3/2 + 2 + 2
        5.5
    """

    power: int = eqx.field(static=True, default=2, converter=partial(whole, "power", least=1, most=8))

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, jnp.zeros_like(t)) ** self.power

    @property
    def terms(self) -> Terms:
        return ((1.0, truncated_power(self.power)),)


class LeakyReLU(_Composed):
    """t for t > 0, slope t else. Sobolev losses up to H1."""

    slope: float = eqx.field(static=True, default=0.01, converter=partial(finite, "slope"))

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, self.slope * t)

    @property
    def terms(self) -> Terms:
        return ((1.0 - self.slope, truncated_power(1)), (self.slope, power(1)))


class AbsoluteValue(_Composed):
    """|t|. Sobolev losses up to H1."""

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, -t)

    @property
    def terms(self) -> Terms:
        return ((2.0, truncated_power(1)), (-1.0, power(1)))


class Polynomial(_Composed):
    """sum_n coefficients[n] t^n.

    Raises:
        ValueError: no coefficients, more than 9, or one that is not finite.
    """

    coefficients: tuple[float, ...] = eqx.field(static=True, converter=partial(finite_numbers, "coefficients"))

    def __check_init__(self):
        if not 1 <= len(self.coefficients) <= 9:
            raise ValueError(f"coefficients: got {len(self.coefficients)} of them; needs 1 to 9, up to t^8")

    def __call__(self, t: Points) -> Points:
        return jnp.polyval(jnp.asarray(self.coefficients[::-1], t.dtype), t)

    @property
    def terms(self) -> Terms:
        return tuple((c, power(n)) for n, c in enumerate(self.coefficients) if c)


class Identity(_Composed):
    """t: a linear network."""

    def __call__(self, t: Points) -> Points:
        return t

    @property
    def terms(self) -> Terms:
        return ((1.0, power(1)),)


class _Wave(_Composed):
    """A function of frequency t + phase; every order."""

    frequency: float = eqx.field(static=True, default=1.0, converter=partial(finite, "frequency"))
    phase: float = eqx.field(static=True, default=0.0, converter=partial(finite, "phase"))


class Sine(_Wave):
    """sin(frequency t + phase), as in SIREN; every order."""

    def __call__(self, t: Points) -> Points:
        return jnp.sin(self.frequency * t + self.phase)

    @property
    def terms(self) -> Terms:
        return ((1.0, wave(self.frequency, self.phase - math.pi / 2)),)


class Cosine(_Wave):
    """cos(frequency t + phase), the other half of Fourier features; every order."""

    def __call__(self, t: Points) -> Points:
        return jnp.cos(self.frequency * t + self.phase)

    @property
    def terms(self) -> Terms:
        return ((1.0, wave(self.frequency, self.phase)),)


class Erf(_Composed):
    """erf(t) = 2 Phi(sqrt(2) t) - 1; every order. Source: Williams (1997) for its kernel."""

    def __call__(self, t: Points) -> Points:
        return jax.scipy.special.erf(t)

    @property
    def terms(self) -> Terms:
        return ((2.0, truncated_power(0, width=math.sqrt(0.5))), (-1.0, power(0)))


class Gaussian(_Composed):
    """exp(-t^2 / 2); every order."""

    def __call__(self, t: Points) -> Points:
        return jnp.exp(-t * t / 2)

    @property
    def terms(self) -> Terms:
        return ((math.sqrt(2 * math.pi), truncated_power(-1, width=1.0)),)


class GELU(_Composed):
    """t Phi(t), without the tanh approximation; every order: E[(t + Z)_+] less the normal density."""

    def __call__(self, t: Points) -> Points:
        return t * jax.scipy.stats.norm.cdf(t)

    @property
    def terms(self) -> Terms:
        return ((1.0, truncated_power(1, width=1.0)), (-1.0, truncated_power(-1, width=1.0)))
