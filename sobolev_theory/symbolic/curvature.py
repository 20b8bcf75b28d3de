"""Convexity and conditioning at W = W* of an orthonormal teacher, proved for every K >= 2 and d >= K.

A polynomial whose coefficients in k = K - 2 >= 0 and s >= 0 are not negative is not negative: this decides on which
side of a bound the roots of a characteristic polynomial lie. Coefficients are polynomials in 1/pi, whose signs SymPy
decides by intervals.

Returns, every function:
    A `Proof`; `polynomials` the characteristic polynomials that the proofs are about.
"""

from typing import NamedTuple

import sympy as sp

from . import teacher_spectrum
from .proof import Proof, Step
from .teacher_spectrum import Blocks, K

__all__ = ["Polynomials", "better_conditioned", "k", "largest", "least", "polynomials", "s", "x"]
__dir__ = __all__.copy

k, s = sp.symbols("k s", nonnegative=True)
x = sp.Symbol("x")
g = 1 / (2 * sp.pi)
LEAST = sp.Rational(1, 4) - g  # of the Hessian of L


class Polynomials(NamedTuple):
    """Characteristic polynomials of the blocks in x, and the eigenvalues that are blocks of their own."""

    trivial: sp.Expr
    standard: sp.Expr
    single: tuple[sp.Expr, ...]


def polynomials(blocks: Blocks) -> Polynomials:
    """The characteristic polynomials of the blocks."""
    trace, det, e1, e2, e3, *single = teacher_spectrum.invariants(blocks)
    return Polynomials(x**2 - trace * x + det, x**3 - e1 * x**2 + e2 * x - e3, tuple(single))


def least() -> Proof:
    """1/4 - 1/(2 pi) is the smallest eigenvalue of the Hessian of L, and twice that bounds those of DG_H from below.

    It is attained for L by the standard kind, and for DG_H and K >= 3 by the antisymmetric kind.

    Example:
        >>> from sobolev_theory.symbolic import curvature
        >>> curvature.least().gaps
        []
    """
    l2, h1 = _both()
    return Proof(
        (
            *_none_below("L2", l2, LEAST),
            *_none_below("H1", h1, 2 * LEAST),
            Step("attained for L2", l2.standard.subs(x, LEAST)),
            Step("attained for H1", teacher_spectrum.h1_population_blocks().antisymmetric - 2 * LEAST),
        ),
        (r"\text{coefficients} \ge 0 \Rightarrow \text{no root on that side}", r"(K-1)(K-2)/2 \ge 1 \iff K \ge 3"),
    )


def largest() -> Proof:
    """The largest eigenvalue of DG_H is less than twice that of the Hessian of L.

    With p and q the trivial blocks' polynomials for L and DG_H, and m the larger root of p: q(2 m) > 0 and q
    increases from there on, so its roots are below 2 m. All others of DG_H are at most (K + 1)/2, and
    p(K/4 + 1/4) <= 0 gives (K + 1)/2 <= 2 m.
    """
    l2, h1 = _both()
    p, q, height = l2.trivial, h1.trivial, K / 4 + g
    traces = 2 * -p.coeff(x, 1) + q.coeff(x, 1)
    return Proof(
        (
            Step("q(2x) - 4p(x)", q.subs(x, 2 * x) - 4 * p - (K - 1) * g * (2 * x - K / 2 - 2 * g)),
            Step("p at K/4 + 1/(2 pi) is negative", p.subs(x, height) + (K - 1) / 16),
            Step("q increases beyond the trace of p", traces - (K - 1) * g),
            _not_negative("p at (K + 1)/4 is not positive", -p.subs(x, (K + 1) / 4)),
            _not_negative("standard: no root above (K + 1)/2", h1.standard.subs(x, (K + 1) / 2 + s)),
            *(_not_negative(f"value {n}: at most (K + 1)/2", (K + 1) / 2 - v) for n, v in enumerate(h1.single)),
        ),
        (r"p(m) = 0, m \ge \tfrac12\mathrm{tr}", r"2m > K/2 + 1/\pi \Rightarrow q(2m) > 0 \text{ for } K \ge 2"),
    )


def better_conditioned() -> Proof:
    """The eigenvalue ratio of DG_H is less than that of the Hessian of L: largest below, smallest at least, twice.

    For K >= 3 the smallest is just twice as large, so their quotient is that of the largest over twice the largest
    of L, which is the root m: it lies between the quotient of the trivial blocks' larger roots over 2 and 1, and both
    roots over K converge, to 1/4 and 1/2. So it tends to 1.
    """
    low, high = least(), largest()
    l2, h1 = _both()
    quarter, half = sp.Rational(1, 4), sp.Rational(1, 2)
    return Proof(
        (
            *low.steps,
            *high.steps,
            _not_negative("L2, standard: no root above (K + 1)/4", l2.standard.subs(x, (K + 1) / 4 + s)),
            *(_not_negative(f"L2, value {n}: at most (K + 1)/4", (K + 1) / 4 - v) for n, v in enumerate(l2.single)),
            Step("L2, trivial: roots over K tend to g and 1/4", _over_neurons(l2.trivial) - (x - g) * (x - quarter)),
            Step("H1, trivial: roots over K tend to g and 1/2", _over_neurons(h1.trivial) - (x - g) * (x - half)),
        ),
        (*low.facts, *high.facts, r"\text{roots are continuous in the coefficients}"),
    )


def _over_neurons(quadratic: sp.Expr) -> sp.Expr:
    """The limit of the polynomial whose roots are those of this one over K."""
    return sp.expand(sp.limit(sp.expand(quadratic.subs(x, K * x) / K**2), K, sp.oo))


def _both() -> tuple[Polynomials, Polynomials]:
    return polynomials(teacher_spectrum.l2_blocks()), polynomials(teacher_spectrum.h1_population_blocks())


def _none_below(name: str, found: Polynomials, bound: sp.Expr) -> list[Step]:
    steps = [
        _not_negative(f"{name}, trivial: no root below", found.trivial.subs(x, bound - s)),
        _not_negative(f"{name}, standard: no root below", -found.standard.subs(x, bound - s)),
    ]
    return [*steps, *(_not_negative(f"{name}, value {n}", v - bound) for n, v in enumerate(found.single))]


def _not_negative(name: str, polynomial: sp.Expr) -> Step:
    """How many coefficients in k and s may be negative: none."""
    coefficients = sp.Poly(sp.expand(polynomial.subs(K, k + 2)), k, s).coeffs()
    return Step(name, sp.Integer(sum(1 for c in coefficients if not sp.expand(c).is_nonnegative)))
