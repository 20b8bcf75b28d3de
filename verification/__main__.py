"""python -m verification: which statements hold, which do not, by which method and with what margin.

Exit status: 0 if every verdict is the expected one and every wrong twin is refuted, 1 if not, 2 for bad input, 130
after an interruption.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from sobolev_theory.runs import command_lines, user_caches
from sobolev_theory.runs.progress import bars

from .checks.estimates import SMALLEST
from .claim import Claim
from .claims import CLAIMS
from .report import table as report
from .report.page import page
from .run.carry_out import DEEP, QUICK, Outcome, Settings, folders, run

NAME = "python -m verification"
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, report; the exit status."""
    try:
        options = parser().parse_args(arguments)
        claims, settings, jobs = chosen(options.claims), settings_of(options), jobs_of(options)
        if options.list:
            for claim in claims:
                print(f"{claim.id}  {claim.expected.value}  {claim.source}")
            print(f"{len(claims)} claims.")
            return 0
        for name, path in (("--output", options.output), ("--html", options.html)):
            if path is not None:
                report.check_writable(name, path)
    except ValueError as error:
        command_lines.complain(f"{NAME}: {error}")
        return 2
    keep = folders(options.cache)
    start = time.perf_counter()
    done: list[Outcome] = []
    try:
        with bars() as bar, bar("checks", total=sum(len(claim.checks) for claim in claims)) as advance:

            def note(outcome: Outcome) -> None:
                done.append(outcome)
                advance(len(done), outcome.claim.id)

            results = run(claims, settings, note, jobs=jobs, keep=keep, fresh=options.fresh)
    except KeyboardInterrupt:
        goes_on = (
            "are kept, and the same command goes on from there" if keep else "are lost: no folder to keep them in"
        )
        command_lines.complain(f"Interrupted: {len(done)} checks {goes_on}.")
        return INTERRUPTED
    took = report.Cost(time.perf_counter() - start, sum(outcome.kept for outcome in done))
    record = report.as_json(results, settings, took)
    if options.output is not None:
        report.write(options.output, record)
    if options.html is not None:
        report.write_text(options.html, page(record))
    console = report.console()
    if options.table or options.claims:
        report.show_checks(results, console)
    report.show_findings(results, settings, took, console, options.html)
    return 0 if all(result.as_expected for result in results) else 1


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        """As every other bad input: one message, no usage in front of it."""
        raise ValueError(message)


def parser() -> argparse.ArgumentParser:
    p = Parser(prog=NAME, description="Check the paper's formulas, each by independent methods.")
    p.add_argument("claims", nargs="*", metavar="CLAIM", help="names or patterns such as 'pair/*'; default: all")
    p.add_argument("--list", action="store_true", help="print the names of the claims and stop")
    p.add_argument("--table", action="store_true", help="print every check; so it is done where claims are named")
    p.add_argument("--samples", help=f"per Monte-Carlo average, at least {SMALLEST}; default {Settings.samples}")
    p.add_argument("--seed", default="0", help="of all random points and samples; default 0")
    p.add_argument("--output", type=Path, metavar="FILE.json", help="write the results there")
    p.add_argument("--html", type=Path, metavar="FILE.html", help="write a page of its own for reading there")
    effort = p.add_mutually_exclusive_group()
    effort.add_argument(
        "--quick", action="store_true", help=f"{QUICK.samples} samples, {QUICK.points} points per check"
    )
    effort.add_argument(
        "--deep",
        action="store_true",
        help=f"{DEEP.samples} samples, {DEEP.points} points, more precision, larger boxes",
    )
    p.add_argument("--jobs", help="processes; default: one per core; 1 works in this process")
    p.add_argument("--fresh", action="store_true", help="carry out every check, also where its result is kept")
    p.add_argument(
        "--cache",
        type=Path,
        default=user_caches.folder("verification"),
        metavar="FOLDER",
        help="where results are kept, by a fingerprint of all they depend on; default %(default)s",
    )
    return p


def chosen(patterns: Sequence[str]) -> list[Claim]:
    """The claims that match any pattern, in the order of the report; every pattern must match one."""
    for pattern in patterns:
        if not any(fnmatchcase(claim.id, pattern) for claim in CLAIMS):
            known = "\n  ".join(claim.id for claim in CLAIMS)
            raise ValueError(f"CLAIM: got {pattern!r}, which matches none; needs one of\n  {known}")
    return [c for c in CLAIMS if not patterns or any(fnmatchcase(c.id, pattern) for pattern in patterns)]


def settings_of(options: argparse.Namespace) -> Settings:
    base = QUICK if options.quick else DEEP if options.deep else Settings()
    samples = base.samples if options.samples is None else whole("--samples", options.samples, SMALLEST)
    return replace(base, samples=samples, seed=whole("--seed", options.seed, 0, 2**32 - 1))


def jobs_of(options: argparse.Namespace) -> int:
    return cores() if options.jobs is None else whole("--jobs", options.jobs, 1)


def whole(name: str, text: str, least: int, most: int | None = None) -> int:
    needs = f"a whole number >= {least}" if most is None else f"a whole number from {least} to {most}"
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{name}: got {text!r}; needs {needs}") from None
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name}: got {value}; needs {needs}")
    return value


def cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(command_lines.run(main, NAME))
