"""Every claim gets its verdict, and every method of a claim refutes each of the claim's wrong twins."""

import dataclasses

import numpy as np
import pytest

from verification.checks import Measurement, judge
from verification.checks.estimates import FRACTIONS
from verification.checks.sampling import SLOTS, Sample, detectable, measure, refuted_alone
from verification.claim import Claim, Verdict
from verification.claims import CLAIMS
from verification.claims.one_neuron.local_rates import h1_rate
from verification.claims.one_neuron.spectra import CONDITION
from verification.claims.one_neuron.values import boundary, seminorm_gradient
from verification.run.carry_out import Outcome, Settings, folders, results, run
from verification.run.examine import Finding, examine

DEFAULT = Settings(points=2)
CONTEXT = DEFAULT.context()
PERCENT = 0.01
EIGHTH = 1  # the look at which so much of the samples is drawn
# At least as many comparisons as a whole run has, for corrections that are not too small.
CHECKS_OF_A_RUN, COMPONENTS_OF_A_RUN = 96, 900


def by_id(claim_id: str) -> Claim:
    return next(claim for claim in CLAIMS if claim.id == claim_id)


def check_of(claim: Claim, method: str):
    return next(check for check in claim.checks if check.method == method)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """Samples are shared by all workers of a test run."""
    return DEFAULT.context(folders(tmp_path_factory.getbasetemp().parent / "verification").averages)


def by_sampling(claim: Claim, check, context) -> Finding:
    """The formula is judged on the first eighth of the default samples; `make verify` draws the others too."""
    stream = check.reference(claim, context)
    early = stream.at(EIGHTH)
    formula, *twins = (np.ravel(check.observe(f, early.point)) for f in (claim.formula, *claim.wrong_twins.values()))
    shown = {
        name: refutes(early, formula, twin, stream.alpha) for name, twin in zip(claim.wrong_twins, twins, strict=True)
    }
    return Finding(check.method, measure(early, formula)._replace(look=EIGHTH), shown)


def refutes(early: Sample, formula: np.ndarray, twin: np.ndarray, alpha: float) -> bool:
    """Whether the first samples refute the twin, or all would, by the standard errors of the first.

    The latter even if they came out three standard errors nearer to the twin than the formula is.
    """
    if refuted_alone(measure(early, twin)._replace(look=EIGHTH), alpha):
        return True
    last = whole(early)._replace(mean=formula)
    apart = np.max(np.abs(measure(last, twin).z))
    nearer = formula + (twin - formula) * max(0.0, 1 - 3 / apart)
    return refuted_alone(measure(last, nearer), alpha)


def whole(early: Sample) -> Sample:
    """The standard errors of all samples, from those of the first eighth."""
    share = FRACTIONS[EIGHTH]
    return early._replace(covariance=early.covariance * share, groups=round(early.groups / share))


def examined(claim: Claim, check, context) -> Finding:
    return by_sampling(claim, check, context) if check.noisy else examine(claim, check, context)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_gets_its_verdict_and_every_method_refutes_its_wrong_twins(claim, context):
    outcomes = [Outcome(claim, k, examined(claim, check, context)) for k, check in enumerate(claim.checks)]
    (result,) = results(outcomes, DEFAULT.false_alarm)
    assert result.accepted_twins == ()
    assert result.as_expected, [(e.method, e.verdict, e.detail) for e in result.evidence]
    if claim.expected is not Verdict.REFUTED:
        shown = {name for outcome in outcomes for name in outcome.finding.twins}
        assert shown >= set(claim.wrong_twins)
        return
    snippets = [e.counterexample for e in result.evidence if e.counterexample]
    assert snippets
    for snippet in snippets:
        assert confirmed(snippet)


def confirmed(snippet: str) -> bool:
    """Typed into a notebook, it shows two numbers that differ, or a negative one of what is claimed not to be."""
    names: dict = {}
    exec(snippet, names)  # what a reader does
    if names["claimed"] == "not negative":
        return bool(names["found"] < -1e-6)
    return bool(np.max(np.abs(np.asarray(names["claimed"]) - np.asarray(names["found"]))) > 1e-3)


