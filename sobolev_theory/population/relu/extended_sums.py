"""The population loss of small ReLU networks by NumPy, in extended precision where the machine has it: not compiled.

Plain sums, whose terms cancel near an optimum, keep there what digits they have beyond those of the result; their
error says whether that is enough. Where it is not, there are the sums over matched neurons (`sums`).
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from ...geometry.angles import Angles
from .plain_sums import kernel

WIDE = np.longdouble
ROUNDINGS = 3  # of a term, in eps: norms, angle and kernel
MOST = 2**19  # differences of unit vectors: some hundredths of a second


def losses(
    lambdas: tuple[float, float],
    students: Float[np.ndarray, "N K n"],
    output_weights: Float[np.ndarray, "*N K"],
    teachers: Float[np.ndarray, "N K_star n"],
    teacher_output: Float[np.ndarray, " K_star"],
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]] | None:
    """Losses of students, each with its teacher, and bounds of their relative errors; None if that takes long.

    Args:
        output_weights: of all students, or of each.
    """
    count, inputs = len(students), students.shape[2]
    neurons = students.shape[1] + teachers.shape[1]
    if count * neurons**2 * inputs > MOST:
        return None
    rows = np.concatenate([students, teachers], axis=1).astype(WIDE)
    both = (output_weights, students), (-teacher_output, teachers)
    signs = np.concatenate([np.broadcast_to(a, x.shape[:2]) for a, x in both], axis=1).astype(WIDE)
    norms = np.sqrt(np.sum(rows * rows, axis=2))
    u = rows / np.where(norms > 0, norms, 1)[..., None]
    chord, sum_ = (np.sqrt(np.sum((u[:, :, None] + side * u[:, None]) ** 2, axis=3)) for side in (-1, 1))
    theta = 2 * np.arctan2(chord, sum_)
    angles = Angles(theta, np.arccos(WIDE(-1)) - theta, np.sin(theta), np.cos(theta))
    wide: Any = WIDE(lambdas[0]), WIDE(lambdas[1])
    values = kernel(angles, wide)
    rho = signs * norms
    terms = rho[:, :, None] * values * rho[:, None] / 2
    found, size = terms.sum(axis=(1, 2)), np.abs(terms).sum(axis=(1, 2))
    errors = np.full(count, np.inf, WIDE)
    np.divide(ROUNDINGS * np.finfo(WIDE).eps * size, np.abs(found), out=errors, where=found != 0)
    return found.astype(float), np.where(size == 0, 0, errors).astype(float)
