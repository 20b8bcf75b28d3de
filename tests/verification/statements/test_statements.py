"""Statements: printed as the paper has them, evaluated alike everywhere, and seen where wrong by a hundredth."""

import re

import numpy as np
import pytest
import sympy as sp

from sobolev_theory.symbolic import frame
from verification.checks import Ball, Certified, Symbolic
from verification.checks.certified import value_at
from verification.checks.deterministic import Deterministic
from verification.claim import Verdict
from verification.claims import CLAIMS
from verification.claims.common.domains import Pair
from verification.claims.common.pairs import in_floats
from verification.claims.kernels.families import FAMILIES
from verification.claims.kernels.family import Sigma
from verification.claims.one_neuron.methods import DEFINED
from verification.run.settings import Settings
from verification.statements import at_least, dynamics, equal, kernels, networks, one_neuron, states
from verification.statements import notation as n
from verification.statements.evaluation import DIGITS, FLOATS, Environment, evaluate, in_the_frame, of_pair

HUNDREDTH = sp.Rational(101, 100)
CONTEXT = Settings(points=1).context()
W, V = np.array([1.0, 0.5, -0.25]), np.array([0.25, -1.0, 0.75])

# Relations of which a version with another factor is true as well, or that say what others say.
WEAKER = {
    "one-neuron/time-to-tolerance": "a bound that is larger holds too; test_the_times_are_those_of_the_rates",
    "one-neuron/h1-loss-angle-collapse": "a later time is after the collapse too; its twins are wrong velocities",
    "orthonormal/conditioning-at-the-teacher": "an order; its twin is the quotient upside down",
}


def stated(claim, statement, point) -> list[np.ndarray]:
    """The numbers that the claim's statement comes to, by whatever evaluates it."""
    ways = [check.place for check in claim.checks if isinstance(check, Symbolic)]
    ways += [claim.stated] if claim.stated else []
    found = [np.asarray(way(statement, point), dtype=float) for way in ways]
    if not statement.equations and isinstance(point, Pair):
        found.append(np.asarray(evaluate(statement.margin, in_floats(point, DEFINED)), dtype=float))
    for check in claim.checks:
        if isinstance(check, Certified) and check.restore:
            value = value_at(check.inequality, check.coordinates(point))
            found.append(np.asarray(check.restore(statement, point, value), dtype=float))
    return found


def seen_in_balls(claim, statement) -> bool:
    wrong = type(claim)(**{**vars(claim), "statement": statement})
    return any(check.reference(wrong, CONTEXT).disagreement for check in claim.checks if isinstance(check, Ball))


def defined(claim, point) -> list[np.ndarray]:
    """What the claim's formula is by definition, and where nothing defines it the formula itself."""
    found = [
        np.asarray(check.define(point), dtype=float)
        for check in claim.checks
        if isinstance(check, Deterministic) and claim.expected.holds
    ]
    return found[:1] or [np.asarray(claim.formula(point), dtype=float)]


def differs(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.max(np.abs(a - b)) > 1e-6 * np.max(np.abs(b)))


def seen(claim, statement, points) -> bool:
    """Whether a method sees that the statement is not what the definition gives."""
    if seen_in_balls(claim, statement):
        return True
    if any(isinstance(relation.lhs, Sigma) for relation in statement.where) and seen_in_the_activation(statement):
        return True
    if any(differs(a, b) for p in points for a in stated(claim, statement, p) for b in defined(claim, p)):
        return True
    return bool(statement.equations) and any(fails(statement, p) for p in sharp(points))


def sharp(points) -> list[Pair]:
    """With much longer students: there gradients are nearly linear, and condition numbers nearly 1."""
    pairs = [p for p in points if isinstance(p, Pair)]
    return [*pairs, *(Pair(size * p.w, p.v) for p in pairs for size in (1e3, 1e6))]


def fails(statement, point) -> bool:
    """Whether an inequality that the equations imply does not hold, within rounding."""
    at = in_floats(point, DEFINED)
    return any(evaluate(bound.gts - bound.lts, at) < -1e-9 for bound in statement.bounds if bound.rhs != 0)


def seen_in_the_activation(statement) -> bool:
    at = np.array([-0.75, 0.5, 1.25])
    meant = next(relation.rhs for relation in statement.where if isinstance(relation.lhs, Sigma))
    numbers = type(FAMILIES[0]).slope(type("", (), {"sigma": meant})(), 0)(at)
    return not any(np.allclose(numbers, np.asarray(family.activation(at))) for family in FAMILIES)


def points_of(claim) -> list:
    generator = np.random.default_rng(1)
    return [claim.domain.draw(generator) for _ in range(2)]


STATED = [claim for claim in CLAIMS if any(claim.statement.multiplied(HUNDREDTH)) and claim.id not in WEAKER]


@pytest.mark.parametrize("claim", STATED, ids=lambda claim: claim.id)
def test_a_printed_relation_wrong_by_a_hundredth_is_seen(claim):
    points = points_of(claim)
    assert not seen(claim, claim.statement, points)
    for wrong in claim.statement.multiplied(HUNDREDTH):
        assert wrong.latex != claim.statement.latex
        assert seen(claim, wrong, points), wrong.latex


