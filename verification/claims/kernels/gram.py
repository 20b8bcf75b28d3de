"""Gram matrices of the arc-cosine kernels: positive definite on neurons of which no two are parallel.

Elimination gives them as pivots, all positive if and only if the matrix is positive definite.
"""

from functools import partial

import numpy as np
from flint import arb

from ...balls import integrals
from ...balls.arithmetic import BALLS
from ...checks import Ball, NonNegative, Quadrature
from ...claim import Claim, Domain
from ...planar import expectation
from ...statements import Statement
from ...statements import kernels as stated
from ...statements import notation as n
from ...statements.evaluation import Environment, evaluate
from ...statements.kernels import HIGHEST, angular
from ..common.sources import KERNELS

NEURONS, DIMENSION = 4, 3
LEAST_SINE = 0.3


def _draw(generator: np.random.Generator) -> np.ndarray:
    """Unit vectors, of which none are closer than 0.3 to parallel."""
    while True:
        rows = generator.standard_normal((NEURONS, DIMENSION))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        cosines = (rows @ rows.T)[np.triu_indices(NEURONS, 1)]
        if np.max(np.abs(cosines)) < np.cos(LEAST_SINE):
            return rows


SETS = Domain(r"w_1 \dots w_m \in R^d \setminus 0, \text{no two of them parallel or opposite}", _draw, _draw)


def pivots(gram: np.ndarray) -> np.ndarray:
    """Of Gaussian elimination in the given order, [m]; for numbers or balls."""
    left, found = np.array(gram), []
    while len(left):
        found.append(left[0, 0])
        left = left[1:, 1:] - np.outer(left[1:, 0], left[0, 1:]) / left[0, 0]
    return np.array(found)


def _all_pivots(kernel, rows: np.ndarray) -> np.ndarray:
    """[5, m], of 2 pi E[(w_i.x)_+^n (w_j.x)_+^n] for n = 0 ... 4; the kernel gives all n, of a unit vector
    and another one, or None for itself."""
    places = range(len(rows))
    table = [[kernel(rows[i], None if i == j else rows[j]) for j in places] for i in places]
    grams = np.moveaxis(np.array(table), -1, 0)
    return np.array([pivots(gram) for gram in grams])


def _closed(first: np.ndarray, second: np.ndarray | None, shift: float = 0.0) -> np.ndarray:
    second = first if second is None else second
    theta = 2 * np.arctan2(np.linalg.norm(first - second), np.linalg.norm(first + second))
    return np.array(angular(theta, np.cos(theta), np.sin(theta), np.pi - shift))


def definite(rows: np.ndarray) -> np.ndarray:
    return _all_pivots(_closed, np.asarray(rows))


def _by_definition(first: np.ndarray, second: np.ndarray | None) -> np.ndarray:
    cos = 1.0 if second is None else float(first @ second)
    normals = np.array([[1.0, 0.0], [cos, np.sqrt(1 - cos**2)]])

    def moment(power: int) -> float:
        def both(y):
            t = y @ normals.T
            return np.prod(np.where(t > 0, np.abs(t) ** power, 0.0), axis=1)

        return float(expectation(both, normals, 2 * power))

    return 2 * np.pi * np.array([moment(power) for power in range(HIGHEST + 1)])


def _angle(first: np.ndarray, second: np.ndarray | None) -> arb:
    return arb(0) if second is None else integrals.plane(first, second).theta


def _certified(first: np.ndarray, second: np.ndarray | None) -> np.ndarray:
    return np.array(
        [integrals.arc_cosine(power, _angle(first, second)) for power in range(HIGHEST + 1)], dtype=object
    )


def _stated(statement: Statement, rows: np.ndarray) -> np.ndarray:
    def kernel(first: np.ndarray, second: np.ndarray | None) -> np.ndarray:
        at = Environment(BALLS, values={n.theta: _angle(first, second)})
        return np.array([evaluate(J.rhs, at) for J in statement.where], dtype=object)

    return _all_pivots(kernel, rows)


def _draw_many(generator: np.random.Generator, count: int) -> np.ndarray:
    return np.array([_draw(generator).ravel() for _ in range(count)])


def _least(formula, points: np.ndarray) -> np.ndarray:
    return np.array([np.min(formula(point.reshape(NEURONS, DIMENSION))) for point in points])


CLAIMS = (
    Claim(
        "kernels/positive-definite",
        stated.POSITIVE_DEFINITE,
        KERNELS,
        SETS,
        definite,
        (
            Ball(lambda _, rows: _all_pivots(_certified, rows), _stated),
            Quadrature(partial(_all_pivots, _by_definition)),
            # Strictly positive: a pivot of neurons 0.3 from parallel is far above 1e-9, its rounding far below.
            NonNegative(_draw_many, _least, slack=-1e-9, count=100),
        ),
        {
            "angles from a right angle": partial(_all_pivots, partial(_closed, shift=np.pi / 2)),
            "in another order": lambda rows: definite(np.asarray(rows)[::-1]),
        },
    ),
)
