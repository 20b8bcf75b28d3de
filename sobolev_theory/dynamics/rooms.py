"""Arrays of a few sizes for problems of many: neurons and inputs that are not there are zeros, and add nothing.

What is compiled for one size then serves for all that fit. A zero neuron with output weight 0 has no part in any sum
over neurons, and a zero column none in any product of weights. Only small problems are filled up, whose time is not
that of their arithmetic.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float

from .kinks import Present

NEURONS = (4, 8, 16)
FLOWS = 8
TIMES = 16
FEW = 2**14  # pairs of neurons times inputs, of all flows, up to which they are filled up
FEW_SAVED = 2**20  # weights at all times


class Room(NamedTuple):
    """Sizes of arrays, and of what is in them.

    Attributes:
        size, used: (B, K, n, K*), T apart.
    """

    size: tuple[int, int, int, int]
    used: tuple[int, int, int, int]
    times_size: int
    times_used: int

    @property
    def states(self) -> np.ndarray:
        """Which entries of states (w, a) there are, [K m]."""
        neurons, inputs = (np.arange(self.size[axis]) < self.used[axis] for axis in (1, 2))
        return neurons[:, None] & np.append(inputs, True)[None]

    @property
    def present(self) -> Present:
        students, teachers = (np.arange(self.size[axis]) < self.used[axis] for axis in (1, 3))
        found: Any = students, teachers
        return Present(*found)

    def starts(self, w: np.ndarray, output_weights: np.ndarray, dtype) -> Float[np.ndarray, "B K m"]:
        """States (w, a)."""
        filled = _filled(w, self.size[:3]), _filled(output_weights, self.size[:2])[..., None]
        return np.concatenate(filled, axis=2).astype(dtype)

    def teachers(self, rows: np.ndarray, dtype) -> Float[np.ndarray, "B K_star n"]:
        flows, _, inputs, teachers = self.size
        return np.asarray(_filled(rows, (flows, teachers, inputs)), dtype)

    def scales(self, scales: np.ndarray, entries: int, dtype) -> tuple[np.ndarray, np.ndarray]:
        """Sizes of weights, 1 for flows that are not there; and how many entries of states train."""
        filled = np.append(scales, np.ones(self.size[0] - len(scales)))
        return np.asarray(filled, dtype), np.asarray(entries, dtype)

    def output_weights(self, values: np.ndarray, axis: int, dtype) -> np.ndarray:
        """Of the neurons of an axis of `size`."""
        return np.asarray(_filled(values, self.size[axis : axis + 1]), dtype)

    def runs(self, run: np.ndarray) -> Float[np.ndarray, "B T K *n"]:
        """Weights, or output weights, at the start, at all times and at the end."""
        flows, neurons, inputs, _ = self.size
        return _filled(run, (flows, self.times_size + 2, neurons, inputs)[: run.ndim])

    def flows(self) -> np.ndarray:
        """Those that there are, [B]."""
        return np.arange(self.size[0]) < self.used[0]

    def times(self, times: np.ndarray, dtype) -> Float[np.ndarray, " T"]:
        return np.asarray(np.append(times, np.full(self.times_size - len(times), np.inf)), dtype)

    def cut(self, array: Array, axes: str) -> np.ndarray:
        """What is used of an array, given the letters of its axes: B, K, n and T; all of others."""
        used = dict(zip("BKn", self.used, strict=False)) | {"T": self.times_used}
        return np.asarray(array)[tuple(slice(0, used.get(axis)) for axis in axes)]


def bases(starts: Float[np.ndarray, "B K d"], rows: Float[np.ndarray, "K_star d"]) -> Float[np.ndarray, "B d n"]:
    """Orthonormal columns that span student and teacher, as in `reduction`, by NumPy."""
    stacked = np.concatenate([starts, np.broadcast_to(rows, (len(starts), *rows.shape))], axis=1)
    for norm in (partial(np.max, axis=2, keepdims=True), partial(np.linalg.norm, axis=2, keepdims=True)):
        size = norm(np.abs(stacked))
        stacked = stacked / np.where(size > 0, size, 1.0)
    return np.linalg.qr(stacked.transpose(0, 2, 1))[0]


def room(starts: tuple[int, int, int], teachers: int, times: int, most: int = NEURONS[-1]) -> Room:
    """For weights [B, K, n] and so many teacher neurons and times; not filled up from more than `most` neurons on."""
    used = (*starts, teachers)
    size = used
    if max(starts[1], teachers) <= most:
        neurons, theirs = (next(most for most in NEURONS if most >= number) for number in (starts[1], teachers))
        flows = starts[0] if starts[0] == 1 else max(FLOWS, 1 << (starts[0] - 1).bit_length())
        filled = flows, neurons, max(neurons + theirs, starts[2]), theirs
        if flows * neurons * (neurons + theirs) ** 2 <= FEW:
            size = filled
    times_size = max(TIMES, 1 << (times - 1).bit_length())
    if times_size * size[0] * size[1] * size[2] > FEW_SAVED:
        times_size = times
    return Room(size, used, times_size, times)


def _filled(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.pad(array, [(0, size - used) for size, used in zip(shape, array.shape, strict=True)])
