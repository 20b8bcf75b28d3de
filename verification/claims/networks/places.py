"""Statements on networks at a student and a teacher, to 30 digits: every function of two neurons is its statement.

A neuron against itself has theta = 0, where the terms in e are 0. That each statement on a pair is what is derived
proves the sums: a sum over pairs is linear.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from sobolev_theory.symbolic import pair as derived
from sobolev_theory.symbolic import theta

from ...checks import Symbolic
from ...checks.symbolic import as_matrix
from ...statements import Statement
from ...statements import kernels as pairs
from ...statements import networks as stated
from ...statements.evaluation import DIGITS, Environment, _evaluate, evaluate, in_the_frame, of_pair
from ..common.domains import Networks

OF_PAIR = {
    stated.kappa_0: (pairs.VALUE_KERNEL, derived.value_kernel),
    stated.kappa_1: (pairs.SLOPE_KERNEL, derived.slope_kernel),
    stated.d_kappa_0: (pairs.VALUE_GRADIENT, derived.value_gradient),
    stated.d_kappa_1: (pairs.SLOPE_GRADIENT, derived.slope_gradient),
    stated.d_boundary: (pairs.SLOPE_BOUNDARY, derived.slope_boundary),
    stated.dd_kappa_0: (pairs.VALUE_HESSIAN, derived.value_hessian),
    stated.dd_kappa_1: (pairs.SLOPE_JACOBIAN, derived.slope_jacobian),
    stated.dd_boundary: (pairs.SLOPE_BOUNDARY_JACOBIAN, derived.slope_boundary_jacobian),
    stated.mixed_0: (pairs.VALUE_MIXED_HESSIAN, derived.value_mixed_hessian),
    stated.mixed_1: (pairs.SLOPE_MIXED_JACOBIAN, derived.slope_mixed_jacobian),
    stated.mixed_boundary: (pairs.SLOPE_BOUNDARY_MIXED_JACOBIAN, derived.slope_boundary_mixed_jacobian),
}
WRITTEN_OUT = {stated.turned: pairs.ORTHANT_GRADIENT}


def at_networks(weights, outputs, teacher_weights, teacher_outputs) -> Environment:
    """The neurons of a student and a teacher by their indices."""
    students, teachers = (list(map(DIGITS.column, np.asarray(rows))) for rows in (weights, teacher_weights))
    a, a_star = ([DIGITS.number(float(x)) for x in np.asarray(numbers)] for numbers in (outputs, teacher_outputs))
    d = len(students[0])
    values = {
        stated.m: len(students) + len(teachers),
        stated.K: len(students),
        stated.K_star: len(teachers),
        stated.w: _indexed(students),
        stated.v: _indexed([*students, *teachers]),
        stated.w_star: _indexed(teachers),
        stated.a: _indexed(a),
        stated.a_star: _indexed(a_star),
        stated.c: _indexed([*a, *(-x for x in a_star)]),
        stated.Eye: DIGITS.identity(d),
    }
    functions: dict[Any, Callable] = {
        function: _placed(statement.right)
        for function, statement in ({f: s for f, (s, _) in OF_PAIR.items()} | WRITTEN_OUT).items()
    }
    functions |= {
        stated.angle: _placed(theta),
        stated.inner: lambda x, y: (x.T @ y)[0, 0],
        stated.Length: _length,
        stated.Unit: lambda x: x / _length(x),
    }
    return Environment(DIGITS, d, values, functions)


def at(networks: Networks) -> Environment:
    student, teacher = networks
    return at_networks(student.weights, student.output_weights, teacher.weights, teacher.output_weights)


def _indexed(parts: list) -> dict[tuple[int], Any]:
    return {(index,): part for index, part in enumerate(parts)}


def _placed(expression: sp.Basic) -> Callable:
    def at_neurons(w: np.ndarray, other: np.ndarray) -> Any:
        return _evaluate(expression, of_pair(DIGITS, w, other, same=w is other or bool(np.all(w == other))))

    return at_neurons


def _length(x: np.ndarray):
    return DIGITS.sqrt((x.T @ x)[0, 0])


def rows(part: sp.Basic, here: Environment) -> np.ndarray:
    """For every student k: [K], [K, d], and where n is free as well [K, d, K, d]."""
    students = range(1, here.values[stated.K] + 1)
    if stated.n not in part.free_symbols:
        return np.array([evaluate(part, here.having({stated.k: k})) for k in students])
    blocks = [[evaluate(part, here.having({stated.k: k, stated.n: n})) for n in students] for k in students]
    return np.moveaxis(np.array(blocks), 1, 2)


def numbers(statement: Statement, here: Environment) -> np.ndarray:
    """Of the statement, as the library lays it out: rows of weights, then output weights."""
    parts = statement.right if isinstance(statement.right, tuple) else (statement.right,)
    if stated.k not in parts[0].free_symbols:
        return evaluate(parts[0], here)
    found = [rows(part, here) for part in parts]
    return found[0] if len(found) == 1 else np.concatenate([part.ravel() for part in found])


def place(statement: Statement, networks: Networks) -> np.ndarray:
    return numbers(statement, at(networks))


def symbolic(statement: Statement, place_: Callable = place, *more: Any) -> Symbolic:
    """Every function of two neurons that the statement is made of is what is derived; `place_` sums their numbers.

    Args:
        statement: the claim's, or that of the quantity which the claim's is about.
        place_: the numbers of the claim's statement at two networks.
        more: functions of two neurons that the statement has written out.
    """
    ways = [OF_PAIR[function] for function in OF_PAIR if function in more or sp.Tuple(statement.right).has(function)]
    return Symbolic(
        (lambda: _entries(derive() for _, derive in ways),),
        place_,
        lambda _: _entries(in_the_frame(pair.right) for pair, _ in ways),
    )


def _entries(quantities) -> tuple[Any, ...]:
    return tuple(entry for quantity in quantities for entry in as_matrix(quantity))
