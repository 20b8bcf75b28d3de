"""SGD in order parameters: its right-hand side against a population gradient, and its solution against SGD."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.dynamics import order_parameters
from sobolev_theory.population.noise.gradient_noise import posed_noise

from .timing import seconds_of, side_by_side


def right_hand_side(neurons: int = 8, dimension: int = 1000) -> dict:
    """A velocity of the overlaps over a population gradient of H1 in d dimensions, K = K*.

    Expected before it was measured: the gradient has 128 angles and two products of 8 by 1000 by 16, some tens of
    microseconds; the noise has 1302 orthants of four, two students in each, by a rule of 65 nodes with three
    arctangents: 254 000 of them, some milliseconds. So about a hundred times the gradient, in any dimension.
    """
    rows, steps = np.random.default_rng(0).standard_normal((2, neurons, dimension)) / np.sqrt(dimension)
    student, teacher = st.Network(rows + 0.5 * steps), st.Network(rows)
    overlaps = st.overlaps(student, teacher)
    p = posed_noise("online_sgd", student, teacher, st.H1, st.GaussianInput(), 0.0)
    rule = order_parameters._Rule(both_layers=False, max_steps=1)
    options = order_parameters._Options(*(jnp.asarray(x) for x in (0.5, 1.0, 0.0, 1e-6, 1e-9)))
    state = overlaps.Q, overlaps.R, p.student.output_weights
    velocity = jax.jit(lambda state, T: order_parameters.velocity(rule, p, options, state, T))
    gradient = jax.jit(lambda student: st.population_gradient(student, teacher))
    ratio = side_by_side(lambda: velocity(state, overlaps.T), lambda: gradient(student))
    return {
        **ratio._asdict(),
        "what": f"right-hand side of SGD in overlaps / H1 gradient, K = K* = {neurons}, d = {dimension}",
        "goal": "about 100",
    }


def against_sgd(dimension: int = 1000, until: float = 1e-6, rate: float = 1.6) -> dict:
    """Seconds of the equation to an L2 loss, compiled, and of one-pass SGD to the same, for two neurons under H1.

    SGD is `st.descend` with one sample a step; it is read every d / 10 steps.
    """
    start = st.Overlaps(np.array([[0.35, 0.05], [0.05, 0.35]]), np.array([[0.15, 0.02], [0.05, 0.1]]), np.eye(2))
    student, teacher = st.networks_from_overlaps(start)
    times = np.linspace(0.0, 20.0, 201)

    def equation():
        return st.online_sgd(
            student, teacher, st.H1, learning_rate=rate, t1=20.0, saveat=times.tolist(), measure=st.L2
        )

    t = float(times[np.flatnonzero(np.asarray(equation().loss) <= until)[0]])
    times = times[times <= t]

    def to_the_level():
        return st.online_sgd(student, teacher, st.H1, learning_rate=rate, t1=t, saveat=times.tolist(), measure=st.L2)

    in_many = st.networks_from_overlaps(start, dimension=dimension)
    every = dimension // 10

    def sgd(steps: int):
        descend = partial(st.descend, of="sample", batch=1, key=jax.random.key(0), every=every, measure=st.L2)
        return descend(*in_many, st.H1, rates=rate / dimension, steps=steps)

    most = 2 * round(t * dimension / every) * every
    below = np.flatnonzero(np.asarray(sgd(most).loss[0]) <= until)
    steps = int(below[0]) * every if len(below) else most
    sgd(steps)
    to_the_level()
    return {
        "what": f"H1 to an L2 loss of {until:g}, K = K* = 2 (seconds)",
        "values": {
            f"the equation, to t = {t:.3g}": seconds_of(lambda: to_the_level().loss),
            f"SGD in d = {dimension}, {steps} steps{'' if len(below) else ' and not there'}": seconds_of(
                lambda: sgd(steps).loss
            ),
        },
    }
