"""Proof by computer algebra: the statement is derived from the definition, and the code is the statement.

Derivations live in sobolev_theory.symbolic. That a derivation and the claim's statement are equal is decided exactly,
by the normal form there; only the formula, being code, is compared with the statement's numbers at random points.
"""

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import mpmath
import numpy as np
import sympy as sp
from jaxtyping import Float

from sobolev_theory.symbolic import tidy, vanishes
from sobolev_theory.symbolic.proof import Proof

from ..claim import Claim, Evidence, Formula, Point, Verdict
from ..statements import Statement
from ..statements.evaluation import in_the_frame
from .check import Check, Context, describe, observe_value
from .counterexamples import counterexample, vectors

DIGITS = 30

# SymPy computes under one interpreter lock and mpmath keeps its precision in a global: one thread at a time.
_LOCK = threading.RLock()


class Derived(NamedTuple):
    """What the symbolic part found, and the statement's numbers at random points."""

    verdict: Verdict
    detail: str
    points: list[Point]
    values: list[Float[np.ndarray, "..."]]


@dataclass(frozen=True)
class Symbolic(Check):
    """derivation = statement exactly, and formula = statement to rounding.

    Tolerance: the reference has 30 digits; the formula has a few roundings of 1e-16, times the condition number of e
    and of the angle, at most 1/sin(theta) = 20 in the domains used, and of a ratio of eigenvalues, at most 10.

    Attributes:
        derivations: each derives the quantity from the definition; all must give the statement.
        place: the numbers of the statement at a point, in the layout of the formula, by mpmath.
        stated: what the derivations must give: an expression, a matrix or a tuple of expressions; by default the
            right side of the statement in the coordinates of `symbolic.frame`.
        observe: what is compared with the numbers; by default the formula's value.
    """

    method: ClassVar[str] = "symbolic"
    shares_work: ClassVar[bool] = True
    tolerance: ClassVar[float] = 1e-13

    derivations: tuple[Callable[[], Any], ...]
    place: Callable[[Statement, Point], Any]
    stated: Callable[[Statement], Any] = lambda statement: in_the_frame(statement.right)
    observe: Callable[[Formula, Point], Float[np.ndarray, "..."]] = observe_value

    def reference(self, claim: Claim, context: Context) -> Derived:
        with _LOCK, mpmath.workdps(DIGITS):
            verdict, detail = self._proved(as_matrix(self.stated(claim.statement)))
            generator = context.generator(claim.id)
            points = [claim.domain.draw(generator) for _ in range(context.points)]
            values = [np.asarray(self.place(claim.statement, point), dtype=float) for point in points]
        return Derived(verdict, detail, points, values)

    def _proved(self, stated: sp.Matrix) -> tuple[Verdict, str]:
        """PROVED if every derivation equals the statement, else the first that does not."""
        for derive in self.derivations:
            derived = as_matrix(derive())
            if derived.shape != stated.shape:
                raise ValueError(f"statement: got shape {stated.shape}; what is derived has {derived.shape}")
            equal = vanishes(derived - stated)
            if not equal:
                return Verdict.OPEN if equal is None else Verdict.REFUTED, difference(derived, stated)
        return Verdict.PROVED, ""

    def compare(self, claim: Claim, formula: Formula, reference: Derived) -> Evidence:
        gaps = []
        for point, value in zip(reference.points, reference.values, strict=True):
            observed = np.asarray(self.observe(formula, point), dtype=float)
            if observed.shape != value.shape:
                raise ValueError(f"formula: got shape {observed.shape}; the statement has {value.shape}")
            gaps.append(float(np.max(np.abs(observed - value))))
        scale = max(float(np.max(np.abs(value))) for value in reference.values)
        worst = int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))
        evidence = Evidence(
            self.method,
            reference.verdict,
            points=len(gaps),
            components=sum(value.size for value in reference.values),
            deviation=gaps[worst] / scale if scale else gaps[worst],
            allowed=self.tolerance,
            detail=reference.detail,
        )
        if evidence.deviation <= self.tolerance:  # False for NaN
            return evidence
        detail = f"at {describe(reference.points[worst])}: the formula is not the statement, by {gaps[worst]:.6g}"
        return dataclasses.replace(
            evidence,
            verdict=Verdict.REFUTED,
            detail=detail,
            counterexample=counterexample(claim, reference.points[worst], reference.values[worst], "by derivation"),
            vectors=vectors(reference.points[worst]),
        )


@dataclass(frozen=True)
class SymbolicProof(Check):
    """A chain of identities, each decided exactly, joined by elementary facts; it concerns what is derived.

    That the formula is what is derived is for a `Symbolic` check of the same claim.
    """

    method: ClassVar[str] = "symbolic"
    shares_work: ClassVar[bool] = True
    compares: ClassVar[bool] = False

    proof: Callable[[], Proof]

    def reference(self, claim: Claim, context: Context) -> Proof:
        with _LOCK:
            return self.proof()

    def compare(self, claim: Claim, formula: Formula, reference: Proof) -> Evidence:
        with _LOCK:
            gaps = reference.gaps
        return Evidence(
            self.method,
            Verdict.OPEN if gaps else Verdict.PROVED,
            components=len(reference.steps),
            deviation=float(len(gaps)),
            detail=f"steps that do not hold: {', '.join(gaps)}" if gaps else "",
        )


def as_matrix(quantity: Any) -> sp.Matrix:
    """An expression, a tuple of expressions or a matrix, as a matrix."""
    if isinstance(quantity, sp.MatrixBase):
        return quantity
    return sp.Matrix(list(quantity)) if isinstance(quantity, tuple | list) else sp.Matrix([quantity])


def difference(derived: sp.Matrix, stated: sp.Matrix) -> str:
    """The first entry that differs, by what, and by how much where r, r*, ... are 1/2, 1/3, ... in this order."""
    for index, (left, right) in enumerate(zip(derived, stated, strict=True)):
        gap = left - right
        if not vanishes(gap):
            symbols = sorted(gap.free_symbols, key=str)
            at = {symbol: sp.Rational(1, k + 2) for k, symbol in enumerate(symbols)}
            where = ", ".join(f"{symbol} = {value}" for symbol, value in at.items())
            return f"entry {index}: derived - stated = {tidy(gap)}; at {where}: {sp.N(gap.subs(at), 6)}"
    return ""
