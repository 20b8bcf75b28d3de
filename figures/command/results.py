"""What was measured of the paper's statements: a row for each experiment, with numbers of the tables in studies/."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..measures.statistics import Ratio, verdict

STUDIES = Path(__file__).parents[2] / "studies"
NOT_RUN = "not run"
NONE_PUBLISHED = "none that we know"
Rows = list[dict[str, str]]


class Result(NamedTuple):
    """Of one experiment.

    Attributes:
        experiment: the name of its figure.
        published: what came out in the setting of the public code.
        clean: the same without what else that comparison changes.
        sentence: what that says.
    """

    experiment: str
    published: str
    clean: str
    sentence: str


def results(folder: Path = STUDIES) -> list[Result]:
    """Of every experiment; what a table is lacking for was not run."""
    return [Result(name, *of(folder)) for name, of in EXPERIMENTS.items()]


def _read(folder: Path, name: str, **chosen: str) -> Rows:
    """The rows of a table with these entries; none where there is no table."""
    path = folder / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    return [row for row in csv.DictReader(lines) if chosen.items() <= row.items()]


def _ratio(row: dict[str, str]) -> Ratio:
    return Ratio(float(row["factor"]), float(row["low"]), float(row["high"]), float(row["level"]), int(row["seeds"]))


def _counted(rows: Rows) -> str:
    if not rows:
        return NOT_RUN
    said = [verdict(_ratio(row)) for row in rows]
    lower, higher = said.count("supported"), said.count("not supported, the opposite is seen")
    return f"lower in {lower} of {len(rows)} fits, higher in {higher}"


def _factor(rows: Rows) -> str:
    return str(_ratio(rows[0])) if rows else NOT_RUN


def _architectures(folder: Path) -> tuple[str, str, str]:
    def at(row: str, loss: str) -> str:
        return _counted(_read(folder, "ladder_architectures", row=row, loss=loss))

    published = f"20 seeds, after Adam's 25,000 steps: error of H1 {at('0', 'H1')}; of H2 {at('0', 'H2')}"
    cost = {row["part"]: float(row["milliseconds_of_a_step"]) for row in _read(folder, "paper_costs")}
    if {"adam-L2", "adam-H1"} <= cost.keys():
        published += f"; a step of H1 takes {cost['adam-H1'] / cost['adam-L2']:.2g} times as long"
    best = _counted(_read(folder, "ladder_fits", row="1"))
    clean = (
        f"in the time of L2 there: H1 {at('1', 'H1')}; small, 1,000 steps, 5 seeds, each loss at its own best rate: "
        f"H1 {best}"
    )
    sentence = (
        "At the public rate H1 is slower at first, faster at the end: whether steps or seconds are counted decides. "
        "H2 is worse than L2 in most fits."
    )
    return published, clean, sentence


def _derivatives(folder: Path) -> tuple[str, str, str]:
    def steps(row: str, run: str, base: str) -> str:
        return _factor(_read(folder, "ladder_ackley", row=row, run=run, l2_run=base, tolerance="0.0001"))

    published = (
        f"steps to 1e-4, L2 over H1: Chebyshev slopes {steps('1', 'H1 Chebyshev', 'L2')}; differences, at other "
        f"points than L2, {steps('0', 'H1 differences', 'L2')}"
    )
    clean = (
        f"differences at the same points {steps('1', 'H1 differences', 'L2 equidistant')}, and in time "
        f"{steps('2', 'H1 differences', 'L2 equidistant')}"
    )
    return (
        published,
        clean,
        "Slopes by differences serve as exact ones down to 1e-4, and the points that differ are little of the "
        "factor; with so few seeds no interval has 95 per cent.",
    )


def _images(name: str, published: str, sentence: str) -> Callable[[Path], tuple[str, str, str]]:
    def of(folder: Path) -> tuple[str, str, str]:
        rows = _read(folder, f"ladder_{name}")
        if not rows:
            return NOT_RUN, NOT_RUN, sentence
        clean = [f"{row['change']}: {_ratio(row)}" for row in rows[1:]]
        return f"{published} {_ratio(rows[0])}", "; ".join(clean), sentence

    return of


def _unrun(published: str, sentence: str) -> Callable[[Path], tuple[str, str, str]]:
    return lambda folder: (published, NOT_RUN, sentence)


EXPERIMENTS: dict[str, Callable[[Path], tuple[str, str, str]]] = {
    "architectures": _architectures,
    "numerical_derivatives": _derivatives,
    "denoising": _images(
        "denoising",
        "on 8 x 8 digits in place of MNIST: test error of L2 over that of its H^1",
        "On these digits most of the effect is that of slopes: it stays where the frequencies have signs.",
    ),
    "diffusion": _images(
        "diffusion",
        "small U-Net on 8 x 8 digits in place of CelebA-HQ: denoising error of its L2 over that of its H^1",
        "The paper's comparison changes the weight of time and the power of the error besides the slopes: the weight "
        "of time is nearly all of it, a few per cent are left to the slopes.",
    ),
    "resnet_autoencoder": _unrun(NOT_RUN, "Its pictures were not at hand."),
    "high_dimension": _unrun(NONE_PUBLISHED, "`--full` is a larger setting of ours."),
    "value_functions": _unrun(NONE_PUBLISHED, "`--full` is a larger setting of ours."),
}


def lines(names: Sequence[str]) -> list[str]:
    """For the list of figures, of the experiments among the names."""
    return [
        f"{result.experiment}. In the public code's setting: {result.published}. "
        f"Clean comparison: {result.clean}. {result.sentence}"
        for result in results()
        if result.experiment in names
    ]
