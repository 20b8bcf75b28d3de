"""Loss and distance from the teacher of what a flow saved: by NumPy where that keeps the digits, else compiled."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.activations import Activation, ReLU
from ..model.losses import OrderWeights
from ..population.engine import sums_of
from ..population.relu import extended_sums
from .kinks import Present, distance_to_teacher
from .rooms import Room

DIGITS = 128  # relative errors in eps: 3e-14 in double precision


def measured(
    activation: Activation,
    space: Room,
    lambdas: OrderWeights,
    run: Float[np.ndarray, "B T K n"],
    output_weights: np.ndarray,
    teachers: Float[np.ndarray, "B K_star n"],
    teacher_output: np.ndarray,
) -> tuple[Float[np.ndarray, "B T"], Float[np.ndarray, "B T"]]:
    """Losses and distances of weights."""
    shape, dtype = run.shape[:2], run.dtype
    states = run.reshape(-1, *run.shape[2:])
    each = np.repeat(teachers.astype(dtype), shape[1], axis=0)
    plain = None
    if isinstance(activation, ReLU):
        two = (float(lambdas[0]), float(lambdas[1]))
        plain = extended_sums.losses(two, states, output_weights, each, teacher_output)

    def compiled() -> tuple[np.ndarray, np.ndarray]:
        mine, theirs = space.output_weights(output_weights, teacher_output, dtype)
        neurons = mine, (space.teachers(teachers, dtype), theirs)
        coefficients = tuple(np.asarray(x, dtype) for x in lambdas)
        found = _measured(activation, coefficients, *neurons, space.present, space.runs(run))
        return tuple(np.asarray(x)[: shape[0], : shape[1]] for x in found)  # type: ignore[return-value]

    if plain is None:
        return compiled()
    values, errors = (x.reshape(shape) for x in plain)
    known = errors <= DIGITS * jnp.finfo(dtype).eps
    losses = values if known.all() else np.where(known, values, compiled()[0])
    return losses.astype(dtype), _distances(states, each).reshape(shape)


def _distances(states: Float[np.ndarray, "N K n"], teachers: Float[np.ndarray, "N K_star n"]) -> np.ndarray:
    """As `distance_to_teacher`."""
    squares = np.sum((states[:, :, None] - teachers[:, None]) ** 2, axis=3)
    return np.sqrt(np.maximum(squares.min(axis=2).sum(axis=1), squares.min(axis=1).sum(axis=1)))


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, None, None, (0, None), None, 0))
def _measured(activation: Activation, lambdas, output_weights, teacher, present: Present, run) -> tuple[Array, Array]:
    """Of weights [T, K, n]."""

    def one(w):
        value = sums_of(activation).loss(lambdas, (w, output_weights), teacher, None)
        return value, distance_to_teacher(w, teacher[0], present)

    return jax.lax.map(one, run)
