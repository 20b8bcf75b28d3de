"""Networks trained side by side, each with a loss and a learning rate of its own, in one program."""

import time
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PyTree


class Trained(NamedTuple):
    step: Int[np.ndarray, " T"]
    measures: dict[str, np.ndarray]  # of [R T ...]
    seconds: float  # in steps, of all lanes together


class Lanes(NamedTuple):
    """R of them: the seed decides the start and the draws, the setting is what `objective` gets."""

    seed: Int[np.ndarray, " R"]
    setting: PyTree  # arrays [R ...]
    rate: Float[np.ndarray, " R"]


def train(
    make: Callable[[jax.Array], PyTree],
    objective: Callable[[PyTree, PyTree, jax.Array], Float[Array, ""]],
    measure: Callable[[PyTree], dict[str, Array]],
    lanes: Lanes,
    *,
    steps: int,
    every: int,
    track: Callable = iter,
) -> Trained:
    """Adam from make(key of the seed), with draws that are those of the seed and of the step in every lane."""
    keys = jnp.stack([jax.random.key(int(seed)) for seed in lanes.seed])
    networks = eqx.filter_jit(eqx.filter_vmap(make))(keys)
    first, fixed = eqx.partition(
        jax.tree.map(lambda x: x[0] if eqx.is_array(x) else x, networks), eqx.is_inexact_array
    )
    back = ravel_pytree(first)[1]
    x = jax.vmap(lambda network: ravel_pytree(network)[0])(eqx.filter(networks, eqx.is_inexact_array))
    rates, rule = jnp.asarray(lanes.rate, jnp.float32)[:, None], optax.scale_by_adam()

    def network(vector):
        return eqx.combine(back(vector), fixed)

    gradients = jax.vmap(jax.grad(lambda vector, setting, key: objective(network(vector), setting, key)))

    @jax.jit
    def stretch(x, memory, begin, settings):
        def step(number, state):
            x, memory = state
            now = jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)
            direction, memory = rule.update(gradients(x, settings, now), memory)
            return x - rates * direction, memory

        return jax.lax.fori_loop(begin, begin + every, step, (x, memory))

    measured = jax.jit(lambda x: jax.lax.map(lambda vector: measure(network(vector)), x))
    memory, seconds = rule.init(x), 0.0
    settings = jax.tree.map(jnp.asarray, lanes.setting)
    run = stretch.lower(x, memory, jnp.asarray(0), settings).compile()
    records, marks = [measured(x)], list(range(0, steps, every))
    for begin in track(marks):
        clock = time.perf_counter()
        x, memory = jax.block_until_ready(run(x, memory, jnp.asarray(begin), settings))
        seconds += time.perf_counter() - clock
        records.append(measured(x))
    stacked = {name: np.stack([np.asarray(r[name]) for r in records], axis=1) for name in records[0]}
    return Trained(np.array([0, *(begin + every for begin in marks)]), stacked, seconds)


def cost(make: Callable, first: Callable, second: Callable, rounds: int = 15) -> float:
    """Time of a gradient of the second objective over that of the first, both of one network: the least of rounds.

    Objectives are functions of a network and a key.
    """
    network, key = make(jax.random.key(0)), jax.random.key(1)
    gradients = [eqx.filter_jit(eqx.filter_grad(objective)) for objective in (first, second)]
    times: list[list[float]] = [[], []]
    for _ in range(rounds + 1):
        for gradient, of_one in zip(gradients, times, strict=True):
            clock = time.perf_counter()
            jax.block_until_ready(eqx.filter(gradient(network, key), eqx.is_array))
            of_one.append(time.perf_counter() - clock)
    first_time, second_time = (min(of_one[1:]) for of_one in times)  # the first call compiles
    return second_time / first_time
