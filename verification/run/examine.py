"""One check of one claim: what it finds on the formula, and whether it refutes the wrong twins."""

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from sobolev_theory.runs.user_caches import keep_compiled

from ..checks import Check, Context, Measurement
from ..checks.sampling import refuted_alone
from ..claim import Claim, Evidence, Verdict
from ..store import Store
from ..twins import PERCENT, wrong_twins
from .settings import Settings


@dataclass(frozen=True)
class Finding:
    """Evidence, or a measurement to be judged with all others of the run; twins by name and whether refuted."""

    method: str
    found: Evidence | Measurement
    twins: Mapping[str, bool] = field(default_factory=dict)
    seconds: float = 0.0


def examine(claim: Claim, check: Check, context: Context) -> Finding:
    """An exception in a check is an error of that check, never a pass."""
    start = time.perf_counter()
    found: Evidence | Measurement
    twins: dict[str, bool] = {}
    try:
        reference = check.reference(claim, context)
        found = check.compare(claim, claim.formula, reference)
        if not refuted(found, context):
            twins = attack_twins(claim, check, reference, context)
    except Exception as error:
        found = Evidence(check.method, Verdict.ERROR, detail=f"{type(error).__name__}: {error}")
    return Finding(check.method, found, twins, time.perf_counter() - start)


def attack_twins(claim: Claim, check: Check, reference: Any, context: Context) -> dict[str, bool]:
    """Which wrong twins the check refutes; it is shown those that it has the power to refute.

    A check that compares has it for all. Sampling has it for the claim's own, whose errors are large, from the
    default number of samples on; what it finds of smaller errors is stated by `Evidence.detectable`.
    """
    if not check.compares or claim.expected is Verdict.REFUTED:
        return {}
    twins = dict(wrong_twins(claim))
    if check.noisy:
        del twins[PERCENT]
        if context.estimates.samples < Settings.samples:
            return {}
    return {name: refuted(check.compare(claim, twin, reference), context) for name, twin in twins.items()}


def refuted(found: Evidence | Measurement, context: Context) -> bool:
    if isinstance(found, Measurement):
        return refuted_alone(found, context.false_alarm)
    return found.verdict is Verdict.REFUTED


# Records, for the store.


def as_record(finding: Finding) -> dict[str, Any]:
    found = finding.found
    measured = isinstance(found, Measurement)
    fields = found._asdict() if isinstance(found, Measurement) else {**vars(found), "verdict": found.verdict.value}
    record = {"method": finding.method, "twins": dict(finding.twins), "seconds": finding.seconds}
    return {**record, "measurement" if measured else "evidence": fields}


def from_record(record: Mapping[str, Any]) -> Finding:
    found: Evidence | Measurement
    if "measurement" in record:
        fields = dict(record["measurement"])
        fields.update(z=np.array(fields["z"]), p_values=np.array(fields["p_values"]))
        found = Measurement(**fields | {"vectors": _vectors(fields)})
    else:
        fields = dict(record["evidence"])
        found = Evidence(**fields | {"verdict": Verdict(fields["verdict"]), "vectors": _vectors(fields)})
    return Finding(record["method"], found, record["twins"], record["seconds"])


def _vectors(fields: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(values) for name, values in fields["vectors"].items()}


# In a process of its own.


class Start(NamedTuple):
    """What a process needs to know: the module whose CLAIMS it works on, the settings, and folders or None."""

    where: str
    settings: Settings
    averages: Store | None
    compiled: Path | None


class Task(NamedTuple):
    claim_id: str
    number: int


def serve(start: Start) -> Callable[[Task], Finding]:
    prepare_jax(start.compiled)
    claims = {claim.id: claim for claim in importlib.import_module(start.where).CLAIMS}
    context = start.settings.context(start.averages)

    def carry_out(task: Task) -> Finding:
        claim = claims[task.claim_id]
        return examine(claim, claim.checks[task.number], context)

    return carry_out


def prepare_jax(compiled: Path | None) -> None:
    """64 bit; compiled functions are kept in the folder, if no other place is set."""
    jax.config.update("jax_enable_x64", True)
    if compiled is not None:
        keep_compiled(compiled)


__all__ = ["Finding", "Start", "Task", "as_record", "examine", "from_record", "prepare_jax", "refuted", "serve"]
