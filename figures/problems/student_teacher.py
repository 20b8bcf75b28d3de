"""ReLU students and teachers of any input dimension: training with L2 or H1, exact errors, and what steps cost.

H1 takes the whole gradient in the input, by one backward pass since there is one output, or its projection on random
directions, as it must where outputs are many. The sample is finite, with values and gradients of the teacher given at
its points, or fresh in each step. Networks of 16 neurons are so small that most of a projected step is the drawing of
random directions, d numbers a point.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

import sobolev_theory as st

from ..kept import Arrays

LOSSES = ("L2", "projected", "whole")  # the last two are H1
SAMPLING = ("finite", "fresh")
TIMED_STEPS, ROUNDS = 100, 9


@dataclass(frozen=True)
class Setting:
    """Sizes, and how students are trained; the default is small.

    Raises:
        ValueError: numbers that are not positive, odd numbers of neurons, records that do not divide the steps.
    """

    dimensions: tuple[int, ...] = (2, 8, 32, 128, 512)
    seeds: int = 6
    steps: int = 1000
    longer: int = 4  # times as many steps in the longer runs of L2
    batch: int = 64
    samples: int = 512  # of the finite sample
    rate: float = 0.3  # over sqrt(d): of 0.03, 0.1 and 0.3 the best, or nearly, for every loss from d = 32 on
    student: int = 16  # neurons
    teacher: int = 4
    directions: int = 1  # of projections, at each point and step
    records: int = 10

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            least = min(number, default=0) if isinstance(number, tuple) else number
            if not least > 0:
                raise ValueError(f"{name}: got {number}; needs to be above 0")
        for name in ("student", "teacher"):
            if getattr(self, name) % 2:
                raise ValueError(
                    f"{name}: got {getattr(self, name)}; needs an even number of neurons, half of each sign"
                )
        if self.steps % self.records:
            raise ValueError(f"records: got {self.records}; needs a divisor of the {self.steps} steps")


def pair(setting: Setting, d: int, key: jax.Array) -> tuple[st.Network, st.Network]:
    """A student's start and its teacher, in single precision.

    Teacher neurons are uniform on the sphere, with output weights 1 and -1 so that its mean is small.
    """
    of_teacher, of_student = jax.random.split(key)
    rows = jax.random.normal(of_teacher, (setting.teacher, d), jnp.float32)
    start = jax.random.normal(of_student, (setting.student, d), jnp.float32) / np.sqrt(d, dtype=np.float32)
    signs = jnp.array([1.0, -1.0], jnp.float32)
    size = np.sqrt(setting.teacher / setting.student, dtype=np.float32) / 2
    return (
        st.Network(start, size * jnp.tile(signs, setting.student // 2)),
        st.Network(rows / jnp.linalg.norm(rows, axis=1, keepdims=True), jnp.tile(signs, setting.teacher // 2)),
    )


def sample(setting: Setting, teacher: st.Network, key: jax.Array) -> tuple[Array, ...]:
    """Points [N, d] from N(0, I_d), the teacher's values [N] and its gradients [N, d] there."""
    x = jax.random.normal(key, (setting.samples, teacher.dimension), jnp.float32)
    return x, *st.training.derivatives(teacher, x, 1)


def objective(setting: Setting, loss: str, student: st.Network, x, target, key) -> Float[Array, ""]:
    """One of LOSSES; the target is the teacher, or its values and gradients at x."""
    if loss == "projected":
        directions = min(setting.directions, x.shape[1])
        return st.training.projected_loss(student, x, key, target, st.H1, directions=directions)
    return st.training.sobolev_loss(student, x, target, st.H1 if loss == "whole" else st.L2)


def trained(
    setting: Setting, d: int, sampling: str, loss: str, times: int = 1, checkpoint: Path | None = None
) -> Arrays:
    """error [S, T] after 0 ... `times` setting.steps of Adam, of which the rate falls to 0 like half a cosine.

    Seeds have teachers, starts and finite samples of their own, the same for every loss.
    """
    keys = jax.random.split(jax.random.key(d), setting.seeds)
    students, teachers, *given = jax.jit(jax.vmap(partial(_problem, setting, d)))(keys)

    def loss_of(run, key):
        of_points, of_directions = jax.random.split(key)
        if sampling == "fresh":
            x = jax.random.normal(of_points, (setting.batch, d), jnp.float32)
            target = jax.tree.map(lambda leaf: leaf[run["seed"]], teachers)
        else:
            chosen = jax.random.randint(of_points, (setting.batch,), 0, setting.samples)
            x, *target = (array[run["seed"], chosen] for array in given)
        return objective(setting, loss, run["student"], x, target, of_directions)

    steps = times * setting.steps
    falling = optax.cosine_decay_schedule(setting.rate / np.sqrt(d), steps)
    fit = st.training.fit(
        {"student": students, "seed": jnp.arange(setting.seeds)},
        loss_of,
        keys=keys,
        stages=[st.training.Stage(optax.adam(falling), steps)],
        measure=lambda run: {"weights": run["student"].weights, "output_weights": run["student"].output_weights},
        every=steps // setting.records,
        checkpoint=checkpoint,
    )
    teacher = (np.asarray(leaf)[:, None] for leaf in (teachers.weights, teachers.output_weights))
    return {"error": relative_error(fit.measures["weights"], fit.measures["output_weights"], *teacher)}


