"""Sobolev losses of a network against a target at given points: one lambda per order.

The empirical counterpart of `SobolevLoss`: the expectation is the mean over the points [N]. A target is a function
that JAX can differentiate, whose derivatives are exact, or a tuple of arrays: values, slopes, ... at the points, from
data or from a scheme such as those of `sobolev_theory.differentiation`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.arguments import real_array
from ..model.losses import H1, SobolevLoss
from .input_derivatives import Method, Network, derivatives, output_of, points

Target = Callable[[Any], Array] | Sequence[Float[Array, "N ..."] | None]


def sobolev_loss(
    network: Network, x: Float[Array, "N *in"], target: Target, loss: SobolevLoss = H1, method: Method = "auto"
) -> Float[Array, ""]:
    """Mean over the points of sum_m lambda_m / 2 |D^m (network - target)|^2, the square summed over all entries.

    Args:
        network: any function of one point to one array that JAX can differentiate.
        x: points [N d], or [N] for networks of a scalar; at least one.
        target: a function to arrays shaped like the network's, or arrays shaped as `derivatives` returns them, up to
            the order of the loss; None at orders whose lambda is 0. Nothing is broadcast.
        loss: its lambdas may be traced.
        method: of `derivatives`, for the network.

    Returns:
        A scalar, of the precision that JAX gives to the difference of network and target.

    Raises:
        TypeError: a loss that is no SobolevLoss; points, targets or a network that are complex or no arrays.
        ValueError: points or target arrays that are not finite; no points; a target that is shaped otherwise than the
            network, or has too few arrays.
        NotImplementedError: see `derivatives`.

    Example:
        >>> import jax.numpy as jnp, sobolev_theory as st
        >>> x = jnp.linspace(-1.0, 1.0, 5)
        >>> float(st.training.sobolev_loss(lambda x: 2 * x, x, lambda x: x, st.H1))  # (mean of x^2 + 1)/2
        0.75
    """
    x = checked_points(x, loss)
    found = derivatives(network, x, loss.order, method)
    if callable(target):
        check_function(target, network, x)
        wanted = derivatives(target, x, loss.order)
    else:
        wanted = arrays_like(found, target, loss)
    return weighted(loss, {m: jnp.sum((found[m] - wanted[m]) ** 2) / len(x) for m in weighed_orders(loss)})


def checked_points(x, loss: SobolevLoss) -> Float[Array, "N *in"]:
    """The points, where there are some and the loss is one."""
    if not isinstance(loss, SobolevLoss):
        raise TypeError(f"loss: got {loss!r}; needs a SobolevLoss such as st.H1")
    x = points("x", x)
    if len(x) == 0:
        raise ValueError(f"x: got shape {x.shape}; needs at least one point to take the mean over")
    return x


def check_function(target: Network, network: Network, x: Float[Array, "N *in"]) -> None:
    """Raise unless the target's values have the shape of the network's."""
    found, needed = (output_of(name, f, x).shape for name, f in (("target", target), ("network", network)))
    if found != needed:
        raise ValueError(f"target: got a function to shape {found}; needs shape {needed}, that of the network")


def arrays_like(
    found: Sequence, target: Sequence[Float[Array, "N ..."] | None], loss: SobolevLoss
) -> tuple[Any, ...]:
    """The target's arrays, checked against the shapes that the network's derivatives have."""
    if not hasattr(target, "__len__"):
        raise TypeError(f"target: got {target!r}; needs a function, or arrays of values and derivatives")
    if len(target) <= loss.order:
        raise ValueError(f"target: got {len(target)} arrays; needs one for each order from 0 to {loss.order}")
    arrays: list[Array | None] = []
    for m, (shape, array) in enumerate(zip((tensor.shape for tensor in found), target, strict=False)):
        if not weighs(loss, m):
            arrays.append(None)
            continue
        given = None if array is None else real_array(f"target[{m}]", array)
        if given is None or given.shape != shape:
            got = "None" if given is None else f"shape {given.shape}"
            raise ValueError(f"target[{m}]: got {got}; needs shape {shape}, that of the network's derivatives")
        arrays.append(given)
    return tuple(arrays)


def weighted(loss: SobolevLoss, squares: dict[int, Float[Array, ""]]) -> Float[Array, ""]:
    return jnp.asarray(sum(loss.lambdas[m] * square for m, square in squares.items()) / 2)


def weighed_orders(loss: SobolevLoss) -> list[int]:
    return [m for m in range(loss.order + 1) if weighs(loss, m)]


def weighs(loss: SobolevLoss, m: int) -> bool:
    """Orders whose lambda is known to be 0 cost nothing and need no target."""
    return not (isinstance(loss.lambdas[m], float) and loss.lambdas[m] == 0.0)
