"""Ackley's function on [-2, 2]^2: values at n x n nodes, and slopes that are exact or come from those values alone.

At the origin it has the tip of a cone. The slope there is taken as 0, the mean over all directions. No grid with an
even number of points a side holds the origin, but every scheme errs where it differentiates across the tip.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sobolev_theory.differentiation import adaptive_grids, chebyshev, finite_differences

INTERVAL = (-2.0, 2.0)
LEAST_POINTS = 22  # a side, which adaptive differences need
Nodes = Literal["uniform", "chebyshev"]
Values = Float[Array, "n n"]
Slopes = Float[Array, "n n 2"]


class Run(NamedTuple):
    """What a network is trained on: nodes and, where the loss is H1, what makes slopes of the values there."""

    loss: str
    nodes: Nodes
    slopes: Callable[[Values], Slopes] | None = None


def ackley(x: Float[Array, "2"]) -> Float[Array, ""]:
    """20 + e - 20 exp(-0.2 r) - exp of the mean of cos(2 pi x_i), r^2 the mean of x_i^2; of slope 0 at the origin."""
    square = jnp.mean(x**2)
    tip = square == 0
    r = jnp.where(tip, 0.0, jnp.sqrt(jnp.where(tip, 1.0, square)))
    return 20 + jnp.e - 20 * jnp.exp(-0.2 * r) - jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))


def grid(n: int, nodes: Nodes) -> Float[Array, "n n 2"]:
    """Points of the square, by the nodes of each side."""
    side = finite_differences.grid(n, INTERVAL) if nodes == "uniform" else chebyshev.nodes(n, INTERVAL)
    return jnp.stack(jnp.meshgrid(side, side, indexing="ij"), axis=-1)


@jax.jit
def values(x: Float[Array, "n n 2"]) -> Values:
    return jax.vmap(jax.vmap(ackley))(x)


@jax.jit
def exact(x: Float[Array, "n n 2"]) -> Slopes:
    return jax.vmap(jax.vmap(jax.grad(ackley)))(x)


@partial(jax.jit, static_argnames="accuracy")
def by_differences(u: Values, accuracy: int = 4) -> Slopes:
    """Finite differences of one order of accuracy, on uniform nodes."""
    return _along_both(lambda axis: finite_differences.derivative(u, interval=INTERVAL, accuracy=accuracy, axis=axis))


@jax.jit
def by_adaptive_differences(u: Values) -> Slopes:
    """Finite differences of the order that suits each point, on uniform nodes."""
    return _along_both(lambda axis: adaptive_grids.derivative(u, interval=INTERVAL, axis=axis).value)


@jax.jit
def by_chebyshev(u: Values) -> Slopes:
    """Chebyshev spectral differentiation, on Chebyshev nodes."""
    return _along_both(lambda axis: chebyshev.derivative(u, interval=INTERVAL, axis=axis))


@jax.jit
def relative_error(slopes: Slopes, x: Float[Array, "n n 2"], beyond: float = 0.0) -> Float[Array, ""]:
    """Root mean square over the points farther than `beyond` from the tip, over that of the exact slopes there."""
    wanted, here = exact(x), jnp.sum(x**2, axis=-1, keepdims=True) > beyond**2
    return jnp.sqrt(jnp.sum(here * (slopes - wanted) ** 2) / jnp.sum(here * wanted**2))


def slope_errors(run: Run, n: int) -> tuple[float, float]:
    """Relative errors of its slopes on n x n points: everywhere, and farther than 1/2 from the tip."""
    assert run.slopes is not None
    x = grid(n, run.nodes)
    slopes = run.slopes(values(x))
    return float(relative_error(slopes, x)), float(relative_error(slopes, x, beyond=0.5))


def training_data(run: Run, n: int) -> tuple[Float[Array, "N 2"], Float[Array, " N"], Float[Array, "N 2"] | None]:
    """Points, and the values and slopes there."""
    x = grid(n, run.nodes)
    u = values(x)
    return x.reshape(-1, 2), u.reshape(-1), None if run.slopes is None else run.slopes(u).reshape(-1, 2)


def test_data(n: int) -> tuple[Float[Array, "M 2"], Float[Array, " M"]]:
    """Points in the middle between those of the uniform grid, and the values there."""
    x = grid(n, "uniform")
    middles = (x[1:, 1:] + x[:-1, :-1]) / 2
    return middles.reshape(-1, 2), values(middles).reshape(-1)


def _along_both(along: Callable[[int], Values]) -> Slopes:
    return jnp.stack([along(0), along(1)], axis=-1)
