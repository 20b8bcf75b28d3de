"""The networks that the tests of accuracy and robustness share, by name; inputs only, no expectations."""

from typing import NamedTuple

import numpy as np

import sobolev_theory as st

LOSSES = {"L2": (1.0, 0.0), "J": (0.0, 1.0), "H1": (1.0, 1.0)}
EPS = float(np.finfo(float).eps)


class Case(NamedTuple):
    weights: np.ndarray
    output_weights: np.ndarray
    teacher_weights: np.ndarray
    teacher_output_weights: np.ndarray

    @property
    def networks(self) -> tuple[st.Network, st.Network]:
        return st.Network(*self[:2]), st.Network(*self[2:])


def case(weights, teacher_weights, output_weights=None, teacher_output_weights=None) -> Case:
    weights, teacher_weights = np.atleast_2d(weights).astype(float), np.atleast_2d(teacher_weights).astype(float)
    a = np.ones(len(weights)) if output_weights is None else np.array(output_weights, float)
    b = np.ones(len(teacher_weights)) if teacher_output_weights is None else np.array(teacher_output_weights, float)
    return Case(weights, a, teacher_weights, b)


# One student and one teacher neuron at given angles, K = K* = 1, d = 4.

SMALL_ANGLES = (1e-12, 1e-9, 1e-6, 1e-3, 0.1)
ANGLES = (0.0, *SMALL_ANGLES, 1.0, np.pi / 2, 2.0, *(np.pi - t for t in SMALL_ANGLES[::-1]), np.pi)


def pair_at(theta: float, ratio: float = 1.0) -> Case:
    """Along generic axes: w = ratio (cos theta p + sin theta q), w* = p, up to rounding."""
    p, q = np.linalg.qr(np.random.default_rng(7).normal(size=(4, 2)))[0].T
    p, q = 1.7 * p, 1.7 * q
    if theta == 0.0:
        return case(ratio * p, p)
    if theta == np.pi:
        return case(-ratio * p, p)
    return case(ratio * (np.cos(theta) * p + np.sin(theta) * q), p)


def aligned_pair(tangent: float, sign: float = 1.0) -> Case:
    """Along the coordinate axes, where an angle may be as small as the dtype's smallest number."""
    return case([sign, tangent, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0])


PAIRS = {f"angle {t:.15g}": pair_at(t) for t in ANGLES}
PAIRS |= {f"angle {t:.15g}, longer student": pair_at(t, ratio=3.3) for t in ANGLES}
PAIRS |= {f"tangent {t:g} on the axes": aligned_pair(t) for t in (1e-200, 1e-30, 1e-12, 1e-6)}
PAIRS |= {f"tangent {t:g} on the axes, opposite": aligned_pair(t, sign=-1.0) for t in (1e-200, 1e-30, 1e-12, 1e-6)}
PAIRS |= {
    "orthogonal on the axes": case([0.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]),
    "exactly parallel": case([2.0, 4.0, -6.0, 0.0], [1.0, 2.0, -3.0, 0.0]),
    "exactly opposite": case([2.0, 4.0, -6.0, 0.0], [-1.0, -2.0, 3.0, 0.0]),
    "tiny student": case([1e-150, 2e-150, 0.0, 0.0], [1.0, 0.5, 0.3, 0.1]),
    "huge student": case([1e150, 2e150, 0.0, 0.0], [1.0, 0.5, 0.3, 0.1]),
    "tiny student, huge teacher": case([1e-150, 2e-150, 0.0, 0.0], [1e150, 5e149, 0.0, 1e149]),
    "zero student": case([0.0] * 4, [1.0, 0.5, 0.3, 0.1]),
    "zero teacher": case([1.0, 0.5, 0.3, 0.1], [0.0] * 4),
    "both zero": case([0.0] * 4, [0.0] * 4),
}


# Three student and three teacher neurons, d = 4.

_rng = np.random.default_rng(11)
W, V = _rng.normal(size=(3, 4)), _rng.normal(size=(3, 4))
SIGNED, SIGNED_TEACHER = [1.0, -2.0, 0.5], [1.5, 1.0, -0.7]


def rows(*vectors) -> np.ndarray:
    return np.array(vectors, float)


def scaled(weights: np.ndarray, *norms: float) -> np.ndarray:
    return weights * np.array(norms)[:, None]