def test_only_what_is_named_is_left_out():
    """Without a relation that has another right side than 0 a statement says signs, which its twins get wrong."""
    signs = [claim for claim in CLAIMS if not any(claim.statement.multiplied(HUNDREDTH))]
    assert {claim.id for claim in signs} == {
        "inputs/metric-does-not-matter",
        "one-neuron/h1-loss-differentiable-at-the-teacher",
        "one-neuron/h1-loss-turns-to-the-teacher",
        "one-neuron/h2-accelerates-everywhere",
        "one-neuron/normalised-rate-everywhere",
        "one-neuron/nothing-is-gained-at-angle-0",
        "orthonormal/h1-reflected-teacher",
        "orthonormal/l2-reflected-teacher",
    }
    for claim in signs:
        assert claim.expected is Verdict.REFUTED or claim.wrong_twins
    assert {claim.id for claim in CLAIMS} >= set(WEAKER)


def test_the_times_are_those_of_the_rates():
    """A rate of 1/2, 0.816 or 1 takes 2, 1/0.816 or 1 units of time."""
    slow, fast, loss = (bound.rhs / dynamics.UNITS for bound in dynamics.TIMES.bounds)
    assert slow == 1 / dynamics.L2_LOCAL_RATE.right
    assert (1 / fast, 1 / loss) == (dynamics.H1_RATE.bounds[0].rhs, dynamics.H1_LOSS_RATE.bounds[0].rhs)


def test_a_remark_states_no_formula():
    """What is only said is compared with nothing."""
    for claim in CLAIMS:
        assert not re.search(r"[=<>+^\\/]|\d", claim.statement.remark), claim.statement.remark


# Printing.


@pytest.mark.parametrize(
    ("statement", "latex"),
    [
        (
            one_neuron.L2_GRADIENT,
            r"w - \frac{1}{2 \pi}\, \left(|w^*| \sin {\theta}\, \hat w + \left(\pi - \theta\right)",
        ),
        (one_neuron.SEMINORM_DESCENT, r"\frac{{|w - w^*|}^{2}}{2} \ge 0"),
        (kernels.VALUE_GRADIENT, r"\left(|v| \sin {\theta}\, \hat w + \left(\pi - \theta\right)\, v\right)"),
        (networks.L2_LOSS, r"\kappa_0({v}_{i}, {v}_{j})"),
        (states(equal(n.DG_L.T, n.DG_L)), r"DG_L^\top = DG_L"),
    ],
)
def test_a_statement_reads_as_the_paper(statement, latex):
    assert latex in statement.latex


def test_a_chain_goes_on_where_it_was():
    x, y = sp.symbols("x y")
    assert states(equal(x, y**2), at_least(y**2, 0)).latex == "x = y^{2} \\ge 0"
    assert states(equal(x, y), at_least(x, 0)).latex == "x = y,\\quad x \\ge 0"


def test_what_is_short_for_something_is_printed_and_evaluated():
    x, y = sp.symbols("x y")
    statement = states(equal(x, 2 * y), where=(equal(y, n.pi),))
    assert statement.latex == r"x = 2 y,\quad y = \pi"
    assert statement.right == 2 * sp.pi


# Evaluation.


@pytest.mark.parametrize("statement", [one_neuron.H1_LOSS, one_neuron.H1_LOSS_GRADIENT, one_neuron.H1_LOSS_HESSIAN])
def test_floats_digits_and_the_frame_agree(statement):
    """In the plane of w and e the coordinates of the frame are those of the vectors."""
    w, v = np.array([1.25, 0.0, 0.0]), np.array([0.5, 0.75, 0.0])
    floats, digits = (np.asarray(evaluate(statement.right, of_pair(a, w, v)), float) for a in (FLOATS, DIGITS))
    at = {frame.r: 1.25, frame.r_star: float(np.linalg.norm(v)), frame.theta: float(np.arctan2(0.75, 0.5))}
    at[frame.rho] = at[frame.r_star] / at[frame.r]
    framed = np.array(sp.Matrix([in_the_frame(statement.right)]).subs(at).evalf().tolist(), float).reshape(
        floats.shape
    )
    np.testing.assert_allclose(floats, digits, rtol=1e-14, atol=1e-15)  # a few roundings
    np.testing.assert_allclose(floats, framed, rtol=1e-14, atol=1e-15)


def test_a_neuron_with_itself_has_no_direction():
    here = of_pair(DIGITS, W, W, same=True)
    assert not np.any(evaluate(n.e, here))
    assert float(evaluate(kernels.VALUE_KERNEL.right, here)) == pytest.approx(W @ W / 2, rel=1e-15)


def test_where_a_delta_is_0_its_factor_need_not_exist():
    here = Environment(FLOATS, values={networks.j: 1, networks.k: 1})
    assert evaluate(networks.other(sp.Symbol("unknown")), here) == 0
    with pytest.raises(TypeError, match="statement: got unknown"):
        evaluate(networks.other(sp.Symbol("unknown")), here.having({networks.j: 2}))
