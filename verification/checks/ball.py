"""Identities to 30 digits: a certified integral of the definition, the statement in balls, the formula in floats."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from flint import arb

from ..balls import precision, separates, smaller_than
from ..claim import Claim, Evidence, Formula, Point, Verdict
from ..statements import Statement
from .check import Check, Context, describe, observe_value
from .counterexamples import counterexample, vectors
from .deterministic import Deterministic, Reference

DIGITS, BITS = 30, 160
DEEP_DIGITS, DEEP_BITS = 60, 260


class _Rounded(Deterministic):
    """Against the midpoints of balls.

    Tolerance: a few roundings of 1e-16 in the formula, times the condition number of e and of the angle, at most
    1/sin(theta) = 20 in the domains used, and of differences that cancel to a hundredth of their terms.
    """

    method: ClassVar[str] = "ball"
    tolerance: ClassVar[float] = 1e-12

    def found(self, claim: Claim, reference: Reference, worst: int) -> Any:
        return reference.values[worst]


class BallReference(NamedTuple):
    """Midpoints of the integrals; why the statement is not the integral, if so; the digits and bits of both."""

    rounded: Reference
    disagreement: str
    digits: int
    bits: int


@dataclass(frozen=True)
class Ball(Check):
    """integral = statement to 30 digits, in a deep run to 60, and formula = integral to rounding.

    At random points, whose floats are taken as exact.

    Attributes:
        integral: an array of balls from the definition: what the statement's left side is.
        stated: the same from its right side.
        observe: what is compared with their midpoints; by default the formula's value.
    """

    method: ClassVar[str] = "ball"

    integral: Callable[[Statement, Point], Any]
    stated: Callable[[Statement, Point], Any]
    observe: Callable[[Formula, Point], Any] = observe_value

    def reference(self, claim: Claim, context: Context) -> BallReference:
        generator = context.generator(claim.id, self.method)
        points = [claim.domain.draw(generator) for _ in range(context.points)]
        values, problems = [], []
        digits, bits = (DEEP_DIGITS, DEEP_BITS) if context.deep else (DIGITS, BITS)
        with precision(bits):
            for point in points:
                integral, stated = (_balls(side(claim.statement, point)) for side in (self.integral, self.stated))
                problems.append(difference(integral, stated, digits))
                values.append(np.vectorize(float, otypes=[float])(integral))
        found = next((f"at {describe(p)}: {text}" for p, text in zip(points, problems, strict=True) if text), "")
        return BallReference(Reference(points, values), found, digits, bits)

    def compare(self, claim: Claim, formula: Formula, reference: BallReference) -> Evidence:
        evidence = _Rounded(lambda point: self.integral(claim.statement, point), self.observe).compare(
            claim, formula, reference.rounded
        )
        if reference.disagreement:
            return dataclasses.replace(evidence, verdict=Verdict.REFUTED, detail=reference.disagreement)
        if evidence.verdict is Verdict.REFUTED:
            return evidence
        return dataclasses.replace(
            evidence, detail=f"integral = statement to {reference.digits} digits, {reference.bits} bits"
        )


def difference(integral: np.ndarray, statement: np.ndarray, digits: int = DIGITS) -> str:
    """Which entry differs, or is not known to the digits of the largest; empty if none. Raises for other shapes."""
    if integral.shape != statement.shape:
        raise ValueError(f"statement: got shape {statement.shape}; the integral has {integral.shape}")
    scale = max((abs(x) for x in integral.ravel()), key=lambda x: float(x.mid()))
    for k, (left, right) in enumerate(zip(integral.ravel(), statement.ravel(), strict=True)):
        if separates(left, right):
            return f"entry {k}: integral {left.str(12)}, statement {right.str(12)}"
        if not smaller_than(left.rad() + right.rad(), scale, digits):
            return f"entry {k}: integral {left.str(40)}, statement {right.str(40)}, not to {digits} digits"
    return ""


def _balls(value: Any) -> np.ndarray:
    array = np.empty(np.shape(value), dtype=object)
    array[...] = value
    return np.vectorize(lambda x: x if isinstance(x, arb) else arb(x), otypes=[object])(array)


@dataclass(frozen=True)
class Counterexample(Check):
    """The claimed inequality fails at a point, as certified integrals of the definition show.

    Attributes:
        point: numbers that a reader can type, taken as exact.
        margin: a ball of what is claimed not to be negative there, from the definition.
        recheck: as of a claim, where the claim's own is written for other points.
    """

    method: ClassVar[str] = "ball"
    compares: ClassVar[bool] = False

    point: Point
    margin: Callable[[Point], arb]
    recheck: str = ""

    def reference(self, claim: Claim, context: Context) -> arb:
        with precision(BITS):
            return self.margin(self.point)

    def compare(self, claim: Claim, formula: Formula, reference: arb) -> Evidence:
        told = dataclasses.replace(claim, recheck=self.recheck or claim.recheck)
        with precision(BITS):
            negative, positive = bool(reference < 0), bool(reference > 0)
            value, digits = float(reference), reference.str(20)
        return Evidence(
            self.method,
            Verdict.REFUTED if negative else Verdict.SUPPORTED if positive else Verdict.OPEN,
            points=1,
            components=1,
            deviation=value,
            unit="value",
            detail=f"at {describe(self.point)}: {digits} < 0, by certified integrals" if negative else "",
            counterexample=counterexample(told, self.point, value, "by certified integrals") if negative else "",
            vectors=vectors(self.point) if negative else {},
        )
