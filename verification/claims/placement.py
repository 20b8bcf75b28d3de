"""Statements in the frame of two neurons, placed at a pair of vectors of any dimension, to 30 digits."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy as sp

from sobolev_theory.symbolic import r, r_star, rho, theta

from ..checks import Symbolic
from ..checks.symbolic import Evaluate
from .domains import Pair

Precise = np.ndarray  # of mpmath numbers


class Position(NamedTuple):
    """Norms and angle of a pair, and the first two directions of its frame."""

    symbols: Mapping[sp.Symbol, Any]
    v: Precise
    e: Precise


def position(pair: Pair) -> Position:
    """By Gram-Schmidt, at the precision of mpmath; the vectors' own digits are taken as exact."""
    w, other = (precise(x) for x in pair)
    norm, other_norm = size(w), size(other)
    v = w / norm
    across = other - (other @ v) * v
    height = size(across)
    angle = mpmath.atan2(height, other @ v)
    symbols = {r: norm, r_star: other_norm, rho: other_norm / norm, theta: angle}
    return Position(symbols, v, across / height)


def numbers(evaluate: Evaluate, pair: Pair) -> Precise:
    """What does not depend on the frame: losses, eigenvalues, velocities of norm and angle."""
    return evaluate(position(pair).symbols)


def vector(evaluate: Evaluate, pair: Pair) -> Precise:
    """Coordinates along v and e."""
    at = position(pair)
    along, across, _ = evaluate(at.symbols)
    return along * at.v + across * at.e


def matrix(evaluate: Evaluate, pair: Pair) -> Precise:
    """Entries in (v, e, orthogonal), the last one for every direction orthogonal to both."""
    at = position(pair)
    return lifted(evaluate(at.symbols), at)


def lifted(entries: Precise, at: Position) -> Precise:
    """A matrix of the frame in the coordinates of the vectors."""
    plane = np.stack([at.v, at.e], axis=1)
    rest = precise(np.eye(len(at.v))) - plane @ plane.T
    return plane @ entries[:2, :2] @ plane.T + entries[2, 2] * rest


def symbolic(statement: Any, *derivations: Callable[[], Any]) -> Symbolic:
    """For a claim on a pair: placed by the statement's shape."""
    shape = getattr(statement, "shape", None)
    place = vector if shape == (3, 1) else matrix if shape == (3, 3) else numbers
    return Symbolic(derivations, statement, place)


def precise(x) -> Precise:
    return np.vectorize(mpmath.mpf, otypes=[object])(np.asarray(x, dtype=float))


def size(x: Precise):
    return mpmath.sqrt(x @ x)
