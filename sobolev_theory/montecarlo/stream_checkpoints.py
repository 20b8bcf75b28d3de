"""States of a stream of batches on disk, from which a run that was killed goes on to the same bits.

A state is the number of batches merged and their moments. Since batch b is drawn from keys of its own, wherever
and whenever it is drawn, nothing else is needed.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Float, PyTree

from ..runs import checkpoints, first_process
from ..runs.atomic_files import remove_leftovers

KIND = checkpoints.Kind(
    "Monte-Carlo", "st.montecarlo", "estimator, networks, loss, input, key, batch and group, control, dtype"
)


class Checkpoint(NamedTuple):
    """Where states go, and how many seconds pass from one to the next."""

    path: Path
    every: float


class State(NamedTuple):
    batches: int
    moments: PyTree[np.ndarray]  # in 64 bit, of all of these batches


def begin(
    checkpoint: Checkpoint | None, fingerprint: str, start: State, is_over: Callable[[State], bool], mesh: Mesh | None
) -> tuple[State, Callable[[State], None]]:
    """The state to go on from, and what later states are handed to: it writes those that are due, and the last.

    The first is written before anything is drawn, so that a disk or a folder that takes no file is refused at once.

    Raises:
        ValueError, OSError: those of `checkpoints` and of `first_process`.
    """
    if checkpoint is None:
        return start, lambda state: None
    path, every = checkpoint

    def write(state: State) -> None:
        checkpoints.write(path, KIND, fingerprint, {"state": _vector(state)})

    def find() -> bytes:
        kept = checkpoints.read(path, KIND, fingerprint)
        state = start if kept is None else _state(kept["state"], start)
        if not is_over(state):
            remove_leftovers(path)  # a writer that still runs will stop with an error
            write(state)
        return _vector(state).tobytes()

    found = first_process.from_the_first(mesh, fingerprint, "checkpoint", find)
    state = _state(np.frombuffer(found), start)
    if not first_process.writes(mesh, "checkpoint"):
        return state, lambda state: None
    written = time.monotonic()

    def take(state: State) -> None:
        nonlocal written
        if is_over(state) or time.monotonic() - written >= every:
            write(state)
            written = time.monotonic()

    return state, take


def _vector(state: State) -> Float[np.ndarray, " n"]:
    return np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in jax.tree.leaves(state)])


def _state(vector: Float[np.ndarray, " n"], like: State) -> State:
    leaves, structure = jax.tree.flatten(like)
    ends = np.cumsum([np.size(leaf) for leaf in leaves])[:-1]
    parts = [part.reshape(np.shape(leaf)) for part, leaf in zip(np.split(vector, ends), leaves, strict=True)]
    state = jax.tree.unflatten(structure, parts)
    return State(int(state.batches), state.moments)
