"""L-BFGS with a fixed step, as torch.optim.LBFGS is without a line search: what the paper's public code ends with.

One step is up to 20 inner iterations, each a move by `rate` times the direction and one evaluation; it ends early
where the gradient, the move or the change of the loss is below its tolerance. The two loops over the history are two
triangular solves: with a_i = s_i.q/(s_i.y_i), the first is R a = -S g for R_ij = s_i.y_j, j no older than i, and the
second R^T c = D a - h Y q. An accelerator then takes products of whole histories where loops would go pair by pair.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

LEAST_CURVATURE = 1e-10  # y.s of a pair that enters the history
GRADIENT_TOLERANCE = 1e-7  # of the largest entry
CHANGE_TOLERANCE = 1e-9  # of the largest move, of the loss, and of the slope along the direction

Vector = Float[Array, " n"]
Function = Callable[[Vector], tuple[Float[Array, ""], Vector]]  # value and gradient


class Memory(NamedTuple):
    """At a point: `value` and `grad` there, and the last pairs s, y in a ring."""

    value: Float[Array, ""]
    grad: Vector
    iterations: Int[Array, ""]  # inner ones so far
    before: Vector  # the gradient at the last iteration
    move: Vector  # s of the pair to come
    moves: Float[Array, "m n"]
    changes: Float[Array, "m n"]
    products: Float[Array, "m m"]  # s_i.y_j where pair j is no older than i, else 0; 1 on the diagonal of empty slots
    oldest: Int[Array, ""]  # the slot that is overwritten next
    scale: Float[Array, ""]


def start(x: Vector, value: Float[Array, ""], gradient: Vector, history: int = 100) -> Memory:
    zero, pairs = jnp.zeros_like(x), jnp.zeros((history, len(x)), x.dtype)
    number, one = jnp.zeros((), jnp.int32), jnp.ones((), x.dtype)
    return Memory(value, gradient, number, zero, zero, pairs, pairs, jnp.eye(history, dtype=x.dtype), number, one)


def step(x: Vector, memory: Memory, function: Function, rate: float = 0.01, inner: int = 20) -> tuple[Vector, Memory]:
    """One step. What has ended early stands still: under vmap all networks do the work of the longest anyway."""

    def body(_, state):
        x, memory, going = state
        new, moved, goes_on = _iteration(x, memory, function, rate, going)
        return new, moved, goes_on

    going = jnp.max(jnp.abs(memory.grad)) > GRADIENT_TOLERANCE
    x, memory, _ = jax.lax.fori_loop(0, inner, body, (x, memory, going))
    return x, memory


def _iteration(x: Vector, memory: Memory, function: Function, rate: float, going: Bool[Array, ""]):
    memory = _remembered(memory, going)
    direction = _direction(memory)
    length = jnp.where(memory.iterations == 0, jnp.minimum(1.0, 1 / jnp.sum(jnp.abs(memory.grad))), 1.0) * rate
    move = length.astype(x.dtype) * direction
    descends = going & (jnp.vdot(memory.grad, direction) <= -CHANGE_TOLERANCE)
    new = jnp.where(descends, x + move, x)
    value, gradient = function(new)
    changed = descends & (jnp.abs(value - memory.value) >= CHANGE_TOLERANCE)
    goes_on = (
        changed & (jnp.max(jnp.abs(gradient)) > GRADIENT_TOLERANCE) & (jnp.max(jnp.abs(move)) > CHANGE_TOLERANCE)
    )
    return (
        new,
        memory._replace(
            value=jnp.where(descends, value, memory.value),
            grad=jnp.where(descends, gradient, memory.grad),
            iterations=memory.iterations + going,
            before=jnp.where(going, memory.grad, memory.before),
            move=jnp.where(going, move, memory.move),
        ),
        goes_on,
    )


def _remembered(memory: Memory, going: Bool[Array, ""]) -> Memory:
    """With the pair of the last move, where its curvature is positive."""
    y, s, slot = memory.grad - memory.before, memory.move, memory.oldest
    curvature = jnp.vdot(y, s)
    taken = going & (memory.iterations > 0) & (curvature > LEAST_CURVATURE)
    moves = memory.moves.at[slot].set(jnp.where(taken, s, memory.moves[slot]))
    changes = memory.changes.at[slot].set(jnp.where(taken, y, memory.changes[slot]))
    products = memory.products.at[slot].set(0.0).at[:, slot].set(moves @ y)
    return memory._replace(
        moves=moves,
        changes=changes,
        products=jnp.where(taken, products, memory.products),
        oldest=jnp.where(taken, (slot + 1) % len(moves), slot),
        scale=jnp.where(taken, curvature / jnp.where(taken, jnp.vdot(y, y), 1.0), memory.scale),
    )


def _direction(memory: Memory) -> Vector:
    count = len(memory.moves)
    by_age = (memory.oldest + jnp.arange(count)) % count
    in_ring = (jnp.arange(count) - memory.oldest) % count
    upper = memory.products[by_age][:, by_age]
    solve = jax.scipy.linalg.solve_triangular
    a = solve(upper, -(memory.moves @ memory.grad)[by_age])
    q = -memory.grad - a[in_ring] @ memory.changes
    c = solve(upper, jnp.diagonal(upper) * a - memory.scale * (memory.changes @ q)[by_age], trans=1)
    return memory.scale * q + c[in_ring] @ memory.moves


def transformation(rate: float = 0.01, inner: int = 20, history: int = 100) -> optax.GradientTransformationExtraArgs:
    """For `training.fit`, whose networks it gets as one vector each."""

    def init(parameters: Any) -> Memory:
        x = ravel_pytree(parameters)[0]  # a vector stays as it is
        return start(x, jnp.zeros((), x.dtype), jnp.zeros_like(x), history)

    def update(gradient: Vector, memory: Any, x: Vector | None = None, *, value, value_fn, **_):
        assert x is not None
        memory = memory._replace(value=value, grad=gradient)
        end, memory = step(x, memory, jax.value_and_grad(value_fn), rate, inner)
        return end - x, memory

    return optax.GradientTransformationExtraArgs(init, update)
