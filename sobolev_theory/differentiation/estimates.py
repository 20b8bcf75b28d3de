"""What adaptive schemes return: derivatives with estimates of their errors, or an error that says what can be had."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .finite_differences import check_accuracy


class EstimatedDerivative(eqx.Module):
    """A derivative and how it was found, point by point.

    Attributes:
        value: the derivative.
        error: an estimate, meant as a bound, of the absolute error of `value`.
        accuracy: the order of the scheme taken.
        spacing: the spacing taken.
    """

    value: Float[Array, "..."]
    error: Float[Array, "..."]
    accuracy: Int[Array, "..."]
    spacing: Float[Array, "..."]


class ToleranceNotMetError(ArithmeticError):
    """No candidate had an estimated error within the tolerance; `estimate` is the best found."""

    def __init__(self, message: str, estimate: EstimatedDerivative):
        super().__init__(message)
        self.estimate = estimate


def within(estimate: EstimatedDerivative, tolerance: float | None, x: Array | None = None) -> EstimatedDerivative:
    """The estimate, if it is within the tolerance everywhere; without one, if it is finite."""
    limit = float(jnp.finfo(estimate.error.dtype).max) if tolerance is None else tolerance
    missed = ~(estimate.error <= limit)
    if isinstance(missed, jax.core.Tracer):
        message = f"tolerance: got {tolerance}; needs one that the estimated error of the differences keeps"
        return eqx.error_if(estimate, missed, message)
    if bool(jnp.any(missed)):
        at = np.unravel_index(int(jnp.argmax(estimate.error)), estimate.error.shape)
        where = f"index {list(map(int, at))}" if x is None else f"x = {float(x[at])}"
        if not jnp.isfinite(estimate.error[at]):
            raise ToleranceNotMetError(
                f"f: got too few finite values around {where}; needs some on both sides", estimate
            )
        raise ToleranceNotMetError(
            f"tolerance: got {tolerance}; needs at least {float(estimate.error[at]):.3g}, the error estimated at "
            f"{where} with accuracy {int(estimate.accuracy[at])} and spacing {float(estimate.spacing[at]):.3g}",
            estimate,
        )
    return estimate


def pick(table: Float[Array, "k ..."], index: Int[Array, "..."]) -> Float[Array, "..."]:
    return jnp.take_along_axis(table, index[None], axis=0)[0]


def relative_noise(noise: float | None, dtype) -> float:
    """As given, or twice the rounding unit."""
    return 2 * float(jnp.finfo(dtype).eps) if noise is None else noise


def check_highest(accuracy: int) -> None:
    """Raise a ValueError for a highest accuracy that is no even number from 4."""
    check_accuracy(accuracy)
    if accuracy < 4:
        raise ValueError(f"highest_accuracy: got {accuracy}; needs at least 4, to be compared with 2")


def check_positive(**numbers: float | None) -> None:
    """Raise a ValueError for a number that is there and not positive."""
    for name, number in numbers.items():
        if number is not None and not (np.isfinite(number) and number > 0):
            raise ValueError(f"{name}: got {number}; needs a finite number > 0")
