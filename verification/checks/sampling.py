"""Monte Carlo against a formula, by a sequential test whose error probabilities are fixed before anything is drawn.

The test looks at 1/64, 1/8 and all of the samples and may refute at each look; a formula that survives the last look
is supported. The false-alarm probability alpha of the whole run is spent over the looks, SPENDING of it at each.

* At an early look a comparison decides for itself, at the level alpha_k / SLOTS: Bonferroni over the SLOTS
  comparisons that a run may have at most. Half of that goes to its components (a t-statistic each, Bonferroni), half
  to one Hotelling T^2.
* At the last look all comparisons are judged together: half of alpha_K goes to single components, by Holm's
  correction over those of the whole run, half to the T^2, by Holm over comparisons. A comparison that was refuted
  early counts there with p = 1.

Proof that no true formula of the run is refuted but with probability alpha. At look k < K, each true comparison is
refuted with probability at most alpha_k / SLOTS whatever was seen before, so some is with probability at most
alpha_k. At look K, Holm's procedure rejects a true hypothesis only if the smallest p-value of the m_0 true ones is at
most level / m_0, of probability at most the level, and a p-value replaced by 1 is not rejected; two levels
alpha_K / 2 make alpha_K. The alpha_k add up to alpha. Nothing here needs independence: looks share samples, and so do
claims. The p-values are exact for normal group means, which are averages of 256 samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from ..claim import Claim, Evidence, Formula, Point, Verdict
from .check import Check, Context, describe, observe_value
from .counterexamples import counterexample, this_check, vectors
from .estimates import FRACTIONS, Average, Request

POWER = 0.99
ROUNDING = 1e-10  # of a component without variance, relative to the largest reference value
LOOKS = len(FRACTIONS)
SPENDING = (0.1, 0.1, 0.8)  # of the false-alarm probability, at the looks
SLOTS = 256  # comparisons by sampling that a run may have


class Sample(NamedTuple):
    """What was measured at one point: a vector with the covariance of its error."""

    point: Point
    mean: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    groups: int
    samples: int = 0


class Measurement(NamedTuple):
    """The statistics of one comparison at the look where it ended, before any correction.

    `z` are deviations in standard errors; `relative_error` is the standard error of a common factor of the formula's
    value, the unit of what could be detected; `best_component` the same for the best single component.
    """

    z: Float[np.ndarray, " n"]
    p_values: Float[np.ndarray, " n"]
    omnibus: float
    rank: int
    groups: int
    relative_error: float
    best_component: float
    detail: str
    look: int = LOOKS - 1
    samples: int = 0
    counterexample: str = ""
    vectors: dict[str, tuple[float, ...]] = {}  # noqa: RUF012 - immutable by convention of NamedTuple


class Stream:
    """The samples of a check at each look, drawn when first asked for, and the false-alarm probability of the run."""

    def __init__(self, at_look: Callable[[int], Sample], alpha: float):
        self.alpha = alpha
        self._at_look = at_look
        self._known: dict[int, Sample] = {}

    def at(self, look: int) -> Sample:
        if look not in self._known:
            self._known[look] = self._at_look(look)
        return self._known[look]


@dataclass(frozen=True)
class Sampled(Check):
    """Compare with a function of Monte-Carlo averages.

    Attributes:
        requests: the averages needed at a point.
        read: the quantity from their means, each in the structure of its estimator's result. May be nonlinear:
            its error is propagated by its derivative, exact for linear functions.
        observe: what is compared with it; by default the formula's value.
    """

    method: ClassVar[str] = "sampling"
    noisy: ClassVar[bool] = True

    requests: Callable[[Point], Sequence[Request]]
    read: Callable[..., Float[np.ndarray, "..."]]
    observe: Callable[[Formula, Point], Float[np.ndarray, "..."]] = observe_value

    def reference(self, claim: Claim, context: Context) -> Stream:
        point = claim.domain.draw_for_sampling(context.generator(claim.domain.assumptions))
        requests = self.requests(point)

        def at_look(look: int) -> Sample:
            averages = [context.estimates(request, look) for request in requests]
            return propagate(point, averages, lambda *means: np.ravel(self.read(point, *means)))

        return Stream(at_look, context.false_alarm)

    def compare(self, claim: Claim, formula: Formula, reference: Stream) -> Measurement:
        """The measurement at the first look that refutes the formula, or at the last."""
        point = reference.at(0).point
        observed = np.ravel(self.observe(formula, point))
        for look in range(LOOKS):
            sample = reference.at(look)
            found = measure(sample, observed)._replace(look=look)
            if refuted_alone(found, reference.alpha):
                break
        return found._replace(counterexample=self._counterexample(claim, sample), vectors=vectors(point))

    def _counterexample(self, claim: Claim, sample: Sample) -> str:
        """Sampling is not repeated by hand: its mean is given."""
        error = np.max(np.sqrt(np.diag(sample.covariance)))
        how = f"mean of {sample.samples} samples; standard error up to {error:.2g}"
        observed = f"jnp.ravel({this_check(claim, self)}.observe(claim.formula, point))"
        return counterexample(claim, sample.point, sample.mean, how, observed)


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
    groups, samples = min(average.groups for average in averages), max(average.samples for average in averages)
    return Sample(point, centre, covariance, groups, samples)


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
        samples=sample.samples,
    )


def holm(p_values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Holm's adjusted p-values: reject where <= alpha, and the family-wise error is at most alpha."""
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def refuted_alone(m: Measurement, alpha: float) -> bool:
    """Whether this comparison is refuted at its look at a level that it shares with nobody: Bonferroni over SLOTS."""
    return _alone(m) <= alpha


