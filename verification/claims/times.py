"""One neuron: how long each flow takes to a tolerance, from within half the teacher's norm of it."""

from functools import partial

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from sobolev_theory import single_neuron

from ..balls import formulas, integrals
from ..checks import Ball, NonNegative, Quadrature
from ..claim import Claim, Formula
from .domains import Pair
from .one_neuron_methods import closed, loss_gradient, population_gradient
from .rates import BALL

NAMES = ("l2_gradient", "h1_population_gradient", "h1_loss_gradient")
L2, POPULATION, LOSS = range(3)
TOLERANCE = 1e-3  # of |w*|
LINE = 1e-9  # height over the line of w* at which the flow of the loss is on its kink


@closed
def gradients(w, w_star):
    """G_L, G_H and grad H, [3, d]."""
    return jnp.stack([getattr(single_neuron, name)(w, w_star) for name in NAMES])


@closed
def without_the_boundary(w, w_star):
    return jnp.stack([getattr(single_neuron, name)(w, w_star) for name in (*NAMES[:2], NAMES[POPULATION])])


def _by_definition(pair: Pair) -> np.ndarray:
    return np.stack([population_gradient("L", pair), population_gradient("H", pair), loss_gradient("H", pair)])


def _in_balls(module, pair: Pair) -> np.ndarray:
    return np.stack([getattr(module, name)(pair.w, pair.v) for name in NAMES])


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
    margins = []
    for epsilon, psi in samples:
        start = np.array([1 + epsilon * np.cos(psi), epsilon * np.sin(psi)])
        l2, population, loss = (_time(formula, which, start) / np.log(epsilon / TOLERANCE) for which in range(3))
        margins.append(min(l2 - 2, 1 / 0.816 - population, 1 - loss))
    return np.array(margins)


TIMES = Claim(
    "one-neuron/time-to-tolerance",
    r"|w(0) - w^*| \le \tfrac12|w^*|,\ \ell = \log(|w(0) - w^*|/\epsilon): \text{ until } |w - w^*| = \epsilon "
    r"\text{ it takes } T_L \ge 2\ell, T_{G_H} \le \ell/0.816, T_{\nabla H} \le \ell; "
    r"\text{ so } T_L/T_{G_H} \ge 1.632 \text{ and } T_L/T_{\nabla H} \ge 2",
    "derived here, from the rates",
    BALL,
    gradients,
    (
        Quadrature(_by_definition),
        Ball(partial(_in_balls, integrals), partial(_in_balls, formulas)),
        NonNegative(_draw, _margins, 1e-7, count=3),
    ),
    {"boundary term dropped": without_the_boundary},
)

CLAIMS = (TIMES,)
