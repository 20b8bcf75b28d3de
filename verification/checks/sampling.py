"""Monte Carlo against a formula, by tests whose false-alarm probability is fixed before anything is drawn.

Half of the family-wise error goes to single components: a t-statistic each, Holm's correction over all components
of the run. Half goes to one Hotelling T^2 per claim, corrected by Holm over the claims. Holm's correction needs no
independence, so claims may share samples. Group means are independent and nearly normal; covariances come from them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from ..claim import Claim, Evidence, Formula, Point, Verdict
from .check import Context, describe, observe_value
from .estimates import Average, Request

POWER = 0.99
ROUNDING = 1e-10  # of a component without variance, relative to the largest reference value


class Sample(NamedTuple):
    """What was measured at one point: a vector with the covariance of its error."""

    point: Point
    mean: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    groups: int


class Measurement(NamedTuple):
    """The statistics of one comparison, before any correction.

    `z` are deviations in standard errors; `relative_error` is the standard error of a common factor of the formula's
    value, the unit of what could be detected; `smallest_component` the same for the best single component.
    """

    z: Float[np.ndarray, " n"]
    p_values: Float[np.ndarray, " n"]
    omnibus: float
    rank: int
    groups: int
    relative_error: float
    best_component: float
    detail: str


@dataclass(frozen=True)
class Sampled:
    """Compare with a function of Monte-Carlo averages.

    Attributes:
        requests: the averages needed at a point.
        read: the quantity from their means, each in the structure of its estimator's result. May be nonlinear:
            its error is propagated by its derivative, exact for linear functions.
        observe: what is compared with it; by default the formula's value.
    """

    method: ClassVar[str] = "sampling"
    compares: ClassVar[bool] = True

    requests: Callable[[Point], Sequence[Request]]
    read: Callable[..., Float[np.ndarray, "..."]]
    observe: Callable[[Formula, Point], Float[np.ndarray, "..."]] = observe_value

    def reference(self, claim: Claim, context: Context) -> Sample:
        point = claim.domain.draw_for_sampling(context.generator(claim.domain.assumptions))
        averages = [context.estimates(request) for request in self.requests(point)]
        return propagate(point, averages, lambda *means: np.ravel(self.read(point, *means)))

    def compare(self, claim: Claim, formula: Formula, reference: Sample) -> Measurement:
        return measure(reference, np.ravel(self.observe(formula, reference.point)))


def propagate(point: Point, averages: Sequence[Average], read: Callable[..., Float[np.ndarray, " n"]]) -> Sample:
    """read(means) and its covariance, by central differences with steps of a standard error."""
    means = [average.mean for average in averages]

    def value(k: int, moved):
        changed = [*means[:k], moved, *means[k + 1 :]]
        return read(*(average.unravel(mean) for average, mean in zip(averages, changed, strict=True)))

    centre = value(0, means[0])
    covariance = np.zeros((centre.size, centre.size))
    for k, average in enumerate(averages):
        steps = np.sqrt(np.diag(average.covariance))
        slopes = np.zeros((centre.size, steps.size))
        for i in np.flatnonzero(steps > 0):
            shift = np.zeros_like(steps)
            shift[i] = steps[i]
            slopes[:, i] = (value(k, means[k] + shift) - value(k, means[k] - shift)) / (2 * steps[i])
        covariance += slopes @ average.covariance @ slopes.T
    return Sample(point, centre, covariance, min(average.groups for average in averages))


def measure(sample: Sample, observed: Float[np.ndarray, " n"]) -> Measurement:
    """t-statistics of the components and Hotelling's T^2, of observed - mean.

    Directions without variance (entries that vanish identically, symmetric entries) are left out of T^2, and must
    agree to rounding.
    """
    if observed.shape != sample.mean.shape:
        raise ValueError(f"formula: got {observed.size} components; sampling has {sample.mean.size}")
    if not np.all(np.isfinite(sample.mean)) or not np.all(np.isfinite(sample.covariance)):
        raise ValueError("sampling: got averages that are not finite")
    gap = observed - sample.mean
    se = np.sqrt(np.diag(sample.covariance))
    scale = float(np.max(np.abs(sample.mean)))
    live = se > ROUNDING * scale
    if not np.any(live):
        raise ValueError("sampling: got averages without any variance; needs noise to judge by")
    z = np.where(live, gap / np.where(live, se, 1.0), np.where(np.abs(gap) <= ROUNDING * scale, 0.0, np.inf))
    z = np.where(np.isnan(z), np.inf, z)

    unit = np.outer(se[live], se[live])
    spectrum, axes = np.linalg.eigh(sample.covariance[np.ix_(live, live)] / unit)
    kept = spectrum > 1e-8 * spectrum[-1]
    whiten = axes[:, kept] / np.sqrt(spectrum[kept])
    finite = np.where(np.isfinite(z), z, 0.0)[live]  # infinite deviations are refuted below
    along, flat = finite @ whiten, finite @ axes[:, ~kept]
    rank, n = int(np.sum(kept)), sample.groups
    if n <= rank + 1:
        raise ValueError(f"sampling: got {n} group means for {rank} components; needs more samples")
    degenerate = bool(np.any(np.abs(flat) > 1e-3)) or not np.all(np.isfinite(z))
    t2 = np.inf if degenerate else float(along @ along)
    # Under the formula, T^2 (n - D) / (D (n - 1)) has the F-distribution with D and n - D degrees of freedom.
    omnibus = float(stats.f.sf(t2 * (n - rank) / (rank * (n - 1)), rank, n - rank)) if np.isfinite(t2) else 0.0

    with np.errstate(divide="ignore"):
        relative = se[live] / np.abs(sample.mean[live])
        direction = (sample.mean[live] / se[live]) @ whiten
        relative_error = float(1 / np.linalg.norm(direction))
    worst = int(np.argmax(np.abs(z)))
    detail = (
        f"at {describe(sample.point)}: component {worst} is {observed[worst]:.6g}, sampling {sample.mean[worst]:.6g}"
    )
    return Measurement(
        z,
        2 * stats.t.sf(np.abs(z), n - 1),
        omnibus,
        rank,
        n,
        relative_error,
        float(np.min(relative)),
        f"{detail} +- {se[worst]:.2g}",
    )


def holm(p_values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Holm's adjusted p-values: reject where <= alpha, and the family-wise error is at most alpha."""
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def judge(measurements: Sequence[Measurement], alpha: float) -> list[Evidence]:
    """The evidence of all comparisons of a run, with family-wise false-alarm probability alpha in all."""
    if not measurements:
        return []
    components = holm(np.concatenate([m.p_values for m in measurements]))
    omnibus = holm(np.array([m.omnibus for m in measurements]))
    ends = np.cumsum([m.p_values.size for m in measurements])
    evidence = []
    for m, overall, part in zip(measurements, omnibus, np.split(components, ends[:-1]), strict=True):
        p_value = min(1.0, 2 * min(float(np.min(part)), float(overall)))  # alpha/2 each
        holds = p_value > alpha
        evidence.append(
            Evidence(
                Sampled.method,
                Verdict.SUPPORTED if holds else Verdict.REFUTED,
                points=1,
                components=m.p_values.size,
                deviation=float(np.max(np.abs(m.z))),
                allowed=float(stats.t.isf(alpha / 4 / components.size, m.groups - 1)),
                unit="standard errors",
                p_value=p_value,
                detectable=detectable(m, alpha, components.size, len(measurements)),
                detail="" if holds else m.detail,
            )
        )
    return evidence


def detectable(m: Measurement, alpha: float, components: int, claims: int) -> float:
    """The smallest relative error of the whole formula that this comparison finds with probability POWER.

    A factor 1 + x moves the best component by x / best_component standard errors, and T^2 to a noncentral law with
    parameter (x / relative_error)^2. Whichever test needs less counts.
    """
    critical = stats.t.isf(alpha / 4 / components, m.groups - 1) + stats.norm.isf(1 - POWER)
    threshold = stats.f.isf(alpha / 2 / claims, m.rank, m.groups - m.rank)
    dof = (m.rank, m.groups - m.rank)

    def shortfall(shift: float) -> float:
        return float(stats.ncf.sf(threshold, *dof, shift**2)) - POWER

    upper = 2 * np.sqrt(threshold * m.rank) + 20
    shift = optimize.brentq(shortfall, 1e-3, upper, xtol=1e-3)
    return float(min(critical * m.best_component, shift * m.relative_error))
