"""Loss and distance from the teacher of what a flow saved: by NumPy where that keeps the digits, else compiled."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.activations import Activation, ReLU
from ..model.losses import OrderWeights
from ..model.networks import Neurons
from ..population.engine import sums_of
from ..population.relu import extended_sums
from .kinks import Present
from .rooms import Room
from .trained import distance_of_neurons

DIGITS = 128  # relative errors in eps: 3e-14 in double precision


def measured(
    activation: Activation,
    space: Room,
    lambdas: OrderWeights,
    run: Float[np.ndarray, "B T K n"],
    output_weights: Float[np.ndarray, "B T K"],
    teachers: Float[np.ndarray, "B K_star n"],
    teacher_output: np.ndarray,
    trains: bool = False,
    root: float = 0.0,
) -> tuple[Float[np.ndarray, "B T"], Float[np.ndarray, "B T"]]:
    """Losses and distances of weights, and of output weights if they train.

    Args:
        root: 1/p where neurons may be rescaled, as in `trained`; else 0.
    """
    shape, dtype = run.shape[:2], run.dtype
    states = run.reshape(-1, *run.shape[2:])
    each = np.repeat(teachers.astype(dtype), shape[1], axis=0)
    plain = None
    if isinstance(activation, ReLU):
        two = (float(lambdas[0]), float(lambdas[1]))
        plain = extended_sums.losses(two, states, output_weights.reshape(len(states), -1), each, teacher_output)

    def compiled() -> tuple[np.ndarray, np.ndarray]:
        theirs = space.teachers(teachers, dtype), space.output_weights(teacher_output, 3, dtype)
        coefficients = tuple(np.asarray(x, dtype) for x in lambdas)
        runs = space.runs(run), space.runs(output_weights).astype(dtype)
        kinds = np.asarray(root, dtype), np.asarray(trains, dtype)
        found = _measured(activation, coefficients, kinds, theirs, space.present, *runs)
        return tuple(np.asarray(x)[: shape[0], : shape[1]] for x in found)  # type: ignore[return-value]

    if plain is None:
        return compiled()
    values, errors = (x.reshape(shape) for x in plain)
    known = errors <= DIGITS * jnp.finfo(dtype).eps
    losses = values if known.all() else np.where(known, values, compiled()[0])
    ours, theirs = (states, output_weights.reshape(len(states), -1)), (each, teacher_output)
    points = [_points(root, trains, *neurons) for neurons in (ours, theirs)]
    return losses.astype(dtype), _distances(*points).reshape(shape)


def _points(root: float, trains: bool, w: Float[np.ndarray, "N K n"], output_weights: np.ndarray) -> np.ndarray:
    """Those of `trained`, with the one at 0 that neurons may be near if they may be rescaled."""
    output_weights = np.broadcast_to(output_weights, w.shape[:2])
    if not root:
        return np.concatenate([w, output_weights[..., None]], axis=2) if trains else w
    both = [np.maximum(side * output_weights, 0.0)[..., None] ** root * w for side in (1, -1)]
    return np.pad(np.concatenate(both, axis=2), [(0, 0), (0, 1), (0, 0)])


def _distances(states: Float[np.ndarray, "N K n"], teachers: Float[np.ndarray, "N K_star n"]) -> np.ndarray:
    """As `distance_to_teacher`."""
    squares = np.sum((states[:, :, None] - teachers[:, None]) ** 2, axis=3)
    return np.sqrt(np.maximum(squares.min(axis=2).sum(axis=1), squares.min(axis=1).sum(axis=1)))


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, None, None, (0, None), None, 0, 0))
def _measured(
    activation: Activation,
    lambdas,
    kinds: tuple[Array, Array],
    teacher: Neurons,
    present: Present,
    run,
    output_weights,
) -> tuple[Array, Array]:
    """Of weights [T, K, n] and output weights [T, K]."""

    def one(student: Neurons):
        value = sums_of(activation).loss(lambdas, student, teacher, None)
        root, trains = kinds
        return value, distance_of_neurons(root, trains, student, teacher, present)

    return jax.lax.map(one, (run, output_weights))
