"""An orthonormal teacher: the flows on its symmetric slice, and the spectrum at W = W*, for any number of neurons."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import mpmath
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory.symbolic import orthonormal as slices
from sobolev_theory.symbolic import teacher_spectrum as derived

from ... import definitions as by_definition
from ...checks import Differences, Limit, Quadrature, Symbolic
from ...claim import Claim, Domain, Formula
from ...statements import Statement
from ...statements import orthonormal as stated
from ...statements.evaluation import DIGITS, Environment, evaluate
from ..common.domains import Networks, Vector, rotation
from ..common.sources import NETWORK_PAPER as PAPER
from ..common.sources import TIAN
from ..networks.methods import LOSSES, gradient_by_differences, problem

# The slice.


class Slice(NamedTuple):
    """w_j = x w*_j + y sum_(l != j) w*_l, with the teacher's rows orthonormal."""

    teacher: Vector
    x: Vector
    y: Vector


def _draw_slice(generator: np.random.Generator) -> Slice:
    """Three neurons in d = 4; all angles and heights at least 0.2 from a kink."""
    while True:
        x, y = generator.uniform(-1.5, 1.5, 2)
        norm = np.hypot(x, np.sqrt(2) * y)
        cosines = np.array([2 * x * y + y**2, x * norm, y * norm]) / norm**2
        if norm > 0.3 and np.max(np.abs(cosines)) < np.cos(0.2):
            return Slice(rotation(generator, 4)[:3], np.array(x), np.array(y))


SLICE = Domain(
    r"w_j = x w^*_j + y\sum_{l \ne j} w^*_l, w^*_1 \dots w^*_n \text{ orthonormal}, x \ne y \ne 0",
    _draw_slice,
    lambda generator: Slice(rotation(generator, 4)[:3], np.array(0.8), np.array(-0.4)),
)


def _rows(point: Slice, x, y) -> np.ndarray:
    """The student at (x, y), or a velocity of all its neurons."""
    count = len(point.teacher)
    mixing = np.full((count, count), y) + np.diag(np.full(count, x - y))
    return mixing @ np.asarray(point.teacher)


def _networks(point: Slice) -> Networks:
    return Networks(st.Network(_rows(point, point.x, point.y)), st.Network(point.teacher))


def _library(gradient: Callable, loss: str) -> Formula:
    """Minus the gradient of every neuron: that it stays in the slice is part of the claim."""
    return lambda point: -gradient(*_networks(point), loss=LOSSES[loss]).weights


def _by_definition(gradient: Callable, loss: str, point: Slice) -> np.ndarray:
    return -gradient(problem(_networks(point), loss))[0]


def _by_differences(loss: str, point: Slice) -> np.ndarray:
    shape = np.shape(point.teacher)
    return -gradient_by_differences(loss, _networks(point))[: shape[0] * shape[1]].reshape(shape)


def _on_the_slice(statement: Statement, point: Slice) -> np.ndarray:
    x, y, n = mpmath.mpf(float(point.x)), mpmath.mpf(float(point.y)), len(point.teacher)
    dot, square = 2 * x * y + (n - 2) * y**2, x**2 + (n - 1) * y**2
    r = mpmath.sqrt(square)
    values = {
        slices.x: x,
        slices.y: y,
        slices.n: n,
        slices.r: r,
        slices.phi: mpmath.acos(dot / square),
        slices.alpha: mpmath.acos(x / r),
        slices.beta: mpmath.acos(y / r),
    }
    horizontal, vertical = evaluate(statement.right, Environment(DIGITS, values=values))
    mixing = np.full((n, n), vertical) + np.diag(np.full(n, horizontal - vertical))
    return mixing @ np.concatenate([DIGITS.column(row).T for row in np.asarray(point.teacher)])


def _in_roots(statement: Statement) -> tuple[sp.Expr, ...]:
    """As it is spelled, in the roots S, A and B."""
    return tuple(relation.rhs for relation in statement.relations)


def _reduced(flow: Callable[[], slices.Velocity], statement: Statement) -> tuple[sp.Expr, ...]:
    """The statement plus what is left of the difference modulo the squares of the roots: 0 if they agree."""
    velocity = _in_roots(statement)
    return tuple(part + slices.reduced(found - part) for found, part in zip(flow(), velocity, strict=True))


def _slice_claim(
    name: str, statement: Statement, source: str, flows: tuple, formula: Formula, checks: tuple, twins: dict
) -> Claim:
    proof = Symbolic(tuple(partial(_reduced, flow, statement) for flow in flows), _on_the_slice, _in_roots)
    return Claim(f"orthonormal/{name}", statement, source, SLICE, formula, (proof, *checks), twins)


l2_velocity = _library(st.population_gradient, "L")
h1_velocity = _library(st.population_gradient, "H")
h1_loss_velocity = _library(st.loss_gradient, "H")

