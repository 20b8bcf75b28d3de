"""Sobolev losses of a network against a target at given points: one weight per order.

The empirical counterpart of `SobolevLoss`: the expectation is the mean over the points [N]. A target is a function
that JAX can differentiate, whose derivatives are exact, or a tuple of arrays: values, slopes, ... at the points, from
data or from a scheme such as those of `sobolev_theory.differentiation`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.losses import H1, SobolevLoss
from .derivatives import Method, Network, derivatives

Target = Callable[[Any], Array] | Sequence[Float[Array, "N ..."] | None]


def sobolev_loss(
    network: Network, x: Float[Array, "N *in"], target: Target, loss: SobolevLoss = H1, method: Method = "auto"
) -> Float[Array, ""]:
    """Mean over the points of sum_m lambda_m / 2 |D^m (network - target)|^2, the square summed over all entries.

    Args:
        x: points [N d], or [N] for networks of a scalar.
        target: a function like the network, or arrays shaped as `derivatives` returns them, up to the order of the
            loss; None at orders of weight 0.
        method: of `derivatives`, for the network.

    Raises:
        TypeError: a loss that is no SobolevLoss.
        ValueError: target arrays that are too few or shaped otherwise than the network's.

    Example:
        >>> import jax.numpy as jnp, sobolev_theory as st
        >>> x = jnp.linspace(-1.0, 1.0, 5)
        >>> float(sobolev_loss(lambda x: 2 * x, x, lambda x: x, st.H1))  # (mean of x^2 + 1)/2
        0.75
    """
    check_loss(loss)
    found = derivatives(network, x, loss.order, method)
    wanted = derivatives(target, x, loss.order) if callable(target) else arrays_like(found, target, loss)
    return weighted(loss, {m: jnp.sum((found[m] - wanted[m]) ** 2) / len(x) for m in weighed_orders(loss)})


def check_loss(loss: SobolevLoss) -> None:
    if not isinstance(loss, SobolevLoss):
        raise TypeError(f"loss: got {loss!r}; needs a SobolevLoss such as st.H1")


def arrays_like(
    found: Sequence, target: Sequence[Float[Array, "N ..."] | None], loss: SobolevLoss
) -> tuple[Any, ...]:
    """The target's arrays, checked against the shapes that the network's derivatives have."""
    if len(target) <= loss.order:
        raise ValueError(f"target: got {len(target)} arrays; needs one for each order from 0 to {loss.order}")
    arrays: list[Array | None] = []
    for m, (shape, array) in enumerate(zip((tensor.shape for tensor in found), target, strict=False)):
        if not weighs(loss, m):
            arrays.append(None)
            continue
        if array is None or jnp.shape(array) != shape:
            got = "None" if array is None else f"shape {jnp.shape(array)}"
            raise ValueError(f"target[{m}]: got {got}; needs shape {shape}, that of the network's derivatives")
        arrays.append(jnp.asarray(array))
    return tuple(arrays)


def weighted(loss: SobolevLoss, squares: dict[int, Float[Array, ""]]) -> Float[Array, ""]:
    return jnp.asarray(sum(loss.lambdas[m] * square for m, square in squares.items()) / 2)


def weighed_orders(loss: SobolevLoss) -> list[int]:
    return [m for m in range(loss.order + 1) if weighs(loss, m)]


def weighs(loss: SobolevLoss, m: int) -> bool:
    """Orders whose weight is known to be 0 cost nothing and need no target."""
    return not (isinstance(loss.lambdas[m], float) and loss.lambdas[m] == 0.0)
