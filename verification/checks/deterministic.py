"""Comparison of a formula with a deterministic reference, up to a tolerance that is rounding of a known size."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from ..claim import Claim, Evidence, Formula, Point, Verdict
from .check import Check, Context, describe, observe_value
from .counterexamples import counterexample, this_check, vectors


class Reference(NamedTuple):
    points: list[Point]
    values: list[Float[np.ndarray, "..."]]


@dataclass(frozen=True)
class Deterministic(Check):
    """|formula - reference| <= tolerance * (largest |reference| over all points), at random points of the domain.

    Attributes:
        define: the quantity at a point, from its definition.
        observe: what is compared with it; by default the formula's value.
    """

    method: ClassVar[str]
    tolerance: ClassVar[float]

    define: Callable[[Point], Float[np.ndarray, "..."] | float]
    observe: Callable[[Formula, Point], Float[np.ndarray, "..."]] = observe_value

    def reference(self, claim: Claim, context: Context) -> Reference:
        generator = context.generator(claim.id)
        points = [claim.domain.draw(generator) for _ in range(context.points)]
        return Reference(points, [np.asarray(self.define(point), dtype=float) for point in points])

    def compare(self, claim: Claim, formula: Formula, reference: Reference) -> Evidence:
        gaps = []
        for point, value in zip(*reference, strict=True):
            observed = np.asarray(self.observe(formula, point), dtype=float)
            if observed.shape != value.shape:
                raise ValueError(f"formula: got shape {observed.shape}; the reference has {value.shape}")
            gaps.append(float(np.max(np.abs(observed - value))))
        scale = max(float(np.max(np.abs(value))) for value in reference.values)
        worst = int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))
        deviation = gaps[worst] / scale
        agrees = deviation <= self.tolerance  # False for NaN
        evidence = Evidence(
            self.method,
            Verdict.SUPPORTED if agrees else Verdict.REFUTED,
            points=len(gaps),
            components=sum(value.size for value in reference.values),
            deviation=deviation,
            allowed=self.tolerance,
        )
        if agrees:
            return evidence
        return dataclasses.replace(
            evidence,
            detail=_in_short(self, formula, reference, worst),
            counterexample=self._counterexample(claim, reference, worst),
            vectors=vectors(reference.points[worst]),
        )

    def found(self, claim: Claim, reference: Reference, worst: int) -> Any:
        """The reference at the worst point: numbers, or an expression that computes them again."""
        return f"{this_check(claim, self)}.define(point)"

    def _counterexample(self, claim: Claim, reference: Reference, worst: int) -> str:
        observed = f"{this_check(claim, self)}.observe(claim.formula, point)"
        found = self.found(claim, reference, worst)
        return counterexample(claim, reference.points[worst], found, f"by {self.method}", observed)


def _in_short(check: Deterministic, formula: Formula, reference: Reference, worst: int) -> str:
    point, value = reference.points[worst], reference.values[worst]
    observed = np.asarray(check.observe(formula, point), dtype=float)
    return f"at {describe(point)}: formula {_short(observed)}, {check.method} {_short(value)}"


def _short(values: Float[np.ndarray, "..."]) -> str:
    numbers = ", ".join(f"{value:.6g}" for value in np.ravel(values)[:6])
    return f"[{numbers}{', ...' if values.size > 6 else ''}]" if values.ndim else f"{float(values):.6g}"
