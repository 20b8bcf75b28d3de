"""How claims are tied to ball arithmetic: the integral and the statement of the same name, and certificates."""

import numpy as np
from flint import arb

from ..balls import formulas, integrals
from ..balls.margins import MARGINS, triangular
from ..checks import Ball, Counterexample
from ..claim import Formula
from .domains import Pair
from .frames import frame


def ball(name: str) -> Ball:
    """Of the function that both modules, and the library, know by this name."""
    integral, statement = getattr(integrals, name), getattr(formulas, name)
    return Ball(lambda pair: integral(pair.w, pair.v), lambda pair: statement(pair.w, pair.v))


def ball_spectrum(matrix: str, eigenvalues: str) -> Ball:
    """Candidates for the eigenvalues, and what vanishes if they are."""

    def integral(pair: Pair) -> np.ndarray:
        values, residual = triangular(getattr(integrals, matrix)(pair.w, pair.v), pair.w, pair.v)
        return np.concatenate([values, residual])

    def statement(pair: Pair) -> np.ndarray:
        f, d = formulas.frame(pair.w, pair.v), len(pair.w)
        return np.array([*getattr(formulas, eigenvalues)(f.rho, f.theta), *_zeros(d)], dtype=object)

    def observe(formula: Formula, pair: Pair) -> np.ndarray:
        return np.concatenate([np.asarray(formula(pair), dtype=float), np.zeros(len(_zeros(len(pair.w))))])

    return Ball(integral, statement, observe)


def _zeros(d: int) -> list[arb]:
    return [arb(0)] * (2 * d + d * d)


def ball_ratio(matrix: str, eigenvalues: str) -> Ball:
    """Largest over smallest eigenvalue."""

    def integral(pair: Pair) -> arb:
        values, _ = triangular(getattr(integrals, matrix)(pair.w, pair.v), pair.w, pair.v)
        return _ratio(values)

    def statement(pair: Pair) -> arb:
        f = formulas.frame(pair.w, pair.v)
        return _ratio(list(getattr(formulas, eigenvalues)(f.rho, f.theta)))

    return Ball(integral, statement)


def _ratio(values: list[arb]) -> arb:
    a, b, c = values
    return a.max(b).max(c) / a.min(b).min(c)


def ball_flow(gradient: str) -> Ball:
    """(|w|', theta') for w' = -gradient: the integral, and the gradient that is stated, in the frame of (w, w*)."""

    def velocity(module, pair: Pair) -> np.ndarray:
        p = integrals.plane(pair.w, pair.v)
        downhill = -getattr(module, gradient)(pair.w, pair.v)
        return np.array([p.first @ downhill, -(p.second @ downhill) / p.r], dtype=object)

    return Ball(lambda pair: velocity(integrals, pair), lambda pair: velocity(formulas, pair))


def ball_margin(name: str) -> Ball:
    """Of a quantity of `balls.margins`."""
    by_integrals, as_factored = MARGINS[name]
    return Ball(lambda pair: by_integrals(pair.w, pair.v), lambda pair: as_factored(pair.w, pair.v))


def counterexample(w: list[float], w_star: list[float], name: str, recheck: str = "") -> Counterexample:
    """A quantity of `balls.margins` is negative at (w, w*)."""
    point = Pair(np.asarray(w, dtype=float), np.asarray(w_star, dtype=float))
    return Counterexample(point, lambda pair: MARGINS[name].by_integrals(pair.w, pair.v), recheck)


# Coordinates of certificates, and their factors put back.


def turn(pair: Pair) -> float:
    """theta / pi."""
    return frame(pair).theta / np.pi


def excess_norm(pair: Pair) -> float:
    """y = (|w| - |w*|)/(|w| + |w*|)."""
    f = frame(pair)
    return (f.norm - f.other_norm) / (f.norm + f.other_norm)


def tau(pair: Pair) -> float:
    """2 rho sin(theta)/pi."""
    f = frame(pair)
    return 2 * f.rho * np.sin(f.theta) / np.pi


def around_teacher(pair: Pair) -> tuple[float, float]:
    """epsilon = |w - w*|/|w*|, and psi/pi with psi the angle of w - w* and w*."""
    step = np.asarray(pair.w) - np.asarray(pair.v)
    f = frame(Pair(pair.v, step))
    return f.rho, f.theta / np.pi
