"""Carry out the checks of claims, judge all sampling together, and give the verdicts."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from .checks import Context, Estimates, Measurement, judge
from .claim import Claim, Evidence, Formula, Result, Verdict


@dataclass(frozen=True)
class Settings:
    """What a run fixes before it draws anything.

    Attributes:
        samples: per Monte-Carlo average of effort 1.
        seed: of all random points and samples.
        points: random points per deterministic check.
        false_alarm: probability that any sampling check of the run refutes a true formula.
        jobs: threads.
    """

    samples: int = 2**22
    seed: int = 0
    points: int = 4
    false_alarm: float = 1e-6
    jobs: int = 2

    def context(self) -> Context:
        return Context(self.seed, self.points, Estimates(self.seed, self.samples))


@dataclass(frozen=True)
class Outcome:
    """What a check found, before judgement: evidence, or a measurement."""

    claim: Claim
    method: str
    found: Evidence | Measurement
    seconds: float


def attempt(claim: Claim, method: str, work: Callable[[], Evidence | Measurement]) -> Outcome:
    """An exception in a check is an error of that check, never a pass."""
    start = time.perf_counter()
    found: Evidence | Measurement
    try:
        found = work()
    except Exception as error:
        found = Evidence(method, Verdict.ERROR, detail=f"{type(error).__name__}: {error}")
    return Outcome(claim, method, found, time.perf_counter() - start)


def carry_out(claim: Claim, check: Any, formula: Formula, context: Context) -> Outcome:
    return attempt(claim, check.method, lambda: check.compare(claim, formula, check.reference(claim, context)))


def verdict(evidence: Sequence[Evidence]) -> Verdict:
    """An error prevails over a refutation, a refutation over agreement, the strongest agreement over the others.

    No evidence is an error.
    """
    found = {e.verdict for e in evidence}
    order = (Verdict.ERROR, Verdict.REFUTED, Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED, Verdict.OPEN)
    return next((v for v in order if v in found), Verdict.ERROR)


def results(outcomes: Sequence[Outcome], false_alarm: float) -> list[Result]:
    """Judge all measurements of a run together, and group the evidence by claim."""
    measurements = [o.found for o in outcomes if isinstance(o.found, Measurement)]
    judged: Iterator[Evidence] = iter(judge(measurements, false_alarm))
    by_claim: dict[str, tuple[Claim, list[Evidence]]] = {}
    for outcome in outcomes:
        evidence = next(judged) if isinstance(outcome.found, Measurement) else outcome.found
        by_claim.setdefault(outcome.claim.id, (outcome.claim, []))[1].append(
            replace(evidence, seconds=outcome.seconds)
        )
    return [Result(claim, tuple(found), verdict(found)) for claim, found in by_claim.values()]


def run(
    claims: Sequence[Claim], settings: Settings, advance: Callable[[Outcome], None] = lambda _: None
) -> list[Result]:
    """Every check of every claim; `advance` is called as each is done, in any order."""
    context = settings.context()

    def one(work: tuple[Claim, Any]) -> Outcome:
        outcome = carry_out(*work, work[0].formula, context)
        advance(outcome)
        return outcome

    works = [(claim, check) for claim in claims for check in claim.checks]
    with ThreadPoolExecutor(settings.jobs) as threads:
        return results(list(threads.map(one, works)), settings.false_alarm)
