"""One neuron: gradient flows in (norm, angle), acceleration by the seminorm, and rates near the teacher."""

from collections.abc import Callable
from functools import partial
from math import pi

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory import single_neuron
from sobolev_theory.symbolic import descent, output_weight
from sobolev_theory.symbolic import single_neuron as derived

from ...checks import (
    Certified,
    Check,
    Differences,
    NonNegative,
    Quadrature,
    SymbolicProof,
)
from ...claim import Claim, Formula
from ...statements import Statement
from ...statements import notation as n
from ...statements import one_neuron as stated
from ...twins import entry_scaled
from ..common.domains import ONE_NEURON, Pair
from ..common.frames import excess_norm, frame, polar_velocity, turn
from ..common.pairs import ball, symbolic, value
from ..common.sources import ONE_NEURON_PAPER as PAPER
from ..common.sources import TIAN
from .methods import (
    DEFINED,
    LIBRARY,
    closed,
    gradient_by_differences,
    loss_at,
    loss_gradient,
    population_gradient,
    sampled,
)

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
        stated.L2_FLOW,
        TIAN,
        ONE_NEURON,
        l2_flow,
        (
            symbolic(derived.l2_flow),
            ball(),
            Quadrature(partial(_downhill, partial(population_gradient, "L"))),
            Differences(partial(_downhill, partial(gradient_by_differences, "L"))),
            sampled("population_gradient", "L", _sampled_velocity),
        ),
        _flow_twins(l2_flow, **{"the other loss's": h1_flow}),
    ),
    Claim(
        "one-neuron/h1-population-flow",
        stated.H1_POPULATION_FLOW,
        PAPER,
        ONE_NEURON,
        h1_flow,
        (
            symbolic(derived.h1_population_flow),
            ball(),
            Quadrature(partial(_downhill, partial(population_gradient, "H"))),
            sampled("population_gradient", "H", _sampled_velocity),
        ),
        _flow_twins(h1_flow, **{"boundary term added": loss_flow}),
    ),
    Claim(
        "one-neuron/h1-loss-flow",
        stated.H1_LOSS_FLOW,
        "derived here",
        ONE_NEURON,
        loss_flow,
        (
            symbolic(derived.h1_loss_flow),
            ball(),
            Quadrature(partial(_downhill, partial(loss_gradient, "H"))),
            Differences(partial(_downhill, partial(gradient_by_differences, "H"))),
            sampled("loss_gradient", "H", _sampled_velocity),
        ),
        _flow_twins(loss_flow, **{"boundary term dropped": h1_flow}),
    ),
)


# Where the output weight trains too: the balance, and the flow of the product.


LOSSES = {quantity: lambda w, v, loss=loss: loss_at(loss, Pair(w, v)) for quantity, loss in ((n.L, "L"), (n.H, "H"))}


def _trained(
    name: str, statement: Statement, derivations: tuple[Check, ...], twins: Callable[[Formula], dict[str, Formula]]
) -> Claim:
    formula = partial(value, statement, LIBRARY)
    checks = (*derivations, ball(), Quadrature(partial(value, statement, {**DEFINED, **LOSSES})))
    return Claim(f"one-neuron/{name}", statement, "derived here", ONE_NEURON, formula, checks, twins(formula))


def _balance_claim(name: str, statement: Statement, derivation: Callable, others: Statement) -> Claim:
    def twins(formula: Formula) -> dict[str, Formula]:
        return {
            "weights ten percent off": entry_scaled(formula, 0, 1.1),
            "output weight ten percent off": entry_scaled(formula, 1, 1.1),
            "the other loss's": partial(value, others, LIBRARY),
        }

    return _trained(name, statement, (symbolic(derivation),), twins)


BALANCES = (
    _balance_claim("l2-balance", stated.L2_BALANCE, output_weight.l2_balance, stated.H1_POPULATION_BALANCE),
    _balance_claim(
        "h1-population-balance",
        stated.H1_POPULATION_BALANCE,
        output_weight.h1_population_balance,
        stated.L2_BALANCE,
    ),
    _balance_claim("h1-loss-balance", stated.H1_LOSS_BALANCE, output_weight.h1_loss_balance, stated.L2_BALANCE),
)


def _claim_of_both(
    name: str, statement: Statement, derivation: Callable, rates: Callable, alone: Formula, other: Statement
) -> Claim:
    def twins(formula: Formula) -> dict[str, Formula]:
        return {**_flow_twins(formula), "output weight fixed": alone, "another's": partial(value, other, LIBRARY)}

    return _trained(name, statement, (symbolic(derivation), SymbolicProof(rates)), twins)


OF_BOTH = (
    _claim_of_both(
        "l2-flow-of-both",
        stated.L2_FLOW_OF_BOTH,
        output_weight.l2_flow,
        output_weight.l2_rates,
        l2_flow,
        stated.H1_POPULATION_FLOW_OF_BOTH,
    ),
    _claim_of_both(
        "h1-population-flow-of-both",
        stated.H1_POPULATION_FLOW_OF_BOTH,
        output_weight.h1_population_flow,
        output_weight.h1_population_rates,
        h1_flow,
        stated.H1_LOSS_FLOW_OF_BOTH,
    ),
    _claim_of_both(
        "h1-loss-flow-of-both",
        stated.H1_LOSS_FLOW_OF_BOTH,
        output_weight.h1_loss_flow,
        output_weight.h1_loss_rates,
        loss_flow,
        stated.H1_POPULATION_FLOW_OF_BOTH,
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


def _restore_acceleration(_: Statement, pair: Pair, value: float) -> float:
    """The certified function times its factor (|w| + |w*|)^2 (y^2 + t^2), plus |w - w*|^2/43."""
    f, y, t = frame(pair), excess_norm(pair), turn(pair)
    step = np.asarray(pair.w) - np.asarray(pair.v)
    return (f.norm + f.other_norm) ** 2 * (y**2 + t**2) * value + step @ step / 43


ACCELERATION = Claim(
    "one-neuron/acceleration",
    stated.SEMINORM_DESCENT,
    PAPER,
    ONE_NEURON,
    inner_product,
    (
        symbolic(descent.seminorm_descent),
        SymbolicProof(descent.acceleration),
        ball(),
        Certified("acceleration", lambda pair: (excess_norm(pair), turn(pair)), _restore_acceleration),
        Quadrature(lambda pair: (pair.w - pair.v) @ population_gradient("J", pair)),
        sampled("population_gradient", "J", lambda pair, mean: (pair.w - pair.v) @ np.asarray(mean.weights)[0]),
        NonNegative(draw_planar, planar_margin, 1e-12),
    ),
    {"angle term dropped": _without_angle, "angle term with the wrong sign": _angle_sign},
)

CLAIMS = (*FLOWS, *BALANCES, *OF_BOTH, ACCELERATION)
