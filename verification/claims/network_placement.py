"""Statements on one pair of neurons, summed over the pairs of two networks as the theory does.

A sum over pairs is linear: what is proved of every pair holds for networks. A neuron against itself has theta = 0,
where the terms in e are 0, and its own value is a moment of the half line: half of what it multiplies.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import mpmath
import numpy as np

from sobolev_theory.symbolic import pair as derived
from sobolev_theory.symbolic import r, r_star, rho, theta

from ..checks import Symbolic
from ..checks.symbolic import Evaluate, as_matrix
from . import statements
from .domains import Networks, Pair
from .network_methods import ORDERS
from .placement import Precise, lifted, position, precise, size

KERNELS = ("value_kernel", "slope_kernel")
GRADIENTS = ("value_gradient", "slope_gradient")
BOUNDARIES = ("slope_boundary",)


class Neurons(NamedTuple):
    """All neurons of student and teacher with their signed output weights; the student's come first."""

    rows: Precise
    signed: Precise
    students: int


def neurons(networks: Networks) -> Neurons:
    student, teacher = networks
    rows = precise(np.concatenate([student.weights, teacher.weights]))
    signed = precise(np.concatenate([student.output_weights, -np.asarray(teacher.output_weights)]))
    return Neurons(rows, signed, len(student.weights))


def stated(names: tuple[str, ...]) -> tuple[Any, ...]:
    """Entries of the statements of these names, one after another."""
    return tuple(entry for name in names for entry in as_matrix(getattr(statements, name.upper())))


def _derived(names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(entry for name in names for entry in as_matrix(getattr(derived, name)()))


def sum_over_pairs(names: tuple[str, ...], place: Callable[[Evaluate, Networks], Any]) -> Symbolic:
    """The named statements on a pair, each derived; `place` sums their numbers."""
    return Symbolic((lambda: _derived(names),), stated(names), place)


def loss(weights: tuple[float, float]) -> Symbolic:
    """1/2 sum_ij c_i c_j (l_0 kappa_0 + l_1 kappa_1)."""

    def place(evaluate: Evaluate, networks: Networks) -> Any:
        rows, signed, _ = neurons(networks)
        return signed @ _kernels(evaluate, weights, rows, rows) @ signed / 2

    return sum_over_pairs(KERNELS, place)


def gradient(weights: tuple[float, float]) -> Symbolic:
    """In the weights a_k sum_j c_j d kappa / dw_k, then in the output weights sum_j c_j kappa."""

    def place(evaluate: Evaluate, networks: Networks) -> Precise:
        every = neurons(networks)
        numbers = len(stated(KERNELS))
        kernels = _kernels(lambda at: evaluate(at)[:numbers], weights, every.rows[: every.students], every.rows)
        pulls = _pulls(lambda at: evaluate(at)[numbers:], weights, every)
        return np.concatenate([pulls.ravel(), kernels @ every.signed])

    return sum_over_pairs((*KERNELS, *GRADIENTS), place)


def gradient_in_weights(weights: tuple[float, float]) -> Symbolic:
    """Its rows alone."""
    return sum_over_pairs(GRADIENTS, lambda evaluate, networks: _pulls(evaluate, weights, neurons(networks)))


def boundary() -> Symbolic:
    """a_k sum_j c_j (boundary part of d kappa_1 / dw_k)."""
    return sum_over_pairs(BOUNDARIES, lambda evaluate, networks: _pulls(evaluate, (1.0,), neurons(networks)))


def loss_gradient() -> Symbolic:
    """The gradient with the boundary term added in the weights."""
    interior = gradient(ORDERS["H"])
    names = (*KERNELS, *GRADIENTS, *BOUNDARIES)
    size_of = len(stated((*KERNELS, *GRADIENTS)))

    def place(evaluate: Evaluate, networks: Networks) -> Precise:
        values = interior.place(lambda at: evaluate(at)[:size_of], networks)
        jump = _pulls(lambda at: evaluate(at)[size_of:], (1.0,), neurons(networks)).ravel()
        values[: jump.size] += jump
        return values

    return sum_over_pairs(names, place)


def jacobian(weights: tuple[float, float]) -> Symbolic:
    """Of the population gradient."""
    names = ("value_hessian", "slope_jacobian", "value_mixed_hessian", "slope_mixed_jacobian")
    return sum_over_pairs(names, partial(_blocks, weights, sum(weights) / 2))


def hessian(weights: tuple[float, float]) -> Symbolic:
    """Of the loss: with the derivatives of the boundary term."""
    own = ("value_hessian", "slope_jacobian", "slope_boundary_jacobian")
    mixed = ("value_mixed_hessian", "slope_mixed_jacobian", "slope_boundary_mixed_jacobian")
    return sum_over_pairs((*own, *mixed), partial(_blocks, (*weights, weights[1]), sum(weights) / 2))


def _blocks(weights: tuple[float, ...], itself: float, evaluate: Evaluate, networks: Networks) -> Precise:
    """Blocks a_k a_n d2 kappa / dw_k dw_n, and on the diagonal a_k sum_j c_j d2 kappa / dw_k dw_k."""
    rows, signed, students = neurons(networks)
    d = rows.shape[1]
    blocks = precise(np.zeros((students, d, students, d)))
    for k in range(students):
        blocks[k, :, k, :] += signed[k] ** 2 * itself * precise(np.eye(d))
        for j in (j for j in range(len(rows)) if j != k):
            at = position(Pair(rows[k], rows[j]))
            entries = evaluate(at.symbols).reshape(2, len(weights), 3, 3)
            own, mixed = (
                lifted(sum(x * part for x, part in zip(weights, parts, strict=True)), at) for parts in entries
            )
            blocks[k, :, k, :] += signed[k] * signed[j] * own
            if j < students:
                blocks[k, :, j, :] += signed[k] * signed[j] * mixed
    return blocks


def _kernels(evaluate: Evaluate, weights: tuple[float, float], left: Precise, right: Precise) -> Precise:
    """l_0 kappa_0 + l_1 kappa_1 of all pairs."""
    table = [[sum(precise(weights) * evaluate(_symbols(w, other))) for other in right] for w in left]
    return np.array(table, dtype=object)


def _pulls(evaluate: Evaluate, weights: tuple[float, ...], every: Neurons) -> Precise:
    """a_k sum_j c_j of the weighted vectors, each of three entries in the frame of w_k and v_j."""
    rows, signed, students = every
    pulls = []
    for k in range(students):
        total = precise(np.zeros(rows.shape[1]))
        for j in range(len(rows)):
            parts = evaluate(_symbols(rows[k], rows[j])).reshape(len(weights), 3)
            along, across, _ = np.tensordot(precise(weights), parts, axes=1)
            total += signed[j] * along * rows[k] / size(rows[k])
            if j != k:
                total += signed[j] * across * position(Pair(rows[k], rows[j])).e
        pulls.append(signed[k] * total)
    return np.array(pulls)


def _symbols(w: Precise, other: Precise) -> dict:
    if w is other or all(w == other):
        norm = size(w)
        return {r: norm, r_star: norm, rho: mpmath.mpf(1), theta: mpmath.mpf(0)}
    return dict(position(Pair(w, other)).symbols)
