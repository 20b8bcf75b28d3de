"""Carry out the checks of claims side by side, judge all sampling together, and give the verdicts.

What a check found is kept under a fingerprint of everything that it depends on, as soon as it is found: an
interrupted run goes on where it was, and only what changed is run again. Sampling is kept as measured, and judged
anew with all the measurements of each run.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from .. import store as stores
from ..checks import Measurement, judge
from ..claim import Claim, Evidence, Result, Verdict
from ..store import Store
from .examine import Finding, Start, Task, as_record, examine, from_record, prepare_jax, serve
from .fingerprint import fingerprint
from .settings import DEEP, QUICK, Settings
from .workers import Died, in_processes

CLAIMS_MODULE = "verification.claims"


@dataclass(frozen=True)
class Outcome:
    """A check with what it found, and whether that was known from an earlier run."""

    claim: Claim
    number: int
    finding: Finding
    kept: bool = False


class Folders(NamedTuple):
    """Where results, Monte-Carlo averages and compiled functions are kept."""

    results: Store
    averages: Store
    compiled: Path


def folders(base: Path) -> Folders | None:
    """The folders below `base`, made if need be; None if they cannot be written to."""
    results, averages = stores.opened(base / "results"), stores.opened(base / "averages")
    if results is None or averages is None:
        return None
    for kept in (results, averages):
        kept.forget_old()
    salt = fingerprint({"verification.checks.estimates"})[:16]
    return Folders(results, replace(averages, prefix=f"{salt}-"), base / "compiled")


def run(
    claims: Sequence[Claim],
    settings: Settings,
    advance: Callable[[Outcome], None] = lambda _: None,
    *,
    jobs: int = 1,
    keep: Folders | None = None,
    fresh: bool = False,
    where: str = CLAIMS_MODULE,
) -> list[Result]:
    """Every check of every claim.

    Args:
        claims: in the order of the results.
        settings: what is fixed beforehand.
        advance: called as each check is done, in any order.
        jobs: 1 works in this process; more start so many processes, which take the claims from `where`.
        keep: where results are kept; None keeps nothing.
        fresh: do not read what is kept, but write it.
        where: the module whose CLAIMS these are.
    """
    by_task = {Task(claim.id, k): claim for claim in claims for k in range(len(claim.checks))}
    names = _names(by_task, settings, where) if keep else {}
    found: dict[Task, Finding] = {}

    def done(task: Task, finding: Finding, kept: bool) -> None:
        found[task] = finding
        crashed = isinstance(finding.found, Evidence) and finding.found.verdict is Verdict.ERROR
        if keep and task in names and not kept and not crashed:
            keep.results.write(names[task], as_record(finding))
        advance(Outcome(by_task[task], task.number, finding, kept))

    if keep and not fresh:
        for task, name in names.items():
            finding = _kept(keep.results, name)
            if finding is not None:
                done(task, finding, True)
    for task, finding in _carried_out([t for t in by_task if t not in found], by_task, settings, jobs, keep, where):
        done(task, finding, False)
    return results(
        [Outcome(claim, task.number, found[task]) for task, claim in by_task.items()], settings.false_alarm
    )


def _carried_out(
    tasks: Sequence[Task],
    claims: dict[Task, Claim],
    settings: Settings,
    jobs: int,
    keep: Folders | None,
    where: str,
) -> Iterator[tuple[Task, Finding]]:
    if not tasks:
        return
    compiled = keep.compiled if keep else None
    if jobs == 1:
        prepare_jax(compiled)
        context = settings.context(keep.averages if keep else None)
        for task in tasks:
            yield task, examine(claims[task], claims[task].checks[task.number], context)
        return
    alone = [task for task in tasks if claims[task].checks[task.number].shares_work]  # one process does them all
    others = [task for task in tasks if not claims[task].checks[task.number].shares_work]
    with tempfile.TemporaryDirectory(prefix="verification-") as scratch:
        averages = keep.averages if keep else stores.opened(Path(scratch))
        start = Start(where, settings, averages, compiled)
        for task, answer in in_processes(serve, start, others, alone, jobs):
            method = claims[task].checks[task.number].method
            yield task, _death(method, answer) if isinstance(answer, Died) else answer


def _death(method: str, died: Died) -> Finding:
    detail = f"the process that carried it out ended with exit code {died.exit_code}"
    return Finding(method, Evidence(method, Verdict.ERROR, detail=detail))


def _names(claims: dict[Task, Claim], settings: Settings, where: str) -> dict[Task, str]:
    """Of results in the store: settings, check, and all sources that the claim and its examination import.

    A claim that no module declares has none: nobody knows what it depends on.
    """
    modules = {claim.id: _module_of(claim, where) for claim in claims.values()}
    return {
        task: fingerprint({module, "verification.run.examine"}, settings, *task)
        for task in claims
        if (module := modules[task.claim_id])
    }


def _module_of(claim: Claim, where: str) -> str | None:
    """The narrowest module from `where` on downwards whose CLAIMS hold the claim."""
    declaring = [
        name
        for name, module in sys.modules.items()
        if f"{name}.".startswith(f"{where}.") and any(claim is c for c in getattr(module, "CLAIMS", ()))
    ]
    return max(declaring, key=len, default=None)


def _kept(store: Store, name: str) -> Finding | None:
    record = store.read(name)
    return None if record is None else from_record(record)


def verdict(evidence: Sequence[Evidence]) -> Verdict:
    """An error prevails over a refutation, that over a check that decided nothing, the strongest agreement follows.

    A proof with a gap thus leaves its claim open, whatever else agrees. No evidence is an error.
    """
    found = {e.verdict for e in evidence}
    order = (Verdict.ERROR, Verdict.REFUTED, Verdict.OPEN, Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED)
    return next((v for v in order if v in found), Verdict.ERROR)


def results(outcomes: Sequence[Outcome], false_alarm: float) -> list[Result]:
    """Judge all measurements of a run together, and group the evidence by claim."""
    measurements = [o.finding.found for o in outcomes if isinstance(o.finding.found, Measurement)]
    judged = iter(judge(measurements, false_alarm))
    by_claim: dict[str, tuple[Claim, list[Evidence]]] = {}
    for outcome in outcomes:
        finding = outcome.finding
        evidence = next(judged) if isinstance(finding.found, Measurement) else finding.found
        by_claim.setdefault(outcome.claim.id, (outcome.claim, []))[1].append(
            replace(evidence, seconds=finding.seconds, twins=finding.twins)
        )
    return [Result(claim, tuple(found), verdict(found)) for claim, found in by_claim.values()]


__all__ = ["DEEP", "QUICK", "Folders", "Outcome", "Settings", "folders", "results", "run", "verdict"]
