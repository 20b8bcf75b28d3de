"""The fixed point of the flows on the slice of an orthonormal teacher where all students coincide, and its type.

On x = y every student is x times the sum of the teacher's neurons. There the flow is a line that ends in one point,
stable along x = y and unstable across it: a saddle. The point is a critical point of the population gradient.
"""

from functools import partial
from math import factorial
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory.symbolic import orthonormal as slices

from .. import definitions as by_definition
from ..checks import Limit, Quadrature, Symbolic
from ..checks.symbolic import Evaluate
from ..claim import Claim, Domain
from .domains import Networks, Vector, rotation
from .network_methods import problem
from .orthonormal_statements import H1_POPULATION_SLICE, L2_SLICE
from .sources import TIAN

ORDER = {"L": 1, "H": 2}  # what multiplies pi - angle in the gradient
STEPS = 0.01 * np.arange(1, 7)


class Saddle(NamedTuple):
    """The orthonormal rows of a teacher."""

    teacher: Vector


def place(loss: str, n, pi=np.pi, sqrt=np.sqrt, acos=np.arccos):
    """x = y of the saddle: [pi - arccos(1/sqrt n) + sqrt(n - 1)/m]/(pi n), m = 1 for L2 and 2 for H1."""
    return (pi - acos(1 / sqrt(n)) + sqrt(n - 1) / ORDER[loss]) / (pi * n)


def rates(loss: str, n, x, pi=np.pi, sqrt=np.sqrt):
    """Of the flow at the saddle, along x = y and across it."""
    m = ORDER[loss]
    return -m * n / 2, (n - 1 + m) / (2 * pi * x * sqrt(n - 1))


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
    at = place(loss, len(point.teacher))
    along = _velocity(loss, point, at + 0.1, at + 0.1) - _velocity(loss, point, at - 0.1, at - 0.1)
    across = [np.diff(_velocity(loss, point, at + t * at / 2, at - t * at / 2)[::-1])[0] / (t * at) for t in STEPS]
    weights = [(-1) ** (k + 1) * factorial(6) / (factorial(k) * factorial(6 - k)) for k in range(1, 7)]
    return np.array([along[0] / 0.2, np.dot(weights, across)])


def _stated_rates(loss: str, point: Saddle) -> np.ndarray:
    n = len(point.teacher)
    return np.array(rates(loss, n, place(loss, n)))


# Symbolic: the flow that is stated, and derived, on the slice, taken to x = y from above.

t, q = sp.symbols("t q", positive=True)
SLICES = {"L": L2_SLICE, "H": H1_POPULATION_SLICE}


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
    horizontal, vertical = (part.subs(values, simultaneous=True) for part in SLICES[loss])
    on_line = sp.simplify(horizontal.subs(t, 0))
    along = sp.simplify(sp.diff(on_line, q))
    across = sp.simplify(sp.diff(horizontal - vertical, t).subs(t, 0))
    return sp.simplify(q - on_line / along), along, across


def _stated(loss: str) -> tuple[sp.Expr, ...]:
    n = slices.n
    return (
        place(loss, n, sp.pi, sp.sqrt, lambda _: slices.alpha),
        *(sp.sympify(rate) for rate in rates(loss, n, q, sp.pi, sp.sqrt)),
    )


def _numbers(loss: str, entries: Any, evaluate: Evaluate, point: Saddle) -> np.ndarray:
    n = mpmath.mpf(len(point.teacher))
    at = place(loss, n, mpmath.pi, mpmath.sqrt, mpmath.acos)
    return evaluate({slices.n: n, slices.alpha: mpmath.acos(1 / mpmath.sqrt(n)), q: at})[entries]


def _symbolic(loss: str, entries: Any) -> Symbolic:
    return Symbolic((partial(_derived, loss),), _stated(loss), partial(_numbers, loss, entries))


def _claims(loss: str, symbol: str, source: str, position: str, across: str) -> tuple[Claim, Claim]:
    other = {"L": "H", "H": "L"}[loss]
    name, m = symbol.lower(), ORDER[loss]
    return (
        Claim(
            f"orthonormal/{name}-saddle",
            rf"G_{loss} = 0 \text{{ where }} w_1 = \dots = w_n = x\sum_lw^*_l, x = {position}",
            source,
            SADDLES,
            lambda point: place(loss, len(point.teacher)),
            (_symbolic(loss, np.s_[0]), Quadrature(partial(_place_by_definition, loss))),
            {f"that of {'H1' if loss == 'L' else 'L2'}": lambda point: place(other, len(point.teacher))},
        ),
        Claim(
            f"orthonormal/{name}-saddle-type",
            rf"\text{{rates of }} -G_{loss} \text{{ there: }} -\tfrac{{{m}}}{{2}}n \text{{ along }} x = y, "
            rf"{across} > 0 \text{{ across}}",
            "derived here",
            SADDLES,
            partial(_stated_rates, loss),
            (_symbolic(loss, np.s_[1:]), Limit(partial(_rates_by_definition, loss))),
            {
                "a node": lambda point: -np.abs(_stated_rates(loss, point)),
                "of the other loss": partial(_stated_rates, other),
            },
        ),
    )


CLAIMS = (
    *_claims(
        "L",
        "L2",
        TIAN + ", the symmetric case of several nodes",
        r"\tfrac{1}{\pi n}(\pi - \arccos\tfrac{1}{\sqrt{n}} + \sqrt{n-1})",
        r"\tfrac{n}{2\pi x\sqrt{n-1}}",
    ),
    *_claims(
        "H",
        "H1",
        "derived here",
        r"\tfrac{1}{\pi n}(\pi - \arccos\tfrac{1}{\sqrt{n}} + \tfrac12\sqrt{n-1})",
        r"\tfrac{n+1}{2\pi x\sqrt{n-1}}",
    ),
)
