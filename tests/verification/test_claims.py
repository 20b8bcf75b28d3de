"""Every claim gets its verdict, and every method of a claim refutes each of the claim's wrong twins."""

import dataclasses

import numpy as np
import pytest

from verification.checks import Measurement, judge
from verification.claim import Claim, Verdict
from verification.claims import CLAIMS, wrong_twins
from verification.claims.dynamics import h1_rate
from verification.claims.one_neuron import boundary, seminorm_gradient
from verification.claims.spectra import CONDITION
from verification.run import Settings, attempt, carry_out, run

FALSE_ALARM = Settings.false_alarm
# Default samples: with them an error of 1 % is found with probability 0.99 by every sampling check.
CONTEXT = Settings(points=2).context()
COMPARISONS = [(claim, k) for claim in CLAIMS for k, check in enumerate(claim.checks) if check.compares]
NAMES = [f"{claim.id}-{claim.checks[k].method}-{k}" for claim, k in COMPARISONS]
# All other comparisons of a run, in perfect agreement: the corrections for multiplicity are those of a whole run.
COMPONENTS_OF_OTHERS = 20
OTHERS = [Measurement(np.zeros(20), np.ones(COMPONENTS_OF_OTHERS), 1.0, 20, 4096, 1.0, 1.0, "") for _ in CLAIMS]


def by_id(claim_id: str) -> Claim:
    return next(claim for claim in CLAIMS if claim.id == claim_id)


def judged(found):
    return judge([found, *OTHERS], FALSE_ALARM)[0] if isinstance(found, Measurement) else found


def verdict_on(formula, claim: Claim, check, reference) -> Verdict:
    return judged(check.compare(claim, formula, reference)).verdict


def test_every_claim_gets_its_expected_verdict():
    results = run(CLAIMS, Settings(samples=2**16, points=1))
    assert [r.claim.id for r in results if not r.as_expected] == []
    # The tests of twins correct for at least as many comparisons as there are.
    sampled = [e.components for r in results for e in r.evidence if e.method == "sampling"]
    assert sum(sampled) <= COMPONENTS_OF_OTHERS * len(OTHERS)


def test_every_formula_is_compared_by_two_methods():
    few = [
        claim.id
        for claim in CLAIMS
        if claim.expected.holds and len({check.method for check in claim.checks if check.compares}) < 2
    ]
    assert few == []


def test_identifiers_are_unique():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize(("claim", "k"), COMPARISONS, ids=NAMES)
def test_every_method_refutes_every_wrong_twin(claim, k):
    if claim.expected is Verdict.REFUTED:
        pytest.skip("the formula itself is refuted")
    check = claim.checks[k]
    reference = check.reference(claim, CONTEXT)
    assert verdict_on(claim.formula, claim, check, reference).holds
    accepted = [
        name
        for name, twin in wrong_twins(claim).items()
        if verdict_on(twin, claim, check, reference) is not Verdict.REFUTED
    ]
    assert accepted == []


@pytest.mark.parametrize("k", [0, 1], ids=["differences", "sampling"])
def test_the_boundary_term_repairs_the_refuted_gradient_of_the_seminorm(k):
    claim = by_id("one-neuron/seminorm-population-gradient-is-the-gradient-of-the-loss")
    reference = claim.checks[k].reference(claim, CONTEXT)
    repaired = lambda pair: seminorm_gradient(pair) + boundary(pair)  # noqa: E731
    assert verdict_on(repaired, claim, claim.checks[k], reference).holds


def test_the_counterexample_to_better_conditioning_is_confirmed_by_the_definition():
    (result,) = run([CONDITION], Settings(points=1))
    assert [e.verdict for e in result.evidence] == [Verdict.REFUTED, Verdict.REFUTED]


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
    bound = next(check for check in claim.checks if check.method == "bound")
    evidence = bound.compare(claim, formula, bound.reference(claim, CONTEXT))
    assert evidence.verdict is Verdict.REFUTED


def test_a_crash_is_an_error_and_no_pass():
    def broken(_):
        raise RuntimeError("no value")

    claim = dataclasses.replace(by_id("pair/slope-kernel"), formula=broken)
    outcome = carry_out(claim, claim.checks[0], claim.formula, CONTEXT)
    assert outcome.found.verdict is Verdict.ERROR
    assert "no value" in outcome.found.detail


def test_nan_is_a_refutation():
    claim = by_id("pair/slope-kernel")
    outcome = carry_out(claim, claim.checks[0], lambda pair: np.nan, CONTEXT)
    assert outcome.found.verdict is Verdict.REFUTED


def test_a_formula_of_another_shape_is_an_error():
    claim = by_id("pair/slope-kernel")
    check = claim.checks[0]
    reference = check.reference(claim, CONTEXT)
    outcome = attempt(claim, check.method, lambda: check.compare(claim, lambda pair: np.zeros(2), reference))
    assert outcome.found.verdict is Verdict.ERROR


def test_samples_depend_on_the_seed_and_on_nothing_else():
    claim = by_id("pair/slope-kernel")
    means = [
        claim.checks[1].reference(claim, Settings(samples=2**14, seed=seed).context()).mean for seed in (1, 1, 2)
    ]
    assert means[0] == means[1]
    assert means[0] != means[2]