SAMPLED = [claim for claim in CLAIMS if claim.expected.holds and any(check.noisy for check in claim.checks)]


@pytest.mark.parametrize("claim", SAMPLED, ids=lambda claim: claim.id)
def test_all_samples_would_find_an_error_of_one_percent(claim, context):
    """By the standard errors of the first eighth, known to 1/sqrt(2 n) of theirs for n groups: 2 % at n = 1000."""
    early = check_of(claim, "sampling").reference(claim, context).at(EIGHTH)
    found = measure(whole(early), early.mean)
    assert found.p_values.size <= COMPONENTS_OF_A_RUN // 10
    power = detectable(found, DEFAULT.false_alarm, COMPONENTS_OF_A_RUN, CHECKS_OF_A_RUN)
    assert power < PERCENT * (1 + 3 / np.sqrt(2 * early.groups))


def test_a_run_has_no_more_comparisons_than_the_tests_correct_for():
    assert len(SAMPLED) < CHECKS_OF_A_RUN < SLOTS


def test_every_formula_is_compared_by_two_methods():
    few = [
        claim.id
        for claim in CLAIMS
        if claim.expected.holds and len({check.method for check in claim.checks if check.compares}) < 2
    ]
    assert few == []


def test_identifiers_are_unique():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("method", ["differences", "sampling"])
def test_the_boundary_term_repairs_the_refuted_gradient_of_the_seminorm(method, context):
    claim = by_id("one-neuron/seminorm-population-gradient-is-the-gradient-of-the-loss")
    repaired = dataclasses.replace(claim, formula=lambda pair: seminorm_gradient(pair) + boundary(pair))
    found = examined(repaired, check_of(claim, method), context).found
    assert (judge([found], DEFAULT.false_alarm)[0] if isinstance(found, Measurement) else found).verdict.holds


def test_the_counterexample_to_better_conditioning_is_confirmed_by_the_definition():
    (result,) = run([CONDITION], Settings(points=1))
    assert {e.verdict for e in result.evidence} == {Verdict.REFUTED}


def _twice_the_angle_term(pair):
    claim = by_id("one-neuron/acceleration")
    return 2 * claim.formula(pair) - claim.wrong_twins["angle term dropped"](pair)


def _twice_the_wedge(point):
    return 2 * h1_rate(point) - 1


@pytest.mark.parametrize(
    ("claim_id", "formula"),
    [("one-neuron/acceleration", _twice_the_angle_term), ("one-neuron/h1-local-rate", _twice_the_wedge)],
)
def test_a_bound_finds_a_counterexample(claim_id, formula):
    claim = by_id(claim_id)
    bound = check_of(claim, "bound")
    evidence = bound.compare(claim, formula, bound.reference(claim, CONTEXT))
    assert evidence.verdict is Verdict.REFUTED


def test_a_crash_is_an_error_and_no_pass():
    def broken(_):
        raise RuntimeError("no value")

    claim = dataclasses.replace(by_id("pair/slope-kernel"), formula=broken)
    found = examine(claim, check_of(claim, "quadrature"), CONTEXT).found
    assert found.verdict is Verdict.ERROR
    assert "no value" in found.detail


def test_nan_is_a_refutation():
    claim = dataclasses.replace(by_id("pair/slope-kernel"), formula=lambda pair: np.nan)
    found = examine(claim, check_of(claim, "quadrature"), CONTEXT).found
    assert found.verdict is Verdict.REFUTED


def test_a_formula_of_another_shape_is_an_error():
    claim = dataclasses.replace(by_id("pair/slope-kernel"), formula=lambda pair: np.zeros(2))
    found = examine(claim, check_of(claim, "quadrature"), CONTEXT).found
    assert found.verdict is Verdict.ERROR


def test_samples_depend_on_the_seed_and_on_nothing_else():
    claim = by_id("pair/slope-kernel")
    check = check_of(claim, "sampling")
    streams = [check.reference(claim, Settings(samples=2**14, seed=seed).context()) for seed in (1, 1, 2)]
    means = [stream.at(0).mean for stream in streams]
    assert means[0] == means[1]
    assert means[0] != means[2]
