"""One neuron: the rate of the flows near the teacher, w = w* + epsilon n with epsilon -> 0."""

from collections.abc import Callable
from functools import partial
from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp
import mpmath
import numpy as np

import sobolev_theory as st
from sobolev_theory.symbolic import descent

from ...checks import (
    Certified,
    Limit,
    NonNegative,
    Request,
    Sampled,
    Symbolic,
    SymbolicProof,
)
from ...claim import Claim, Domain, Formula
from ...statements import Statement, dynamics
from ...statements.evaluation import DIGITS, Environment, evaluate
from ..common.domains import Pair, Vector, rotation
from ..common.sources import ONE_NEURON_PAPER as PAPER
from ..common.sources import TIAN
from .methods import population_gradient, request


class Nearby(NamedTuple):
    """A unit teacher and a unit direction n from it."""

    w_star: Vector
    n: Vector


def _nearby(generator: np.random.Generator, psi: float) -> Nearby:
    first, second = rotation(generator, 4)[:2]
    return Nearby(first, np.cos(psi) * first + np.sin(psi) * second)


NEARBY = Domain(
    r"w = w^* + \epsilon n, |n| = |w^*| = 1, n \ne \pm w^*, \epsilon \to 0",
    lambda generator: _nearby(generator, generator.uniform(0.2, pi - 0.2)),
    lambda generator: _nearby(generator, 3 * pi / 4),
)
# Steps near and far for sampling. The remainder of the extrapolation is 1.5e-5 for H and below 1e-8 for L: less than
# a tenth of a standard error up to 20 times the default samples. H needs the wedge between w and w* to be hit.
STEPS = {"H": (0.005, 0.02), "L": (1e-4, 4e-4)}


def h1_rate(point: Nearby):
    """1 + sin(psi) cos(psi) / (2 pi), psi the angle of n and w*; least at psi = 3 pi / 4."""
    cos = jnp.asarray(point.n) @ jnp.asarray(point.w_star)
    return 1 + jnp.sqrt(1 - cos**2) * cos / (2 * jnp.pi)


def l2_rate(point: Nearby):
    return 0.5 + 0 * jnp.asarray(point.n)[0]


def _rate_by_definition(loss: str, point: Nearby) -> np.ndarray:
    """n.G(w* + epsilon n) / epsilon at six steps, extrapolated to epsilon = 0 by a polynomial of degree five."""
    steps = 0.01 * np.arange(1, 7)
    rates = [point.n @ population_gradient(loss, Pair(point.w_star + s * point.n, point.w_star)) / s for s in steps]
    return np.linalg.solve(np.vander(steps / steps[0], increasing=True), np.array(rates))[0]


RATE_EFFORT = {"H": 18.0, "L": 2.2}


def _rate_requests(loss: str, point: Nearby) -> list[Request]:
    near, far = STEPS[loss]
    effort = RATE_EFFORT[loss]
    return [
        request("population_gradient", Pair(point.w_star + s * point.n, point.w_star), loss, share)
        for s, share in ((near, effort), (far, effort / 8))
    ]


def _extrapolated(loss: str, point: Nearby, near: st.Network, far: st.Network) -> np.ndarray:
    """The line through the rates at two steps, at 0: what remains is of second order."""
    steps = STEPS[loss]
    rates = [point.n @ np.asarray(g.weights)[0] / s for g, s in zip((near, far), steps, strict=True)]
    return (steps[1] * rates[0] - steps[0] * rates[1]) / (steps[1] - steps[0])


def _draw_directions(generator: np.random.Generator, count: int) -> np.ndarray:
    return np.append(generator.uniform(0.0, pi, count - 1), 3 * pi / 4)[:, None]


def _rate_margin(formula: Formula, samples: np.ndarray) -> np.ndarray:
    """Above the least rate."""
    psi = jnp.asarray(samples)[:, 0]
    zero = jnp.zeros_like(psi)
    n = jnp.stack([jnp.cos(psi), jnp.sin(psi), zero], axis=1)
    w_star = jnp.stack([zero + 1, zero, zero], axis=1)
    return np.asarray(jax.jit(jax.vmap(formula))(Nearby(w_star, n)) - _least(dynamics.H1_LOCAL_RATE))


def _direction(statement: Statement, point: Nearby):
    """The statement at the angle of n and w*."""
    cosine = mpmath.fdot(*(map(mpmath.mpf, np.asarray(x, dtype=float).tolist()) for x in point))
    return evaluate(statement.right, Environment(DIGITS, values={dynamics.psi: mpmath.acos(cosine)}))


def _least(statement: Statement) -> float:
    """What the rate is at least."""
    return float(statement.bounds[0].rhs)


def _psi(point: Nearby) -> float:
    return float(np.arccos(np.asarray(point.n) @ np.asarray(point.w_star)))


def _restore_rate(statement: Statement, point: Nearby, value: float) -> float:
    return _least(statement) + (value + 1 / 70) * (_psi(point) - 3 * pi / 4) ** 2


def _rate_claim(
    name: str, statement: Statement, source: str, loss: str, formula: Formula, more: tuple, twins: dict
) -> Claim:
    checks = (
        Limit(partial(_rate_by_definition, loss)),
        Sampled(partial(_rate_requests, loss), partial(_extrapolated, loss)),
        *more,
    )
    return Claim(f"one-neuron/{name}", statement, source, NEARBY, formula, checks, twins)


def _symbolic(derivation: Callable) -> Symbolic:
    return Symbolic((derivation,), _direction, lambda statement: statement.right)


RATES = (
    _rate_claim(
        "h1-local-rate",
        dynamics.H1_LOCAL_RATE,
        PAPER + "; the constant derived here",
        "H",
        h1_rate,
        (
            _symbolic(descent.h1_local_rate),
            SymbolicProof(descent.least_local_rate),
            Certified("local-rate", lambda point: (_psi(point) / pi,), _restore_rate),
            NonNegative(_draw_directions, _rate_margin, 1e-12),
        ),
        {
            "sign of the wedge": lambda point: 2 - h1_rate(point),
            "wedge dropped": lambda point: 1 + 0 * h1_rate(point),
        },
    ),
    _rate_claim(
        "l2-local-rate",
        dynamics.L2_LOCAL_RATE,
        TIAN,
        "L",
        l2_rate,
        (_symbolic(descent.l2_local_rate),),
        {"that of H1": h1_rate},
    ),
)

CLAIMS = RATES
