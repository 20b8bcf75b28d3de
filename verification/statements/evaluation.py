"""Statements evaluated by their tree: in floats, in 30 digits, in balls, or in the coordinates of a frame.

Vectors are arrays [d, 1] and matrices [d, d] of the arithmetic's numbers. What an atom is worth, a symbol, a neuron
or a quantity, is said by an environment; who computes a quantity from its definition and again by the library
evaluates the same statement twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from scipy.special import ndtr

from sobolev_theory.symbolic import frame as coordinates
from sobolev_theory.symbolic import orthants, r, r_star, rho, theta

from . import notation as n
from .notation import Dot, Norm


@dataclass(frozen=True)
class Arithmetic:
    """Numbers and their functions.

    Attributes:
        number: from a float, taken as exact.
        rational: p/q.
        pi: at the precision that is set.
        sqrt, atan2: of numbers.
        functions: what SymPy's functions are.
    """

    number: Callable[[float], Any]
    rational: Callable[[int, int], Any]
    pi: Callable[[], Any]
    sqrt: Callable[[Any], Any]
    atan2: Callable[[Any, Any], Any]
    functions: Mapping[Any, Callable]

    def column(self, vector) -> np.ndarray:
        return np.array([[self.number(x)] for x in np.asarray(vector).ravel()], dtype=object)

    def identity(self, d: int) -> np.ndarray:
        return np.array([[self.number(float(i == j)) for j in range(d)] for i in range(d)], dtype=object)


FLOATS = Arithmetic(
    float,
    lambda p, q: p / q,
    lambda: np.pi,
    np.sqrt,
    np.arctan2,
    {
        **{f: getattr(np, f"{name}{f.__name__.removeprefix('a')}" if name else f.__name__)
           for f, name in ((sp.sin, ""), (sp.cos, ""), (sp.tan, ""), (sp.exp, ""), (sp.log, ""), (sp.asin, "arc"),
                           (sp.acos, "arc"))},
        sp.Max: max,
        orthants.Density: lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
        orthants.Phi: ndtr,
    },
)  # fmt: skip
DIGITS = Arithmetic(
    mpmath.mpf,
    lambda p, q: mpmath.mpf(p) / q,
    lambda: +mpmath.pi,
    mpmath.sqrt,
    mpmath.atan2,
    {
        **{f: getattr(mpmath, f.__name__) for f in (sp.sin, sp.cos, sp.tan, sp.exp, sp.log, sp.asin, sp.acos)},
        sp.Max: max,
        orthants.Density: mpmath.npdf,
        orthants.Phi: mpmath.ncdf,
    },
)
SYMBOLS = Arithmetic(
    sp.nsimplify,
    sp.Rational,
    lambda: sp.pi,
    sp.sqrt,
    sp.atan2,
    {
        f: f
        for f in (sp.sin, sp.cos, sp.tan, sp.exp, sp.log, sp.asin, sp.acos, sp.Max, orthants.Density, orthants.Phi)
    },
)


@dataclass(frozen=True)
class Environment:
    """What the atoms of a statement are worth.

    Attributes:
        arithmetic: of the numbers.
        dimension: of the vectors.
        values: of atoms; a value that is a function of no argument is called when it is needed.
        functions: of the statement's functions that are no elementary ones.
    """

    arithmetic: Arithmetic
    dimension: int = 0
    values: Mapping[Any, Any] = field(default_factory=dict)
    functions: Mapping[Any, Callable] = field(default_factory=dict)

    def having(self, values: Mapping[Any, Any], functions: Mapping[Any, Callable] | None = None) -> "Environment":
        """The same with more, or other, atoms and functions."""
        return replace(self, values={**self.values, **values}, functions={**self.functions, **(functions or {})})


def evaluate(statement: Any, at: Environment) -> Any:
    """A number, or an array: vectors are flattened, tuples stacked."""
    if isinstance(statement, tuple | list | sp.Tuple):
        return np.array([evaluate(part, at) for part in statement])
    found = _evaluate(sp.sympify(statement), at)
    return found[:, 0] if isinstance(found, np.ndarray) and found.ndim == 2 and found.shape[1] == 1 else found


def _evaluate(x: Any, at: Environment) -> Any:
    """Raises TypeError for an atom without a value and a function or a power without a meaning."""
    if x in at.values:
        value = at.values[x]
        return value() if callable(value) else value
    arithmetic = at.arithmetic
    match x:
        case sp.Integer():
            return int(x)
        case sp.Rational():
            return arithmetic.rational(int(x.p), int(x.q))
        case sp.Float():
            exact = sp.Rational(str(x))
            return arithmetic.rational(int(exact.p), int(exact.q))
        case _ if x is sp.pi:
            return arithmetic.pi()
        case sp.Identity():
            return arithmetic.identity(at.dimension)
        case sp.Add() | sp.MatAdd():
            terms = [_evaluate(term, at) for term in x.args]
            return reduce(lambda a, b: a + b, terms)
        case sp.Mul() | sp.MatMul():
            return _product(x.args, at)
        case sp.Transpose():
            return _evaluate(x.arg, at).T
        case sp.Pow():
            return _power(x, at)
        case sp.KroneckerDelta():
            i, j = (_evaluate(index, at) for index in x.args)
            return int(i == j)
        case sp.Indexed():
            return at.values[x.base][tuple(_evaluate(index, at) - 1 for index in x.indices)]
        case sp.Sum():
            return _sum(x, at)
        case Dot():
            a, b = (_evaluate(argument, at) for argument in x.args)
            return (a.T @ b)[0, 0]
        case Norm():
            a = _evaluate(x.args[0], at)
            return arithmetic.sqrt((a.T @ a)[0, 0])
    function = at.functions.get(x.func) or arithmetic.functions.get(x.func)
    if function is None:
        raise TypeError(f"statement: got {x}; needs atoms with a value, known functions, whole powers and roots")
    return function(*(_evaluate(argument, at) for argument in x.args))


def _product(factors: tuple, at: Environment) -> Any:
    """Numbers first: where one is 0, as a Kronecker delta can be, the others need not exist."""
    ordered = sorted(factors, key=lambda factor: not factor.has(sp.KroneckerDelta))
    scalar, arrays = 1, []
    for factor in ordered:
        value = _evaluate(factor, at)
        if isinstance(value, int) and value == 0:
            return 0
        if isinstance(value, np.ndarray) and value.ndim:
            arrays.append(value)
        else:
            scalar = scalar * value
    return scalar * reduce(lambda a, b: a @ b, arrays) if arrays else scalar


def _power(x: sp.Pow, at: Environment) -> Any:
    base, exponent = x.args
    if exponent.is_Integer:
        return _evaluate(base, at) ** int(exponent)
    if (2 * exponent).is_Integer:
        return at.arithmetic.sqrt(_evaluate(base, at)) ** int(2 * exponent)
    raise TypeError(f"statement: got {x}; needs atoms with a value, known functions, whole powers and roots")


def _sum(x: sp.Sum, at: Environment) -> Any:
    indices = [limit[0] for limit in x.limits]
    ranges = [range(_evaluate(low, at), _evaluate(high, at) + 1) for _, low, high in x.limits]
    total: Any = 0
    for places in product(*ranges):
        total = total + _evaluate(x.function, at.having(dict(zip(indices, places, strict=True))))
    return total


def of_pair(arithmetic: Arithmetic, w, other, same: bool = False) -> Environment:
    """Norms, angle and frame of two vectors, by Gram-Schmidt; of parallel ones, as a neuron with itself, e is 0."""
    w_, v_ = arithmetic.column(w), arithmetic.column(other)
    norm, norm_ = (arithmetic.sqrt((x.T @ x)[0, 0]) for x in (w_, v_))
    unit, unit_ = w_ / norm, v_ / norm_
    along = (unit.T @ v_)[0, 0]
    across = 0 * w_ if same else v_ - along * unit
    height = arithmetic.sqrt((across.T @ across)[0, 0])
    angle = arithmetic.atan2(height, along)
    e = 0 * w_ if height == 0 else across / height
    e_ = 0 * w_ if height == 0 else (height * unit - along * e) / norm_
    values = {r: norm, r_star: norm_, rho: norm_ / norm, theta: angle}
    values |= {n.w: w_, n.w_star: v_, n.w_hat: unit, n.w_star_hat: unit_, n.e: e, n.e_star: e_}
    return Environment(arithmetic, len(w_), values)


def _column(matrix: sp.Matrix) -> np.ndarray:
    return np.array(matrix.tolist(), dtype=object)


# Coordinates along w, along e and along one direction orthogonal to both, as derivations have them.
IN_THE_FRAME = Environment(
    SYMBOLS,
    3,
    {symbol: symbol for symbol in (r, r_star, rho, theta)}
    | {
        n.w: _column(coordinates.w),
        n.w_star: _column(coordinates.w_star),
        n.w_hat: _column(coordinates.v),
        n.w_star_hat: _column(coordinates.u),
        n.e: _column(coordinates.e),
        n.e_star: _column(coordinates.e_star),
    },
)


def in_the_frame(statement: Any, more: Mapping[Any, Any] | None = None) -> Any:
    """A statement on two neurons as an explicit expression, matrix or tuple of SymPy in r, r*, rho and theta."""
    found = evaluate(statement, IN_THE_FRAME.having(more or {}))
    if not isinstance(found, np.ndarray):
        return sp.sympify(found)
    return sp.Matrix(found.tolist())
