"""One neuron: gradient flows in (norm, angle), acceleration by the seminorm, and rates near the teacher."""

from collections.abc import Callable
from functools import partial
from math import pi
from typing import NamedTuple

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory import single_neuron
from sobolev_theory.symbolic import descent
from sobolev_theory.symbolic import single_neuron as derived

from ..checks import Certified, Differences, Limit, NonNegative, Quadrature, Request, Sampled, Symbolic, SymbolicProof
from ..checks.symbolic import Evaluate
from ..claim import Claim, Domain, Formula
from .ball_methods import ball_flow, ball_margin, excess_norm, turn
from .domains import ONE_NEURON, Pair, Vector, rotation
from .frames import frame, polar_velocity
from .one_neuron_methods import closed, gradient_by_differences, loss_gradient, population_gradient, request, sampled
from .placement import precise, symbolic
from .sources import ONE_NEURON_PAPER as PAPER
from .sources import TIAN
from .statements import H1_LOSS_FLOW, H1_POPULATION_FLOW, L2_FLOW, SEMINORM_DESCENT
from .twins import entry_scaled

# Flows.


def _flow(function: Callable) -> Formula:
    def formula(pair: Pair):
        f = frame(pair)
        return jnp.stack(function(f.norm, f.theta, f.other_norm))

    return formula


l2_flow = _flow(single_neuron.l2_flow)
h1_flow = _flow(single_neuron.h1_population_flow)
loss_flow = _flow(single_neuron.h1_loss_flow)


def _downhill(gradient: Callable[[Pair], np.ndarray], pair: Pair) -> np.ndarray:
    return polar_velocity(-gradient(pair), frame(pair))


def _sampled_velocity(pair: Pair, gradient: st.Network) -> np.ndarray:
    return polar_velocity(-np.asarray(gradient.weights)[0], frame(pair))


def _flow_twins(formula: Formula, **others: Formula) -> dict[str, Formula]:
    return {
        "radius ten percent off": entry_scaled(formula, 0, 1.1),
        "angle ten percent off": entry_scaled(formula, 1, 1.1),
        **others,
    }


FLOWS = (
    Claim(
        "one-neuron/l2-flow",
        r"r' = -\tfrac12 r + \tfrac{1}{2\pi}|w^*|J_1(\theta), "
        r"\theta' = -\tfrac{|w^*|}{2\pi r}(\pi-\theta)\sin\theta",
        TIAN,
        ONE_NEURON,
        l2_flow,
        (
            symbolic(L2_FLOW, derived.l2_flow),
            ball_flow("l2_gradient"),
            Quadrature(partial(_downhill, partial(population_gradient, "L"))),
            Differences(partial(_downhill, partial(gradient_by_differences, "L"))),
            sampled("population_gradient", "L", _sampled_velocity),
        ),
        _flow_twins(l2_flow, **{"the other loss's": h1_flow}),
    ),
    Claim(
        "one-neuron/h1-population-flow",
        r"r' = -r + \tfrac{1}{2\pi}|w^*|(\sin\theta + 2(\pi-\theta)\cos\theta), "
        r"\theta' = -\tfrac{|w^*|}{2\pi r}2(\pi-\theta)\sin\theta",
        PAPER,
        ONE_NEURON,
        h1_flow,
        (
            symbolic(H1_POPULATION_FLOW, derived.h1_population_flow),
            ball_flow("h1_population_gradient"),
            Quadrature(partial(_downhill, partial(population_gradient, "H"))),
            sampled("population_gradient", "H", _sampled_velocity),
        ),
        _flow_twins(h1_flow, **{"boundary term added": loss_flow}),
    ),
    Claim(
        "one-neuron/h1-loss-flow",
        r"r' \text{ as under } -G_H, \theta' = -\tfrac{|w^*|}{2\pi r}(2(\pi-\theta)\sin\theta + \cos\theta)",
        "derived here",
        ONE_NEURON,
        loss_flow,
        (
            symbolic(H1_LOSS_FLOW, derived.h1_loss_flow),
            ball_flow("h1_loss_gradient"),
            Quadrature(partial(_downhill, partial(loss_gradient, "H"))),
            Differences(partial(_downhill, partial(gradient_by_differences, "H"))),
            sampled("loss_gradient", "H", _sampled_velocity),
        ),
        _flow_twins(loss_flow, **{"boundary term dropped": h1_flow}),
    ),
)


# Acceleration.


@closed
def inner_product(w, w_star):
    """(w - w*).G_J(w)."""
    return (w - w_star) @ single_neuron.seminorm_population_gradient(w, w_star)


def _without_angle(pair: Pair):
    w, w_star = jnp.asarray(pair.w), jnp.asarray(pair.v)
    return (w - w_star) @ (w - w_star) / 2


def _angle_sign(pair: Pair):
    return 2 * _without_angle(pair) - inner_product(pair)


