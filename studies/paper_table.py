"""Small tables of what `studies.paper_runs` found: `python -m studies.paper_table FOLDER` makes them of its records.

Errors of fits are mean squares of the values at the test points; a factor is that of L2 over that of the other loss,
or of steps to a mean square: the median over seeds of the paired ratios, with its interval of order statistics.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from figures.measures.statistics import Ratio, ratio_of_medians
from figures.networks.published import KINDS
from figures.problems.published_ackley import CELLS, COMPARED
from figures.problems.published_fits import GIVEN_UP, ORDERS, TARGETS
from sobolev_theory.runs import command_lines
from sobolev_theory.runs.atomic_files import replacing

TOLERANCES = (1e-3, 1e-4, 1e-5)
ACKLEY_GROUPS = dict(zip(("ackley-L2", "ackley-H1"), CELLS, strict=True))

MARKS = (0, 500, 1000, 2500, 5000, 10_000, 15_000, 20_000, 25_000)  # steps that are in the table, and the last
FITS = "optimiser,step,loss,network,target,mean_of_runs,median,lower,upper,slopes_median,runs,factor,low,high,seconds"
LADDER = "row,change,loss,network,target,l2_steps,steps,factor,low,high,level,seeds"
COSTS = "part,networks,steps,seconds,milliseconds_of_a_step,microseconds_of_a_network,megabytes"
ACKLEY_LADDER = "row,change,l2_run,run,tolerance,of,factor,low,high,level,seeds"
ACKLEY = "loss,slopes,tolerance,seed_steps,median_steps,runs_that_reached,steps_run,seconds_of_a_step"


class Records(NamedTuple):
    """Of a part of the runs."""

    records: Sequence[np.ndarray]
    seconds: Sequence[float]
    per_call: int

    @property
    def done(self) -> int:
        return self.per_call * (len(self.seconds) - 1)


def read(folder: Path) -> dict[str, Records]:
    """What `paper_runs` has written there, by the names of the parts."""
    found = {}
    for name in (*(f"{stage}-{loss}" for stage in ("adam", "lbfgs") for loss in ORDERS), *ACKLEY_GROUPS):
        if (folder / f"{name}.npz").exists():
            with np.load(folder / f"{name}.npz") as kept:
                found[name] = Records(kept["records"], kept["seconds"], int(kept["per_call"]))
    return found


def write(parts: Mapping, folder: Path, facts: Mapping | None = None) -> list[str]:
    """The tables' files, that of costs too where there are facts; their names."""
    found = tables(parts)
    note = []
    if facts is not None:
        found["paper_costs.csv"] = [COSTS, *_costs(parts, facts)]
        note = [f"# python -m studies.paper_runs: {facts['device']}, jax {facts['jax']}, float32"]
    for name, lines in found.items():
        with replacing(folder / name) as temporary:
            temporary.write_text("\n".join([*note, *lines]) + "\n")
    return list(found)


def _costs(parts: Mapping, facts: Mapping) -> list[str]:
    """Of a step of all networks of a part together; the memory is that of its program, what it is given included."""
    lines = []
    for name, part in parts.items():
        networks = np.asarray(part.records[0]).shape[0]
        milliseconds = 1e3 * part.seconds[-1] / max(part.done, 1)
        numbers = f"{milliseconds:.4g},{1e3 * milliseconds / networks:.4g},{facts[name]['megabytes']:.4g}"
        lines.append(f"{name},{networks},{part.done},{part.seconds[-1]:.4g},{numbers}")
    return lines


def tables(parts: Mapping) -> dict[str, list[str]]:
    """By the file's name, the lines of each table that there is something to say in."""
    runs = [(parts[name], names) for name, names in ACKLEY_GROUPS.items() if name in parts]
    found = {
        "paper_architectures.csv": (FITS, [line for stage in ("adam", "lbfgs") for line in _fits(parts, stage)]),
        "ladder_architectures.csv": (LADDER, _ladder(parts)),
        "paper_ackley.csv": (ACKLEY, [line for part, names in runs for line in _ackley(part, names)]),
        "ladder_ackley.csv": (ACKLEY_LADDER, _ackley_ladder(parts) if len(runs) == len(ACKLEY_GROUPS) else []),
    }
    return {name: [header, *lines] for name, (header, lines) in found.items() if lines}


def errors_of(part) -> np.ndarray:
    """[T, kinds, targets, seeds, 2]; infinite where it is not finite."""
    found = np.stack(list(part.records))
    found = np.where(np.isfinite(found), found, np.inf)
    return found.reshape(len(found), len(KINDS), len(TARGETS), -1, 2)


