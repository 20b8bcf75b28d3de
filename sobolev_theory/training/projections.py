"""A Sobolev loss for high input dimension: derivatives along a few random directions instead of all."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.losses import H1, SobolevLoss
from .input_derivatives import Network, derivatives
from .objectives import Target, arrays_like, check_function, checked_points, weighed_orders, weighted


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

    Directions v have E[v v'] = 1, so that E |D^m f[v_1, ..., v_m]|^2 = |D^m f|^2 for independent v_i. A single one
    has random signs as entries: of a slope g, (g.v)^2 then varies by 2 |g|^4 - 2 sum g_i^4, which for slopes along
    one axis is 0 and at most (d + 2)/d of what a normal direction scaled to that length has, and a bit an entry is
    cheaper to draw. Several at one point are orthogonal to each other: for first derivatives the variance falls to 0
    at `directions` = d. The cost is that of `directions` forward passes of each order, whatever d is.

    Source: Czarnecki et al. 2017, Sobolev training for neural networks, section 2 (stochastic Sobolev training).

    Args:
        network: any function of one point to one array that JAX can differentiate in forward mode.
        x: points [N d], or [N] for networks of a scalar; at least one.
        key: of jax.random; the objective's key in `fit` gives fresh directions at each step.
        target: as for `sobolev_loss`; of a function, too, only derivatives along the directions are taken.
        loss: its lambdas may be traced.
        directions: at each point, 1 to d.

    Returns:
        A scalar, of the precision that JAX gives to the difference of network and target.

    Raises:
        TypeError, ValueError: as `sobolev_loss`; a number of directions outside 1 ... d.

    Example:
        >>> import jax, jax.numpy as jnp, sobolev_theory as st
        >>> x = jnp.zeros((1, 1000))
        >>> value = st.training.projected_loss(jnp.sum, x, jax.random.key(0), lambda x: 0 * x[0], directions=1000)
        >>> round(float(value))  # |gradient|^2/2, with all directions exactly
        500
    """
    x = checked_points(x, loss)
    shape, size = x.shape[1:], math.prod(x.shape[1:])
    if isinstance(directions, bool) or not isinstance(directions, int) or not 1 <= directions <= size:
        raise ValueError(f"directions: got {directions}; needs a whole number from 1 to {size}, the input dimension")
    if callable(target):
        check_function(target, network, x)
    else:
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
    """For each order independent frames of `count` orthogonal directions of length sqrt(d); signs where it is one."""
    size = math.prod(shape)
    if count == 1:
        return jax.random.rademacher(key, (1, order, *shape), dtype)
    at_least_single = dtype if jnp.finfo(dtype).bits >= 32 else jnp.float32  # lower ones have no QR
    normal = jax.random.normal(key, (order, size, count), at_least_single)
    frames = jnp.linalg.qr(normal).Q
    return (math.sqrt(size) * jnp.moveaxis(frames, 2, 0)).reshape(count, order, *shape).astype(dtype)


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
