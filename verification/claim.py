"""What is claimed, what was found, what follows: frozen data without logic.

A claim states a formula and where it comes from; its checks compare the formula with what the definition of
the quantity gives. Evidence is the outcome of one check, a verdict what all evidence on a claim amounts to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from .statements import Statement

Point = Any  # what a domain draws and a formula takes: a pair of vectors, or a student and a teacher
Formula = Callable[[Point], Any]  # array-like of any shape


class Verdict(Enum):
    """What a check, or all checks of a claim, found, from strongest to weakest.

    PROVED: derived symbolically from the definition. CERTIFIED: holds on a whole domain by ball arithmetic.
    SUPPORTED: agrees at random points or on samples. OPEN: nothing decided. REFUTED: a counterexample was found.
    ERROR: a check could not be carried out.
    """

    PROVED = "proved"
    CERTIFIED = "certified"
    SUPPORTED = "supported"
    OPEN = "open"
    REFUTED = "refuted"
    ERROR = "error"

    @property
    def holds(self) -> bool:
        return self in (Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED)


@dataclass(frozen=True)
class Domain:
    """The assumptions on a claim's variables, and random points that satisfy them.

    Attributes:
        assumptions: in words and LaTeX, for the reader.
        draw: points for deterministic methods, over the whole domain.
        draw_for_sampling: points where the terms of the formula are of comparable size, so that an error of
            1 % stands out of the noise. Shared by all claims of a domain, and so are the samples.
    """

    assumptions: str
    draw: Callable[[np.random.Generator], Point]
    draw_for_sampling: Callable[[np.random.Generator], Point]


@dataclass(frozen=True)
class Claim:
    """One statement about one formula.

    Attributes:
        id: "part/name", what the command line takes.
        statement: what is claimed, in SymPy; it is printed, evaluated and proved.
        source: paper and equation, or "derived here".
        domain: see `Domain`.
        formula: the callable under test, from a point to an array.
        checks: objects of verification.checks.
        wrong_twins: named formulas that are wrong on purpose, which every comparison must refute.
        expected: the verdict a correct library and a correct paper give; SUPPORTED means at least that.
        stated: for a claim whose checks do not evaluate its statement: the statement's numbers at a point.
        recheck: for a claim that is refuted, lines of Python that compute `claimed` and `found` from the variables of
            the counterexample, with the library alone; see `counterexamples`.
    """

    id: str
    statement: Statement
    source: str
    domain: Domain
    formula: Formula
    checks: tuple[Any, ...]
    wrong_twins: Mapping[str, Formula] = field(default_factory=dict)
    expected: Verdict = Verdict.SUPPORTED
    stated: Callable[[Statement, Point], Any] | None = None
    recheck: str = ""


@dataclass(frozen=True)
class Evidence:
    """The outcome of one check.

    Attributes:
        method: the name of the method.
        verdict: of this check alone.
        points, components: how many points were drawn and how many numbers compared.
        deviation, allowed: the largest deviation and what the method allows, in `unit`.
        unit: "relative" (to the largest reference value), "standard errors", or "value" (of an inequality).
        p_value: for sampling, the smallest p-value, corrected for all looks and all comparisons of the run.
        detectable: for sampling, the smallest relative error that would have been found with power 0.99.
        detail: what was computed (boxes, precision), a counterexample in short, or the message of an error.
        seconds: time spent.
        samples: for sampling, how many were drawn before the decision, in the average that took most.
        counterexample: for a refutation, Python to be typed into a notebook that ends with `claimed` and `found`.
        vectors: the neurons of the counterexample by name, for a drawing.
        twins: wrong twins by name, and whether this check refuted them.
    """

    method: str
    verdict: Verdict
    points: int = 0
    components: int = 0
    deviation: float = 0.0
    allowed: float = 0.0
    unit: str = "relative"
    p_value: float | None = None
    detectable: float | None = None
    detail: str = ""
    seconds: float = 0.0
    samples: int = 0
    counterexample: str = ""
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    twins: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A claim with the evidence on it."""

    claim: Claim
    evidence: tuple[Evidence, ...]
    verdict: Verdict

    @property
    def accepted_twins(self) -> tuple[str, ...]:
        """Wrong twins that some check failed to refute, as "twin (method)"."""
        return tuple(
            f"{name} ({e.method})" for e in self.evidence for name, refuted in e.twins.items() if not refuted
        )

    @property
    def as_expected(self) -> bool:
        """The verdict is the expected one, and every check that was shown a wrong twin refuted it."""
        at_least_supported = self.claim.expected is Verdict.SUPPORTED and self.verdict.holds
        return not self.accepted_twins and (at_least_supported or self.verdict is self.claim.expected)
