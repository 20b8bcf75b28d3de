"""One neuron w and its teacher w*: losses, gradients, boundary term and Jacobians, one claim each."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp

from sobolev_theory import single_neuron
from sobolev_theory.symbolic import single_neuron as derived

from ...checks import Differences, Quadrature, Sampled, SecondDifferences
from ...claim import Claim, Formula, Verdict
from ...statements import Statement
from ...statements import notation as n
from ...statements import one_neuron as stated
from ...twins import minus
from ..common.domains import ONE_NEURON, Pair
from ..common.pairs import ball, symbolic
from ..common.sources import ONE_NEURON_PAPER as PAPER
from ..common.sources import TIAN
from .methods import (
    block_of,
    boundary_by_differences,
    boundary_term,
    by_library,
    closed,
    gradient_by_differences,
    hessian_by_differences,
    jacobian_by_differences,
    loss_at,
    loss_gradient,
    population_gradient,
    population_jacobian,
    row_of,
    rows_of,
    sampled,
    scalar,
    segment_observe,
    segment_read,
    segment_requests,
)

l2_loss, seminorm_loss, h1_loss = (by_library(n.L), by_library(n.J), by_library(n.H))
l2_gradient, seminorm_gradient, h1_gradient = by_library(n.G_L), by_library(n.G_J), by_library(n.G_H)
h1_loss_gradient, boundary = by_library(n.grad_H), closed(single_neuron.seminorm_boundary)
l2_jacobian, seminorm_jacobian, h1_jacobian = by_library(n.DG_L), by_library(n.DG_J), by_library(n.DG_H)
h1_hessian = by_library(n.hess_H)


def _loss_claim(
    name: str, statement: Statement, loss: str, formula: Formula, source: str, derivation: Callable, twins: dict
) -> Claim:
    return Claim(
        f"one-neuron/{name}",
        statement,
        source,
        ONE_NEURON,
        formula,
        (
            symbolic(derivation),
            ball(),
            Quadrature(partial(loss_at, loss)),
            sampled("population_loss", loss, scalar),
        ),
        twins,
    )


def _swap(formula: Formula) -> Formula:
    """Student and teacher exchanged."""
    return lambda pair: formula(Pair(pair.v, pair.w))


def _supplement(formula: Formula) -> Formula:
    """pi - theta in the place of theta: the teacher reflected, and the value it multiplies back."""
    return lambda pair: formula(Pair(pair.w, -pair.v))


LOSSES = (
    _loss_claim(
        "l2-loss",
        stated.L2_LOSS,
        "L",
        l2_loss,
        TIAN,
        derived.l2_loss,
        {"reflected teacher": _supplement(l2_loss), "the seminorm": seminorm_loss},
    ),
    _loss_claim(
        "seminorm-loss",
        stated.SEMINORM_LOSS,
        "J",
        seminorm_loss,
        PAPER,
        derived.seminorm_loss,
        {"reflected teacher": _supplement(seminorm_loss), "the loss on values": l2_loss},
    ),
    _loss_claim(
        "h1-loss",
        stated.H1_LOSS,
        "H",
        h1_loss,
        PAPER,
        derived.h1_loss,
        {"only values, twice": lambda pair: 2 * l2_loss(pair), "reflected teacher": _supplement(h1_loss)},
    ),
)

GRADIENTS = (
    Claim(
        "one-neuron/l2-gradient",
        stated.L2_GRADIENT,
        TIAN,
        ONE_NEURON,
        l2_gradient,
        (
            symbolic(derived.l2_gradient, derived.l2_loss_gradient),
            ball(),
            Quadrature(partial(population_gradient, "L")),
            Differences(partial(gradient_by_differences, "L")),
            sampled("population_gradient", "L", rows_of),
        ),
        {"sine term dropped": seminorm_gradient, "sign": minus(l2_gradient), "exchanged": _swap(l2_gradient)},
    ),
    Claim(
        "one-neuron/seminorm-population-gradient",
        stated.SEMINORM_POPULATION_GRADIENT,
        PAPER,
        ONE_NEURON,
        seminorm_gradient,
        (
            symbolic(derived.seminorm_population_gradient),
            ball(),
            Quadrature(partial(population_gradient, "J")),
            sampled("population_gradient", "J", rows_of),
        ),
        {
            "boundary term added": lambda pair: seminorm_gradient(pair) + boundary(pair),
            "exchanged": _swap(seminorm_gradient),
        },
    ),
    Claim(
        "one-neuron/seminorm-boundary",
        stated.SEMINORM_BOUNDARY,
        "derived here, from the delta on w.x = 0",
        ONE_NEURON,
        boundary,
        (
            symbolic(derived.seminorm_boundary, derived.seminorm_boundary_by_delta),
            ball(),
            Quadrature(partial(boundary_term, "J")),
            Differences(partial(boundary_by_differences, "J")),
            sampled("boundary_term", "J", row_of),
        ),
        {"sign": minus(boundary), "exchanged": _swap(boundary)},
    ),
    Claim(
        "one-neuron/h1-population-gradient",
        stated.H1_POPULATION_GRADIENT,
        PAPER,
        ONE_NEURON,
        h1_gradient,
        (
            symbolic(derived.h1_population_gradient),
            ball(),
            Quadrature(partial(population_gradient, "H")),
            sampled("population_gradient", "H", rows_of),
        ),
        {"boundary term added": h1_loss_gradient, "exchanged": _swap(h1_gradient)},
    ),
    Claim(
        "one-neuron/h1-loss-gradient",
        stated.H1_LOSS_GRADIENT,
        "derived here, from the delta on w.x = 0",
        ONE_NEURON,
        h1_loss_gradient,
        (
            symbolic(derived.h1_loss_gradient),
            ball(),
            Quadrature(partial(loss_gradient, "H")),
            Differences(partial(gradient_by_differences, "H")),
            sampled("loss_gradient", "H", rows_of),
        ),
        {"boundary term dropped": h1_gradient, "exchanged": _swap(h1_loss_gradient)},
    ),
)

JACOBIANS = (
    Claim(
        "one-neuron/l2-jacobian",
        stated.L2_JACOBIAN,
        PAPER,
        ONE_NEURON,
        l2_jacobian,
        (
            symbolic(derived.l2_jacobian),
            ball(),
            Quadrature(partial(population_jacobian, "L")),
            Differences(partial(jacobian_by_differences, "L")),
            sampled("population_jacobian", "L", block_of),
        ),
        {"a.e. part alone": lambda pair: jnp.eye(pair.w.size) / 2, "exchanged": _swap(l2_jacobian)},
    ),
    Claim(
        "one-neuron/seminorm-population-jacobian",
        stated.SEMINORM_POPULATION_JACOBIAN,
        PAPER,
        ONE_NEURON,
        seminorm_jacobian,
        (
            symbolic(derived.seminorm_population_jacobian),
            ball(),
            Quadrature(partial(population_jacobian, "J")),
            Differences(partial(jacobian_by_differences, "J")),
            sampled("population_jacobian", "J", block_of),
        ),
        {"transposed": lambda pair: seminorm_jacobian(pair).T, "exchanged": _swap(seminorm_jacobian)},
    ),
    Claim(
        "one-neuron/h1-population-jacobian",
        stated.H1_POPULATION_JACOBIAN,
        PAPER + " (called the Hessian of H there)",
        ONE_NEURON,
        h1_jacobian,
        (
            symbolic(derived.h1_population_jacobian),
            ball(),
            Quadrature(partial(population_jacobian, "H")),
            Differences(partial(jacobian_by_differences, "H")),
            sampled("population_jacobian", "H", block_of),
        ),
        {"transposed": lambda pair: h1_jacobian(pair).T, "the loss's Hessian": h1_hessian},
    ),
    Claim(
        "one-neuron/h1-loss-hessian",
        stated.H1_LOSS_HESSIAN,
        "derived here",
        ONE_NEURON,
        h1_hessian,
        (
            symbolic(derived.h1_loss_hessian),
            ball(),
            SecondDifferences(partial(hessian_by_differences, "H")),
            Sampled(segment_requests, segment_read, segment_observe),
        ),
        {"boundary term dropped": h1_jacobian, "twice the L2 Hessian": lambda pair: 2 * l2_jacobian(pair)},
    ),
)

REFUTED = (
    Claim(
        "one-neuron/seminorm-population-gradient-is-the-gradient-of-the-loss",
        stated.SEMINORM_GRADIENT_OF_THE_LOSS,
        PAPER + ", read as a statement on the expected loss; the boundary term is missing",
        ONE_NEURON,
        seminorm_gradient,
        (
            symbolic(derived.seminorm_loss_gradient),
            Differences(partial(gradient_by_differences, "J")),
            sampled("loss_gradient", "J", rows_of),
        ),
        expected=Verdict.REFUTED,
        recheck="""\
claimed = st.single_neuron.seminorm_population_gradient(w, v)
found = jax.grad(st.single_neuron.seminorm_loss)(w, v)
""",
    ),
)

CLAIMS = LOSSES + GRADIENTS + JACOBIANS + REFUTED
