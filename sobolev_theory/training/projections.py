"""A Sobolev loss for high input dimension: derivatives along a few random directions instead of all."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.arguments import real_array
from ..model.losses import H1, SobolevLoss
from .derivatives import Network, derivatives
from .objectives import Target, arrays_like, check_loss, weighed_orders, weighted


def projected_loss(
    network: Network,
    x: Float[Array, "N *in"],
    key: jax.Array,
    target: Target,
    loss: SobolevLoss = H1,
    *,
    directions: int = 1,
) -> Float[Array, ""]:
    """`sobolev_loss` in expectation, from derivatives along random directions at each point.

    Directions v have E[v v'] = 1, so that E |D^m f[v_1, ..., v_m]|^2 = |D^m f|^2 for independent v_i. Those at one
    point are orthogonal to each other: for first derivatives the variance falls to 0 at `directions` = d. The cost
    is that of `directions` forward passes of each order, whatever d is.

    Source: Czarnecki et al. 2017, Sobolev training for neural networks, section 2 (stochastic Sobolev training).

    Args:
        key: of jax.random; the objective's key in `fit` gives fresh directions at each step.
        target: as for `sobolev_loss`; of a function, too, only derivatives along the directions are taken.
        directions: at each point, 1 to d.

    Raises:
        TypeError: a loss that is no SobolevLoss.
        ValueError: a number of directions outside 1 ... d; target arrays that do not fit.

    Example:
        >>> import jax, jax.numpy as jnp, sobolev_theory as st
        >>> x = jnp.zeros((1, 1000))
        >>> value = projected_loss(jnp.sum, x, jax.random.key(0), lambda x: 0 * x[0], directions=1000)
        >>> round(float(value))  # |gradient|^2/2, with all directions exactly
        500
    """
    check_loss(loss)
    x = real_array("x", x)
    shape, size = x.shape[1:], math.prod(x.shape[1:])
    if isinstance(directions, bool) or not isinstance(directions, int) or not 1 <= directions <= size:
        raise ValueError(f"directions: got {directions}; needs a whole number from 1 to {size}, the input dimension")
    if not callable(target):
        full = jax.eval_shape(lambda x: derivatives(network, x, loss.order), x)
        target = arrays_like(full, target, loss)

    def squares(point, key, of_target):
        along = _directions(key, loss.order, directions, shape, point.dtype)
        found = jax.vmap(partial(_along, network, point))(along)
        if callable(target):
            wanted = jax.vmap(partial(_along, target, point))(along)
        else:
            wanted = jax.vmap(partial(_contracted, of_target, len(shape)))(along)
        return {m: jnp.sum((found[m] - wanted[m]) ** 2) / directions for m in weighed_orders(loss)}

    arrays = None if callable(target) else target
    return weighted(loss, jax.tree.map(jnp.mean, jax.vmap(squares)(x, jax.random.split(key, len(x)), arrays)))


def _directions(key, order: int, count: int, shape: tuple[int, ...], dtype) -> Float[Array, "count order *in"]:
    """For each order independent frames of `count` orthogonal directions, of length sqrt(d)."""
    size = math.prod(shape)
    normal = jax.random.normal(key, (order, size, count), dtype)
    frames = jnp.linalg.qr(normal).Q if count > 1 else normal / jnp.linalg.norm(normal, axis=1, keepdims=True)
    return jnp.sqrt(jnp.asarray(size, dtype)) * jnp.moveaxis(frames, 2, 0).reshape(count, order, *shape)


def _along(function, point, along) -> list[Array]:
    """f, Df[v_1], D^2 f[v_1, v_2], ... of the directions [order, *in]."""
    if len(along) == 0:
        return [function(point)]
    values, slopes = jax.jvp(lambda point: _along(function, point, along[:-1]), (point,), (along[-1],))
    return [*values, slopes[-1]]


def _contracted(tensors, axes: int, along) -> list:
    """The same of arrays: D^m, symmetric in its inputs, with v_1, ..., v_m."""
    found = []
    for m, tensor in enumerate(tensors):
        for direction in along[:m] if tensor is not None else ():
            tensor = jnp.tensordot(tensor, direction, axes)
        found.append(tensor)
    return found
