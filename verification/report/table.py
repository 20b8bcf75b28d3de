"""The results: what was found, in ten lines; every check, as a table; and a JSON file for programs."""

import json
import tempfile
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..claim import Evidence, Result, Verdict
from ..run.fingerprint import versions
from ..run.settings import Settings
from ..store import write_text

SCHEMA = 3
COLOURS = {
    Verdict.PROVED: "green",
    Verdict.CERTIFIED: "green",
    Verdict.SUPPORTED: "green",
    Verdict.OPEN: "yellow",
    Verdict.REFUTED: "yellow",
    Verdict.ERROR: "red",
}
PIPE_WIDTH = 160
LINE = 110  # of the findings


class Cost(NamedTuple):
    """Of a run: its duration, and how many checks were known from earlier runs."""

    seconds: float
    kept: int = 0


def console() -> Console:
    """Standard output; wide and plain in a pipe."""
    on_terminal = Console()
    return on_terminal if on_terminal.is_terminal else Console(width=PIPE_WIDTH, no_color=True)


def show_checks(results: Sequence[Result], to: Console) -> None:
    """One row per check, and the counterexamples of what is refuted as expected."""
    table = Table(box=None, header_style="bold")
    for heading in ("claim", "verdict", "method", "compared", "deviation", "allowed", "finds an error of"):
        table.add_column(
            heading, justify="left" if heading in ("claim", "verdict", "method") else "right", no_wrap=True
        )
    for result in results:
        colour = COLOURS[result.verdict] if result.as_expected else "bold red"
        name, word = result.claim.id, verdict_word(result)
        for evidence in result.evidence:
            table.add_row(name, f"[{colour}]{word}[/]" if word else "", *_cells(evidence))
            name = word = ""
    to.print(table)
    for result in results:
        if result.as_expected:
            _show_reasons(result, to)
    to.print()


def show_findings(
    results: Sequence[Result], settings: Settings, cost: Cost, to: Console, page: Path | None = None
) -> None:
    """What is not as expected, with its reasons; then ten lines: what was found, and where to read more."""
    for result in results:
        if not result.as_expected:
            _show_reasons(result, to)
    refuted = [result.claim.id for result in results if result.verdict is Verdict.REFUTED]
    if refuted:
        to.print(_wrapped(f"Do not hold: {', '.join(refuted)}."), highlight=False)
    shown = [refuted for result in results for e in result.evidence for refuted in e.twins.values()]
    to.print(f"Wrong twins: {sum(shown)} of {len(shown)} attacks refute.", highlight=False)
    to.print(
        f"Sampling: {settings.samples} samples (seed {settings.seed}) per average of effort 1; probability of any "
        f"false alarm at most {settings.false_alarm:g}.",
        highlight=False,
    )
    where = f"All of it, to read: {page}" if page else "All of it, to read: --html FILE.html"
    to.print(f"{where}; as a table: --table.", highlight=False, soft_wrap=True)
    to.print(summary(results, cost), highlight=False, soft_wrap=True)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, LINE, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def _show_reasons(result: Result, to: Console) -> None:
    for evidence in result.evidence:
        if not evidence.verdict.holds:
            to.print(f"\n[bold]{result.claim.id}[/], {evidence.method}: {escape(evidence.detail)}", highlight=False)
    for twin in result.accepted_twins:
        to.print(f"\n[bold red]{result.claim.id}[/]: not refuted: the wrong twin {escape(twin)}", highlight=False)


def verdict_word(result: Result) -> str:
    if result.as_expected:
        return result.verdict.value + ("" if result.verdict.holds else ", as expected")
    return f"{result.verdict.value.upper()}, expected: {result.claim.expected.value}"


def _cells(evidence: Evidence) -> list[str]:
    if evidence.verdict is Verdict.ERROR:
        return [evidence.method, "", "error", "", ""]
    finds = "" if evidence.detectable is None else f"{100 * evidence.detectable:.2g} %"
    unit = {"relative": "", "standard errors": " se", "value": ""}[evidence.unit]
    sign = ">=" if evidence.unit == "value" else "<="
    return [
        evidence.method,
        str(evidence.components),
        f"{evidence.deviation:.2g}{unit}",
        f"{sign} {evidence.allowed:.2g}{unit}",
        finds,
    ]


def summary(results: Sequence[Result], cost: Cost) -> str:
    counts = Counter(result.verdict for result in results)
    parts = [f"{counts[v]} {word}" for v, word in _WORDS.items() if counts[v]]
    wrong = [result.claim.id for result in results if not result.as_expected]
    outcome = f"NOT as expected: {', '.join(wrong)}" if wrong else "all as expected"
    checks = sum(len(result.evidence) for result in results)
    kept = f" ({cost.kept} known from earlier runs)" if cost.kept else ""
    return f"{len(results)} claims, {checks} checks{kept} in {cost.seconds:.0f} s: {', '.join(parts)}; {outcome}."


_WORDS = {**{verdict: verdict.value for verdict in Verdict}, Verdict.ERROR: "in error"}


def as_json(results: Sequence[Result], settings: Settings, cost: Cost) -> dict[str, Any]:
    """What the JSON file holds, as schema.json describes it; `schema` changes when a key changes its meaning."""
    return {
        "schema": SCHEMA,
        "settings": dict(vars(settings)),
        "versions": versions(),
        "seconds": cost.seconds,
        "kept_checks": cost.kept,
        "as_expected": all(result.as_expected for result in results),
        "verdicts": {v.value: sum(result.verdict is v for result in results) for v in Verdict},
        "claims": [_claim(result) for result in results],
    }


def _claim(result: Result) -> dict[str, Any]:
    claim = result.claim
    return {
        "id": claim.id,
        "statement": claim.statement.latex,
        "source": claim.source,
        "assumptions": claim.domain.assumptions,
        "verdict": result.verdict.value,
        "expected": claim.expected.value,
        "as_expected": result.as_expected,
        "wrong_twins": sorted(claim.wrong_twins),
        "evidence": [_evidence(evidence) for evidence in result.evidence],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    vectors = {name: list(values) for name, values in evidence.vectors.items()}
    record = {**vars(evidence), "verdict": evidence.verdict.value, "vectors": vectors, "twins": dict(evidence.twins)}
    infinite = {key for key, value in record.items() if isinstance(value, float) and value - value != 0}
    return {key: None if key in infinite else value for key, value in record.items()}  # JSON has no infinity


def write(path: Path, record: dict[str, Any]) -> None:
    """The file appears whole or not at all."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def check_writable(option: str, path: Path) -> None:
    """Raise ValueError unless `write` to this path would work: found out before the work, not after it."""
    if path.is_dir():
        raise ValueError(f"{option}: got {path}, a folder; needs the name of a file")
    if not path.parent.is_dir():
        raise ValueError(f"{option}: got {path}; needs an existing folder, and {path.parent} is none")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise ValueError(f"{option}: got {path}; needs a folder one may write to: {error.strerror}") from error