def _alone(m: Measurement) -> float:
    """The p-value of one comparison, corrected for its two tests, its components, its look and SLOTS; not capped."""
    smallest = min(m.p_values.size * float(np.min(m.p_values)), m.omnibus)
    return 2 * smallest * SLOTS / SPENDING[m.look]


def judge(measurements: Sequence[Measurement], alpha: float) -> list[Evidence]:
    """The evidence of all comparisons of a run, with false-alarm probability alpha in all.

    Raises:
        ValueError: more comparisons than SLOTS, for which the early looks were corrected.
    """
    if len(measurements) > SLOTS:
        raise ValueError(f"measurements: got {len(measurements)}; needs at most SLOTS = {SLOTS}")
    if not measurements:
        return []
    ended = [m.look == LOOKS - 1 for m in measurements]
    pairs = list(zip(measurements, ended, strict=True))
    components = holm(np.concatenate([m.p_values if last else np.ones_like(m.p_values) for m, last in pairs]))
    omnibus = holm(np.array([m.omnibus if last else 1.0 for m, last in pairs]))
    ends = np.cumsum([m.p_values.size for m in measurements])
    evidence = []
    for (m, last), overall, part in zip(pairs, omnibus, np.split(components, ends[:-1]), strict=True):
        together = min(1.0, 2 * min(float(np.min(part)), float(overall)) / SPENDING[-1])
        p_value = together if last else min(1.0, _alone(m))
        holds = p_value > alpha
        share = alpha * SPENDING[m.look] / (components.size if last else SLOTS * m.p_values.size)
        evidence.append(
            Evidence(
                Sampled.method,
                Verdict.SUPPORTED if holds else Verdict.REFUTED,
                points=1,
                components=m.p_values.size,
                deviation=float(np.max(np.abs(m.z))),
                allowed=float(stats.t.isf(share / 4, m.groups - 1)),
                unit="standard errors",
                p_value=p_value,
                detectable=detectable(m, alpha, components.size, len(measurements)),
                detail="" if holds else m.detail,
                samples=m.samples,
                counterexample="" if holds else m.counterexample,
                vectors={} if holds else m.vectors,
            )
        )
    return evidence


def detectable(m: Measurement, alpha: float, components: int, claims: int) -> float:
    """The smallest relative error of the whole formula that the last look finds with probability POWER.

    A factor 1 + x moves the best component by x / best_component standard errors, and T^2 to a noncentral law with
    parameter (x / relative_error)^2. Whichever test needs less counts; the earlier looks only add power.
    """
    alpha = alpha * SPENDING[-1]
    critical = stats.t.isf(alpha / 4 / components, m.groups - 1) + stats.norm.isf(1 - POWER)
    threshold = stats.f.isf(alpha / 2 / claims, m.rank, m.groups - m.rank)
    dof = (m.rank, m.groups - m.rank)

    def shortfall(shift: float) -> float:
        return float(stats.ncf.sf(threshold, *dof, shift**2)) - POWER

    upper = 2 * np.sqrt(threshold * m.rank) + 20
    shift = optimize.brentq(shortfall, 1e-3, upper, xtol=1e-3)
    return float(min(critical * m.best_component, shift * m.relative_error))
