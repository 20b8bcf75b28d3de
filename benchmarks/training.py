"""Steps of training with derivatives: against steps of L2, and against nested jax.grad, of the same network."""

import math
from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import sobolev_theory as st
from sobolev_theory import training
from sobolev_theory.training.input_derivatives import TAYLOR_FROM, Method

from .timing import side_by_side

LOSSES = {"L2": st.L2, "H1": st.H1, "H2": st.H2, "H3": st.SobolevLoss((1.0, 1.0, 1.0, 1.0))}
MODES: tuple[Method, Method] = ("forward", "taylor")
STEPS = 10  # timed together, as `fit` runs them
RULE = optax.adam(1e-3)


def step_against_l2(loss: str = "H1", points: int = 256) -> dict:
    """Ratio of the times of a step, hence of the inverse of steps per second."""
    ratio = side_by_side(_steps(_ours(loss, points)), _steps(_ours("L2", points)))
    return {
        "what": f"{STEPS} Adam steps of {loss} / of L2, {_network(points)} "
        f"({STEPS / ratio.first:.3g} and {STEPS / ratio.second:.3g} steps per second)",
        **ratio._asdict(),
        "goal": "<= 3",
    }


def nested_against_ours(loss: str = "H1", points: int = 256) -> dict:
    """Ratio of nested jax.grad to `training.sobolev_loss`.

    Products alone bound it, since both need most of them: of each inner layer of H1 nested jax.grad takes 8 matrix
    products and ours 6, value and slope forward, their two cotangents, and two gradients of the weights: 1.33. For H2
    it is 18 against 11: 1.64. (Counted in the compiled programs.)
    """
    ratio = side_by_side(_steps(_nested(loss, points)), _steps(_ours(loss, points)))
    return {
        "what": f"{STEPS} Adam steps of {loss} by nested jax.grad / by training.sobolev_loss, {_network(points)}",
        **ratio._asdict(),
        "goal": ">= 1.5",
    }


def forward_against_taylor(order: int, inputs: int, points: int = 256) -> dict:
    """Ratio of nested forward mode to Taylor mode; `derivatives` by "auto" is to take the faster, within 1.2."""
    chosen = "taylor" if order >= TAYLOR_FROM.get(inputs, math.inf) else "forward"
    forward, taylor = (_steps(_by_mode(mode, order, inputs, points), inputs) for mode in MODES)
    ratio = side_by_side(forward, taylor)
    return {
        "what": f"{STEPS} Adam steps with derivatives of order {order} in {inputs}-D by forward / by Taylor mode; "
        f"'auto' takes {chosen}",
        **ratio._asdict(),
        "goal": ">= 0.83" if chosen == "taylor" else "<= 1.2",
    }


def _network(points: int) -> str:
    return f"tanh network of width 64 and depth 4, {points} points in 1-D"


def _target(x):
    return jnp.sin(20 * x)


def _ours(loss: str, points: int) -> Callable:
    x = jnp.linspace(-1.0, 1.0, points)
    sobolev = LOSSES[loss]
    arrays = training.derivatives(_target, x, sobolev.order)
    return lambda network: training.sobolev_loss(network, x, arrays, sobolev)


def _nested(loss: str, points: int) -> Callable:
    """As it is written down without a library: each order is jax.grad of the one before."""
    x = jnp.linspace(-1.0, 1.0, points)
    order = LOSSES[loss].order
    arrays = training.derivatives(_target, x, order)

    def of_network(network):
        function, total = network, jnp.zeros(())
        for wanted in arrays:
            total += jnp.mean((jax.vmap(function)(x) - wanted) ** 2) / 2
            function = jax.grad(function)
        return total

    return of_network


def _by_mode(mode: Method, order: int, inputs: int, points: int) -> Callable:
    x = jax.random.normal(jax.random.key(1), (points, inputs))

    def of_network(network):
        found = training.derivatives(lambda point: network(point if inputs > 1 else point[0]), x, order, mode)
        return sum(jnp.mean(tensor**2) for tensor in found)

    return of_network


def _steps(objective: Callable, inputs: int = 1) -> Callable:
    """So many steps from the same start, compiled."""
    size: int | Literal["scalar"] = "scalar" if inputs == 1 else inputs
    network = eqx.nn.MLP(size, "scalar", 64, 4, jnp.tanh, key=jax.random.key(0))
    start, static = eqx.partition(network, eqx.is_inexact_array)

    def step(_, state):
        parameters, memory = state
        gradient = jax.grad(lambda parameters: objective(eqx.combine(parameters, static)))(parameters)
        update, memory = RULE.update(gradient, memory, parameters)
        return optax.apply_updates(parameters, update), memory

    run = jax.jit(lambda parameters: jax.lax.fori_loop(0, STEPS, step, (parameters, RULE.init(parameters))))
    return lambda: run(start)