def _fits(parts: Mapping, stage: str) -> list[str]:
    lines = []
    for loss in ORDERS:
        part, base = parts.get(f"{stage}-{loss}"), parts.get(f"{stage}-L2")
        if part is None:
            continue
        errors, of_l2 = errors_of(part), None if base is None else errors_of(base)
        steps = part.per_call * np.arange(len(errors))
        for row in (i for i, step in enumerate(steps) if step in MARKS or i == len(steps) - 1):
            for k, kind in enumerate(KINDS):
                for t, target in enumerate(TARGETS):
                    now = errors[row, k, t]
                    kept = now[:, 0][now[:, 0] <= GIVEN_UP]
                    numbers = [kept.mean() if len(kept) else np.inf]
                    numbers += [*np.quantile(now[:, 0], (0.5, 0.25, 0.75)), np.median(now[:, 1]), len(kept)]
                    if loss != "L2" and of_l2 is not None and row < len(of_l2):
                        ratio = ratio_of_medians(of_l2[row, k, t, :, 0], now[:, 0])
                        numbers += [ratio.value, ratio.low, ratio.high]
                    else:
                        numbers += ["", "", ""]
                    numbers += [part.seconds[row]]
                    said = [str(x) if isinstance(x, int | str) else f"{x:.4g}" for x in numbers]
                    optimiser = {"adam": "Adam", "lbfgs": "L-BFGS"}[stage]
                    lines.append(",".join([optimiser, str(steps[row]), loss, kind, target, *said]))
    return lines


def _said(ratio: Ratio) -> list[str]:
    return [f"{x:.4g}" for x in (ratio.value, ratio.low, ratio.high, ratio.level)] + [str(ratio.seeds)]


def _ladder(parts: Mapping) -> list[str]:
    """After Adam at equal steps, then in the time of L2, by the last record within it; after as many steps of L-BFGS
    as both have taken."""
    lines = []
    for loss in ("H1", "H2"):
        for stage in ("adam", "lbfgs"):
            if not {f"{stage}-L2", f"{stage}-{loss}"} <= parts.keys():
                continue
            base, part = parts[f"{stage}-L2"], parts[f"{stage}-{loss}"]
            of_l2, of_loss = errors_of(base), errors_of(part)
            last = min(len(of_l2), len(of_loss)) - 1
            in_time = int(np.searchsorted(part.seconds, base.seconds[last], side="right")) - 1
            rows = {"adam": [("0", "the paper's: after Adam", last), ("1", "equal time", in_time)]}
            rows["lbfgs"] = [("2", "then L-BFGS as far as it was run", last)]
            for number, change, other in rows[stage]:
                for k, kind in enumerate(KINDS):
                    for t, target in enumerate(TARGETS):
                        ratio = ratio_of_medians(of_l2[last, k, t, :, 0], of_loss[other, k, t, :, 0])
                        steps = str(last * base.per_call), str(other * part.per_call)
                        lines.append(",".join([number, change, loss, kind, target, *steps, *_said(ratio)]))
    return lines


def _reached(part, names: Sequence[str]) -> np.ndarray:
    """[runs, seeds, tolerances], the step at which each was reached, infinite where it was not."""
    steps = np.asarray(part.records[-1]).reshape(len(names), -1, 1 + len(TOLERANCES))[..., 1:]
    return np.where(steps >= 0, steps, np.inf)


def _ackley(part, names: Sequence[str]) -> list[str]:
    lines = []
    for name, of_run in zip(names, _reached(part, names), strict=True):
        loss, _, slopes = name.partition(" ")
        for tolerance, steps in zip(TOLERANCES, of_run.T, strict=True):
            each = " ".join("-" if np.isinf(step) else str(int(step)) for step in steps)
            arrived = int(np.isfinite(steps).sum())
            row = [loss, slopes or "none", f"{tolerance:g}", each, f"{np.median(steps):g}", arrived]
            lines.append(",".join(map(str, [*row, part.done, f"{part.seconds[-1] / max(part.done, 1):.4g}"])))
    return lines


def _ackley_ladder(parts: Mapping) -> list[str]:
    """Steps of L2 over those of H1: as the paper compares them, at the same points, and there in time."""
    steps = {}
    for part, names in ACKLEY_GROUPS.items():
        for name, of_run in zip(names, _reached(parts[part], names), strict=True):
            steps[name] = of_run
    each = {
        name: parts[part].seconds[-1] / max(parts[part].done, 1) / len(names)
        for part, names in ACKLEY_GROUPS.items()
        for name in names
    }
    lines = []
    for run, base in COMPARED:
        same = base.endswith("equidistant") == (run.endswith("equidistant") or run == "H1 differences")
        for of in ("steps", "seconds") if same else ("steps",):
            number = {("steps", False): "0", ("steps", True): "1", ("seconds", True): "2"}[of, same]
            change = {"0": "the paper's: other points", "1": "same points", "2": "same points and time"}[number]
            for column, tolerance in enumerate(TOLERANCES[:2]):
                cost = each[run] / each[base] if of == "seconds" else 1.0
                ratio = ratio_of_medians(steps[base][:, column] + 1, cost * (steps[run][:, column] + 1))
                lines.append(",".join([number, change, base, run, f"{tolerance:g}", of, *_said(ratio)]))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.paper_table", description="Tables of kept records.")
    parser.add_argument("records", type=Path, metavar="FOLDER", help="where studies.paper_runs wrote")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="(default: %(default)s)")
    request = parser.parse_args(arguments)
    facts = json.loads((request.records / "facts.json").read_text())
    print(f"studies.paper_table: wrote {', '.join(write(read(request.records), request.output, facts))}")
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.paper_table"))