FLOWS = (
    _slice_claim(
        "l2-flow",
        stated.L2_SLICE,
        TIAN + ", section on many ReLUs; for any n in this form derived here",
        (slices.l2_flow, slices.l2_flow_of_the_loss),
        l2_velocity,
        (
            Quadrature(partial(_by_definition, by_definition.population_gradient, "L")),
            Differences(partial(_by_differences, "L")),
        ),
        {"that of H1": h1_velocity},
    ),
    _slice_claim(
        "h1-population-flow",
        stated.H1_POPULATION_SLICE,
        PAPER,
        (slices.h1_population_flow,),
        h1_velocity,
        (Quadrature(partial(_by_definition, by_definition.population_gradient, "H")),),
        {"boundary term added": h1_loss_velocity, "that of L2": l2_velocity},
    ),
    _slice_claim(
        "h1-loss-flow",
        stated.H1_LOSS_SLICE,
        "derived here",
        (slices.h1_loss_flow, slices.h1_flow_of_the_loss),
        h1_loss_velocity,
        (
            Quadrature(partial(_by_definition, by_definition.loss_gradient, "H")),
            Differences(partial(_by_differences, "H")),
        ),
        {"boundary term dropped": h1_velocity},
    ),
)


# The spectrum at W = W*.


class Teacher(NamedTuple):
    """Orthonormal rows, and a direction to approach them from."""

    weights: Vector
    direction: Vector


def _draw_teacher(generator: np.random.Generator) -> Teacher:
    return Teacher(rotation(generator, 6)[:4], generator.standard_normal((4, 6)))


TEACHER = Domain(r"W = W^*, w^*_1 \dots w^*_K \text{ orthonormal}, d \ge K", _draw_teacher, _draw_teacher)


def _repeated(loss: st.SobolevLoss) -> Formula:
    """All K d eigenvalues, ascending."""

    def formula(point: Teacher) -> np.ndarray:
        network = st.Network(point.weights)
        found = st.spectrum(network, network, loss=loss, of="population")
        return np.sort(np.repeat(np.real(found.values), np.asarray(found.multiplicities)))

    return formula


def stated_values(statement: Statement, point: Teacher) -> np.ndarray:
    """Roots of the two polynomials and the single values, with their multiplicities."""
    count, dimension = np.shape(point.weights)
    here = Environment(DIGITS, values={derived.K: mpmath.mpf(count)})
    t, D, e1, e2, e3, *single = evaluate(statement.right, here)
    trivial = mpmath.polyroots([1, -t, D], maxsteps=200, extraprec=60)
    standard = mpmath.polyroots([1, -e1, e2, -e3], maxsteps=200, extraprec=60)
    at = {derived.K: count, derived.d: dimension}
    _, copies, *single_copies = (int(m.subs(at)) for m in derived.multiplicities())
    values = [*trivial, *(copies * list(standard))]
    for value, times in zip(single, single_copies, strict=True):
        values += times * [value]
    return np.array(sorted(mpmath.re(value) for value in values))


def _jacobian(orders: tuple[float, float], weights: np.ndarray, teacher: np.ndarray) -> np.ndarray:
    ones = np.ones(len(weights))
    blocks = by_definition.population_jacobian(by_definition.Problem(weights, ones, teacher, ones, orders))
    return blocks.reshape(weights.size, weights.size)


def l2_by_definition(point: Teacher) -> np.ndarray:
    return np.linalg.eigvalsh(_jacobian((1.0, 0.0), np.asarray(point.weights), np.asarray(point.weights)))


def h1_by_definition(point: Teacher) -> np.ndarray:
    """The mean over two opposite directions, in which terms in e have opposite signs, extrapolated to W*."""
    steps = 0.01 * np.arange(1, 7)
    teacher, direction = (np.asarray(x) for x in point)
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    at = partial(_jacobian, (1.0, 1.0), teacher=teacher)
    means = [(at(teacher + s * direction) + at(teacher - s * direction)) / 2 for s in steps]
    rows = np.linalg.solve(np.vander(steps / steps[0], increasing=True), np.array(means).reshape(6, -1))
    limit = rows[0].reshape(teacher.size, teacher.size)
    return np.sort(np.linalg.eigvals(limit).real)


l2_values, h1_values = _repeated(st.L2), _repeated(st.H1)


def _one_copy_less(formula: Formula) -> Formula:
    """The smallest eigenvalue once less, the largest once more."""

    def twin(point: Teacher) -> np.ndarray:
        values = formula(point)
        return np.append(values[1:], values[-1])

    return twin


def _spectrum_claim(
    name: str, statement: Statement, source: str, blocks: Callable, formula: Formula, check, twins: dict
) -> Claim:
    proof = Symbolic((lambda: derived.invariants(blocks()),), stated_values, lambda statement: statement.right)
    twins = {**twins, "one copy less": _one_copy_less(formula)}
    return Claim(f"orthonormal/{name}", statement, source, TEACHER, formula, (proof, check), twins)


SPECTRA = (
    _spectrum_claim(
        "l2-spectrum",
        stated.L2_SPECTRUM,
        "derived here, by the symmetry of Arjevani & Field, arXiv 2008.01805",
        derived.l2_blocks,
        l2_values,
        Quadrature(l2_by_definition),
        {"half that of H1": lambda point: h1_values(point) / 2},
    ),
    _spectrum_claim(
        "h1-population-spectrum",
        stated.POPULATION_SPECTRUM,
        "derived here",
        derived.h1_population_blocks,
        h1_values,
        Limit(h1_by_definition),
        {"twice that of L2": lambda point: 2 * l2_values(point)},
    ),
)

CLAIMS = (*FLOWS, *SPECTRA)
