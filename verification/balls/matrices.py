"""Eigenvalues and condition numbers, in balls, of matrices that are a block in the plane of w and v, and l I.

The block may have any two real eigenvalues; on the other directions the matrix is l I.
"""

from typing import NamedTuple

import numpy as np
from flint import arb

from .integrals import Balls, Vector, plane


class Spectrum(NamedTuple):
    """The smallest and the largest eigenvalue."""

    least: arb
    largest: arb


def eigenvalues(w: Vector, v: Vector, matrix: Balls) -> Spectrum:
    block, rest = _blocks(w, v, matrix)
    half, root = np.trace(block) / 2, ((block[0, 0] - block[1, 1]) ** 2 / 4 + block[0, 1] * block[1, 0])
    spread = root.sqrt() if root > 0 else abs(block[0, 0] - block[1, 1]) / 2
    least, largest = half - spread, half + spread
    return Spectrum(least, largest) if rest is None else Spectrum(least.min(rest), largest.max(rest))


def plane_determinant(w: Vector, v: Vector, matrix: Balls) -> arb:
    return _determinant(_blocks(w, v, matrix)[0])


def two_norm_condition(w: Vector, v: Vector, matrix: Balls) -> arb:
    """k from k + 1/k, the sum of squares over the determinant, of the block: l is between its singular values."""
    block, _ = _blocks(w, v, matrix)
    spread = np.sum(block * block) / abs(_determinant(block))
    return (spread + (spread**2 - 4).sqrt()) / 2


def triangular(matrix: Balls, w: Vector, v: Vector) -> tuple[list[arb], Balls]:
    """The candidates v'Mv, e'Me and the mean over the rest, and what vanishes if they are the eigenvalues.

    M v = l_1 v, e'M = l_2 e' and M = l_3 on all directions orthogonal to both.
    """
    p = plane(w, v)
    radial, in_plane = p.first @ matrix @ p.first, p.second @ matrix @ p.second
    orthogonal = (np.trace(matrix) - radial - in_plane) / (len(matrix) - 2)
    residual = [matrix @ p.first - radial * p.first, p.second @ matrix - in_plane * p.second]
    residual.append((matrix @ p.rest - orthogonal * p.rest).ravel())
    return [radial, in_plane, orthogonal], np.concatenate(residual)


def _blocks(w: Vector, v: Vector, matrix: Balls) -> tuple[Balls, arb | None]:
    p = plane(w, v)
    basis = np.stack([p.first, p.second], axis=1)
    block = basis.T @ matrix @ basis
    rest = (np.trace(matrix) - np.trace(block)) / (len(matrix) - 2) if len(matrix) > 2 else None
    return block, rest


def _determinant(m: Balls) -> arb:
    return m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
