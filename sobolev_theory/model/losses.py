"""The Sobolev loss: one non-negative lambda per order of derivative.

sum_m lambda_m E[ 1/2 || D_x^m (g - g*) ||_F^2 ].
"""

import math
from collections.abc import Iterable
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .activations import Activation

Of = Literal["loss", "population"]  # which gradient, and so which Jacobian, flow and spectrum
OrderWeights = tuple[float | Float[Array, ""], ...]  # the lambdas of a Sobolev loss, one per order


class SobolevLoss(eqx.Module):
    """sum_m lambdas[m] E[ 1/2 || D_x^m (student - teacher)(x) ||_F^2 ], m = 0, 1, ...

    The lambdas are leaves of the pytree: they may be traced, vmapped and differentiated. Numbers 0 at the end are
    dropped when the loss is built, so that it is of the same order under jit; a traced lambda counts as positive.

    Attributes:
        lambdas: one per order, up to the highest whose lambda is not known to be 0.

    Raises:
        TypeError: a lambda that is not a real number.
        ValueError: no lambdas, or one that is negative, infinite or NaN.

    Example:
        >>> import sobolev_theory as st
        >>> st.SobolevLoss((1.0, 0.5)), st.SobolevLoss((1.0, 1.0, 0.0))
        (SobolevLoss(lambdas=(1.0, 0.5)), SobolevLoss(lambdas=(1.0, 1.0)))
    """

    lambdas: OrderWeights

    def __init__(self, lambdas: Iterable[float | Float[Array, ""]]):
        if not isinstance(lambdas, Iterable) or getattr(lambdas, "ndim", 1) != 1:
            raise TypeError(f"lambdas: got {lambdas!r}; needs a sequence, one number per order")
        given = tuple(_of_order(m, value) for m, value in enumerate(lambdas))
        if not given:
            raise ValueError("lambdas: got an empty sequence; needs at least that of order 0")
        order = max((m for m, value in enumerate(given) if not known_zero(value)), default=0)
        self.lambdas = given[: order + 1]

    @property
    def order(self) -> int:
        """The highest order of derivative in the loss."""
        return len(self.lambdas) - 1


def known_zero(value: float | Float[Array, ""]) -> bool:
    return isinstance(value, float) and value == 0.0


def _of_order(order: int, given):
    if isinstance(given, jax.Array):
        if given.ndim or not (jnp.issubdtype(given.dtype, jnp.floating) or jnp.issubdtype(given.dtype, jnp.integer)):
            raise TypeError(
                f"lambdas[{order}]: got {given.dtype} of shape {given.shape}; needs a real number, of shape ()"
            )
        if isinstance(given, jax.core.Tracer):
            return given if jnp.issubdtype(given.dtype, jnp.floating) else given.astype(float)
    elif not hasattr(given, "__float__") or np.ndim(given) or not _is_real(given):
        raise TypeError(f"lambdas[{order}]: got {given!r}; needs a real number")
    value = float(given)
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"lambdas[{order}]: got {value}; needs a finite number >= 0")
    return value


def _is_real(given) -> bool:
    kind = getattr(getattr(given, "dtype", None), "kind", None)
    return kind not in ("b", "c") and not isinstance(given, bool | complex)


def check_order(loss: SobolevLoss, activation: Activation, name: str = "loss") -> None:
    """Raise if the loss is infinite for this activation."""
    if not isinstance(loss, SobolevLoss):
        raise TypeError(f"{name}: got {loss!r}; needs a SobolevLoss such as L2 or H1")
    highest = activation.highest_order
    if highest is not None and loss.order > highest:
        raise ValueError(
            f"{name}: got lambdas {loss.lambdas}, with a derivative of order {loss.order}; needs order at most "
            f"{highest} for {activation}: {activation.why_no_higher_order}"
        )


L2 = SobolevLoss((1.0,))
H1 = SobolevLoss((1.0, 1.0))
H2 = SobolevLoss((1.0, 1.0, 1.0))
