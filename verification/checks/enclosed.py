"""Numbers enclosed in balls at every point of a finite domain, and what follows from their signs."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from flint import arb

from ..balls import precision
from ..claim import Claim, Evidence, Formula, Point, Verdict
from .ball import BITS, DEEP_BITS
from .check import Check, Context, describe
from .deterministic import Deterministic, Reference


class _Rounded(Deterministic):
    """Against the midpoints. Tolerance: eigenvalues of order 1 of matrices of some tens of rows, by LAPACK."""

    method: ClassVar[str] = "enclosure"
    tolerance: ClassVar[float] = 1e-12


class EnclosedReference(NamedTuple):
    """Midpoints; where what is claimed of the balls is not certain, or there are none; and their digits."""

    rounded: Reference
    undecided: str
    digits: int


@dataclass(frozen=True)
class Enclosed(Check):
    """What is claimed of the balls is certain at every point, and the formula has their midpoints, to rounding.

    Attributes:
        points: all of the domain.
        enclose: balls at a point; may raise ArithmeticError.
        holds: whether what is claimed is certain, from the point and its balls.
    """

    method: ClassVar[str] = "enclosure"

    points: tuple[Point, ...]
    enclose: Callable[[Point], Sequence[arb]]
    holds: Callable[[Point, Any], bool]

    def reference(self, claim: Claim, context: Context) -> EnclosedReference:
        values, undecided, digits = [], "", 10**6
        with precision(DEEP_BITS if context.deep else BITS):
            for point in self.points:
                try:
                    balls = self.enclose(point)
                except ArithmeticError as error:
                    return EnclosedReference(Reference([], []), f"at {describe(point)}: {error}", 0)
                if not self.holds(point, balls):
                    undecided = undecided or f"at {describe(point)}: not certain from {[b.str(10) for b in balls]}"
                digits = min(digits, *(int(0.30103 * ball.rel_accuracy_bits()) for ball in balls))
                values.append(np.array([float(ball.mid()) for ball in balls]))
        return EnclosedReference(Reference(list(self.points), values), undecided, digits)

    def compare(self, claim: Claim, formula: Formula, reference: EnclosedReference) -> Evidence:
        if not reference.rounded.points:
            return Evidence(self.method, Verdict.OPEN, detail=reference.undecided)
        evidence = _Rounded(lambda point: np.array([float(ball.mid()) for ball in self.enclose(point)])).compare(
            claim, formula, reference.rounded
        )
        if evidence.verdict is Verdict.REFUTED:
            return evidence
        if reference.undecided:
            return dataclasses.replace(evidence, verdict=Verdict.OPEN, detail=reference.undecided)
        detail = f"enclosed to {reference.digits} digits at all {len(self.points)} points"
        return dataclasses.replace(evidence, verdict=Verdict.CERTIFIED, detail=detail)
