"""Balls: certified integrals of the definitions against known values, the statements, and wrong ones."""

import dataclasses

import flint
import numpy as np
import pytest
from flint import arb
from mpmath import mp

from verification.balls import integrals, precision, separates
from verification.balls.arithmetic import BALLS as NUMBERS
from verification.checks import Ball, Counterexample
from verification.checks.ball import difference
from verification.claim import Verdict
from verification.claims import CLAIMS, wrong_twins
from verification.claims.common.domains import Pair
from verification.run.settings import Settings
from verification.statements import kernels, notation
from verification.statements.evaluation import Environment, evaluate

CONTEXT = Settings(points=2).context()
W, V = np.array([1.0, 0.5, -0.25]), np.array([0.25, -1.0, 0.75])
BALLS = [(claim, check) for claim in CLAIMS for check in claim.checks if isinstance(check, Ball)]
OF_A_PAIR = [one for one in BALLS if isinstance(one[0].domain.draw(np.random.default_rng(0)), Pair)]
MARGINS = [one for one in OF_A_PAIR if one[0].statement.bounds]


def flat(value):
    return np.ravel(np.asarray(value, dtype=object))


def digits_of(value) -> int:
    return int(min(x.rel_accuracy_bits() for x in flat(value) if not x.contains(0)) * 0.30103)


def test_a_precision_is_left_as_it_was_found():
    def fails():
        with precision(300):
            assert flint.ctx.prec == 300
            raise RuntimeError

    before = flint.ctx.prec
    with pytest.raises(RuntimeError):
        fails()
    assert flint.ctx.prec == before


def test_the_orthant_probability_is_sheppards():
    """P = 1/4 + arcsin(cos theta)/(2 pi), known to 40 digits by other software."""
    with mp.workdps(50), precision(160):
        cos = mp.mpf(W @ V) / mp.sqrt(mp.mpf(W @ W) * mp.mpf(V @ V))  # sums of dyadic numbers: exact
        known = mp.mpf(1) / 4 + mp.asin(cos) / (2 * mp.pi)
        assert integrals.probability(W, V).overlaps(arb(mp.nstr(known, 45)) + arb(0, 1e-40))


@pytest.mark.parametrize("n", range(5))
def test_the_arc_cosine_kernels_are_the_integrals(n):
    with precision(160):
        for theta in (arb(1) / 10, arb(2), arb(3)):
            integral = integrals.arc_cosine(n, theta)
            stated = evaluate(kernels.ANGULAR[n], Environment(NUMBERS, values={notation.theta: theta}))
            assert integral.overlaps(stated)
            assert digits_of(integral) >= 30


def test_the_kernels_at_parallel_neurons_are_moments_of_a_normal_variable():
    """J_n(0)/(2 pi) = E[t_+^(2n)] = (2n - 1)!!/2, so J_n(0) = pi (2n - 1)!!."""
    with precision(160):
        for n, moment in enumerate([1, 1, 3, 15, 105]):
            assert integrals.arc_cosine(n, arb(0)).overlaps(moment * arb.pi())


@pytest.mark.parametrize(("claim", "check"), OF_A_PAIR, ids=[claim.id for claim, _ in OF_A_PAIR])
def test_every_statement_of_a_pair_is_its_integral_to_30_digits(claim, check):
    """At typed vectors, which no generator has drawn."""
    with precision(160):
        integral, stated = (flat(side(claim.statement, Pair(W, V))) for side in (check.integral, check.stated))
        assert all(arb(a).overlaps(arb(b)) for a, b in zip(integral, stated, strict=True))
        if "kink" not in claim.id:  # a quotient at a small step, known to fewer digits in its third entry
            assert digits_of(integral) >= 30


@pytest.mark.parametrize(("claim", "check"), MARGINS, ids=[claim.id for claim, _ in MARGINS])
def test_every_factored_margin_is_that_of_the_integrals(claim, check):
    with precision(160):
        for theta, rho in ((0.3, 0.75), (1.2, 0.875), (2.9, 0.5)):
            v = rho * np.array([np.cos(theta), np.sin(theta), 0.0])
            pair = Pair(np.array([1.0, 0.0, 0.0]), v)
            left, right = (np.ravel(side(claim.statement, pair)) for side in (check.integral, check.stated))
            assert all(a.overlaps(b) for a, b in zip(left, right, strict=True))
            assert max(max(a.rad(), b.rad()) for a, b in zip(left, right, strict=True)) < arb(10) ** -30


