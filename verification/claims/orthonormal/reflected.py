"""The reflected teacher on the slice of an orthonormal teacher: a spurious minimum from six neurons on."""

from functools import partial
from typing import NamedTuple

import numpy as np
import sympy as sp

import sobolev_theory as st

from ... import definitions as by_definition
from ...balls import reflected as balls
from ...balls.arithmetic import BALLS
from ...checks import Enclosed, Quadrature
from ...claim import Claim, Domain
from ...statements import Statement
from ...statements import orthonormal as stated
from ...statements.evaluation import Environment, evaluate
from ..common.domains import Networks
from ..networks.methods import LOSSES, problem

WEIGHTS = {"L": (1, 0), "H": (1, 1)}
MOST = 8  # neurons
NEWTON = 7  # steps: the last change is below rounding


class Size(NamedTuple):
    """The number of teacher and student neurons."""

    n: int


SIZES = tuple(Size(n) for n in range(3, MOST + 1))


def _draw(generator: np.random.Generator) -> Size:
    return SIZES[generator.integers(len(SIZES))]


DOMAIN = Domain(rf"K = K^* = d = n, 3 \le n \le {MOST}, w^*_j = e_j", _draw, _draw)


def fixed_point(loss: str, size: Size) -> np.ndarray:
    """x, y, loss, and the least real part of the eigenvalues of DG in all n^2 directions, by the library."""
    point = _found(loss, size)
    student, teacher = st.orthonormal.student(point.x, point.y, size.n), st.Network(np.eye(size.n))
    jacobian = np.asarray(st.population_jacobian(student, teacher, loss=LOSSES[loss])).reshape((size.n**2,) * 2)
    return np.array([point.x, point.y, point.loss, np.linalg.eigvals(jacobian).real.min()])


def _found(loss: str, size: Size) -> st.orthonormal.FixedPoint:
    return st.orthonormal.fixed_points(size.n, LOSSES[loss], of="population")[1]


def _enclosed(loss: str, size: Size) -> balls.Reflected:
    """From a start that the library gives; that there is a fixed point next to it is shown without it."""
    start = _found(loss, size)
    return balls.reflected(size.n, WEIGHTS[loss], (start.x, start.y))


def _by_definition(loss: str, size: Size) -> np.ndarray:
    """By Newton's method on quadratures, from the teacher's reflection."""
    n, teacher = size.n, np.eye(size.n)
    at, along = np.array([2 / n - 1, 2 / n]), np.stack([teacher.ravel(), 1 - teacher.ravel()], axis=1)
    for _ in range(NEWTON):
        networks = Networks(st.orthonormal.student(float(at[0]), float(at[1]), n), st.Network(teacher))
        jacobian = by_definition.population_jacobian(problem(networks, loss)).reshape(n * n, n * n)
        gradient = by_definition.population_gradient(problem(networks, loss))[0][0, :2]
        at = at - np.linalg.solve(jacobian[:2] @ along, gradient)
    value = by_definition.loss(problem(networks, loss))
    return np.array([*at, value, np.linalg.eigvals(jacobian).real.min()])


def _as_stated(statement: Statement, size: Size, enclosed: balls.Reflected) -> bool:
    """Every inequality of the statement that is on this number of neurons is certain."""
    known = {
        stated.CURVATURE: enclosed.smallest,
        stated.VALUE: enclosed.loss,
        stated.x: enclosed.x,
        stated.y: enclosed.y,
    }
    for relation in statement.relations:
        quantity, sizes = relation.lhs.args
        sign = 1 if isinstance(relation, sp.Gt) else -1
        if size.n in sizes and not sign * evaluate(quantity, Environment(BALLS, values=known)) > 0:
            return False
    return True


def _turned(loss: str, size: Size) -> np.ndarray:
    """The eigenvalue in the wrong sign."""
    return fixed_point(loss, size) * np.array([1, 1, 1, -1])


def _claim(loss: str, name: str) -> Claim:
    other = {"L": "H", "H": "L"}[loss]
    return Claim(
        f"orthonormal/{name}-reflected-teacher",
        stated.reflected(loss),
        "derived here; Safran and Shamir, arXiv 1712.08968, found spurious minima from six neurons on",
        DOMAIN,
        partial(fixed_point, loss),
        (
            Enclosed(SIZES, partial(_enclosed, loss), partial(_as_stated, stated.reflected(loss))),
            Quadrature(partial(_by_definition, loss)),
        ),
        {"that of the other loss": partial(fixed_point, other), "eigenvalue turned": partial(_turned, loss)},
    )


CLAIMS = (_claim("L", "l2"), _claim("H", "h1"))
