"""Flows: in the span against ambient autodiff and against SGD, and many starts at once against one after another."""

import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st

from .dimension import closed_loss
from .timing import seconds_of

STAGES = 13  # evaluations of the velocity per step of dopri8, its last one included


def _near(neurons: int, dimension: int, away: float = 0.3) -> tuple[st.Network, st.Network]:
    """A teacher of nearly orthonormal rows, and a student whose neurons are so far from it."""
    rows, steps = np.random.default_rng(0).standard_normal((2, neurons, dimension)) / np.sqrt(dimension)
    return st.Network(rows + away * steps), st.Network(rows)


def flow_against_autodiff_and_sgd(neurons: int = 16, dimension: int = 10**5, until: float = 1e-10) -> dict:
    """Seconds of one H1 loss flow to a distance, compiled; of the others by their measured parts.

    Autodiff: seconds of one gradient of the closed loss times the evaluations that the flow took. It would have to
    find the kinks as well. SGD: the best of a few rates in B/d, and as many steps as its decline over the steps
    measured needs if that goes on to the end.
    """
    student, teacher = _near(neurons, dimension)

    def run():
        return st.gradient_flow(student, teacher, st.H1, t1=100.0, saveat=[100.0], until_distance=until)

    flow = run()
    assert flow.outcome is st.Outcome.DISTANCE, flow.outcome
    seconds = seconds_of(run)
    ambient = jax.jit(jax.grad(closed_loss))
    jax.block_until_ready(ambient(student.weights, teacher.weights))
    of_gradient = min(seconds_of(lambda: ambient(student.weights, teacher.weights)) for _ in range(5))
    sgd_seconds, sgd_steps = _sgd(student, teacher, until)
    return {
        "what": f"H1 flow to {until:g}, K = {neurons}, d = {dimension:.0e} (seconds)",
        "values": {
            "flow": seconds,
            f"autodiff, {STAGES * int(flow.steps)} gradients (extrapolated)": STAGES * int(flow.steps) * of_gradient,
            f"SGD, {sgd_steps:.2g} steps (extrapolated)": sgd_seconds * sgd_steps,
        },
    }


def _sgd(student: st.Network, teacher: st.Network, until: float, batch: int = 128, steps: int = 12):
    """Seconds of a step, and how many steps lead to the distance at the steepest decline found."""
    rates = [scale * batch / student.dimension for scale in (0.25, 0.5, 1.0)]

    def run(rate):
        descend = partial(st.descend, of="sample", batch=batch, key=jax.random.key(0), steps=steps, every=steps)
        return descend(student, teacher, st.H1, rates=rate)

    declines = []
    for rate in rates:
        distance = np.asarray(run(rate).distance[0])
        declines.append(np.log(distance[0] / distance[-1]) / steps)
    seconds = seconds_of(lambda: run(rates[0]).weights) / steps
    start = float(jnp.linalg.norm(student.weights - teacher.weights))
    return seconds, np.log(start / until) / max(declines)


def many_starts_against_a_loop(starts: int = 1000, neurons: int = 4, looped: int = 20) -> dict:
    """Population flows of H1 from random starts, compiled; the loop is timed over some of them."""
    teacher = st.Network(np.eye(neurons))
    w = jnp.asarray(np.random.default_rng(1).standard_normal((starts, neurons, neurons)) / np.sqrt(neurons))
    options: dict[str, Any] = {"of": "population", "t1": 20.0, "saveat": [20.0], "rtol": 1e-6}

    def together():
        return st.gradient_flows(w, teacher, st.H1, **options).end

    def alone(start):
        return st.gradient_flow(st.Network(start), teacher, st.H1, **options).end

    jax.block_until_ready((together(), alone(w[0])))
    begun = time.perf_counter()
    jax.block_until_ready(together())
    at_once = time.perf_counter() - begun
    begun = time.perf_counter()
    for start in w[:looped]:
        jax.block_until_ready(alone(start))
    loop = (time.perf_counter() - begun) * starts / looped
    return {
        "what": f"{starts} flows, K = d = {neurons} (seconds)",
        "values": {"vmapped": at_once, f"loop (from {looped})": loop, "ratio": loop / at_once},
    }
