"""What the variables of the claims range over, and how random points are drawn.

Pairs live in d = 4, so that the directions orthogonal to both vectors are two. Deterministic methods get angles down
to 0.05 from 0 and pi and norms over a decade; sampling gets norms near 1 and angles where no term of a formula is
small, in a random rotation.
"""

from math import pi
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

import sobolev_theory as st

from ...claim import Domain

Vector = Float[Array | np.ndarray, " d"]


class Pair(NamedTuple):
    """Two neurons: student and teacher, or any two of a network."""

    w: Vector
    v: Vector


class Networks(NamedTuple):
    student: st.Network
    teacher: st.Network


def rotation(generator: np.random.Generator, d: int) -> Float[np.ndarray, "d d"]:
    q, r = np.linalg.qr(generator.standard_normal((d, d)))
    return q * np.sign(np.diag(r))


def pair_at(generator: np.random.Generator, d: int, norms: tuple[float, float], angle: float) -> Pair:
    """Vectors of given norms and angle in a random position."""
    first, second = rotation(generator, d)[:2]
    return Pair(norms[0] * first, norms[1] * (np.cos(angle) * first + np.sin(angle) * second))


def wide_pair(generator: np.random.Generator) -> Pair:
    norms = np.exp(generator.uniform(np.log(0.3), np.log(3.0), 2))
    return pair_at(generator, 4, (norms[0], norms[1]), generator.uniform(0.05, pi - 0.05))


def _near(generator: np.random.Generator, value: float) -> float:
    return value * generator.uniform(0.97, 1.03)


def moderate_pair(generator: np.random.Generator) -> Pair:
    norms = (_near(generator, 1.0), _near(generator, 0.75))
    return pair_at(generator, 4, norms, _near(generator, 0.95))


def wide_networks(generator: np.random.Generator) -> Networks:
    """Signed output weights; every pair of neurons at least 0.2 from parallel."""
    while True:
        rows = generator.standard_normal((4, 4))
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        cosines = (unit @ unit.T)[np.triu_indices(4, 1)]
        if np.max(np.abs(cosines)) < np.cos(0.2) and np.min(np.linalg.norm(rows, axis=1)) > 0.3:
            break
    outputs = generator.uniform(0.4, 1.5, 4) * generator.choice([-1.0, 1.0], 4)
    return Networks(st.Network(rows[:2], outputs[:2]), st.Network(rows[2:], outputs[2:]))


def moderate_networks(generator: np.random.Generator) -> Networks:
    """Both signs of output weights in student and teacher, all angles between 0.9 and 2.3."""
    rows = np.array([[1.0, 0.1, 0.2, 0.3], [-0.1, 0.9, 0.3, -0.2], [0.5, 0.5, -0.8, 0.0], [-0.6, 0.1, 0.9, 0.2]])
    rows = rows @ rotation(generator, 4) * generator.uniform(0.97, 1.03, (4, 1))
    return Networks(st.Network(rows[:2], [1.0, -0.7]), st.Network(rows[2:], [1.2, -0.8]))


ONE_NEURON = Domain(r"w, w^* \in R^d \setminus 0, \theta \in (0, \pi), d \ge 2", wide_pair, moderate_pair)
PAIRS = Domain(r"w, v \in R^d \setminus 0, \theta \in (0, \pi), d \ge 2", wide_pair, moderate_pair)
NETWORKS = Domain(
    r"any K, K^*, d, output weights of any sign, no two neurons parallel", wide_networks, moderate_networks
)
