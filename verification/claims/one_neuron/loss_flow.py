"""One neuron under the gradient of the loss: it accelerates too, and its angle closes in finite time."""

from functools import partial
from math import pi

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from sobolev_theory import single_neuron
from sobolev_theory.symbolic import descent

from ...checks import Differences, NonNegative, Quadrature, SymbolicProof
from ...claim import Claim, Formula, Verdict
from ...statements import dynamics, one_neuron
from ...statements.evaluation import evaluate
from ...twins import entry_scaled
from ..common.bounds import everywhere
from ..common.domains import ONE_NEURON, Pair
from ..common.frames import frame
from ..common.pairs import ball, counterexample, in_floats, symbolic
from .flows import draw_planar, inner_product, planar_margin
from .methods import closed, gradient_by_differences, loss_gradient, sampled

# Acceleration.


@closed
def loss_inner_product(w, w_star):
    """(w - w*).grad J."""
    gradient = single_neuron.seminorm_population_gradient(w, w_star) + single_neuron.seminorm_boundary(w, w_star)
    return (w - w_star) @ gradient


def _downhill_part(gradient: np.ndarray, pair: Pair) -> np.ndarray:
    return (np.asarray(pair.w) - np.asarray(pair.v)) @ gradient


ACCELERATION = Claim(
    "one-neuron/loss-acceleration",
    one_neuron.SEMINORM_LOSS_DESCENT,
    "derived here",
    ONE_NEURON,
    loss_inner_product,
    (
        symbolic(descent.seminorm_loss_descent),
        SymbolicProof(descent.loss_acceleration),
        ball(),
        Quadrature(lambda pair: _downhill_part(loss_gradient("J", pair), pair)),
        Differences(lambda pair: _downhill_part(gradient_by_differences("J", pair), pair)),
        NonNegative(draw_planar, planar_margin, 1e-12),
    ),
    {
        "boundary term dropped": inner_product,
        "boundary term with the wrong sign": lambda pair: 2 * inner_product(pair) - loss_inner_product(pair),
    },
)


# The collapse of the angle, seen in the height of w over the line of w*.


@closed
def velocity(w, w_star):
    """-grad H along w*, and orthogonal to w*, away from it."""
    u = w_star / jnp.linalg.norm(w_star)
    across = w - (w @ u) * u
    return -jnp.stack([u, across / jnp.linalg.norm(across)]) @ single_neuron.h1_loss_gradient(w, w_star)


@closed
def population_velocity(w, w_star):
    """The same under -G_H."""
    u = w_star / jnp.linalg.norm(w_star)
    across = w - (w @ u) * u
    return -jnp.stack([u, across / jnp.linalg.norm(across)]) @ single_neuron.h1_population_gradient(w, w_star)


def _by_definition(gradient, pair: Pair) -> np.ndarray:
    f = frame(pair)
    u = np.asarray(pair.v) / f.other_norm
    away = np.sin(f.theta) * f.v - np.cos(f.theta) * f.e
    return -np.stack([u, away]) @ gradient("H", pair)


def _read(pair: Pair, mean) -> np.ndarray:
    return _by_definition(lambda *_: np.asarray(mean.weights)[0], pair)


def _draw_acute(generator: np.random.Generator, count: int) -> np.ndarray:
    """|w| / |w*| over two decades, angles below pi/4."""
    return np.stack(
        [np.exp(generator.uniform(np.log(0.1), np.log(10), count)), generator.uniform(0.02, pi / 4 - 0.05, count)],
        axis=1,
    )


LINE = 1e-9  # of |w*|: on the line itself the direction away from it does not exist


def _time_left(formula: Formula, samples: np.ndarray) -> np.ndarray:
    """The stated time less that at which the height reaches 0, relative to the stated time; -1 if it does not."""

    def flow(_, w: np.ndarray) -> np.ndarray:
        return np.asarray(formula(Pair(w, np.array([1.0, 0.0]))))

    def height(_, w: np.ndarray) -> float:
        return w[1] - LINE

    height.terminal = True  # type: ignore[attr-defined]
    bound, margins = one_neuron.H1_LOSS_VELOCITY.bounds[0], []
    for norm, theta in samples:
        start = norm * np.array([np.cos(theta), np.sin(theta)])
        stated = float(evaluate(bound.rhs, in_floats(Pair(start, np.array([1.0, 0.0])), {})))
        path = solve_ivp(flow, (0.0, stated), start, events=height, rtol=1e-8, atol=1e-10)
        ended = (path.t_events or [np.zeros(0)])[0]
        margins.append((stated - ended[0]) / stated if ended.size else -1.0)
    return np.array(margins)


COLLAPSE = Claim(
    "one-neuron/h1-loss-angle-collapse",
    one_neuron.H1_LOSS_VELOCITY,
    "derived here",
    ONE_NEURON,
    velocity,
    (
        symbolic(descent.h1_loss_velocity),
        SymbolicProof(descent.collapse),
        Quadrature(partial(_by_definition, loss_gradient)),
        Differences(partial(_by_definition, gradient_by_differences)),
        sampled("loss_gradient", "H", _read),
        NonNegative(_draw_acute, _time_left, 1e-7, count=3),
    ),
    {
        "boundary term dropped": population_velocity,
        "height ten percent off": entry_scaled(velocity, 1, 1.1),
    },
)

# Not from every start: around -w* the loss turns the neuron away, onto the opposite ray, where it shrinks to 0.


@closed
def turning(w, w_star):
    """-e.grad H, e the unit vector orthogonal to w towards w*: |w| times -theta'."""
    v, u = w / jnp.linalg.norm(w), w_star / jnp.linalg.norm(w_star)
    across = u - (u @ v) * v
    return -across @ single_neuron.h1_loss_gradient(w, w_star) / jnp.linalg.norm(across)


@closed
def population_turning(w, w_star):
    v, u = w / jnp.linalg.norm(w), w_star / jnp.linalg.norm(w_star)
    across = u - (u @ v) * v
    return -across @ single_neuron.h1_population_gradient(w, w_star) / jnp.linalg.norm(across)


def _turned(gradient: np.ndarray, pair: Pair) -> float:
    return float(-frame(pair).e @ gradient)


RECHECK = """\
from sobolev_theory import single_neuron as one
claimed = "not negative"
found = -one.h1_loss_flow(jnp.linalg.norm(w), jnp.arccos(w @ v / (jnp.linalg.norm(w) * jnp.linalg.norm(v)))).angle
"""

TURNING = Claim(
    "one-neuron/h1-loss-turning",
    dynamics.TURNING,
    "derived here",
    ONE_NEURON,
    turning,
    (
        ball(),
        Quadrature(lambda pair: _turned(loss_gradient("H", pair), pair)),
        Differences(lambda pair: _turned(gradient_by_differences("H", pair), pair)),
    ),
    {"boundary term dropped": population_turning},
)

TURNING_EVERYWHERE = Claim(
    "one-neuron/h1-loss-turns-to-the-teacher",
    dynamics.TURNS_TO_THE_TEACHER,
    "the acceleration of arXiv 2509.19773, read for the gradient of the loss",
    ONE_NEURON,
    turning,
    (everywhere(ONE_NEURON), counterexample(dynamics.TURNS_TO_THE_TEACHER, [-1.0, 0.5], [1.0, 0.0], RECHECK)),
    expected=Verdict.REFUTED,
)

CLAIMS = (ACCELERATION, COLLAPSE, TURNING, TURNING_EVERYWHERE)
