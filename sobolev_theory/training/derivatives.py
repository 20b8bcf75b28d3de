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
from jax.experimental.jet import jet
from jaxtyping import Array, Float

from ..model.arguments import check_choice, real_array

Method = Literal["auto", "forward", "reverse", "taylor"]
Network = Callable[[Any], Array]
TAYLOR_FROM = {1: 4, 2: 2, 3: 2}  # inputs -> order; in one input jet's rules cost more than they save up to there


def derivatives(
    network: Network, x: Float[Array, "N *in"], order: int, method: Method = "auto"
) -> tuple[Float[Array, "N ..."], ...]:
    """Value and derivatives up to `order` at each point: [N *out], [N *out *in], [N *out *in *in], ...

    Args:
        network: any function of one point that JAX can differentiate, such as an equinox module.
        x: points [N d], or [N] for a function of a scalar, whose derivatives have no axes of inputs.
        method: "forward" nests jvp, "reverse" nests jvp around one backward pass, "taylor" uses
            jax.experimental.jet, which has rules for fewer primitives. "auto" takes the cheapest that there is.

    Raises:
        ValueError: a negative order, an unknown method, points that are no array of finite numbers.
        NotImplementedError: "taylor" of a network with a primitive that jet has no rule for.

    Example:
        >>> import jax.numpy as jnp
        >>> value, slope, curvature = derivatives(lambda x: x**3, jnp.array([1.0, 2.0]), 2)
        >>> slope.tolist(), curvature.tolist()
        ([3.0, 12.0], [6.0, 12.0])
    """
    x = real_array("x", x)
    if x.ndim == 0:
        raise ValueError("x: got a scalar; needs an axis of points, [N] or [N d]")
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"order: got {order}; needs a whole number of at least 0")
    check_choice("method", method, Method)
    if order == 0:
        return (jax.vmap(network)(x),)
    shape = x.shape[1:]

    def flat(point: Float[Array, " d"]) -> Array:
        return network(point.reshape(shape))

    points = x.reshape(len(x), -1)
    if method == "taylor" and not _has_jets(flat, points[0], order):
        raise NotImplementedError(
            "method: got 'taylor', but jet has no rule for this network; needs another, or 'auto'"
        )
    chosen = _choice(flat, points[0], order) if method == "auto" else method
    found = jax.vmap(partial(_MODES[chosen], flat, order))(points)
    return tuple(tensor.reshape(*tensor.shape[: tensor.ndim - m], *m * shape) for m, tensor in enumerate(found))


def _choice(flat, point, order: int) -> str:
    """What was fastest for gradients of losses of dense tanh networks; see `benchmarks.training`."""
    outputs = jax.eval_shape(flat, point).size
    if order >= TAYLOR_FROM.get(point.size, math.inf) and _has_jets(flat, point, order):
        return "taylor"
    return "reverse" if point.size > outputs else "forward"


def _has_jets(flat, point, order: int) -> bool:
    try:
        jax.eval_shape(partial(_series, flat, order), point, point)
    except Exception:  # jet has no rule, or its rule fails, in many ways
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


def _series(flat, order: int, point, direction) -> list[Array]:
    """Value and derivatives in t of the function at point + t direction, at t = 0."""
    zeros = [jnp.zeros_like(direction)] * (order - 1)
    value, terms = jet(flat, (point,), ([direction, *zeros],))
    return [value, *terms]


def _taylor(flat, order: int, point) -> tuple[Array, ...]:
    directions = _lattice(point.size, order)
    if len(directions) == 1:
        value, *terms = _series(flat, order, point, jnp.asarray(directions[0], point.dtype))
        return value, *(term.reshape(*term.shape, *m * (1,)) for m, term in enumerate(terms, start=1))
    series = jax.vmap(partial(_series, flat, order, point))(jnp.asarray(directions, point.dtype))
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
