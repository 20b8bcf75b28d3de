"""The frame of two vectors, by Gram-Schmidt: what eigenvalues and polar flows are read in. NumPy only."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .domains import Pair


class Frame(NamedTuple):
    """v = w/|w|, e orthogonal to it towards the other vector, and d - 2 unit vectors orthogonal to both."""

    v: Float[np.ndarray, " d"]
    e: Float[np.ndarray, " d"]
    rest: Float[np.ndarray, "n d"]
    norm: float
    other_norm: float
    theta: float

    @property
    def rho(self) -> float:
        return self.other_norm / self.norm


def frame(pair: Pair) -> Frame:
    w, other = (np.asarray(x, dtype=float) for x in pair)
    norm, other_norm = float(np.linalg.norm(w)), float(np.linalg.norm(other))
    v = w / norm
    across = other - (other @ v) * v
    e = across / np.linalg.norm(across)
    full = np.linalg.svd(np.stack([v, e]))[2]
    theta = float(np.arctan2(np.linalg.norm(across), other @ v))
    return Frame(v, e, full[2:], norm, other_norm, theta)


def triangular_spectrum(matrix: Float[np.ndarray, "d d"], f: Frame) -> Float[np.ndarray, " n"]:
    """The candidates v'Mv, e'Me and o'Mo, then what is 0 if they are the eigenvalues.

    M v = lambda_1 v, e'M = lambda_2 e' and M o = lambda_3 o for all o orthogonal to both make M triangular in
    (v, e, rest), with the three numbers on its diagonal.
    """
    radial, in_plane = f.v @ matrix @ f.v, f.e @ matrix @ f.e
    orthogonal = np.mean([o @ matrix @ o for o in f.rest])
    residuals = [matrix @ f.v - radial * f.v, f.e @ matrix - in_plane * f.e]
    residuals += [matrix @ o - orthogonal * o for o in f.rest]
    return np.concatenate([[radial, in_plane, orthogonal], *residuals])


def padded(eigenvalues: Float[np.ndarray, " 3"], d: int) -> Float[np.ndarray, " n"]:
    """Three eigenvalues in the layout of `triangular_spectrum`."""
    return np.concatenate([np.asarray(eigenvalues), np.zeros(d * d)])


def polar_velocity(velocity: Float[np.ndarray, " d"], f: Frame) -> Float[np.ndarray, " 2"]:
    """(|w|', theta') when w' = velocity: moving along e closes the angle."""
    return np.array([f.v @ velocity, -(f.e @ velocity) / f.norm])


# Coordinates of certificates.


def turn(pair: Pair) -> float:
    """theta / pi."""
    return frame(pair).theta / np.pi


def excess_norm(pair: Pair) -> float:
    """y = (|w| - |w*|)/(|w| + |w*|)."""
    f = frame(pair)
    return (f.norm - f.other_norm) / (f.norm + f.other_norm)


def tau(pair: Pair) -> float:
    """2 rho sin(theta)/pi."""
    f = frame(pair)
    return 2 * f.rho * np.sin(f.theta) / np.pi


def around_teacher(pair: Pair) -> tuple[float, float]:
    """epsilon = |w - w*|/|w*|, and psi/pi with psi the angle of w - w* and w*."""
    f = frame(Pair(pair.v, np.asarray(pair.w) - np.asarray(pair.v)))
    return f.rho, f.theta / np.pi
