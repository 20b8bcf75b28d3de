"""An inequality at many random points: support, not proof, or a counterexample."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from ..claim import Claim, Evidence, Formula, Verdict
from .check import Check, Context
from .counterexamples import counterexample, this_check


@dataclass(frozen=True)
class NonNegative(Check):
    """margin(formula, sample) >= -slack at every drawn point, all of them in one call.

    Attributes:
        draw: n random points of the domain as an array, corners included, from a generator.
        margin: what must not be negative, [n].
        slack: the rounding of `margin`.
        count: points here for every point of a deterministic check: evaluations are cheap, references are not.
    """

    method: ClassVar[str] = "bound"
    compares: ClassVar[bool] = False

    draw: Callable[[np.random.Generator, int], Float[np.ndarray, "n k"]]
    margin: Callable[[Formula, Float[np.ndarray, "n k"]], Float[np.ndarray, " n"]]
    slack: float
    count: int = 2000

    def reference(self, claim: Claim, context: Context) -> Float[np.ndarray, "n k"]:
        return self.draw(context.generator(claim.id, self.method), self.count * context.points)

    def compare(self, claim: Claim, formula: Formula, reference: Float[np.ndarray, "n k"]) -> Evidence:
        margins = np.asarray(self.margin(formula, reference), dtype=float)
        worst = int(np.argmin(np.where(np.isnan(margins), -np.inf, margins)))
        holds = bool(margins[worst] >= -self.slack)
        return Evidence(
            self.method,
            Verdict.SUPPORTED if holds else Verdict.REFUTED,
            points=len(margins),
            components=len(margins),
            deviation=float(margins[worst]),
            allowed=-self.slack,
            unit="value",
            detail="" if holds else f"at {np.array2string(reference[worst], precision=6)}: {margins[worst]:.6g} < 0",
            counterexample="" if holds else self._counterexample(claim, reference[worst]),
        )

    def _counterexample(self, claim: Claim, point: Float[np.ndarray, " k"]) -> str:
        margin = f"{this_check(claim, self)}.margin(claim.formula, point[None])[0]"
        return counterexample(claim, point, margin, "the margin", '"not negative"')
