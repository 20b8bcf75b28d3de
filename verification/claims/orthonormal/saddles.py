"""The fixed point of the flows on the slice of an orthonormal teacher where all students coincide, and its type.

On x = y every student is x times the sum of the teacher's neurons. There the flow is a line that ends in one point,
stable along x = y and unstable across it: a saddle. The point is a critical point of the population gradient.
"""

from collections.abc import Callable
from functools import partial
from math import factorial
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory.symbolic import orthonormal as slices

from ... import definitions as by_definition
from ...checks import Limit, Quadrature, Symbolic
from ...checks.symbolic import as_matrix
from ...claim import Claim, Domain
from ...statements import Statement
from ...statements import orthonormal as stated
from ...statements.evaluation import DIGITS, Environment, evaluate
from ..common.domains import Networks, Vector, rotation
from ..common.sources import TIAN
from ..networks.methods import problem

ORDER = {"L": 1, "H": 2}  # what multiplies pi - angle in the gradient
STEPS = 0.01 * np.arange(1, 7)


class Saddle(NamedTuple):
    """The orthonormal rows of a teacher."""

    teacher: Vector


STATEMENTS = {loss: (stated.saddle_of(m), stated.saddle_type_of(m)) for loss, m in ORDER.items()}


def place(loss: str, n: int, statement: Statement | None = None) -> Any:
    """x = y of the saddle, by mpmath, as it is stated."""
    right = (statement or STATEMENTS[loss][0]).right
    return evaluate(right, Environment(DIGITS, values={slices.n: mpmath.mpf(n)}))


def rates(loss: str, n: int, statement: Statement | None = None) -> np.ndarray:
    """Of the flow at the saddle, along x = y and across it."""
    here = {slices.n: mpmath.mpf(n), stated.q: place(loss, n)}
    return evaluate((statement or STATEMENTS[loss][1]).right, Environment(DIGITS, values=here))


def _draw(generator: np.random.Generator) -> Saddle:
    return Saddle(rotation(generator, 5)[: generator.integers(2, 5)])


SADDLES = Domain(r"w^*_1 \dots w^*_n \text{ orthonormal}, n \ge 2, w_1 = \dots = w_n", _draw, _draw)


def _students(point: Saddle, x, y) -> np.ndarray:
    n = len(point.teacher)
    return (np.full((n, n), y) + np.diag(np.full(n, x - y))) @ np.asarray(point.teacher)


def _velocity(loss: str, point: Saddle, x: float, y: float) -> np.ndarray:
    """(x', y') of the first student, from the definition."""
    networks = Networks(st.Network(_students(point, x, y)), st.Network(point.teacher))
    first = -by_definition.population_gradient(problem(networks, loss))[0][0]
    return np.asarray(point.teacher)[:2] @ first


def _place_by_definition(loss: str, point: Saddle) -> float:
    """Where the velocity on x = y vanishes, which is affine in x."""
    low, high = (_velocity(loss, point, at, at)[0] for at in (0.5, 1.0))
    return 0.5 + 0.5 * low / (low - high)


def _rates_by_definition(loss: str, point: Saddle) -> np.ndarray:
    """Along x = y the velocity is affine; across it, with x - y = t -> 0+, by the polynomial through six steps."""
    at = float(place(loss, len(point.teacher)))
    along = _velocity(loss, point, at + 0.1, at + 0.1) - _velocity(loss, point, at - 0.1, at - 0.1)
    across = [np.diff(_velocity(loss, point, at + t * at / 2, at - t * at / 2)[::-1])[0] / (t * at) for t in STEPS]
    weights = [(-1) ** (k + 1) * factorial(6) / (factorial(k) * factorial(6 - k)) for k in range(1, 7)]
    return np.array([along[0] / 0.2, np.dot(weights, across)])


def _stated_rates(loss: str, point: Saddle) -> np.ndarray:
    return rates(loss, len(point.teacher)).astype(float)


# Symbolic: the flow that is stated, and derived, on the slice, taken to x = y from above.

t, q = sp.Symbol("t", positive=True), stated.q
SLICES = {"L": stated.L2_SLICE, "H": stated.H1_POPULATION_SLICE}


def _derived(loss: str) -> tuple[sp.Expr, ...]:
    """Position, rate along x = y, and rate across it; alpha = arccos(1/sqrt n) there."""
    x, y, n, alpha = q + t / 2, q - t / 2, slices.n, slices.alpha
    square = slices.NORM_SQUARE.subs({slices.x: x, slices.y: y}, simultaneous=True)
    dot = slices.DOT.subs({slices.x: x, slices.y: y}, simultaneous=True)
    root, start = sp.sqrt(square), q * sp.sqrt(n)
    values = {
        slices.x: x,
        slices.y: y,
        slices.r: root,
        slices.S: t * sp.sqrt(square + dot),  # |w_j|^2 - w_j.w_k = t^2
        slices.A: sp.sqrt(square - x**2),
        slices.B: sp.sqrt(square - y**2),
        slices.phi: 2 * sp.asin(t / (sp.sqrt(2) * root)),
        slices.alpha: alpha + sp.acos(x / root) - sp.acos(q / start),
        slices.beta: alpha + sp.acos(y / root) - sp.acos(q / start),
    }
    horizontal, vertical = (
        part.subs(values, simultaneous=True) for part in (relation.rhs for relation in SLICES[loss].relations)
    )
    on_line = sp.simplify(horizontal.subs(t, 0))
    along = sp.simplify(sp.diff(on_line, q))
    across = sp.simplify(sp.diff(horizontal - vertical, t).subs(t, 0))
    return sp.simplify(q - on_line / along), along, across


def _at_the_angle(statement: Statement) -> Any:
    """With alpha for arccos(1/sqrt n), as the derivation has it."""
    return tuple(x.subs(sp.acos(1 / sp.sqrt(slices.n)), slices.alpha) for x in as_matrix(statement.right))


def _symbolic(loss: str, numbers: Callable, entries: slice) -> Symbolic:
    return Symbolic(
        (lambda: _derived(loss)[entries],),
        lambda statement, point: numbers(loss, len(point.teacher), statement),
        _at_the_angle,
    )


def _claims(loss: str, symbol: str, source: str) -> tuple[Claim, Claim]:
    other = {"L": "H", "H": "L"}[loss]
    name, (where, kind) = symbol.lower(), STATEMENTS[loss]
    return (
        Claim(
            f"orthonormal/{name}-saddle",
            where,
            source,
            SADDLES,
            lambda point: float(place(loss, len(point.teacher))),
            (_symbolic(loss, place, np.s_[:1]), Quadrature(partial(_place_by_definition, loss))),
            {f"that of {'H1' if loss == 'L' else 'L2'}": lambda point: float(place(other, len(point.teacher)))},
        ),
        Claim(
            f"orthonormal/{name}-saddle-type",
            kind,
            "derived here",
            SADDLES,
            partial(_stated_rates, loss),
            (_symbolic(loss, rates, np.s_[1:]), Limit(partial(_rates_by_definition, loss))),
            {
                "a node": lambda point: -np.abs(_stated_rates(loss, point)),
                "of the other loss": partial(_stated_rates, other),
            },
        ),
    )


CLAIMS = (
    *_claims("L", "L2", TIAN + ", the symmetric case of several nodes"),
    *_claims("H", "H1", "derived here"),
)
