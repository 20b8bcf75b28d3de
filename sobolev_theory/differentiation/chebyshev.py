"""Chebyshev spectral differentiation: on n nodes of an interval, exact for polynomials of degree up to n - 1.

For analytic functions the error falls geometrically in n. What is left is rounding: near the ends the nodes are 1/n^2
apart, and the derivative of order m carries the rounding of the samples up to n^(2m) times.

Source: Baltensperger and Trummer, SIAM Journal on Scientific Computing 24 (2003), for the stable form of the matrix:
differences of nodes by sines, and a diagonal that makes the rows sum to 0; Welfert's recurrence for higher orders.
"""

from functools import lru_cache, partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.arguments import check_choice
from .grids import Interval, along_last, at_least_single, check_interval, check_order, check_points

__all__ = ["derivative", "inverse_transform", "matrix", "nodes", "transform"]
__dir__ = __all__.copy

Method = Literal["auto", "matrix", "transform"]
LARGE = 1024  # points from which on the transform is faster, measured on 100 lines in double precision


def nodes(n: int, interval: Interval = (-1.0, 1.0)) -> Float[Array, " n"]:
    """The n points cos(pi k/(n - 1)), carried to the interval: from its upper end down to its lower end.

    Args:
        n: number of nodes, at least 2.
        interval: its two ends.

    Returns:
        The nodes in decreasing order, an array [n] of the precision that is the default.

    Raises:
        ValueError: n < 2, or an interval that is none.

    Example:
        >>> from sobolev_theory.differentiation import chebyshev
        >>> chebyshev.nodes(3, (0.0, 4.0)).tolist()
        [4.0, 2.0, 0.0]
    """
    check_points(n)
    a, b = check_interval(interval)
    return jnp.asarray(((1 - _nodes(n)) * a + (1 + _nodes(n)) * b) / 2)


def matrix(n: int, order: int = 1, *, interval: Interval = (-1.0, 1.0)) -> Float[Array, "n n"]:
    """The matrix that takes values at the nodes to derivatives at the nodes.

    Args:
        n: number of nodes, at least 2.
        order: of the derivative, 1 or more.
        interval: of the nodes.

    Returns:
        An array [n, n] of the precision that is the default.

    Raises:
        ValueError: n < 2, an order < 1, or an interval that is none.

    Example:
        >>> from sobolev_theory.differentiation import chebyshev
        >>> chebyshev.matrix(2, interval=(0.0, 2.0)).tolist()
        [[0.5, -0.5], [0.5, -0.5]]
    """
    check_points(n)
    check_order(order)
    a, b = check_interval(interval)
    return jnp.asarray(_matrix(n, order) * (2 / (b - a)) ** order)


def derivative(
    u: Float[Array, "..."],
    order: int = 1,
    *,
    interval: Interval = (-1.0, 1.0),
    axis: int = -1,
    method: Method = "auto",
) -> Float[Array, "..."]:
    """The derivative along one axis of the polynomial through samples at the nodes of an interval.

    Args:
        u: samples at `nodes`, in their order.
        order: of the derivative, 1 or more.
        interval: of the nodes.
        axis: along which to differentiate.
        method: "matrix", n^2 operations a line; "transform", n log n by the cosine transform; "auto" chooses by n.

    Returns:
        An array shaped like u, of its precision.

    Raises:
        TypeError: samples that are complex or no numbers.
        ValueError: samples that are not finite, an order < 1, an interval that is none, an axis that u does not have,
            fewer than 2 points along it, or another method.

    Example:
        >>> from sobolev_theory.differentiation import chebyshev
        >>> x = chebyshev.nodes(4, (0.0, 2.0))
        >>> error = chebyshev.derivative(x**3, interval=(0.0, 2.0)) - 3 * x**2
        >>> bool(abs(error).max() < 1e-5)
        True
    """
    check_order(order)
    a, b = check_interval(interval)
    check_choice("method", method, Method)
    u = along_last(u, axis, 2)
    n = u.shape[-1]
    if method == "matrix" or (method == "auto" and n < LARGE):
        on_unit = u @ jnp.asarray(_matrix(n, order), u.dtype).T
    else:
        on_unit = _by_transform(u, order)
    return jnp.moveaxis(on_unit * (2 / (b - a)) ** order, -1, axis)


def transform(u: Float[Array, "... n"]) -> Float[Array, "... n"]:
    """The coefficients c of sum_k c_k T_k, the polynomial through the values u at the nodes: a cosine transform.

    Args:
        u: samples at `nodes`, in their order, along the last axis.

    Returns:
        The coefficients along the last axis, an array shaped like u, of its precision.

    Raises:
        TypeError: samples that are complex or no numbers.
        ValueError: samples that are not finite, or fewer than 2 of them.

    Example:
        >>> from sobolev_theory.differentiation import chebyshev
        >>> chebyshev.transform(chebyshev.nodes(3) ** 2).round(6).tolist()  # x^2 = (T_0 + T_2)/2
        [0.5, 0.0, 0.5]
    """
    return _transformed(along_last(u, -1, 2))


