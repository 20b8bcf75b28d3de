"""One neuron: how long each flow takes to a tolerance, from within half the teacher's norm of it."""

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from ...checks import Ball, NonNegative, Quadrature
from ...claim import Claim, Formula
from ...statements import Statement, one_neuron
from ...statements import dynamics as stated
from ...statements import notation as n
from ...statements.evaluation import evaluate
from ..common.domains import Pair
from ..common.pairs import CERTIFIED, in_balls
from .methods import LIBRARY, closed, loss_gradient, population_gradient
from .rates import BALL

GRADIENTS = (n.G_L, n.G_H, n.grad_H)
FLOWS = (one_neuron.L2_GRADIENT, one_neuron.H1_POPULATION_GRADIENT, one_neuron.H1_LOSS_GRADIENT)
L2, POPULATION, LOSS = range(3)
TOLERANCE = 1e-3  # of |w*|
LINE = 1e-9  # height over the line of w* at which the flow of the loss is on its kink


@closed
def gradients(w, w_star):
    """G_L, G_H and grad H, [3, d]."""
    return jnp.stack([LIBRARY[gradient](w, w_star) for gradient in GRADIENTS])


@closed
def without_the_boundary(w, w_star):
    return jnp.stack([LIBRARY[gradient](w, w_star) for gradient in (n.G_L, n.G_H, n.G_H)])


def _by_definition(pair: Pair) -> np.ndarray:
    return np.stack([population_gradient("L", pair), population_gradient("H", pair), loss_gradient("H", pair)])


def _certified(_: Statement, pair: Pair) -> np.ndarray:
    return np.stack([CERTIFIED[gradient](pair.w, pair.v) for gradient in GRADIENTS])


def _as_stated(_: Statement, pair: Pair) -> np.ndarray:
    """The statement is on times; what they are times of is stated elsewhere."""
    return np.stack([evaluate(flow.right, in_balls(pair)) for flow in FLOWS])


def _draw(generator: np.random.Generator, count: int) -> np.ndarray:
    """|w - w*|/|w*| from 0.05 to 0.5, and its angle with w*."""
    return np.stack([generator.uniform(0.05, 0.5, count), generator.uniform(0.1, np.pi - 0.1, count)], axis=1)


def _time(formula: Formula, which: int, start: np.ndarray) -> float:
    """Until |w - w*| = TOLERANCE, |w*| = 1 in a plane; on the kink, where r' = 1 - r, in closed form."""
    teacher = np.array([1.0, 0.0])

    def velocity(_, w: np.ndarray) -> np.ndarray:
        return -np.asarray(formula(Pair(w, teacher)))[which]

    def distance(_, w: np.ndarray) -> float:
        return float(np.linalg.norm(w - teacher)) - TOLERANCE

    def height(_, w: np.ndarray) -> float:
        return w[1] - LINE if which == LOSS else 1.0

    distance.terminal = height.terminal = True  # type: ignore[attr-defined]
    path = solve_ivp(velocity, (0.0, 100.0), start, events=(distance, height), rtol=1e-9, atol=1e-12)
    if np.linalg.norm(path.y[:, -1] - teacher) <= TOLERANCE * (1 + 1e-6):
        return float(path.t[-1])
    return float(path.t[-1] + np.log(abs(path.y[0, -1] - 1) / TOLERANCE))


def _margins(formula: Formula, samples: np.ndarray) -> np.ndarray:
    """The least slack of the three bounds, over log(|w - w*|/tolerance)."""
    least, most, most_of_loss = (float(bound.rhs / stated.UNITS) for bound in stated.TIMES.bounds)
    margins = []
    for epsilon, psi in samples:
        start = np.array([1 + epsilon * np.cos(psi), epsilon * np.sin(psi)])
        l2, population, loss = (_time(formula, which, start) / np.log(epsilon / TOLERANCE) for which in range(3))
        margins.append(min(l2 - least, most - population, most_of_loss - loss))
    return np.array(margins)


TIMES = Claim(
    "one-neuron/time-to-tolerance",
    stated.TIMES,
    "derived here, from the rates",
    BALL,
    gradients,
    (
        Quadrature(_by_definition),
        Ball(_certified, _as_stated),
        NonNegative(_draw, _margins, 1e-7, count=3),
    ),
    {"boundary term dropped": without_the_boundary},
)

CLAIMS = (TIMES,)
