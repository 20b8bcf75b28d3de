"""L2 and one neuron: the distance to the teacher falls along the flow, in Tian's ball and everywhere."""

from functools import partial

import numpy as np
import sympy as sp

from sobolev_theory.symbolic import descent

from ...balls import integrals
from ...checks import Ball, Quadrature, Symbolic, SymbolicProof
from ...claim import Claim, Domain
from ...planar import expectation, plane_of
from ...statements import Statement
from ...statements import dynamics as stated
from ...statements.evaluation import evaluate, in_the_frame
from ...statements.notation import Expectation
from ..common.bounds import everywhere
from ..common.domains import ONE_NEURON, Pair, pair_at
from ..common.pairs import in_balls, in_digits
from ..common.sources import TIAN
from .methods import sampled
from .values import h1_gradient, l2_gradient


def fall(gradient, pair: Pair):
    """(w - w*).gradient: how fast |w - w*|^2 / 2 falls."""
    return (np.asarray(pair.w) - np.asarray(pair.v)) @ np.asarray(gradient(pair))


def _by_sectors(pair: Pair) -> float:
    """E[(p - q)^2 1(p, q > 0)] + E[p (p - q) 1(p > 0 > q)] with p = w.x, q = w*.x: no negative integrand."""
    basis = plane_of(np.asarray(pair.w), np.asarray(pair.v))
    normals = np.stack([pair.w @ basis, pair.v @ basis])

    def integrand(y):
        p, q = (y @ normals.T).T
        return np.where(p > 0, np.where(q > 0, (p - q) ** 2, p * (p - q)), 0.0)

    return float(expectation(integrand, normals, 2))


def _sectors(pair: Pair) -> dict:
    """The two expectations, each an integral over the angles of its sector."""
    at = integrals.plane(pair.w, pair.v)

    def p(c, s):
        return at.r * c

    def gap(c, s):
        return at.r * c - at.a * c - at.b * s

    both = integrals.both_active(at, lambda c, s: gap(c, s) ** 2, 2)
    first, also = (
        f(at, lambda c, s: p(c, s) * gap(c, s), 2) for f in (integrals.first_active, integrals.both_active)
    )
    return {stated.BOTH_ACTIVE: both, stated.FIRST_ACTIVE: first - also}


def _in_sectors(statement: Statement, pair: Pair):
    return evaluate(statement.right, in_balls(pair).having(_sectors(pair)))


def _written_out(statement: Statement) -> sp.Expr:
    """Where the statement is in expectations: what those come to."""
    return in_the_frame(stated.L2_DESCENT.right if statement.right.has(Expectation) else statement.right)


def _in_the_ball(generator: np.random.Generator) -> Pair:
    """|w - w*| < |w*|."""
    while True:
        teacher, angle = np.exp(generator.uniform(-1, 1)), generator.uniform(0.05, np.pi / 2)
        norm = teacher * generator.uniform(0.05, 2.0)
        pair = pair_at(generator, 4, (norm, teacher), angle)
        if np.linalg.norm(pair.w - pair.v) < 0.99 * teacher:
            return pair


IN_TIANS_BALL = Domain(r"|w - w^*| < |w^*|, w \ne w^*, d \ge 2", _in_the_ball, ONE_NEURON.draw_for_sampling)

CLAIMS = tuple(
    Claim(
        f"one-neuron/{name}",
        statement,
        source,
        domain,
        partial(fall, l2_gradient),
        (
            Symbolic(
                (descent.l2_descent, descent.l2_descent_by_sectors),
                lambda statement, pair: evaluate(stated.L2_DESCENT.right, in_digits(pair)),
                _written_out,
            ),
            SymbolicProof(descent.l2_acceleration),
            Ball(lambda statement, pair: evaluate(statement.left, in_balls(pair)), _in_sectors),
            Quadrature(_by_sectors),
            sampled("population_gradient", "L", lambda pair, mean: (pair.w - pair.v) @ np.asarray(mean.weights)[0]),
            everywhere(domain),
        ),
        {
            "the gradient of H1": partial(fall, h1_gradient),
            "reflected teacher": lambda pair: fall(lambda at: l2_gradient(Pair(at.w, -at.v)), pair),
        },
    )
    for name, statement, source, domain in (
        ("l2-descends-in-tians-ball", stated.L2_DESCENT, TIAN, IN_TIANS_BALL),
        ("l2-descends-everywhere", stated.L2_DESCENT_BY_SECTORS, "derived here", ONE_NEURON),
    )
)