def test_the_hessian_of_the_loss_is_the_derivative_of_its_gradient():
    """Central differences of certified gradients: step 1e-12, remainder 1e-24 times a third derivative below 100."""
    with precision(400):
        hessian = integrals.h1_loss_hessian(W, V)
        h = 2.0**-40
        for k, axis in enumerate(np.eye(3)):
            up, down = (integrals.h1_loss_gradient(W + s * h * axis, V) for s in (1, -1))
            for a, b in zip((up - down) / (2 * h), hessian[:, k], strict=True):
                assert abs(a - b) < 100 * h * h


def test_parallel_vectors_are_refused():
    with precision(100), pytest.raises(ValueError, match="not parallel"):
        integrals.value_kernel(W, 2 * W)


@pytest.mark.parametrize(("claim", "check"), BALLS, ids=[claim.id for claim, _ in BALLS])
def test_a_statement_off_by_1e_28_is_refuted_where_the_formula_is_right(claim, check):
    """The formula in floats cannot see it; the statement in balls can."""

    def slightly_off(statement, point):
        value = check.stated(statement, point)
        return value * (1 + arb(10) ** -28)

    wrong = dataclasses.replace(check, stated=slightly_off)
    evidence = wrong.compare(claim, claim.formula, wrong.reference(claim, Settings(points=1).context()))
    assert evidence.verdict is Verdict.REFUTED
    assert "integral" in evidence.detail


def test_a_formula_off_by_rounding_a_thousand_times_is_refuted():
    claim, check = next((c, k) for c, k in BALLS if c.id == "one-neuron/h1-loss-hessian")
    reference = check.reference(claim, CONTEXT)
    assert check.compare(claim, claim.formula, reference).verdict is Verdict.SUPPORTED
    off = lambda pair: claim.formula(pair) * (1 + 1e-11)  # noqa: E731
    assert check.compare(claim, off, reference).verdict is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", ["one-neuron/h1-loss-rate-in-a-ball", "one-neuron/conditioning-in-the-two-norm"])
def test_balls_refute_wrong_twins(claim_id):
    claim, check = next((c, k) for c, k in BALLS if c.id == claim_id)
    reference = check.reference(claim, CONTEXT)
    verdicts = {name: check.compare(claim, twin, reference).verdict for name, twin in wrong_twins(claim).items()}
    assert set(verdicts.values()) == {Verdict.REFUTED}


def test_a_difference_that_is_not_known_to_30_digits_is_no_agreement():
    vague = np.array([arb(1, 1e-20)], dtype=object)
    assert "not to 30 digits" in difference(vague, vague)
    assert not separates(vague[0], vague[0])


COUNTEREXAMPLES = [(c, k) for c in CLAIMS for k in c.checks if isinstance(k, Counterexample)]


@pytest.mark.parametrize(("claim", "check"), COUNTEREXAMPLES, ids=[claim.id for claim, _ in COUNTEREXAMPLES])
def test_a_counterexample_can_be_typed_into_a_notebook(claim, check):
    """Its code, run as it stands, finds the negative number that the certified integrals give."""
    evidence = check.compare(claim, claim.formula, check.reference(claim, CONTEXT))
    assert evidence.verdict is Verdict.REFUTED
    names: dict = {}
    exec(evidence.counterexample, names)
    assert float(names["found"]) < -0.01
    assert evidence.deviation < -0.01


def test_a_point_where_the_inequality_holds_is_no_counterexample():
    claim, check = next((c, k) for c, k in COUNTEREXAMPLES if c.id == "one-neuron/normalised-rate-everywhere")
    holds = dataclasses.replace(check, point=check.point._replace(w=np.array([1.5, 0.25])))
    assert holds.compare(claim, claim.formula, holds.reference(claim, CONTEXT)).verdict is Verdict.SUPPORTED
