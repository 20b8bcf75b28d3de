"""Values and derivatives of a network in its input, at many points: by forward, reverse or Taylor mode.

Taylor mode propagates truncated series, at a cost that grows with the square of the order where nested forward mode
doubles with each. Full tensors come from the series along a lattice of directions (Griewank, Utke, Walther 2000,
Evaluating higher derivative tensors by forward propagation of univariate Taylor series).
"""

import math
from collections.abc import Callable
from functools import cache, partial
from itertools import combinations_with_replacement
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.arguments import check_choice, real_array
from .taylor_series import UnknownSeriesError, derivatives_along, operations

Method = Literal["auto", "forward", "reverse", "taylor"]
Network = Callable[[Any], Array]
TAYLOR_FROM = {1: 4, 2: 2, 3: 2}  # inputs -> order; in one input series cost more than they save up to there


def derivatives(
    network: Network, x: Float[Array, "N *in"], order: int, method: Method = "auto"
) -> tuple[Float[Array, "N ..."], ...]:
    """Value and derivatives up to `order` at each point.

    All methods give what nested differentiation by JAX gives, also at kinks and where there are rules of its own.

    Args:
        network: any function of one point to one array that JAX can differentiate, such as an equinox module.
        x: points [N d], or [N] for a function of a scalar, whose derivatives have no axes of inputs.
        order: the highest, 0 or more.
        method: "forward" nests jvp, "reverse" nests jvp around one backward pass, "taylor" propagates series through
            the operations that it knows. "auto" takes the cheapest of those that the network's operations allow.

    Returns:
        One array for each order from 0 on, [N *out], [N *out *in], [N *out *in *in], ..., of the network's precision.

    Raises:
        TypeError: points that are complex or no numbers; a network that returns anything but one real array.
        ValueError: a negative order, an unknown method, points that are no array of finite numbers.
        NotImplementedError: "taylor" of a network with an operation that it does not know, or with a derivative of
            its own (jax.custom_jvp, jax.custom_vjp).

    Example:
        >>> import jax.numpy as jnp, sobolev_theory as st
        >>> value, slope, curvature = st.training.derivatives(lambda x: x**3, jnp.array([1.0, 2.0]), 2)
        >>> slope.tolist(), curvature.tolist()
        ([3.0, 12.0], [6.0, 12.0])
    """
    x = points("x", x)
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"order: got {order}; needs a whole number of at least 0")
    check_choice("method", method, Method)
    output_of("network", network, x)
    shape = x.shape[1:]

    def flat(point: Float[Array, " d"]) -> Array:
        return jnp.asarray(network(point.reshape(shape)))

    flat_points = x.reshape(len(x), math.prod(shape))
    if order == 0:
        return (jax.vmap(flat)(flat_points),)
    chosen = _choice(flat, flat_points, order) if method == "auto" else method
    found = jax.vmap(partial(_MODES[chosen], flat, order))(flat_points)
    return tuple(tensor.reshape(*tensor.shape[: tensor.ndim - m], *m * shape) for m, tensor in enumerate(found))


def points(name: str, x) -> Float[Array, "N *in"]:
    """As a real array with an axis of points.

    Raises:
        TypeError: complex numbers, or none.
        ValueError: a scalar, points without coordinates, or numbers that are not finite.
    """
    x = real_array(name, x)
    if x.ndim == 0:
        raise ValueError(f"{name}: got a scalar; needs an axis of points, [N] or [N d]")
    if 0 in x.shape[1:]:
        raise ValueError(f"{name}: got shape {x.shape}; needs points of at least one coordinate")
    return x


def output_of(name: str, function: Network, x: Float[Array, "N *in"]) -> jax.ShapeDtypeStruct:
    """Shape and dtype of the function at one point.

    Raises:
        TypeError: it is not one array of real floating-point numbers.
    """
    found = jax.eval_shape(function, _one_of(x))
    if not isinstance(found, jax.ShapeDtypeStruct) or not jnp.issubdtype(found.dtype, jnp.floating):
        raise TypeError(f"{name}: got a function that returns {found}; needs one array of real numbers")
    return found


def _one_of(x: Float[Array, "N *in"]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape[1:], x.dtype)


