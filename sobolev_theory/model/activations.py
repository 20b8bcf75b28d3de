"""Activations: point values for sampling, and what they are made of, from which the exact formulas follow.

A new activation is one class here or in a user's own file; nothing else is edited. What it must give is `__call__`, a
JAX function of the pre-activation, and `kinks`, if it has any. What it may give, for closed forms and not quadrature:
* `terms`, if it is a sum of the truncated powers, powers and waves of `factors`, also smoothed by a Gaussian: then
  all expectations are exact, with biases, under any Gaussian input, and beside any other such activation;
* or `dual`, E[sigma^(m)(u) sigma^(m)(u')] of a centred Gaussian pair: then losses without biases are exact.
"""

import abc
import math
from collections.abc import Callable, Sequence
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .activation_terms import Terms, half, highest_order, kinks, other, wave, whole

Points = Float[Array, "*shape"]


class Activation(eqx.Module):
    """Base class of all activations: immutable, compared by value, static under jit.

    Parameters of an activation are static fields, `eqx.field(static=True)`. A user's class may set `kinks`,
    `why_no_higher_order`, for the error message, and `nodes`, of quadrature on one axis, by plain assignment.
    """

    why_no_higher_order: ClassVar[str] = (
        "the next derivative has delta functions, whose square has no finite expectation"
    )
    nodes: ClassVar[int] = 256

    @abc.abstractmethod
    def __call__(self, t: Points) -> Points:
        """sigma(t), elementwise."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """The points t where sigma or one of its derivatives jumps."""
        return ()

    @property
    def terms(self) -> Terms:
        """The activation as a sum of `factors`; by default one, a function to be integrated numerically."""
        return ((1.0, other(self, self.kinks)),)

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
        return ((1.0, half(1)),)


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

    power: int = eqx.field(static=True, default=2)

    def __check_init__(self):
        if isinstance(self.power, bool) or not isinstance(self.power, int) or not 1 <= self.power <= 8:
            raise ValueError(f"power: got {self.power!r}; needs a whole number from 1 to 8")

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, jnp.zeros_like(t)) ** self.power

    @property
    def terms(self) -> Terms:
        return ((1.0, half(self.power)),)


class LeakyReLU(_Composed):
    """t for t > 0, slope t else. Sobolev losses up to H1."""

    slope: float = eqx.field(static=True, default=0.01, converter=float)

    def __check_init__(self):
        _check_finite("slope", self.slope)

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, self.slope * t)

    @property
    def terms(self) -> Terms:
        return ((1.0 - self.slope, half(1)), (self.slope, whole(1)))


class AbsoluteValue(_Composed):
    """|t|. Sobolev losses up to H1."""

    def __call__(self, t: Points) -> Points:
        return jnp.where(t > 0, t, -t)

    @property
    def terms(self) -> Terms:
        return ((2.0, half(1)), (-1.0, whole(1)))


class Polynomial(_Composed):
    """sum_n coefficients[n] t^n.

    Raises:
        ValueError: no coefficients, more than 9, or one that is not finite.
    """

    coefficients: tuple[float, ...] = eqx.field(static=True, converter=lambda c: tuple(float(x) for x in c))

    def __check_init__(self):
        if not 1 <= len(self.coefficients) <= 9:
            raise ValueError(f"coefficients: got {len(self.coefficients)} of them; needs 1 to 9, up to t^8")
        for n, coefficient in enumerate(self.coefficients):
            _check_finite(f"coefficients[{n}]", coefficient)

    def __call__(self, t: Points) -> Points:
        return jnp.polyval(jnp.asarray(self.coefficients[::-1], t.dtype), t)

    @property
    def terms(self) -> Terms:
        return tuple((c, whole(n)) for n, c in enumerate(self.coefficients) if c)


class Identity(_Composed):
    """t: a linear network."""

    def __call__(self, t: Points) -> Points:
        return t

    @property
    def terms(self) -> Terms:
        return ((1.0, whole(1)),)


class _Wave(_Composed):
    """A function of frequency t + phase; every order."""

    frequency: float = eqx.field(static=True, default=1.0, converter=float)
    phase: float = eqx.field(static=True, default=0.0, converter=float)

    def __check_init__(self):
        _check_finite("frequency", self.frequency)
        _check_finite("phase", self.phase)


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
        return ((2.0, half(0, width=math.sqrt(0.5))), (-1.0, whole(0)))


class Gaussian(_Composed):
    """exp(-t^2 / 2); every order."""

    def __call__(self, t: Points) -> Points:
        return jnp.exp(-t * t / 2)

    @property
    def terms(self) -> Terms:
        return ((math.sqrt(2 * math.pi), half(-1, width=1.0)),)


class GELU(_Composed):
    """t Phi(t), without the tanh approximation; every order: E[(t + Z)_+] less the normal density."""

    def __call__(self, t: Points) -> Points:
        return t * jax.scipy.stats.norm.cdf(t)

    @property
    def terms(self) -> Terms:
        return ((1.0, half(1, width=1.0)), (-1.0, half(-1, width=1.0)))


class Elementwise(Activation):
    """Any function that JAX differentiates, smooth between its kinks: expectations by quadrature.

    Losses and gradients raise if the quadrature has not converged. Derivatives up to two orders above the loss are
    taken, so a function should be smooth between its kinks.

    Args:
        function: elementwise, of arrays of any shape; tell two of them apart by identity.
        kinks: where it or one of its derivatives jumps.
        nodes: on one axis; time grows with their square.

    Example:
        >>> import jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> student = st.Network([1.0, 0.0], activation=st.Elementwise(jnp.tanh))
        >>> teacher = st.Network([0.0, 1.0], activation=st.Elementwise(jnp.tanh))
        >>> round(float(st.population_loss(student, teacher, st.L2)), 4)
        0.3943
    """

    function: Callable[[Points], Points] = eqx.field(static=True)
    kinks: tuple[float, ...] = eqx.field(static=True, default=())
    nodes: int = eqx.field(static=True, default=256)  # type: ignore[misc]  # a field in the place of a constant

    def __init__(self, function: Callable[[Points], Points], kinks: Sequence[float] = (), nodes: int = 256):
        if not callable(function):
            raise TypeError(f"function: got {function!r}; needs a function of an array")
        for n, kink in enumerate(kinks):
            _check_finite(f"kinks[{n}]", kink)
        if isinstance(nodes, bool) or not isinstance(nodes, int) or nodes < 8:
            raise ValueError(f"nodes: got {nodes!r}; needs a whole number >= 8")
        self.function, self.kinks, self.nodes = function, tuple(float(kink) for kink in kinks), nodes

    def __call__(self, t: Points) -> Points:
        return self.function(t)

    @property
    def terms(self) -> Terms:
        return ((1.0, other(self.function, self.kinks)),)


class Mixed(Activation):
    """An activation of its own for every neuron; what `Network` makes of a sequence of activations."""

    activations: tuple[Activation, ...] = eqx.field(static=True)

    def __call__(self, t: Float[Array, "... K"]) -> Float[Array, "... K"]:
        """Of pre-activations [..., K]."""
        if t.shape[-1:] != (len(self.activations),):
            raise ValueError(f"t: got shape {t.shape}; needs [..., {len(self.activations)}], one field per neuron")
        return jnp.stack([sigma(t[..., k]) for k, sigma in enumerate(self.activations)], axis=-1)

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted({kink for sigma in self.activations for kink in sigma.kinks}))

    @property
    def terms(self) -> Terms:
        raise TypeError("terms: a mixed activation has them per neuron")

    @property
    def highest_order(self) -> int | None:
        return min((m for m in (s.highest_order for s in self.activations) if m is not None), default=None)


def mixed(activations: Sequence[Activation]) -> Activation:
    """One activation if all are equal."""
    first, *rest = activations
    return first if all(sigma == first for sigma in rest) else Mixed(tuple(activations))


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{name}: got {value}; needs a finite number")
