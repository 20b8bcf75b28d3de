"""The reflected teacher: a fixed point of the symmetric slice, and the curvature of the whole network, in balls.

Teacher e_1 ... e_n, student w_j = x e_j + y sum_(l != j) e_l. Existence by the interval Newton method; eigenvalues of
the n^2 x n^2 Jacobian of the gradient by Gershgorin's theorem after approximate diagonalisation, whatever their
multiplicity.
"""

from typing import NamedTuple

import numpy as np
from flint import acb, acb_mat, arb, arb_mat

from ..statements import Statement
from ..statements import kernels as stated
from ..statements.evaluation import evaluate, of_pair
from .arithmetic import BALLS
from .integrals import Balls, identity

RADIUS = 1e-18  # of the box in which the fixed point is shown to be the only one
NEWTON = 6  # iterations from double precision to the working precision


class Reflected(NamedTuple):
    """Balls around the fixed point (x, y), the loss there, and the smallest eigenvalue."""

    x: arb
    y: arb
    loss: arb
    smallest: arb


def reflected(n: int, weights: tuple[int, int], start: tuple[float, float]) -> Reflected:
    """For lambda_0 L + lambda_1 J under its population gradient, next to a start in double precision.

    Raises:
        ArithmeticError: the Newton image of the box is not inside it.
    """
    at = np.array([arb(value) for value in start], dtype=object)
    for _ in range(NEWTON):
        at = np.array([value.mid() for value in _newton(n, weights, at, at)], dtype=object)
    box = at + np.array([arb(0, RADIUS)] * 2, dtype=object)
    image = _newton(n, weights, at, box)
    if not all(outer.contains_interior(inner) for outer, inner in zip(box, image, strict=True)):
        raise ArithmeticError(f"n: got {n}; the Newton image of the box around {start} is not inside it")
    x, y = image
    return Reflected(x, y, loss(n, weights, x, y), smallest_real_part(jacobian(n, weights, x, y)))


def smallest_real_part(matrix: Balls) -> arb:
    """The least real part of the eigenvalues: Gershgorin's discs of V^-1 A V, with approximate eigenvectors V.

    Discs that touch hold as many eigenvalues as they are; so do all that a ball of the least ones touches.
    """
    _, vectors = np.linalg.eig(np.vectorize(float, otypes=[float])(matrix))
    size = len(matrix)
    v = acb_mat([[acb(entry.real, entry.imag) for entry in row] for row in vectors.tolist()])
    nearly = v.solve(acb_mat(arb_mat(matrix.tolist())) * v)
    discs = []
    for i in range(size):
        radius = sum((abs(nearly[i, j]) for j in range(size) if j != i), arb(0))
        discs.append(nearly[i, i].real + arb(0, 1) * radius)
    discs.sort(key=lambda disc: float(disc.lower()))
    least = discs[0]
    for disc in discs[1:]:
        if disc.overlaps(least):
            least = least.union(disc)
    return least


def _newton(n: int, weights: tuple[int, int], at: Balls, box: Balls) -> Balls:
    """at - J(box)^-1 G(at), in (x, y): one row of the gradient, and its derivative along the slice."""
    rows = jacobian(n, weights, *box)[:2]  # of the first neuron: components along e_1 and e_2
    own = np.eye(n, dtype=int).astype(object)
    slope = np.stack([rows @ own.ravel(), rows @ (1 - own).ravel()], axis=1)
    value = gradient(n, weights, *at)[0, :2]
    step = arb_mat(slope.tolist()).solve(arb_mat([[entry] for entry in value]))
    return at - np.array([step[0, 0], step[1, 0]], dtype=object)


def _of_pair(statement: Statement, w: Balls, v: Balls):
    """What is stated of a pair of neurons, at these."""
    return evaluate(statement.right, of_pair(BALLS, w, v))


def _neurons(n: int, x: arb, y: arb) -> tuple[Balls, Balls]:
    """Rows of student and teacher."""
    teacher = identity(n)
    return (x - y) * teacher + y, teacher


def loss(n: int, weights: tuple[int, int], x: arb, y: arb) -> arb:
    """lambda_0 L + lambda_1 J: 1/2 sum c_i c_j kappa(v_i, v_j); kappa(v, v) = |v|^2/2 for both."""
    student, teacher = _neurons(n, x, y)

    def kernel(w: Balls, v: Balls) -> arb:
        return weights[0] * _of_pair(stated.VALUE_KERNEL, w, v) + weights[1] * _of_pair(stated.SLOPE_KERNEL, w, v)

    own = sum(weights) * n * (student[0] @ student[0] + 1) / 4
    among = n * (n - 1) * (kernel(student[0], student[1]) + kernel(teacher[0], teacher[1])) / 2
    between = n * sum((kernel(student[0], v) for v in teacher), arb(0))
    return own + among - between


def gradient(n: int, weights: tuple[int, int], x: arb, y: arb) -> Balls:
    """[n, n], the population gradient at every student."""
    student, teacher = _neurons(n, x, y)

    def pull(w: Balls, v: Balls) -> Balls:
        return weights[0] * _of_pair(stated.VALUE_GRADIENT, w, v) + weights[1] * _of_pair(stated.SLOPE_GRADIENT, w, v)

    return np.stack(
        [
            w * sum(weights) / 2
            + sum(pull(w, other) for j, other in enumerate(student) if j != k)
            - sum(pull(w, v) for v in teacher)
            for k, w in enumerate(student)
        ]
    )


def jacobian(n: int, weights: tuple[int, int], x: arb, y: arb) -> Balls:
    """[n^2, n^2], of the population gradient."""
    student, teacher = _neurons(n, x, y)

    def bend(w: Balls, v: Balls) -> Balls:
        return weights[0] * _of_pair(stated.VALUE_HESSIAN, w, v) + weights[1] * _of_pair(stated.SLOPE_JACOBIAN, w, v)

    def mixed(w: Balls, v: Balls) -> Balls:
        return weights[0] * _of_pair(stated.VALUE_MIXED_HESSIAN, w, v) + weights[1] * _of_pair(
            stated.SLOPE_MIXED_JACOBIAN, w, v
        )

    found = np.empty((n, n, n, n), dtype=object)
    for k, w in enumerate(student):
        others = [other for j, other in enumerate(student) if j != k]
        own = sum(weights) * teacher / 2  # half the identity
        found[k, :, k] = own + sum(bend(w, other) for other in others) - sum(bend(w, v) for v in teacher)
        for j, other in enumerate(student):
            if j != k:
                found[k, :, j] = mixed(w, other)
    return found.reshape(n * n, n * n)
