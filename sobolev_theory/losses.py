"""The Sobolev loss: one non-negative weight per order of derivative.

sum_m lambda_m E[ 1/2 || D_x^m (g - g*) ||_F^2 ].
"""

import math
from collections.abc import Iterable

import equinox as eqx
import jax
from jaxtyping import Array, Float

from .activations import Activation


class SobolevLoss(eqx.Module):
    """sum_m weights[m] E[ 1/2 || D_x^m (student - teacher)(x) ||_F^2 ], m = 0, 1, ...

    The weights are leaves of the pytree: they may be traced, vmapped and differentiated.

    Raises:
        TypeError: a weight that is not a real number.
        ValueError: no weights, or one that is negative, infinite or NaN.

    Example:
        >>> import sobolev_theory as st
        >>> st.SobolevLoss((1.0, 0.5))
        SobolevLoss(weights=(1.0, 0.5))
    """

    weights: tuple[float | Float[Array, ""], ...]

    def __init__(self, weights: Iterable[float | Float[Array, ""]]):
        if not isinstance(weights, Iterable):
            raise TypeError(f"weights: got {weights!r}; needs a sequence, one weight per order")
        self.weights = tuple(_weight(m, weight) for m, weight in enumerate(weights))
        if not self.weights:
            raise ValueError("weights: got an empty sequence; needs at least the weight of order 0")

    @property
    def order(self) -> int:
        """The highest order whose weight is not known to be 0."""
        known_zero = [isinstance(weight, float) and weight == 0.0 for weight in self.weights]
        return max((m for m, zero in enumerate(known_zero) if not zero), default=0)


def _weight(order: int, weight):
    if isinstance(weight, jax.core.Tracer):
        return weight
    if isinstance(weight, bool) or not hasattr(weight, "__float__") or isinstance(weight, complex):
        raise TypeError(f"weights[{order}]: got {weight!r}; needs a real number")
    value = float(weight)
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"weights[{order}]: got {value}; needs a finite number >= 0")
    return value


def check_order(loss: SobolevLoss, activation: Activation, name: str = "loss") -> None:
    """Raise if the loss is infinite for this activation."""
    if not isinstance(loss, SobolevLoss):
        raise TypeError(f"{name}: got {loss!r}; needs a SobolevLoss such as L2 or H1")
    highest = activation.highest_order
    if highest is not None and loss.order > highest:
        raise ValueError(
            f"{name}: got weights {loss.weights}, with a derivative of order {loss.order}; needs order at most "
            f"{highest} for {activation}: {activation.why_no_higher_order}"
        )


L2 = SobolevLoss((1.0,))
H1 = SobolevLoss((1.0, 1.0))
H2 = SobolevLoss((1.0, 1.0, 1.0))
