"""An inequality on a whole compact domain: a certificate of boxes, re-checked, and tied to the claim's formula."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from ..balls import exact_ball, precision
from ..certificates import INEQUALITIES, Certificate, certify
from ..claim import Claim, Evidence, Formula, Point, Verdict
from ..statements import Statement
from .check import Check, Context, describe, observe_value

MOST_DRAWS = 1000


class CertifiedReference(NamedTuple):
    """The certificate, the boxes of its re-check, and what the formula must be at random points of its domain."""

    certificate: Certificate
    rechecked: int
    points: list[Point]
    values: list[float]


@dataclass(frozen=True)
class Certified(Check):
    """The inequality is certified, and at random points the certified function, its factors put back, is the formula.

    Tolerance: as for `Ball`; the certified function has 20 digits.

    Attributes:
        inequality: its name in the catalogue of certificates.
        coordinates: the certificate's variables at a point of the claim's domain.
        restore: from the claim's statement, a point and the function's value there to what the formula must be.
            Without it only the certificate is checked, and no formula compared.
        observe: what is compared; by default the formula's value.
    """

    method: ClassVar[str] = "certificate"
    tolerance: ClassVar[float] = 1e-12

    inequality: str
    coordinates: Callable[[Point], tuple[float, ...]] = lambda _: ()
    restore: Callable[[Statement, Point, float], float] | None = None
    observe: Callable[[Formula, Point], Any] = observe_value

    @property
    def compares(self) -> bool:  # type: ignore[override]  # of this object, not of its class
        return self.restore is not None

    def reference(self, claim: Claim, context: Context) -> CertifiedReference:
        certificate, rechecked = certify(self.inequality, 200 if context.deep else 80)
        points: list[Point] = []
        values: list[float] = []
        if self.restore is not None:
            generator = context.generator(claim.id, self.method, self.inequality)
            for _ in range(MOST_DRAWS):
                if len(points) == 4 * context.points:
                    break
                point = claim.domain.draw(generator)
                at = self.coordinates(point)
                if all(a <= x <= b for x, (a, b) in zip(at, certificate.domain, strict=True)):
                    points.append(point)
                    values.append(self.restore(claim.statement, point, value_at(self.inequality, at)))
            if not points:
                raise ValueError("domain: got no point in the domain of the certificate")
        return CertifiedReference(certificate, rechecked, points, values)

    def compare(self, claim: Claim, formula: Formula, reference: CertifiedReference) -> Evidence:
        certificate = reference.certificate
        verdict, detail = certificate.verdict, in_short(certificate, reference.rechecked)
        gaps = [
            abs(float(self.observe(formula, point)) - value)
            for point, value in zip(reference.points, reference.values, strict=True)
        ]
        scale = max((abs(value) for value in reference.values), default=1.0)
        worst = max(range(len(gaps)), key=lambda k: math.inf if math.isnan(gaps[k]) else gaps[k], default=None)
        deviation = 0.0 if worst is None else gaps[worst] / scale
        if worst is not None and not deviation <= self.tolerance:
            verdict = Verdict.REFUTED
            detail = f"at {describe(reference.points[worst])}: the formula is not what is certified"
        return Evidence(
            self.method,
            verdict,
            points=len(gaps),
            components=len(certificate.boxes),
            deviation=deviation,
            allowed=self.tolerance,
            detail=detail,
        )


def value_at(inequality: str, at: tuple[float, ...]) -> float:
    """The certified function at a point, its coordinates taken as exact."""
    with precision(160):
        return float(INEQUALITIES[inequality].enclosure(*(exact_ball(Fraction(x), Fraction(x)) for x in at)))


def in_short(certificate: Certificate, rechecked: int) -> str:
    domain = ", ".join(
        f"{name} in [{a}, {b}]" for name, (a, b) in zip(certificate.variables, certificate.domain, strict=True)
    )
    if certificate.failure is not None:
        at = ", ".join(
            f"{n} = {float(x):.6g}" for n, x in zip(certificate.variables, certificate.failure, strict=True)
        )
        return f"{certificate.statement}: {certificate.verdict.value} at {at}"
    return (
        f"{certificate.statement}: {len(certificate.boxes)} boxes of depth <= {certificate.depth} at "
        f"{certificate.precision} bits over {domain}; re-checked on {rechecked} boxes"
    )
