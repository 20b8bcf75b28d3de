"""Statements on two neurons at a pair of vectors: in balls from certified integrals, in digits, and in floats."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from flint import arb

from ...balls import integrals
from ...balls.arithmetic import BALLS, with_orthants
from ...balls.matrices import eigenvalues, plane_determinant, two_norm_condition
from ...checks import Ball, Counterexample, Symbolic
from ...statements import Statement
from ...statements import notation as n
from ...statements.evaluation import DIGITS, FLOATS, Environment, evaluate, of_pair
from .domains import Pair

Quantities = Mapping[Any, Callable]  # what a quantity is at (w, v)

CERTIFIED: Quantities = {
    n.L: integrals.l2_loss,
    n.J: integrals.seminorm_loss,
    n.H: integrals.h1_loss,
    n.G_L: integrals.l2_gradient,
    n.G_J: integrals.seminorm_population_gradient,
    n.G_H: integrals.h1_population_gradient,
    n.grad_J: lambda w, v: integrals.seminorm_population_gradient(w, v) + integrals.seminorm_boundary(w, v),
    n.grad_H: integrals.h1_loss_gradient,
    n.DG_L: integrals.l2_jacobian,
    n.DG_J: integrals.seminorm_population_jacobian,
    n.DG_H: integrals.h1_population_jacobian,
    n.hess_H: integrals.h1_loss_hessian,
}


def in_balls(pair: Pair, quantities: Quantities = CERTIFIED) -> Environment:
    """The geometry of the pair, and quantities as certified integrals."""
    at = with_orthants(of_pair(BALLS, pair.w, pair.v))
    spectrum = partial(eigenvalues, pair.w, pair.v)
    functions: dict[Any, Callable] = {
        n.LambdaMin: lambda m: spectrum(m).least,
        n.LambdaMax: lambda m: spectrum(m).largest,
        n.Kappa: lambda m: spectrum(m).largest / spectrum(m).least,
        n.Kappa2: partial(two_norm_condition, pair.w, pair.v),
        n.PlaneDeterminant: partial(plane_determinant, pair.w, pair.v),
        n.Eigenvalue: partial(_to_direction, at),
    }
    return at.having(_lazily(quantities, pair), functions)


def in_floats(pair: Pair, quantities: Quantities) -> Environment:
    """The same in floats, for quantities by the library or by definition."""
    at = of_pair(FLOATS, np.asarray(pair.w, dtype=float), np.asarray(pair.v, dtype=float))
    at = Environment(FLOATS, at.dimension, {k: np.asarray(v, dtype=float)[()] for k, v in at.values.items()})
    plane = np.concatenate([at.values[n.w_hat], at.values[n.e]], axis=1)
    functions: dict[Any, Callable] = {
        n.LambdaMin: lambda m: _spectrum(m)[0],
        n.LambdaMax: lambda m: _spectrum(m)[-1],
        n.Kappa: lambda m: _spectrum(m)[-1] / _spectrum(m)[0],
        n.Kappa2: lambda m: np.linalg.cond(_matrix(m)),
        n.PlaneDeterminant: lambda m: np.linalg.det(plane.T @ _matrix(m) @ plane),
        n.Eigenvalue: partial(_to_direction, at),
    }
    return at.having(_lazily(quantities, pair), functions)


def in_digits(pair: Pair) -> Environment:
    """The geometry to the precision of mpmath."""
    return of_pair(DIGITS, pair.w, pair.v)


def _lazily(quantities: Quantities, pair: Pair) -> dict:
    def shaped(function: Callable) -> Any:
        value = function(pair.w, pair.v)
        if isinstance(value, arb):
            return value
        array = np.asarray(value)
        return array[:, None] if array.ndim == 1 else array[()]

    return {name: partial(shaped, function) for name, function in quantities.items()}


def _matrix(m) -> np.ndarray:
    return np.asarray(m, dtype=float)


def _spectrum(m) -> np.ndarray:
    return np.sort(np.linalg.eigvals(_matrix(m)).real)


def _to_direction(at: Environment, matrix: np.ndarray, direction: np.ndarray) -> Any:
    """u'Mu for a unit vector; for I the mean over the directions orthogonal to w and w*."""
    if direction.shape[1] == 1:
        return (direction.T @ matrix @ direction)[0, 0]
    in_plane = sum((at.values[x].T @ matrix @ at.values[x])[0, 0] for x in (n.w_hat, n.e))
    return (np.trace(matrix) - in_plane) / (len(matrix) - 2)


# The checks of a claim on a pair.


def ball(quantities: Quantities = CERTIFIED, factored: Any = None) -> Ball:
    """The quantities of the statement by certified integrals, and what it says they are.

    Args:
        factored: of an inequality, another form of its margin, which it has to equal.
    """

    def integral(statement: Statement, pair: Pair) -> Any:
        return evaluate(statement.left, in_balls(pair, quantities))

    def stated(statement: Statement, pair: Pair) -> Any:
        return evaluate(statement.right if factored is None else factored, in_balls(pair, quantities))

    return Ball(integral, stated)


def symbolic(*derivations: Callable[[], Any]) -> Symbolic:
    """The right side of the statement is what is derived; its numbers are in the coordinates of the two vectors."""
    return Symbolic(derivations, lambda statement, pair: evaluate(statement.right, in_digits(pair)))


def value(statement: Statement, quantities: Quantities, pair: Pair) -> Any:
    """The left side of the statement, its quantities by the library or by definition."""
    return evaluate(statement.left, in_floats(pair, quantities))


def counterexample(statement: Statement, w: list[float], w_star: list[float], recheck: str = "") -> Counterexample:
    """The margin of the statement is negative at (w, w*)."""
    point = Pair(np.asarray(w, dtype=float), np.asarray(w_star, dtype=float))
    return Counterexample(point, lambda pair: evaluate(statement.margin, in_balls(pair)), recheck)
