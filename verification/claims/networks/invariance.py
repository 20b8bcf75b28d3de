"""Networks turned and reordered: the loss stays, its gradients turn and are reordered with them.

Each quantity is taken at the moved networks and moved back, and compared with what the definition gives where they
were: so every method of the quantity's own claim attacks these claims too.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import sympy as sp

import sobolev_theory as st

from ...checks import Check, Differences, Quadrature
from ...claim import Claim, Formula
from ...statements import Statement
from ...statements import networks as stated
from ...statements.evaluation import DIGITS, Environment, evaluate
from ..common.domains import NETWORKS, Networks, rotation
from ..common.sources import NETWORK_PAPER as PAPER
from .methods import (
    flat,
    flat_mean,
    gradient_by_differences,
    loss_at,
    loss_gradient,
    population_gradient,
    sampled,
)
from .places import place, symbolic
from .sums import WRITTEN_OUT

Q = rotation(np.random.default_rng(0), 4)
Move = Callable[[st.Network], st.Network]


def turned(network: st.Network, by: np.ndarray = Q) -> st.Network:
    return st.Network(network.weights @ by, network.output_weights)


def reordered(network: st.Network) -> st.Network:
    return st.Network(network.weights[::-1], network.output_weights[::-1])


def _weights_reordered(network: st.Network) -> st.Network:
    return st.Network(network.weights[::-1], network.output_weights)


def _still(network: st.Network) -> st.Network:
    return network


def _of_loss(student: Move, teacher: Move, networks: Networks):
    return st.population_loss(student(networks.student), teacher(networks.teacher), loss=st.H1)


def _of_gradient(gradient: Callable, student: Move, teacher: Move, back: Move, networks: Networks):
    return flat(back(gradient(student(networks.student), teacher(networks.teacher), loss=st.H1)))


_turned_back = partial(turned, by=Q.T)


def _claims(
    name: str,
    quantity: type[stated.OfNetworks],
    gradient: Callable | None,
    here: Statement,
    source: str,
    checks: tuple[Check, ...],
) -> tuple[Claim, Claim]:
    """Of one quantity, `here` its statement at networks that are not moved: under rotation, and under permutation."""
    if gradient is None:
        of = lambda student, teacher, _: partial(_of_loss, student, teacher)  # noqa: E731
    else:
        of = lambda student, teacher, back: partial(_of_gradient, gradient, student, teacher, back)  # noqa: E731
    rotated: dict[str, Formula] = {"the student alone": of(turned, _still, _turned_back)}
    permuted: dict[str, Formula] = {"output weights left behind": of(_weights_reordered, reordered, reordered)}
    if gradient is not None:
        rotated["turned once more, not back"] = of(turned, turned, turned)
        permuted["not put back"] = of(reordered, reordered, _still)
    proof = symbolic(here, partial(_put_back, here), *(WRITTEN_OUT if here is stated.H1_POPULATION_GRADIENT else ()))
    return (
        Claim(
            f"networks/{name}-under-rotation",
            stated.rotated(quantity),
            source,
            NETWORKS,
            of(turned, turned, _turned_back),
            (proof, *checks),
            rotated,
        ),
        Claim(
            f"networks/{name}-under-permutation",
            stated.reordered(quantity),
            source,
            NETWORKS,
            of(reordered, reordered, reordered),
            (proof, *checks),
            permuted,
        ),
    )


def _put_back(here: Statement, statement: Statement, networks: Networks) -> np.ndarray:
    """The statement's right side, turned or put back: the quantity where the networks were."""
    moved = sp.sympify(statement.right)
    (quantity,) = moved.atoms(stated.Turned) or moved.atoms(stated.OfNetworks)
    return evaluate(moved, Environment(DIGITS, values={quantity: place(here, networks)}))


CLAIMS = (
    *_claims(
        "h1-loss",
        stated.LossAt,
        None,
        stated.H1_LOSS,
        PAPER,
        (Quadrature(partial(loss_at, "H")), sampled("population_loss", "H")),
    ),
    *_claims(
        "h1-population-gradient",
        stated.PopulationGradientAt,
        st.population_gradient,
        stated.H1_POPULATION_GRADIENT,
        PAPER,
        (
            Quadrature(partial(population_gradient, "H")),
            sampled("population_gradient", "H", flat_mean),
        ),
    ),
    *_claims(
        "h1-loss-gradient",
        stated.LossGradientAt,
        st.loss_gradient,
        stated.H1_LOSS_GRADIENT,
        "derived here",
        (
            Quadrature(partial(loss_gradient, "H")),
            Differences(partial(gradient_by_differences, "H")),
            sampled("loss_gradient", "H", flat_mean),
        ),
    ),
)
