"""One neuron w and its teacher w*: losses, gradients, boundary term and Jacobians, one claim each."""

from functools import partial

import jax.numpy as jnp

from sobolev_theory import single_neuron
from sobolev_theory.symbolic import single_neuron as derived

from ..checks import Differences, Quadrature, Sampled, SecondDifferences, Symbolic
from ..claim import Claim, Formula, Verdict
from .ball_methods import ball
from .domains import ONE_NEURON, Pair
from .one_neuron_methods import (
    block_of,
    boundary_by_differences,
    boundary_term,
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
from .placement import symbolic
from .sources import ONE_NEURON_PAPER as PAPER
from .sources import TIAN
from .statements import (
    H1_LOSS,
    H1_LOSS_GRADIENT,
    H1_LOSS_HESSIAN,
    H1_POPULATION_GRADIENT,
    H1_POPULATION_JACOBIAN,
    L2_GRADIENT,
    L2_JACOBIAN,
    L2_LOSS,
    SEMINORM_BOUNDARY,
    SEMINORM_LOSS,
    SEMINORM_POPULATION_GRADIENT,
    SEMINORM_POPULATION_JACOBIAN,
)
from .twins import minus


def _loss_claim(
    name: str, statement: str, loss: str, formula: Formula, source: str, proof: Symbolic, twins: dict
) -> Claim:
    return Claim(
        f"one-neuron/{name}",
        statement,
        source,
        ONE_NEURON,
        formula,
        (
            proof,
            ball(name.replace("-", "_")),
            Quadrature(partial(loss_at, loss)),
            sampled("population_loss", loss, scalar),
        ),
        twins,
    )


l2_loss, seminorm_loss, h1_loss = (
    closed(f) for f in (single_neuron.l2_loss, single_neuron.seminorm_loss, single_neuron.h1_loss)
)
l2_gradient = closed(single_neuron.l2_gradient)
seminorm_gradient = closed(single_neuron.seminorm_population_gradient)
boundary = closed(single_neuron.seminorm_boundary)
h1_gradient = closed(single_neuron.h1_population_gradient)
h1_loss_gradient = closed(single_neuron.h1_loss_gradient)
l2_jacobian = closed(single_neuron.l2_jacobian)
seminorm_jacobian = closed(single_neuron.seminorm_population_jacobian)
h1_jacobian = closed(single_neuron.h1_population_jacobian)
h1_hessian = closed(single_neuron.h1_loss_hessian)


def _swap(formula: Formula) -> Formula:
    """Student and teacher exchanged."""
    return lambda pair: formula(Pair(pair.v, pair.w))


def _supplement(formula: Formula) -> Formula:
    """pi - theta in the place of theta: the teacher reflected, and the value it multiplies back."""
    return lambda pair: formula(Pair(pair.w, -pair.v))


LOSSES = (
    _loss_claim(
        "l2-loss",
        r"L = \tfrac14|w|^2 + \tfrac14|w^*|^2 - \tfrac{1}{2\pi}|w||w^*|(\sin\theta + (\pi-\theta)\cos\theta)",
        "L",
        l2_loss,
        TIAN,
        symbolic(L2_LOSS, derived.l2_loss),
        {"reflected teacher": _supplement(l2_loss), "the seminorm": seminorm_loss},
    ),
    _loss_claim(
        "seminorm-loss",
        r"J = \tfrac14|w|^2 + \tfrac14|w^*|^2 - \tfrac{1}{2\pi}(\pi-\theta)\, w\cdot w^*",
        "J",
        seminorm_loss,
        PAPER,
        symbolic(SEMINORM_LOSS, derived.seminorm_loss),
        {"reflected teacher": _supplement(seminorm_loss), "the loss on values": l2_loss},
    ),
    _loss_claim(
        "h1-loss",
        r"H = L + J",
        "H",
        h1_loss,
        PAPER,
        symbolic(H1_LOSS, derived.h1_loss),
        {"only values, twice": lambda pair: 2 * l2_loss(pair), "reflected teacher": _supplement(h1_loss)},
    ),
)

GRADIENTS = (
    Claim(
        "one-neuron/l2-gradient",
        r"G_L = \tfrac12 w - \tfrac{1}{2\pi}\left[(\pi-\theta)w^* + |w^*|\sin\theta\, w/|w|\right]",
        TIAN,
        ONE_NEURON,
        l2_gradient,
        (
            symbolic(L2_GRADIENT, derived.l2_gradient, derived.l2_loss_gradient),
            ball("l2_gradient"),
            Quadrature(partial(population_gradient, "L")),
            Differences(partial(gradient_by_differences, "L")),
            sampled("population_gradient", "L", rows_of),
        ),
        {"sine term dropped": seminorm_gradient, "sign": minus(l2_gradient), "exchanged": _swap(l2_gradient)},
    ),
    Claim(
        "one-neuron/seminorm-population-gradient",
        r"G_J = E[\nabla_w \tfrac12|\nabla_x(g - g^*)|^2] = \tfrac12 w - \tfrac{1}{2\pi}(\pi-\theta)w^*",
        PAPER,
        ONE_NEURON,
        seminorm_gradient,
        (
            symbolic(SEMINORM_POPULATION_GRADIENT, derived.seminorm_population_gradient),
            ball("seminorm_population_gradient"),
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
        r"\nabla J - G_J = -\tfrac{1}{2\pi}|w^*|\cos\theta\, e",
        "derived here, from the delta on w.x = 0",
        ONE_NEURON,
        boundary,
        (
            symbolic(SEMINORM_BOUNDARY, derived.seminorm_boundary, derived.seminorm_boundary_by_delta),
            ball("seminorm_boundary"),
            Quadrature(partial(boundary_term, "J")),
            Differences(partial(boundary_by_differences, "J")),
            sampled("boundary_term", "J", row_of),
        ),
        {"sign": minus(boundary), "exchanged": _swap(boundary)},
    ),
    Claim(
        "one-neuron/h1-population-gradient",
        r"G_H = G_L + G_J",
        PAPER,
        ONE_NEURON,
        h1_gradient,
        (
            symbolic(H1_POPULATION_GRADIENT, derived.h1_population_gradient),
            ball("h1_population_gradient"),
            Quadrature(partial(population_gradient, "H")),
            sampled("population_gradient", "H", rows_of),
        ),
        {"boundary term added": h1_loss_gradient, "exchanged": _swap(h1_gradient)},
    ),
    Claim(
        "one-neuron/h1-loss-gradient",
        r"\nabla H = G_L + G_J - \tfrac{1}{2\pi}|w^*|\cos\theta\, e",
        "derived here, from the delta on w.x = 0",
        ONE_NEURON,
        h1_loss_gradient,
        (
            symbolic(H1_LOSS_GRADIENT, derived.h1_loss_gradient),
            ball("h1_loss_gradient"),
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
        r"DG_L = \tfrac12 I - \alpha(uu^\top - \cos\theta\, vu^\top + \sin^2\theta\, I)(I - vv^\top), "
        r"\alpha = |w^*|/(2\pi|w|\sin\theta)",
        PAPER,
        ONE_NEURON,
        l2_jacobian,
        (
            symbolic(L2_JACOBIAN, derived.l2_jacobian),
            ball("l2_jacobian"),
            Quadrature(partial(population_jacobian, "L")),
            Differences(partial(jacobian_by_differences, "L")),
            sampled("population_jacobian", "L", block_of),
        ),
        {"a.e. part alone": lambda pair: jnp.eye(pair.w.size) / 2, "exchanged": _swap(l2_jacobian)},
    ),
    Claim(
        "one-neuron/seminorm-population-jacobian",
        r"DG_J = \tfrac12 I - \alpha\, uu^\top(I - vv^\top)",
        PAPER,
        ONE_NEURON,
        seminorm_jacobian,
        (
            symbolic(SEMINORM_POPULATION_JACOBIAN, derived.seminorm_population_jacobian),
            ball("seminorm_population_jacobian"),
            Quadrature(partial(population_jacobian, "J")),
            Differences(partial(jacobian_by_differences, "J")),
            sampled("population_jacobian", "J", block_of),
        ),
        {"transposed": lambda pair: seminorm_jacobian(pair).T, "exchanged": _swap(seminorm_jacobian)},
    ),
    Claim(
        "one-neuron/h1-population-jacobian",
        r"DG_H = I - \alpha(2uu^\top - \cos\theta\, vu^\top + \sin^2\theta\, I)(I - vv^\top)",
        PAPER + " (called the Hessian of H there)",
        ONE_NEURON,
        h1_jacobian,
        (
            symbolic(H1_POPULATION_JACOBIAN, derived.h1_population_jacobian),
            ball("h1_population_jacobian"),
            Quadrature(partial(population_jacobian, "H")),
            Differences(partial(jacobian_by_differences, "H")),
            sampled("population_jacobian", "H", block_of),
        ),
        {"transposed": lambda pair: h1_jacobian(pair).T, "the loss's Hessian": h1_hessian},
    ),
    Claim(
        "one-neuron/h1-loss-hessian",
        r"\nabla^2 H = vv^\top + (1 - \tfrac{2}{\pi}\rho\sin\theta)ee^\top + "
        r"(1 - \tfrac{1}{2\pi}\rho\sin\theta + \tfrac{1}{2\pi}\rho\cos^2\theta/\sin\theta)(I - vv^\top - ee^\top)",
        "derived here",
        ONE_NEURON,
        h1_hessian,
        (
            symbolic(H1_LOSS_HESSIAN, derived.h1_loss_hessian),
            ball("h1_loss_hessian"),
            SecondDifferences(partial(hessian_by_differences, "H")),
            Sampled(segment_requests, segment_read, segment_observe),
        ),
        {"boundary term dropped": h1_jacobian, "twice the L2 Hessian": lambda pair: 2 * l2_jacobian(pair)},
    ),
)

REFUTED = (
    Claim(
        "one-neuron/seminorm-population-gradient-is-the-gradient-of-the-loss",
        r"\nabla J = G_J",
        PAPER + ", read as a statement on the expected loss; the boundary term is missing",
        ONE_NEURON,
        seminorm_gradient,
        (
            symbolic(SEMINORM_POPULATION_GRADIENT, derived.seminorm_loss_gradient),
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
