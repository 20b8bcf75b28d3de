"""Networks turned and reordered: the loss stays, its gradients turn and are reordered with them.

Each quantity is taken at the moved networks and moved back, and compared with what the definition gives where they
were: so every method of the quantity's own claim attacks these claims too.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

import sobolev_theory as st

from ..checks import Check, Differences, Quadrature
from ..claim import Claim, Formula
from . import network_placement as symbolic
from .domains import NETWORKS, Networks, rotation
from .network_methods import (
    ORDERS,
    flat,
    flat_mean,
    gradient_by_differences,
    loss_at,
    loss_gradient,
    population_gradient,
    sampled,
)
from .sources import NETWORK_PAPER as PAPER

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


def _claims(name: str, statement: str, quantity: str, source: str, checks: tuple[Check, ...]) -> tuple[Claim, Claim]:
    """Of one quantity: under rotation, and under permutation."""
    if quantity == "loss":
        of = lambda student, teacher, _: partial(_of_loss, student, teacher)  # noqa: E731
    else:
        gradient = getattr(st, quantity)
        of = lambda student, teacher, back: partial(_of_gradient, gradient, student, teacher, back)  # noqa: E731
    rotated: dict[str, Formula] = {"the student alone": of(turned, _still, _turned_back)}
    permuted: dict[str, Formula] = {"output weights left behind": of(_weights_reordered, reordered, reordered)}
    if quantity != "loss":
        rotated["turned once more, not back"] = of(turned, turned, turned)
        permuted["not put back"] = of(reordered, reordered, _still)
    turning, ordering = statement.split("; ")
    return (
        Claim(
            f"networks/{name}-under-rotation",
            turning + r", Q^\top Q = I",
            source,
            NETWORKS,
            of(turned, turned, _turned_back),
            checks,
            rotated,
        ),
        Claim(
            f"networks/{name}-under-permutation",
            ordering + r", P, P^* \text{ permutations of neurons}",
            source,
            NETWORKS,
            of(reordered, reordered, reordered),
            checks,
            permuted,
        ),
    )


CLAIMS = (
    *_claims(
        "h1-loss",
        r"H(WQ, W^*Q) = H(W, W^*); H(PW, P^*W^*) = H(W, W^*)",
        "loss",
        PAPER,
        (symbolic.loss(ORDERS["H"]), Quadrature(partial(loss_at, "H")), sampled("population_loss", "H")),
    ),
    *_claims(
        "h1-population-gradient",
        r"G_H(WQ, W^*Q) = G_H(W, W^*)\,Q; G_H(PW, P^*W^*) = P\,G_H(W, W^*)",
        "population_gradient",
        PAPER,
        (
            symbolic.gradient(ORDERS["H"]),
            Quadrature(partial(population_gradient, "H")),
            sampled("population_gradient", "H", flat_mean),
        ),
    ),
    *_claims(
        "h1-loss-gradient",
        r"\nabla H(WQ, W^*Q) = \nabla H(W, W^*)\,Q; \nabla H(PW, P^*W^*) = P\,\nabla H(W, W^*)",
        "loss_gradient",
        "derived here",
        (
            symbolic.loss_gradient(),
            Quadrature(partial(loss_gradient, "H")),
            Differences(partial(gradient_by_differences, "H")),
            sampled("loss_gradient", "H", flat_mean),
        ),
    ),
)
