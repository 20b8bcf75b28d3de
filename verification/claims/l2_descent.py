"""L2 and one neuron: the distance to the teacher falls along the flow, in Tian's ball and everywhere."""

from functools import partial

import numpy as np

from sobolev_theory.symbolic import descent

from ..balls import formulas, integrals
from ..checks import Ball, Quadrature, SymbolicProof
from ..claim import Claim, Domain
from ..planar import expectation, plane_of
from .bound_methods import everywhere
from .domains import ONE_NEURON, Pair, pair_at
from .one_neuron import h1_gradient, l2_gradient
from .one_neuron_methods import sampled
from .placement import symbolic
from .sources import TIAN
from .statements import L2_DESCENT


def fall(gradient, pair: Pair):
    """(w - w*).gradient: how fast |w - w*|^2 / 2 falls."""
    return (np.asarray(pair.w) - np.asarray(pair.v)) @ np.asarray(gradient(pair))


def _by_sectors(pair: Pair) -> float:
    """E[(p - q)^2 1(p, q > 0)] + E[p (p - q) 1(p > 0 > q)] with p = w.x, q = w*.x: no negative integrand."""
    basis = plane_of(np.asarray(pair.w), np.asarray(pair.v))
    normals = np.stack([pair.w @ basis, pair.v @ basis])

    def integrand(y):
        p, q = (y @ normals.T).T
        return np.where(p > 0, np.where(q > 0, (p - q) ** 2, p * (p - q)), 0.0)

    return float(expectation(integrand, normals, 2))


def _in_balls(module, pair: Pair):
    w, v = integrals.balls(pair.w), integrals.balls(pair.v)
    return (w - v) @ module.l2_gradient(pair.w, pair.v)


def _in_the_ball(generator: np.random.Generator) -> Pair:
    """|w - w*| < |w*|."""
    while True:
        teacher, angle = np.exp(generator.uniform(-1, 1)), generator.uniform(0.05, np.pi / 2)
        norm = teacher * generator.uniform(0.05, 2.0)
        pair = pair_at(generator, 4, (norm, teacher), angle)
        if np.linalg.norm(pair.w - pair.v) < 0.99 * teacher:
            return pair


IN_TIANS_BALL = Domain(r"|w - w^*| < |w^*|, w \ne w^*, d \ge 2", _in_the_ball, ONE_NEURON.draw_for_sampling)

CLAIMS = tuple(
    Claim(
        f"one-neuron/{name}",
        r"(w - w^*)^\top G_L > 0" + where,
        source,
        domain,
        partial(fall, l2_gradient),
        (
            symbolic(L2_DESCENT, descent.l2_descent, descent.l2_descent_by_sectors),
            SymbolicProof(descent.l2_acceleration),
            Ball(partial(_in_balls, integrals), partial(_in_balls, formulas)),
            Quadrature(_by_sectors),
            sampled("population_gradient", "L", lambda pair, mean: (pair.w - pair.v) @ np.asarray(mean.weights)[0]),
            everywhere(domain),
        ),
        {
            "the gradient of H1": partial(fall, h1_gradient),
            "reflected teacher": lambda pair: fall(lambda at: l2_gradient(Pair(at.w, -at.v)), pair),
        },
    )
    for name, where, source, domain in (
        ("l2-descends-in-tians-ball", r"\text{ in the ball around } w^* \text{ through } 0", TIAN, IN_TIANS_BALL),
        (
            "l2-descends-everywhere",
            r" = E[(p - q)^2 1_{p, q > 0}] + E[p(p - q) 1_{p > 0 \ge q}], p = w\cdot x, q = w^*\cdot x",
            "derived here",
            ONE_NEURON,
        ),
    )
)
