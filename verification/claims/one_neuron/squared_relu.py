"""One neuron of RePU(2): H2 accelerates within the teacher's norm of the teacher, and not everywhere."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.symbolic import squared_relu as derived

from ...balls import integrals
from ...checks import Ball, Certified, Counterexample, Quadrature, SymbolicProof
from ...claim import Claim, Domain, Verdict
from ...statements import Statement, evaluation
from ...statements import squared_relu as stated
from ..common.bounds import everywhere
from ..common.domains import ONE_NEURON, Pair, rotation
from ..common.frames import around_teacher
from ..common.pairs import ball, in_balls, value
from ..common.sources import ONE_NEURON_PAPER as PAPER
from .methods import DEFINED


def _within(radius: float):
    def draw(generator: np.random.Generator) -> Pair:
        first, second = rotation(generator, 4)[:2]
        size, epsilon, psi = (
            np.exp(generator.uniform(-1, 1)),
            generator.uniform(0.05, radius),
            generator.uniform(0.1, 3),
        )
        v = size * first
        return Pair(v + epsilon * size * (np.cos(psi) * first + np.sin(psi) * second), v)

    return draw


BALL = Domain(r"0 < |w - w^*| < |w^*|, d \ge 2", _within(0.99), _within(0.99))
SMALLER = Domain(r"0 < |w - w^*| \le \tfrac{9}{10}|w^*|, d \ge 2", _within(0.9), _within(0.9))


# The two gradients: by the library and by certified integrals.


@jax.jit
def _gradient(lambdas, w, w_star):
    student, teacher = (st.Network(x, activation=st.RePU(2)) for x in (w, w_star))
    return st.population_gradient(student, teacher, st.SobolevLoss(tuple(lambdas))).weights[0]


def _by_library(order: int, w, w_star) -> np.ndarray:
    return np.asarray(_gradient(jnp.eye(3)[order], jnp.asarray(w, float), jnp.asarray(w_star, float)))


def _first_certified(w, w_star) -> np.ndarray:
    at = integrals.plane(w, w_star)
    w_, v_ = integrals.balls(w), integrals.balls(w_star)
    teacher = lambda c, s: at.a * c + at.b * s  # noqa: E731
    square = integrals.first_active(at, lambda c, s: (at.r * c) ** 2, 2)
    own = at.embed(
        integrals.first_active(at, lambda c, s: at.r * c * c, 2),
        integrals.first_active(at, lambda c, s: at.r * c * s, 2),
    )
    across = at.embed(
        integrals.both_active(at, lambda c, s: teacher(c, s) * c, 2),
        integrals.both_active(at, lambda c, s: teacher(c, s) * s, 2),
    )
    product = integrals.both_active(at, lambda c, s: at.r * c * teacher(c, s), 2)
    return 4 * ((w_ @ w_) * own + square * w_ - (w_ @ v_) * across - product * v_)


def _second_certified(w, w_star) -> np.ndarray:
    w_, v_ = integrals.balls(w), integrals.balls(w_star)
    return 4 * (w_ @ w_) * w_ - 8 * integrals.probability(w, w_star) * (w_ @ v_) * v_


LIBRARY = {stated.G_J1: partial(_by_library, 1), stated.G_J2: partial(_by_library, 2)}
CERTIFIED = {stated.G_J1: _first_certified, stated.G_J2: _second_certified}


def _as_derived(statement: Statement, pair: Pair):
    """The margin of the second statement, by what is derived for it."""
    derivation = derived.first_order_descent() + derived.second_order_descent()
    rate, least = statement.bounds[0].args
    margin = derivation / rate.as_numer_denom()[1] - least
    return evaluation.evaluate(margin, in_balls(pair, CERTIFIED))


def _teacher_missing(statement: Statement):
    """The pull of the teacher halved."""
    halved = {name: lambda w, v, f=f: (f(w, v) + f(w, 1e-9 * np.asarray(v))) / 2 for name, f in LIBRARY.items()}
    return partial(value, statement, halved)


RECHECK = """\
student, teacher = (st.Network(x, activation=st.RePU(2)) for x in (w, v))
gradient = st.population_gradient(student, teacher, st.SobolevLoss((0.0, 1.0, 1.0))).weights[0]
claimed = "not negative"
found = (w - v) @ gradient
"""


def _margin(pair: Pair):
    return evaluation.evaluate(stated.EVERYWHERE.margin, in_balls(pair, CERTIFIED))


CLAIMS = (
    Claim(
        "one-neuron/h2-second-derivatives-accelerate-in-a-ball",
        stated.IN_THE_BALL,
        "derived here",
        BALL,
        partial(value, stated.IN_THE_BALL, LIBRARY),
        (
            ball(CERTIFIED, stated.IN_THE_BALL_FACTORED),
            Quadrature(partial(value, stated.IN_THE_BALL, DEFINED)),
            SymbolicProof(derived.second_order_acceleration),
            everywhere(BALL, count=20),
        ),
        {
            "that of first derivatives": partial(value, stated.IN_THE_BALL, {stated.G_J2: LIBRARY[stated.G_J1]}),
            "half of the teacher": _teacher_missing(stated.IN_THE_BALL),
        },
    ),
    Claim(
        "one-neuron/h2-accelerates-in-a-ball",
        stated.BOTH_IN_THE_BALL,
        PAPER + ", its first version",
        SMALLER,
        partial(value, stated.BOTH_IN_THE_BALL, LIBRARY),
        (
            Ball(lambda statement, pair: evaluation.evaluate(statement.left, in_balls(pair, CERTIFIED)), _as_derived),
            Quadrature(partial(value, stated.BOTH_IN_THE_BALL, DEFINED)),
            Certified(
                "h2-in-ball",
                around_teacher,
                lambda _, pair, certified: float(np.dot(pair.w, pair.v)) * certified,
            ),
            everywhere(SMALLER, count=20),
        ),
        {"half of the teacher": _teacher_missing(stated.BOTH_IN_THE_BALL)},
    ),
    Claim(
        "one-neuron/h2-accelerates-everywhere",
        stated.EVERYWHERE,
        PAPER + ", its first version",
        ONE_NEURON,
        partial(value, stated.EVERYWHERE, LIBRARY),
        (
            everywhere(ONE_NEURON, count=100),
            Counterexample(Pair(np.array([-0.125, 0.125]), np.array([1.0, 0.0])), _margin, RECHECK),
        ),
        expected=Verdict.REFUTED,
    ),
)