def draw_planar(generator: np.random.Generator, count: int) -> np.ndarray:
    """Norms |w| over six decades with |w*| = 1, angles over [0, pi] with both ends, and close to the minimiser."""
    norms = np.exp(generator.uniform(np.log(1e-3), np.log(1e3), count))
    angles = generator.uniform(0, pi, count)
    norms[::3], angles[::3] = 1 + 0.1 * generator.standard_normal(norms[::3].size), 0.1 * angles[::3]
    angles[:2] = 0.0, pi
    return np.stack([np.abs(norms), angles], axis=1)


def planar_margin(formula: Formula, samples: np.ndarray) -> np.ndarray:
    """Relative to |w - w*|^2, which the inner product cannot exceed by more than a constant."""
    r, theta = jnp.asarray(samples).T
    w = jnp.stack([r * jnp.cos(theta), r * jnp.sin(theta)], axis=1)
    w_star = jnp.broadcast_to(jnp.array([1.0, 0.0]), w.shape)
    size = jnp.sum((w - w_star) ** 2, axis=1)
    return np.asarray(jax.jit(jax.vmap(formula))(Pair(w, w_star)) / jnp.where(size > 0, size, 1.0))


def _restore_acceleration(pair: Pair, value: float) -> float:
    """The certified function times its factor (|w| + |w*|)^2 (y^2 + t^2), plus |w - w*|^2/43."""
    f, y, t = frame(pair), excess_norm(pair), turn(pair)
    step = np.asarray(pair.w) - np.asarray(pair.v)
    return (f.norm + f.other_norm) ** 2 * (y**2 + t**2) * value + step @ step / 43


ACCELERATION = Claim(
    "one-neuron/acceleration",
    r"(w - w^*)^\top G_J(w) = \tfrac12|w - w^*|^2 + \tfrac{\theta}{2\pi} w^{*\top}(w - w^*) \ge 0",
    PAPER,
    ONE_NEURON,
    inner_product,
    (
        symbolic(SEMINORM_DESCENT, descent.seminorm_descent),
        SymbolicProof(descent.acceleration),
        ball_margin("acceleration"),
        Certified("acceleration", lambda pair: (excess_norm(pair), turn(pair)), _restore_acceleration),
        Quadrature(lambda pair: (pair.w - pair.v) @ population_gradient("J", pair)),
        sampled("population_gradient", "J", lambda pair, mean: (pair.w - pair.v) @ np.asarray(mean.weights)[0]),
        NonNegative(draw_planar, planar_margin, 1e-12),
    ),
    {"angle term dropped": _without_angle, "angle term with the wrong sign": _angle_sign},
)


# Rates near the teacher: w = w* + epsilon n.

psi = descent.psi


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
    """Above 1 - 1/(4 pi)."""
    psi = jnp.asarray(samples)[:, 0]
    zero = jnp.zeros_like(psi)
    n = jnp.stack([jnp.cos(psi), jnp.sin(psi), zero], axis=1)
    w_star = jnp.stack([zero + 1, zero, zero], axis=1)
    return np.asarray(jax.jit(jax.vmap(formula))(Nearby(w_star, n)) - (1 - 1 / (4 * jnp.pi)))


def _direction(evaluate: Evaluate, point: Nearby):
    """The statement at the angle of n and w*."""
    return evaluate({descent.psi: mpmath.acos(precise(point.n) @ precise(point.w_star))})


def _psi(point: Nearby) -> float:
    return float(np.arccos(np.asarray(point.n) @ np.asarray(point.w_star)))


def _restore_rate(point: Nearby, value: float) -> float:
    return 1 - 1 / (4 * pi) + (value + 1 / 70) * (_psi(point) - 3 * pi / 4) ** 2


def _rate_claim(
    name: str, statement: str, source: str, loss: str, formula: Formula, more: tuple, twins: dict
) -> Claim:
    checks = (
        Limit(partial(_rate_by_definition, loss)),
        Sampled(partial(_rate_requests, loss), partial(_extrapolated, loss)),
        *more,
    )
    return Claim(f"one-neuron/{name}", statement, source, NEARBY, formula, checks, twins)


RATES = (
    _rate_claim(
        "h1-local-rate",
        r"(w - w^*)^\top G_H / |w - w^*|^2 \to 1 + \tfrac{1}{2\pi}\sin\psi\cos\psi \ge 1 - \tfrac{1}{4\pi}",
        PAPER + "; the constant derived here",
        "H",
        h1_rate,
        (
            Symbolic((descent.h1_local_rate,), 1 + sp.sin(psi) * sp.cos(psi) / (2 * sp.pi), _direction),
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
        r"(w - w^*)^\top G_L / |w - w^*|^2 \to \tfrac12",
        TIAN,
        "L",
        l2_rate,
        (Symbolic((descent.l2_local_rate,), sp.Rational(1, 2), _direction),),
        {"that of H1": h1_rate},
    ),
)

CLAIMS = (*FLOWS, ACCELERATION, *RATES)