TRIPLES = {
    "generic": case(W, V),
    "signed output weights": case(W, V, SIGNED, SIGNED_TEACHER),
    "zero output weight": case(W, V, [1.0, 0.0, -1.0], [0.0, 1.0, 1.0]),
    "two students coincide": case(rows(W[0], W[0], W[1]), V),
    "two students coincide, opposite signs": case(rows(W[0], W[0], W[1]), V, [1.0, -1.0, 1.0]),
    "all students coincide": case(rows(W[0], W[0], W[0]), V, SIGNED),
    "two students are parallel": case(rows(W[0], 4 * W[0], W[1]), V),
    "two students are opposite": case(rows(W[0], -W[0], W[1]), V),
    "two teachers coincide": case(W, rows(V[0], V[0], V[1])),
    "student is opposite to teacher": case(rows(-V[0], W[1], W[2]), V),
    "student is parallel to teacher": case(rows(2 * V[0], W[1], W[2]), V),
    "students split one teacher": case(rows(V[0] / 2, V[0] / 2, V[1]), V),
    "student is teacher": case(V, V, SIGNED, SIGNED),
    "student is teacher, permuted": case(V[::-1], V, SIGNED[::-1], SIGNED),
    "orthonormal": case(np.eye(4)[:3], np.eye(4)[1:]),
    "orthonormal, student is teacher": case(np.eye(4)[:3], np.eye(4)[:3]),
    "zero student": case(rows(0 * W[0], W[1], W[2]), V),
    "zero teacher": case(W, rows(V[0], 0 * V[1], V[2])),
    "several zero neurons": case(rows(0 * W[0], 0 * W[1], W[2]), rows(0 * V[0], V[1], 0 * V[2])),
    "zero student is zero teacher": case(rows(0 * V[0], V[1], V[2]), rows(0 * V[0], V[1], V[2])),
    "norms 1e-150, 1 and 1e150": case(scaled(W, 1e-150, 1.0, 1e150), V),
    "two huge students": case(scaled(W, 1e150, 1e150, 1e-150), V, SIGNED),
    "norms 1e-150 to 1e150 on both sides": case(scaled(W, 1e-150, 1.0, 1e150), scaled(V, 1e150, 1e-150, 1.0)),
    "all tiny": case(scaled(W, 1e-150, 1e-150, 1e-150), scaled(V, 1e-150, 1e-150, 1e-150)),
    "all huge": case(scaled(W, 1e150, 1e150, 1e150), scaled(V, 1e150, 1e150, 1e150)),
    "huge, student is teacher": case(scaled(V, 1e150, 1.0, 1e-150), scaled(V, 1e150, 1.0, 1e-150)),
    "tiny and huge parallel": case(rows(1e-150 * V[0], 1e150 * V[0], V[1]), V),
}


def padded(pair: Case, neurons: int = 3) -> Case:
    """The same functions with zero neurons added, so that all cases have one shape."""

    def pad(x):
        return np.concatenate([x, np.zeros((neurons - len(x), *x.shape[1:]))])

    return Case(*map(pad, pair))


# Near an optimum: a teacher, and a student at a given distance from it.

STEPS = (1e-2, 1e-4, 1e-6, 1e-9, 1e-12)

_rng = np.random.default_rng(5)
TEACHER = scaled(_rng.normal(size=(3, 4)), 0.5, 1.0, 3.0)
_noise = _rng.normal(size=(3, 4))
STEP = _noise / np.linalg.norm(_noise)
OUTPUT, OUTPUT_STEP = np.array([1.0, -1.0, 2.0]), np.array([0.3, -0.5, 0.8])
TURN = np.eye(4)[[3, 2, 0]]  # orthogonal to the rows of np.eye(4)[:3]


def with_second(row: np.ndarray) -> np.ndarray:
    return rows(TEACHER[0], row, TEACHER[2])


NEAR = {
    "generic": lambda t: case(TEACHER + t * STEP, TEACHER, OUTPUT, OUTPUT),
    "permuted": lambda t: case((TEACHER + t * STEP)[[2, 0, 1]], TEACHER, OUTPUT[[2, 0, 1]], OUTPUT),
    "output weights moved": lambda t: case(TEACHER + t * STEP, TEACHER, OUTPUT + t * OUTPUT_STEP, OUTPUT),
    "only turned": lambda t: case(np.eye(4)[:3] + t * TURN, np.eye(4)[:3]),
    "one of three": lambda t: case(rows(TEACHER[0] + t * STEP[0], *STEP[1:]), TEACHER, OUTPUT, OUTPUT),
    "one teacher neuron more": lambda t: case((TEACHER + t * STEP)[:2], TEACHER, OUTPUT[:2], OUTPUT),
    "two teachers coincide": lambda t: case(
        with_second(TEACHER[0]) + t * STEP, with_second(TEACHER[0]), OUTPUT, OUTPUT
    ),
    "two teachers 1e-5 apart": lambda t: case(
        with_second(TEACHER[0] + 1e-5 * STEP[1]) + t * STEP, with_second(TEACHER[0] + 1e-5 * STEP[1])
    ),
    "two teachers are opposite": lambda t: case(
        with_second(-2 * TEACHER[0]) + t * STEP, with_second(-2 * TEACHER[0]), OUTPUT, OUTPUT
    ),
    "two teachers 1e-5 from opposite": lambda t: case(
        with_second(-TEACHER[0] + 1e-5 * STEP[1]) + t * STEP, with_second(-TEACHER[0] + 1e-5 * STEP[1])
    ),
}


def near(name: str, step: float) -> Case:
    return NEAR[name](step)
