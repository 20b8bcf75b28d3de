"""Kernels of biased ReLUs, and where two gradients of rectified powers agree."""

import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.symbolic import orthants

from ...balls import smooth
from ...checks import Differences, Quadrature, SymbolicProof
from ...claim import Claim, Formula
from ...statements import Statement
from ...statements import biases as stated
from ...statements.evaluation import evaluate
from ...twins import entry_scaled, minus
from ..common.domains import PAIRS, Pair
from ..common.pairs import ball, in_floats
from . import families_by_definition as by_definition
from .families import exact
from .families_by_definition import BIASES
from .family import dual, sampled

EXACT_BIASES = tuple(map(exact, (stated.STUDENT_BIAS, stated.TEACHER_BIAS)))
BIASED = dual(st.ReLU(), 2, BIASES)
CERTIFIED = {
    quantity: lambda w, v, m=m: smooth.biased_moments(w, v, EXACT_BIASES)[m]
    for m, quantity in enumerate((stated.RECTIFIED, stated.BOTH))
}


# Gradients of RePU(2).


def _problem(pair: Pair) -> tuple[st.Network, st.Network]:
    student, teacher = (st.Network(x, activation=st.RePU(2)) for x in (pair.w, pair.v))
    return student, teacher


def agreement(pair: Pair):
    """Population and loss gradient of H1, and by how much the loss gradient of H2 exceeds its population gradient."""
    networks, gradients = _problem(pair), (st.population_gradient, st.loss_gradient)
    population, loss = (gradient(*networks, st.H2).weights[0] for gradient in gradients)
    return jnp.stack([*(gradient(*networks, st.H1).weights[0] for gradient in gradients), loss - population])


def _as_stated(statement: Statement, pair: Pair) -> np.ndarray:
    population = by_definition.agreement(pair)[0]
    at = in_floats(pair, {stated.G_H1: lambda *_: population})
    return np.stack([population, *(evaluate(part, at) for part in statement.right)])


def _one_off() -> dict[str, Formula]:
    names = ("population gradient", "loss gradient", "boundary term")
    return {f"{name} off": entry_scaled(agreement, k, 1.01) for k, name in enumerate(names)}


def _boundary_dropped(pair: Pair):
    return agreement(pair).at[2].set(0.0)


CLAIMS = (
    Claim(
        "families/biased-relu",
        stated.MOMENTS,
        "derived here",
        PAIRS,
        BIASED,
        (
            SymbolicProof(orthants.proof_of_moments),
            ball(CERTIFIED),
            Quadrature(by_definition.biased),
            Differences(by_definition.biased_by_price),
            sampled(st.ReLU(), 2, 1.5, BIASES),
        ),
        {
            "bias dropped": dual(st.ReLU(), 2, (0.0, BIASES[1])),
            "sign of bias": dual(st.ReLU(), 2, (BIASES[0], -BIASES[1])),
            **{f"order {m} off": entry_scaled(BIASED, m, 1.01) for m in range(2)},
        },
    ),
    Claim(
        "families/repu-gradients-agree-below-the-power",
        stated.AGREEMENT,
        "derived here",
        PAIRS,
        agreement,
        (Quadrature(by_definition.agreement), Differences(by_definition.agreement_by_differences)),
        {"boundary dropped": _boundary_dropped, "sign": minus(agreement), **_one_off()},
        stated=_as_stated,
    ),
)
