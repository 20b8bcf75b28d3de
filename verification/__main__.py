"""python -m verification: which statements hold, which do not, by which method and with what margin.

Exit status: 0 if every verdict is the expected one, 1 if not, 2 for bad input.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import jax
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import report
from .checks.estimates import SMALLEST
from .claim import Claim, Result
from .claims import CLAIMS
from .run import Outcome, Settings, run

QUICK = Settings(samples=2**18, points=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, report; the exit status."""
    try:
        options = parser().parse_args(arguments)
        claims, settings = chosen(options.claims), settings_of(options)
        if options.list:
            for claim in claims:
                print(f"{claim.id}  {claim.expected.value}  {claim.source}")
            print(f"{len(claims)} claims.")
            return 0
        if options.output is not None:
            report.check_writable(options.output)
    except ValueError as error:
        print(f"python -m verification: {error}", file=sys.stderr)
        return 2
    jax.config.update("jax_enable_x64", True)
    start = time.perf_counter()
    results = run_with_progress(claims, settings)
    seconds = time.perf_counter() - start
    if options.output is not None:
        report.write(options.output, report.as_json(results, settings, seconds))
    report.show(results, settings, seconds, report.console())
    return 0 if all(result.as_expected for result in results) else 1


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        """As every other bad input: one message, no usage in front of it."""
        raise ValueError(message)


def parser() -> argparse.ArgumentParser:
    p = Parser(prog="python -m verification", description="Check the paper's formulas, each by independent methods.")
    p.add_argument("claims", nargs="*", metavar="CLAIM", help="names or patterns such as 'pair/*'; default: all")
    p.add_argument("--list", action="store_true", help="print the names of the claims and stop")
    p.add_argument("--samples", help=f"per Monte-Carlo average, at least {SMALLEST}; default {Settings.samples}")
    p.add_argument("--seed", default="0", help="of all random points and samples; default 0")
    p.add_argument("--output", type=Path, metavar="FILE.json", help="write the results there")
    p.add_argument(
        "--quick", action="store_true", help=f"{QUICK.samples} samples and {QUICK.points} points per check"
    )
    p.add_argument("--jobs", default=str(Settings.jobs), help=f"threads; default {Settings.jobs}")
    return p


def chosen(patterns: Sequence[str]) -> list[Claim]:
    """The claims that match any pattern, in the order of the report; every pattern must match one."""
    for pattern in patterns:
        if not any(fnmatchcase(claim.id, pattern) for claim in CLAIMS):
            known = "\n  ".join(claim.id for claim in CLAIMS)
            raise ValueError(f"CLAIM: got {pattern!r}, which matches none; needs one of\n  {known}")
    return [c for c in CLAIMS if not patterns or any(fnmatchcase(c.id, pattern) for pattern in patterns)]


def settings_of(options: argparse.Namespace) -> Settings:
    base = QUICK if options.quick else Settings()
    samples = base.samples if options.samples is None else whole("--samples", options.samples, SMALLEST)
    return Settings(
        samples, whole("--seed", options.seed, 0, 2**32 - 1), base.points, jobs=whole("--jobs", options.jobs, 1)
    )


def whole(name: str, text: str, least: int, most: int | None = None) -> int:
    needs = f"a whole number >= {least}" if most is None else f"a whole number from {least} to {most}"
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{name}: got {text!r}; needs {needs}") from None
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name}: got {value}; needs {needs}")
    return value


def run_with_progress(claims: Sequence[Claim], settings: Settings) -> list[Result]:
    """A bar on standard error if that is a terminal, and not under CI."""
    hidden = not sys.stderr.isatty() or bool(os.environ.get("CI"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden) as progress:
        task = progress.add_task("checks", total=sum(len(claim.checks) for claim in claims))

        def advance(outcome: Outcome) -> None:
            progress.update(task, advance=1, description=outcome.claim.id)

        return run(claims, settings, advance)


if __name__ == "__main__":
    sys.exit(main())
