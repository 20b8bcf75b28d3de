"""Small tables of what `studies.paper_runs` found: means of runs, quartiles, factors and intervals."""

from collections.abc import Mapping, Sequence

import numpy as np

from figures.measures.statistics import ratio_of_medians
from figures.problems.published_fits import GIVEN_UP

MARKS = (0, 500, 1000, 2500, 5000, 10_000, 15_000, 20_000, 25_000)  # steps that are in the table, and the last
FITS = "optimiser,step,loss,network,target,mean_of_runs,median,lower,upper,slopes_median,runs,factor,low,high,seconds"
ACKLEY = "loss,slopes,tolerance,seed_steps,median_steps,runs_that_reached,steps_run,seconds_of_a_step"


def tables(
    parts: Mapping,
    kinds: Sequence[str],
    targets: Sequence[str],
    seeds: int,
    groups: Mapping[str, Sequence[str]],
    tolerances: Sequence[float],
) -> dict[str, list[str]]:
    """By the file's name, the lines of each table that there is something to say in.

    Errors of fits are mean squares of the values at the test points; a factor is the error of L2 over that of the
    loss, the median over seeds of the paired ratios, with its 95 per cent interval of order statistics.
    """
    found = {}
    fits = [line for stage in ("adam", "lbfgs") for line in _fits(parts, stage, kinds, targets, seeds)]
    if fits:
        found["paper_architectures.csv"] = [FITS, *fits]
    runs = [
        line for name, names in groups.items() if name in parts for line in _ackley(parts[name], names, tolerances)
    ]
    if runs:
        found["paper_ackley.csv"] = [ACKLEY, *runs]
    return found


def _fits(parts: Mapping, stage: str, kinds, targets, seeds: int) -> list[str]:
    lines = []
    for loss in ("L2", "H1", "H2"):
        part, base = parts.get(f"{stage}-{loss}"), parts.get(f"{stage}-L2")
        if part is None:
            continue
        shape = (len(part.records), len(kinds), len(targets), seeds, 2)
        errors = np.stack(part.records).reshape(shape)
        errors = np.where(np.isfinite(errors), errors, np.inf)
        steps = part.per_call * np.arange(len(errors))
        for row in (i for i, step in enumerate(steps) if step in MARKS or i == len(steps) - 1):
            for k, kind in enumerate(kinds):
                for t, target in enumerate(targets):
                    now = errors[row, k, t]
                    kept = now[:, 0][now[:, 0] <= GIVEN_UP]
                    numbers = [kept.mean() if len(kept) else np.inf]
                    numbers += [*np.quantile(now[:, 0], (0.5, 0.25, 0.75)), np.median(now[:, 1]), len(kept)]
                    if loss != "L2" and base is not None and row < len(base.records):
                        of_l2 = np.reshape(base.records[row], shape[1:])[k, t, :, 0]
                        ratio = ratio_of_medians(np.where(np.isfinite(of_l2), of_l2, np.inf), now[:, 0])
                        numbers += [ratio.value, ratio.low, ratio.high]
                    else:
                        numbers += ["", "", ""]
                    numbers += [part.seconds[row]]
                    said = [str(x) if isinstance(x, int | str) else f"{x:.4g}" for x in numbers]
                    optimiser = {"adam": "Adam", "lbfgs": "L-BFGS"}[stage]
                    lines.append(",".join([optimiser, str(steps[row]), loss, kind, target, *said]))
    return lines


def _ackley(part, names: Sequence[str], tolerances: Sequence[float]) -> list[str]:
    last = np.asarray(part.records[-1]).reshape(len(names), -1, 1 + len(tolerances))
    lines = []
    for name, of_run in zip(names, last, strict=True):
        loss, _, slopes = name.partition(" ")
        for column, tolerance in enumerate(tolerances, start=1):
            steps = of_run[:, column]
            arrived = np.where(steps >= 0, steps, np.inf)
            each = " ".join("-" if step < 0 else str(int(step)) for step in steps)
            row = [loss, slopes or "none", f"{tolerance:g}", each, f"{np.median(arrived):g}", int((steps >= 0).sum())]
            lines.append(",".join(map(str, [*row, part.done, f"{part.seconds[-1] / max(part.done, 1):.4g}"])))
    return lines
