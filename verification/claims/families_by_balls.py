"""The families of activations in ball arithmetic: certified integrals beside the statements."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import sympy as sp
from flint import arb

from sobolev_theory.symbolic import orthants, r, r_star, theta

from ..balls import formulas, integrals, smooth
from ..balls.evaluated import evaluated
from ..balls.precision import rational
from ..checks import Ball
from .domains import Pair
from .families_by_definition import BIASES, KINKED_POWER, OMEGA, PHI, SLOPE, P


def _exact(number: sp.Rational) -> Fraction:
    return Fraction(int(number.p), int(number.q))


SMOOTH: dict[str, smooth.Smoothed] = {
    "polynomial": smooth.polynomial([_exact(p) for p in P]),
    "sine": smooth.cosine(_exact(OMEGA), _exact(PHI), quarters=-1),
    "cosine": smooth.cosine(_exact(OMEGA), _exact(PHI)),
    "erf": smooth.erf,
    "gaussian": smooth.gaussian,
    "gelu": smooth.gelu,
}


def of_family(name: str, statement: tuple[sp.Expr, ...]) -> Ball:
    if name in KINKED_POWER:
        return Ball(partial(_kinked, name, integrals), partial(_kinked, name, formulas))
    return Ball(lambda pair: smooth.moments(SMOOTH[name], pair.w, pair.v), partial(_stated, statement))


def _stated(statement: tuple[sp.Expr, ...], pair: Pair, more: Callable[[Any], dict] = lambda _: {}) -> np.ndarray:
    f = formulas.frame(pair.w, pair.v)
    values = {r: f.r, r_star: f.r_, theta: f.theta, **more(f)}
    return np.array([evaluated(sp.sympify(entry), values) for entry in statement], dtype=object)


def _kinked(name: str, module: Any, pair: Pair) -> np.ndarray:
    """Moments of truncated powers, in the sums that the activation and its slopes are."""
    same = module.repu_moments(pair.w, pair.v)
    if name.startswith("repu"):
        p = int(name[-1])
        return np.array([int(sp.ff(p, m)) ** 2 * same[p - m] for m in range(3)], dtype=object)
    opposite = module.repu_moments(pair.w, -np.asarray(pair.v))
    s = rational(_exact(SLOPE)) if name == "leaky-relu" else arb(-1)
    signs = ((1, -1), (0, 1))
    return np.array([(1 + s**2) * same[n] + sign * 2 * s * opposite[n] for n, sign in signs], dtype=object)


# Biased ReLUs.

EXACT_BIASES = tuple(Fraction(str(b)) for b in BIASES)


def biased(statement: tuple[sp.Expr, ...]) -> Ball:
    def thresholds(f: formulas.Frame) -> dict:
        b, b_ = map(rational, EXACT_BIASES)
        return {orthants.h: b / f.r, orthants.k: b_ / f.r_}

    return Ball(
        lambda pair: smooth.biased_moments(pair.w, pair.v, EXACT_BIASES),
        lambda pair: _stated(statement, pair, thresholds),
    )