def _problem(setting: Setting, d: int, key: jax.Array):
    student, teacher = pair(setting, d, key)
    return student, teacher, *sample(setting, teacher, jax.random.fold_in(key, 1))


def relative_error(
    weights: Float[np.ndarray, "*B K d"],
    output_weights: Float[np.ndarray, "*B K"],
    teacher_weights: Float[np.ndarray, "*B M d"],
    teacher_output_weights: Float[np.ndarray, "*B M"],
) -> Float[np.ndarray, "*B"]:
    """Root mean square of student - teacher for x ~ N(0, I_d), over the teacher's standard deviation; exact.

    From coordinates in the span of both, padded to K + M of them, so that the formula compiles once for all d.
    Leading axes of the teacher are broadcast.
    """
    batch, neurons = weights.shape[:-2], weights.shape[-2]
    teacher_weights = np.broadcast_to(teacher_weights, (*batch, *teacher_weights.shape[-2:]))
    teacher_output_weights = np.broadcast_to(teacher_output_weights, (*batch, teacher_output_weights.shape[-1]))
    rows = np.concatenate([weights, teacher_weights], axis=-2, dtype=float)
    coordinates = np.swapaxes(np.linalg.qr(np.swapaxes(rows, -1, -2), mode="r"), -1, -2)
    missing = coordinates.shape[-2] - coordinates.shape[-1]
    coordinates = np.pad(coordinates, [(0, 0)] * (coordinates.ndim - 1) + [(0, missing)])
    parts = np.split(coordinates, [neurons], axis=-2)
    every = (*parts, np.asarray(output_weights, float), np.asarray(teacher_output_weights, float))
    flat = [a.reshape(-1, *a.shape[len(batch) :]) for a in every]
    return np.asarray(_relative_error(*flat)).reshape(batch)


@jax.jit
@jax.vmap
def _relative_error(weights, teacher_weights, output_weights, teacher_output_weights):
    teacher = st.Network(teacher_weights, teacher_output_weights)

    def squared(output_weights):
        return 2 * st.population_loss(st.Network(weights, output_weights), teacher, st.L2)

    error, of_zero = jax.vmap(squared)(jnp.stack([output_weights, jnp.zeros_like(output_weights)]))
    mean = teacher_output_weights @ jnp.linalg.norm(teacher_weights, axis=1) / jnp.sqrt(2 * jnp.pi)
    return jnp.sqrt(error / (of_zero - mean**2))


def seconds(setting: Setting, d: int) -> Arrays:
    """loss -> [R], of a step of Adam on a finite sample, in rounds in which the losses take turns."""
    key = jax.random.key(d)
    student, _, x, *targets = jax.jit(partial(_problem, setting, d))(key)
    adam = optax.adam(setting.rate / np.sqrt(d))

    def steps(loss: str, student, memory):
        def step(state, key):
            student, memory = state
            of_points, of_directions = jax.random.split(key)
            chosen = jax.random.randint(of_points, (setting.batch,), 0, setting.samples)
            target = [array[chosen] for array in targets]
            gradient = jax.grad(partial(objective, setting, loss))(student, x[chosen], target, of_directions)
            update, memory = adam.update(gradient, memory)
            return (optax.apply_updates(student, update), memory), None

        return jax.lax.scan(step, (student, memory), jax.random.split(key, TIMED_STEPS))[0]

    start = student, adam.init(student)
    compiled = {loss: jax.jit(partial(steps, loss)).lower(*start).compile() for loss in LOSSES}
    found = {loss: np.zeros(ROUNDS) for loss in LOSSES}
    for number in range(-1, ROUNDS):  # round -1 warms up; the last round takes its place
        for loss, run in compiled.items():
            clock = time.perf_counter()
            jax.block_until_ready(run(*start))
            found[loss][number] = (time.perf_counter() - clock) / TIMED_STEPS
    return found
