"""The symbolic check: proves what follows, refutes what does not, and leaves open what it cannot decide."""

import jax.numpy as jnp
import pytest
import sympy as sp

from sobolev_theory.symbolic import Proof, Step, r, r_star, theta
from verification.checks import SymbolicProof
from verification.claim import Claim, Verdict
from verification.claims.common.domains import PAIRS
from verification.claims.common.pairs import symbolic
from verification.run.settings import Settings
from verification.statements import equal, states
from verification.statements.notation import Dot, w, w_star

CONTEXT = Settings(points=2).context()
DOT = r * r_star * sp.cos(theta)
STATED = states(equal(Dot(w, w_star), DOT))


def product(pair):
    return jnp.asarray(pair.w) @ jnp.asarray(pair.v)


def evidence(check, formula=product):
    claim = Claim("test/product", STATED, "", PAIRS, formula, (check,))
    return check.compare(claim, formula, check.reference(claim, CONTEXT))


def test_a_statement_that_is_derived_and_coded_is_proved():
    found = evidence(symbolic(lambda: r * r_star * (1 - 2 * sp.sin(theta / 2) ** 2).rewrite(sp.cos).simplify()))
    assert found.verdict is Verdict.PROVED
    assert found.deviation < 1e-15


def test_a_statement_that_does_not_follow_is_refuted_with_the_difference():
    found = evidence(symbolic(lambda: DOT, lambda: DOT + r))
    assert found.verdict is Verdict.REFUTED
    assert "derived - stated = r; at r = 1/2: 0.5" in found.detail


def test_a_statement_that_cannot_be_decided_is_open():
    assert evidence(symbolic(lambda: r * r_star * sp.cos(sp.asin(sp.sin(theta))))).verdict is Verdict.OPEN


def test_a_formula_that_is_not_the_statement_is_refuted():
    assert evidence(symbolic(lambda: DOT), lambda pair: product(pair) * (1 + 1e-12)).verdict is Verdict.REFUTED
    assert evidence(symbolic(lambda: DOT), lambda pair: jnp.nan).verdict is Verdict.REFUTED


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="what is derived has"):
        evidence(symbolic(lambda: (r, theta)))
    with pytest.raises(ValueError, match="the statement has"):
        evidence(symbolic(lambda: DOT), lambda pair: jnp.zeros(2))


def test_a_proof_with_a_gap_is_open():
    steps = (Step("right", theta - theta), Step("a gap", theta - 1))
    found = evidence(SymbolicProof(lambda: Proof(steps, ("fact",))))
    assert found.verdict is Verdict.OPEN
    assert "a gap" in found.detail
    assert evidence(SymbolicProof(lambda: Proof(steps[:1], ("fact",)))).verdict is Verdict.PROVED
