"""One neuron: how fast |w - w*|^2/2 falls under each gradient, with constants that hold on whole domains."""

from functools import partial
from math import pi

import numpy as np

from ...checks import Certified, Quadrature
from ...claim import Claim, Domain, Formula, Verdict
from ...statements import Statement
from ...statements import dynamics as stated
from ...statements import notation as n
from ..common.bounds import everywhere
from ..common.domains import ONE_NEURON, Pair, pair_at, rotation
from ..common.frames import around_teacher, excess_norm, frame, turn
from ..common.pairs import ball, counterexample, value
from ..common.sources import ONE_NEURON_PAPER as PAPER
from .methods import DEFINED, LIBRARY

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


def _instead(statement: Statement, **others) -> Formula:
    """The statement's left side with another quantity of the library in the place of one."""
    replaced = {getattr(n, name): LIBRARY[quantity] for name, quantity in others.items()}
    return partial(value, statement, {**LIBRARY, **replaced})


# The certified functions, their factors put back: what the margin, or the left side, of the statement must be.


def _restore_sharp(_: Statement, pair: Pair, certified: float) -> float:
    f, y = frame(pair), excess_norm(pair)
    phi = pi - f.theta
    first = np.pi * (1 + np.cos(f.theta)) / (2 * phi)
    bracket = first * (y + f.theta / (2 * pi)) ** 2 + (certified + 1 / 10) * f.theta**2
    return f.other_norm * (f.norm + f.other_norm) * phi / (2 * pi) * bracket


def _restore_l2(_: Statement, pair: Pair, certified: float) -> float:
    f = frame(pair)
    return f.other_norm * (f.norm + f.other_norm) / (2 * pi) * f.theta**3 * certified


def _restore_loss(_: Statement, pair: Pair, certified: float) -> float:
    epsilon, u = around_teacher(pair)
    return np.sin(pi * u) * frame(pair).rho ** 2 / (2 * pi * epsilon) * (certified + 1 / 10)


def _restore_normalised(_: Statement, pair: Pair, certified: float) -> float:
    f = frame(pair)
    factor = f.other_norm * (f.norm + f.other_norm) * np.sin(f.theta) / (2 * pi)
    return factor * (excess_norm(pair) + f.theta**2) * (certified + 1 / 11)


def _claim(name: str, statement: Statement, source: str, domain: Domain, factored, certified: Certified, twins: dict):
    checks = (Quadrature(partial(value, statement, DEFINED)), ball(factored=factored), certified)
    return Claim(f"one-neuron/{name}", statement, source, domain, partial(value, statement, LIBRARY), checks, twins)


def _norms_exchanged(pair: Pair) -> float:
    rho, step = frame(pair).rho, np.asarray(pair.w) - np.asarray(pair.v)
    return float(step @ LIBRARY[n.G_J](*pair) - rho / (2 * (1 + rho)) * (step @ step))


def _twice_l2(pair: Pair) -> float:
    step = np.asarray(pair.w) - np.asarray(pair.v)
    return float(2 * step @ LIBRARY[n.G_L](*pair) / (step @ step))


BOUNDS = (
    _claim(
        "acceleration-sharp",
        stated.SHARP,
        PAPER + "; the constant derived here",
        ONE_NEURON,
        stated.SHARP_FACTORED,
        Certified("sharp-acceleration", lambda pair: (turn(pair),), _restore_sharp),
        {"that of values": _instead(stated.SHARP, G_J=n.G_L), "norms exchanged": _norms_exchanged},
    ),
    _claim(
        "l2-rate-at-most-half",
        stated.L2_RATE,
        "derived here",
        ONE_NEURON,
        stated.L2_RATE_FACTORED,
        Certified("l2-rate", lambda pair: ((1 + excess_norm(pair)) / 2, turn(pair)), _restore_l2),
        {"that of slopes": _instead(stated.L2_RATE, G_L=n.G_J)},
    ),
    _claim(
        "h1-rate-in-a-ball",
        stated.H1_RATE,
        "derived here",
        BALL,
        stated.H1_RATE_FACTORED,
        Certified("rate-in-ball", around_teacher, lambda _, __, certified: certified),
        {"that of the loss": _instead(stated.H1_RATE, G_H=n.grad_H), "twice that of L": _twice_l2},
    ),
    _claim(
        "h1-loss-rate-in-a-ball",
        stated.H1_LOSS_RATE,
        "derived here",
        BALL,
        stated.H1_LOSS_RATE_FACTORED,
        Certified("loss-rate-in-ball", around_teacher, _restore_loss),
        {"boundary term dropped": _instead(stated.H1_LOSS_RATE, grad_H=n.G_H)},
    ),
    _claim(
        "normalised-rate-of-long-students",
        stated.NORMALISED_RATE,
        "derived here",
        LONG,
        None,
        Certified("normalised-rate", lambda pair: (excess_norm(pair), turn(pair)), _restore_normalised),
        {
            "not normalised": lambda pair: (
                (np.asarray(pair.w) - np.asarray(pair.v)) @ np.asarray(LIBRARY[n.G_J](*pair))
            ),
            "that of the loss": _instead(stated.NORMALISED_RATE, G_H=n.grad_H),
        },
    ),
)

RECHECK = """\
from sobolev_theory import single_neuron as one
rate = lambda gradient: (w - v) @ gradient(w, v)
claimed = "not negative"
found = rate(one.h1_population_gradient) - 2 * rate(one.l2_gradient)
"""

NORMALISED_EVERYWHERE = Claim(
    "one-neuron/normalised-rate-everywhere",
    stated.NORMALISED_RATE_EVERYWHERE,
    PAPER + ", read per unit of step size",
    ONE_NEURON,
    partial(value, stated.NORMALISED_RATE_EVERYWHERE, LIBRARY),
    (everywhere(ONE_NEURON), counterexample(stated.NORMALISED_RATE_EVERYWHERE, [0.5, 0.25], [1.0, 0.0], RECHECK)),
    expected=Verdict.REFUTED,
)

CLAIMS = (*BOUNDS, NORMALISED_EVERYWHERE)