def inverse_transform(coefficients: Float[Array, "... n"]) -> Float[Array, "... n"]:
    """The values at the nodes of sum_k c_k T_k: the inverse of `transform`.

    Args:
        coefficients: c_0, c_1, ... along the last axis.

    Returns:
        The values along the last axis, an array shaped like the coefficients, of their precision.

    Raises:
        TypeError: coefficients that are complex or no numbers.
        ValueError: coefficients that are not finite, or fewer than 2 of them.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import chebyshev
        >>> chebyshev.inverse_transform(jnp.array([0.5, 0.0, 0.5])).round(6).tolist()
        [1.0, 0.0, 1.0]
    """
    return _inverse_transformed(along_last(coefficients, -1, 2, name="coefficients"))


@jax.jit
def _transformed(u: Float[Array, "... n"]) -> Float[Array, "... n"]:
    n = u.shape[-1]
    return _cosines(u) * _ends_halved(u) / (n - 1)


@jax.jit
def _inverse_transformed(coefficients: Float[Array, "... n"]) -> Float[Array, "... n"]:
    return _cosines(coefficients / _ends_halved(coefficients)) / 2


def _cosines(u: Float[Array, "... n"]) -> Float[Array, "... n"]:
    """u_0 + (-1)^k u_(n-1) + 2 sum_j u_j cos(pi j k/(n - 1)) over those between, for each k."""
    even = jnp.concatenate([u, u[..., -2:0:-1]], axis=-1)
    return jnp.fft.rfft(at_least_single(even)).real.astype(u.dtype)


@partial(jax.jit, static_argnums=1)
def _by_transform(u: Float[Array, "... n"], order: int) -> Float[Array, "... n"]:
    coefficients = _transformed(u)
    for _ in range(order):
        coefficients = _differentiated(coefficients)
    return _inverse_transformed(coefficients)


def _differentiated(coefficients: Float[Array, "... n"]) -> Float[Array, "... n"]:
    """c'_k = 2 sum of p c_p over p > k of the other parity, half of it for k = 0: T_p' in terms of T_k."""
    n = coefficients.shape[-1]
    terms = 2 * jax.lax.broadcasted_iota(coefficients.dtype, coefficients.shape, coefficients.ndim - 1) * coefficients
    padding = [(0, 0)] * (coefficients.ndim - 1) + [(0, 2 + n % 2)]
    by_parity = jnp.pad(terms, padding).reshape(*coefficients.shape[:-1], -1, 2)
    from_here = jnp.flip(jnp.cumsum(jnp.flip(by_parity, -2), -2), -2).reshape(*coefficients.shape[:-1], -1)
    after = from_here[..., 1 : n + 1]
    return after.at[..., 0].multiply(0.5)


def _ends_halved(u: Float[Array, "... n"]) -> Float[Array, "... n"]:
    """Ones shaped like u, 1/2 at both ends of the last axis."""
    return jnp.ones_like(u).at[..., jnp.array([0, -1])].set(0.5)


def _nodes(n: int) -> np.ndarray:
    """cos(pi k/(n - 1)) as sines of angles symmetric about 0: exactly antisymmetric, and 0 in the middle."""
    return np.sin(np.pi * (n - 1 - 2 * np.arange(n)) / (2 * (n - 1)))


@lru_cache(maxsize=32)
def _matrix(n: int, order: int) -> np.ndarray:
    """On [-1, 1], by Welfert's recurrence in the order."""
    k = np.arange(n)
    sign = np.where(k % 2, -1.0, 1.0) * np.where((k == 0) | (k == n - 1), 2.0, 1.0)
    ratios = sign[:, None] / sign
    inverses = _inverse_differences(n)
    found = np.eye(n)
    for m in range(1, order + 1):
        found = m * inverses * (ratios * np.diag(found)[:, None] - found)
        np.fill_diagonal(found, -found.sum(axis=1))
    found.setflags(write=False)
    return found


def _inverse_differences(n: int) -> np.ndarray:
    """1/(x_i - x_j), 0 on the diagonal: x_i - x_j = 2 sin(pi (i + j)/(2 n - 2)) sin(pi (j - i)/(2 n - 2)).

    Nothing cancels: sums and differences are those of integers, and sines of angles near pi those of the supplement.
    """
    k = np.arange(n)
    total, quarter = k[:, None] + k, np.pi / (2 * (n - 1))
    differences = 2 * np.sin(quarter * np.minimum(total, 2 * (n - 1) - total)) * np.sin(quarter * (k - k[:, None]))
    np.fill_diagonal(differences, np.inf)
    return 1 / differences
