"""One neuron: how fast |w - w*|^2/2 falls under each gradient, with constants that hold on whole domains."""

from functools import partial
from math import pi

import jax.numpy as jnp
import numpy as np

from ..checks import Certified, Quadrature
from ..claim import Claim, Domain, Formula, Verdict
from .ball_methods import around_teacher, ball_margin, counterexample, excess_norm, turn
from .bound_methods import everywhere
from .domains import ONE_NEURON, Pair, pair_at, rotation
from .frames import frame
from .one_neuron import h1_gradient, h1_loss_gradient, l2_gradient, seminorm_gradient
from .one_neuron_methods import loss_gradient, population_gradient
from .sources import ONE_NEURON_PAPER as PAPER

# What falls, from any gradient: by the library or by definition.


def _descent(gradient: Formula, pair: Pair):
    """(w - w*).G."""
    return (jnp.asarray(pair.w) - jnp.asarray(pair.v)) @ gradient(pair)


def _distance2(pair: Pair) -> float:
    step = np.asarray(pair.w) - np.asarray(pair.v)
    return float(step @ step)


def _sharp(gradient: Formula, pair: Pair):
    f = frame(pair)
    return _descent(gradient, pair) - f.norm / (2 * (f.norm + f.other_norm)) * _distance2(pair)


def _below_half(gradient: Formula, pair: Pair):
    return _distance2(pair) / 2 - _descent(gradient, pair)


def _rate(gradient: Formula, pair: Pair):
    return _descent(gradient, pair) / _distance2(pair)


def _excess_rate(gradient: Formula, pair: Pair):
    return _rate(gradient, pair) - 1


def _per_curvature(sobolev: Formula, plain: Formula, pair: Pair):
    """The largest eigenvalue of DG_H is 1, that of DG_L 1/2."""
    return _descent(sobolev, pair) - 2 * _descent(plain, pair)


by_definition = {
    "L": partial(population_gradient, "L"),
    "J": partial(population_gradient, "J"),
    "H": partial(population_gradient, "H"),
    "loss": partial(loss_gradient, "H"),
}


# Domains.


def _near(generator: np.random.Generator) -> Pair:
    """|w - w*| from 0.05 to 0.5 of |w*|, in every direction but along w*."""
    first, second = rotation(generator, 4)[:2]
    size, epsilon = np.exp(generator.uniform(-1, 1)), generator.uniform(0.05, 0.5)
    psi = generator.uniform(0.1, pi - 0.1)
    v = size * first
    return Pair(v + epsilon * size * (np.cos(psi) * first + np.sin(psi) * second), v)


def _long(generator: np.random.Generator) -> Pair:
    """Students longer than their teacher."""
    norm = np.exp(generator.uniform(-1, 1))
    return pair_at(generator, 4, (norm, norm * generator.uniform(0.2, 0.98)), generator.uniform(0.2, pi - 0.2))


BALL = Domain(r"0 < |w - w^*| \le \tfrac12|w^*|, d \ge 2", _near, _near)
LONG = Domain(r"|w| \ge |w^*| > 0, d \ge 2", _long, _long)


# The certified functions with the factors that were divided out.


def _restore_sharp(pair: Pair, value: float) -> float:
    f, y = frame(pair), excess_norm(pair)
    phi = pi - f.theta
    first = np.pi * (1 + np.cos(f.theta)) / (2 * phi)
    bracket = first * (y + f.theta / (2 * pi)) ** 2 + (value + 1 / 10) * f.theta**2
    return f.other_norm * (f.norm + f.other_norm) * phi / (2 * pi) * bracket


def _restore_l2(pair: Pair, value: float) -> float:
    f = frame(pair)
    return f.other_norm * (f.norm + f.other_norm) / (2 * pi) * f.theta**3 * (value + 1 / 10)


def _restore_loss(pair: Pair, value: float) -> float:
    epsilon, u = around_teacher(pair)
    return np.sin(pi * u) * frame(pair).rho ** 2 / (2 * pi * epsilon) * (value + 1 / 10)


def _restore_normalised(pair: Pair, value: float) -> float:
    f = frame(pair)
    factor = f.other_norm * (f.norm + f.other_norm) * np.sin(f.theta) / (2 * pi)
    return factor * (excess_norm(pair) + f.theta**2) * (value + 1 / 11)


