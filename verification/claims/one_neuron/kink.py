"""The H1 loss at its global minimum: one-sided derivatives that are positive, so that it has no gradient there."""

from functools import partial
from math import factorial

import jax.numpy as jnp
import numpy as np
import sympy as sp
from flint import arb

from sobolev_theory.symbolic import r, r_star, theta
from sobolev_theory.symbolic import single_neuron as derived

from ... import definitions as by_definition
from ...balls import integrals, precision
from ...checks import Ball, Counterexample, Limit, Symbolic
from ...claim import Claim, Domain, Formula, Verdict
from ...statements import Statement
from ...statements import dynamics as stated
from ...statements.evaluation import evaluate, in_the_frame
from ..common.domains import ONE_NEURON, Pair
from ..common.frames import frame
from ..common.pairs import in_balls, in_digits
from .methods import ORDERS, closed

DIRECTION = Domain(
    r"w \in R^d \setminus 0 \text{ a direction}, w^* \in R^d \setminus 0, \theta \in (0, \pi) \text{ between them}",
    ONE_NEURON.draw,
    ONE_NEURON.draw_for_sampling,
)
STEPS = 0.01 * np.arange(1, 7)
# The step of the certified quotient; the loss there loses as many digits.
TINY, BITS = 2.0**-230, 520


@closed
def slope(w, v):
    """|w*| |w - (w.w*) w*/|w*|^2| / (2 pi)."""
    across = w - (w @ v) * v / (v @ v)
    return jnp.linalg.norm(v) * jnp.linalg.norm(across) / (2 * jnp.pi)


def _derived() -> sp.Expr:
    """d/dt H(w* + t w) at t = 0+, with |w* + t w| and its angle as functions of t."""
    t, along, across = sp.Symbol("t", positive=True), r * sp.cos(theta), r * sp.sin(theta)
    norm = sp.sqrt((r_star + t * along) ** 2 + (t * across) ** 2)
    angle = sp.atan(t * across / (r_star + t * along))
    moving, turning = sp.Symbol("moving", positive=True), sp.Symbol("turning", positive=True)
    loss = derived.h1_loss().subs({r: moving, theta: turning}, simultaneous=True)
    total = sum(sp.diff(loss, x) * sp.diff(y, t) for x, y in ((moving, norm), (turning, angle)))
    return sp.simplify(total.subs({moving: norm, turning: angle}).subs(t, 0))


def _quotients(loss: str, sign: float, pair: Pair) -> float:
    """[loss(w* + t w) - 0]/t at t -> 0+, by the polynomial through six steps."""
    w, v = np.asarray(pair.w), np.asarray(pair.v)
    scale = sign * float(np.linalg.norm(v) / np.linalg.norm(w))
    found = [by_definition.loss(by_definition.one_neuron(v + t * scale * w, v, ORDERS[loss])) / t for t in STEPS]
    weights = [(-1) ** (k + 1) * factorial(6) / (factorial(k) * factorial(6 - k)) for k in range(1, 7)]
    return float(np.dot(weights, found)) / abs(scale)


def _certified(pair: Pair, sign: float = 1.0) -> arb:
    """H(w* + t w)/t at t = TINY, with a ball for what it differs from its limit by, at most t |w|^2.

    For H = L + J, with q = |w| sin: L <= t^2 |w|^2/2; and J = t^2 |w|^2/4 + |w*| t q f(theta_t)/(2 pi), where
    theta_t is the angle of w* + t w and f(x) = x/tan(x), 0 <= 1 - f(x) <= x^2, changes the linear term by less than
    t^2 |w|^2/4.
    """
    with precision(BITS):
        w, v = integrals.balls(pair.w), integrals.balls(pair.v)
        return integrals.h1_loss(v + sign * TINY * w, v) / TINY + arb(0, float(w @ w) * (1 + 1e-9)) * TINY


def _of_h1(statement: Statement) -> sp.Expr:
    return statement.right[0]


def _slopes(_: Statement, pair: Pair) -> np.ndarray:
    """Of H in both directions, and of L, which is below t^2 |w|^2/2."""
    w = integrals.balls(pair.w)
    return np.array([_certified(pair), _certified(pair, -1.0), arb(0, float(w @ w)) * TINY], dtype=object)


def _three(formula: Formula, pair: Pair) -> np.ndarray:
    """The formula is the slope of H, in both directions, where L has none."""
    return np.array([*2 * [float(formula(pair))], 0.0])


KINK = Claim(
    "one-neuron/h1-loss-kink",
    stated.KINK,
    "derived here",
    DIRECTION,
    slope,
    (
        Symbolic(
            (_derived,),
            lambda statement, pair: evaluate(_of_h1(statement), in_digits(pair)),
            lambda statement: in_the_frame(_of_h1(statement)),
        ),
        Ball(_slopes, lambda statement, pair: evaluate(statement.right, in_balls(pair)), _three),
        Limit(partial(_quotients, "H", 1.0)),
        Limit(lambda pair: _quotients("H", -1.0, pair) + _quotients("L", 1.0, pair)),
    ),
    {
        "both sides": lambda pair: 2 * slope(pair),
        "along the teacher": lambda pair: slope(pair) / jnp.tan(frame(pair).theta),
    },
)

RECHECK = """\
loss = lambda w: st.population_loss(st.Network(w), st.Network(v), loss=st.H1)
claimed = "not negative"  # opposite directions have opposite derivatives: their sum is 0
found = -(loss(v + 1e-6 * w) + loss(v - 1e-6 * w)) / 1e-6
"""

SMOOTH = Claim(
    "one-neuron/h1-loss-differentiable-at-the-teacher",
    stated.DIFFERENTIABLE,
    "derived here, as what a gradient flow of the expected loss would need",
    DIRECTION,
    lambda pair: 0 * slope(pair),
    (
        Limit(lambda pair: _quotients("H", 1.0, pair) + _quotients("H", -1.0, pair)),
        Counterexample(
            Pair(np.array([0.0, 1.0]), np.array([1.0, 0.0])),
            lambda pair: -(_certified(pair) + _certified(pair, -1.0)),
            RECHECK,
        ),
    ),
    expected=Verdict.REFUTED,
)

CLAIMS = (KINK, SMOOTH)