def _choice(flat: Network, x: Float[Array, "N d"], order: int) -> str:
    """What was fastest for gradients of losses of dense tanh networks, see `benchmarks.training`, of what can be."""
    point = _one_of(x)
    if order >= TAYLOR_FROM.get(point.size, math.inf) and _has_series(flat, point, order):
        return "taylor"
    closed, output = jax.make_jaxpr(flat, return_shape=True)(point)
    names = set(operations(closed.jaxpr))
    if any(name.startswith("custom_vjp") for name in names):  # has no jvp
        return "reverse"
    return "reverse" if point.size > output.size and "while" not in names else "forward"  # which has no vjp


def _has_series(flat: Network, point: jax.ShapeDtypeStruct, order: int) -> bool:
    try:
        jax.eval_shape(partial(derivatives_along, flat, order), point, point)
    except UnknownSeriesError:
        return False
    return True


def _forward(flat, order: int, point) -> tuple[Array, ...]:
    def all_up_to(m: int):
        if m == 0:
            return lambda point: (flat(point),)
        lower = all_up_to(m - 1)

        def tensors(point):
            values, slopes = _along_all_inputs(lower, point)
            return *values, slopes[-1]

        return tensors

    return all_up_to(order)(point)


def _along_all_inputs(function, point):
    """Values, and derivatives in each input as last axis."""

    def along(direction):
        return jax.jvp(function, (point,), (direction,))

    basis = jnp.eye(point.size, dtype=point.dtype)
    if point.size == 1:
        values, slopes = along(basis[0])
        return values, jax.tree.map(lambda slope: slope[..., None], slopes)
    return jax.vmap(along, out_axes=(None, -1))(basis)


def _reverse(flat, order: int, point) -> tuple[Array, ...]:
    def value_and_slope(point):
        value, pull = jax.vjp(flat, point)
        basis = jnp.eye(value.size, dtype=value.dtype).reshape(value.size, *value.shape)
        slope = jax.vmap(lambda row: pull(row)[0])(basis)
        return value, slope.reshape(*value.shape, point.size)

    def all_up_to(m: int):
        if m == 1:
            return value_and_slope
        lower = all_up_to(m - 1)

        def tensors(point):
            values, slopes = _along_all_inputs(lower, point)
            return *values, slopes[-1]

        return tensors

    return all_up_to(order)(point)


def _taylor(flat, order: int, point) -> tuple[Array, ...]:
    directions = _lattice(point.size, order)
    if len(directions) == 1:
        value, *terms = derivatives_along(flat, order, point, jnp.asarray(directions[0], point.dtype))
        return value, *(term.reshape(*term.shape, *m * (1,)) for m, term in enumerate(terms, start=1))
    series = jax.vmap(partial(derivatives_along, flat, order, point))(jnp.asarray(directions, point.dtype))
    value, *terms = series
    tensors = [
        jnp.tensordot(term, jnp.asarray(_from_series(point.size, order, m), point.dtype), axes=((0,), (0,)))
        for m, term in enumerate(terms, start=1)
    ]
    return value[0], *tensors


def _lattice(inputs: int, order: int) -> np.ndarray:
    """All points with coordinates in 0, 1/order, ..., 1 that sum to 1, [directions, inputs]."""
    chosen = list(combinations_with_replacement(range(inputs), order))
    return np.stack([np.bincount(entries, minlength=inputs) for entries in chosen]) / order


@cache
def _from_series(inputs: int, order: int, m: int) -> np.ndarray:
    """[directions, *m inputs]: the tensor of m-th derivatives as combinations of those along the lattice.

    Along v it is the sum over multi-indices a with |a| = m of m!/a! v^a D^a: solved for the D^a.
    """
    entries = list(combinations_with_replacement(range(inputs), m))
    powers = np.stack([np.bincount(entry, minlength=inputs) for entry in entries])
    multinomial = np.array([math.factorial(m) / math.prod(map(math.factorial, a)) for a in powers.tolist()])
    along = multinomial * np.prod(_lattice(inputs, order)[:, None] ** powers, axis=-1)
    solved = np.linalg.pinv(along)
    number = {entry: i for i, entry in enumerate(entries)}
    rows = [number[tuple(sorted(at))] for at in np.ndindex(*m * (inputs,))]
    return solved[rows].T.reshape(-1, *m * (inputs,))


_MODES = {"forward": _forward, "reverse": _reverse, "taylor": _taylor}