SHARP = Claim(
    "one-neuron/acceleration-sharp",
    r"(w - w^*)^\top G_J(w) \ge \frac{|w|}{2(|w| + |w^*|)}|w - w^*|^2, "
    r"\text{ with equality exactly at } w = w^* \text{ and for opposite vectors}",
    PAPER + "; the constant derived here",
    ONE_NEURON,
    partial(_sharp, seminorm_gradient),
    (
        Quadrature(partial(_sharp, by_definition["J"])),
        ball_margin("sharp-acceleration"),
        Certified("sharp-acceleration", lambda pair: (turn(pair),), _restore_sharp),
    ),
    {
        "that of values": partial(_sharp, l2_gradient),
        "norms exchanged": lambda pair: (
            _descent(seminorm_gradient, pair) - frame(pair).rho / (2 * (1 + frame(pair).rho)) * _distance2(pair)
        ),
    },
)

L2_RATE = Claim(
    "one-neuron/l2-rate-at-most-half",
    r"(w - w^*)^\top G_L(w) \le \tfrac12|w - w^*|^2 - \tfrac{1}{20\pi}|w^*|(|w| + |w^*|)\theta^3",
    "derived here",
    ONE_NEURON,
    partial(_below_half, l2_gradient),
    (
        Quadrature(partial(_below_half, by_definition["L"])),
        ball_margin("l2-rate"),
        Certified("l2-rate", lambda pair: ((1 + excess_norm(pair)) / 2, turn(pair)), _restore_l2),
    ),
    {"that of slopes": partial(_below_half, seminorm_gradient)},
)

H1_RATE = Claim(
    "one-neuron/h1-rate-in-a-ball",
    r"(w - w^*)^\top G_H(w) \ge 0.816\,|w - w^*|^2 \text{ for } |w - w^*| \le \tfrac12|w^*|: "
    r"|w(t) - w^*| \le e^{-0.816t}|w(0) - w^*|, \text{ against at best } e^{-t/2} \text{ for } L",
    "derived here",
    BALL,
    partial(_rate, h1_gradient),
    (
        Quadrature(partial(_rate, by_definition["H"])),
        ball_margin("rate-in-ball"),
        Certified("rate-in-ball", around_teacher, lambda _, value: value + 0.816),
    ),
    {
        "that of the loss": partial(_rate, h1_loss_gradient),
        "twice that of L": lambda pair: 2 * _rate(l2_gradient, pair),
    },
)

LOSS_RATE = Claim(
    "one-neuron/h1-loss-rate-in-a-ball",
    r"(w - w^*)^\top\nabla H(w) \ge |w - w^*|^2 \text{ for } |w - w^*| \le \tfrac12|w^*|",
    "derived here",
    BALL,
    partial(_excess_rate, h1_loss_gradient),
    (
        Quadrature(partial(_excess_rate, by_definition["loss"])),
        ball_margin("loss-rate-in-ball"),
        Certified("loss-rate-in-ball", around_teacher, _restore_loss),
    ),
    {"boundary term dropped": partial(_excess_rate, h1_gradient)},
)

NORMALISED_STATEMENT = (
    r"(w - w^*)^\top(G_H/\lambda_{\max}(DG_H) - G_L/\lambda_{\max}(DG_L))"
    r" = \tfrac{1}{2\pi}|w^*|\sin\theta\,(|w| - |w^*|\cos\theta) \ge 0"
)

NORMALISED = Claim(
    "one-neuron/normalised-rate-of-long-students",
    NORMALISED_STATEMENT + r" \text{ for } |w| \ge |w^*|",
    "derived here",
    LONG,
    partial(_per_curvature, h1_gradient, l2_gradient),
    (
        Quadrature(partial(_per_curvature, by_definition["H"], by_definition["L"])),
        ball_margin("normalised-rate"),
        Certified("normalised-rate", lambda pair: (excess_norm(pair), turn(pair)), _restore_normalised),
    ),
    {
        "not normalised": lambda pair: _descent(seminorm_gradient, pair),
        "that of the loss": partial(_per_curvature, h1_loss_gradient, l2_gradient),
    },
)

RECHECK = """\
from sobolev_theory import single_neuron as one
rate = lambda gradient: (w - v) @ gradient(w, v)
claimed = "not negative"
found = rate(one.h1_population_gradient) - 2 * rate(one.l2_gradient)
"""

NORMALISED_EVERYWHERE = Claim(
    "one-neuron/normalised-rate-everywhere",
    NORMALISED_STATEMENT + r" \text{ for every } w; \text{ it holds exactly where } w\cdot(w - w^*) \ge 0",
    PAPER + ", read per unit of step size",
    ONE_NEURON,
    partial(_per_curvature, h1_gradient, l2_gradient),
    (everywhere(ONE_NEURON), counterexample([0.5, 0.25], [1.0, 0.0], "normalised-rate", RECHECK)),
    expected=Verdict.REFUTED,
)

CLAIMS = (SHARP, L2_RATE, H1_RATE, LOSS_RATE, NORMALISED, NORMALISED_EVERYWHERE)
