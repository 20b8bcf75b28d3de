"""Where the population gradient vanishes: at the teacher, with its neurons in any order, or split into copies.

A gradient that is 0 has no size to compare an error with. It is the pull of the student's own neurons minus that of
the teacher's; claimed is that the two pulls are equal, in the student's weights and output weights.
"""

from functools import partial

import numpy as np

import sobolev_theory as st

from ... import definitions as by_definition
from ...checks import Quadrature, Request, Sampled
from ...claim import Claim, Domain, Formula
from ...statements import networks as stated
from ..common.domains import Networks, moderate_networks, wide_networks
from ..common.sources import NETWORK_PAPER as PAPER
from ..common.sources import TIAN
from .methods import LOSSES, flat, problem
from .places import place

SHARES = np.array([0.4, 1.0])  # lengths of the two copies of a teacher neuron, in units of its own
OUTPUTS = np.array([0.9, 0.64])  # their output weights: the products add up to 1


def in_another_order(teacher: st.Network) -> st.Network:
    return st.Network(teacher.weights[::-1], teacher.output_weights[::-1])


def split(teacher: st.Network, outputs: np.ndarray = OUTPUTS) -> st.Network:
    """Every neuron as two parallel ones that together are the same function."""
    weights = np.concatenate([share * np.asarray(teacher.weights) for share in SHARES])
    return st.Network(weights, np.concatenate([share * np.asarray(teacher.output_weights) for share in outputs]))


def _only_weights(teacher: st.Network) -> st.Network:
    return st.Network(teacher.weights[::-1], teacher.output_weights)


def _domain(assumptions: str, student) -> Domain:
    def of(draw):
        return lambda generator: (lambda networks: Networks(student(networks.teacher), networks.teacher))(
            draw(generator)
        )

    return Domain(assumptions, of(wide_networks), of(moderate_networks))


def own_pull(loss: str, networks: Networks, student=None):
    """The gradient against a teacher that is silent."""
    student = networks.student if student is None else student(networks.teacher)
    return flat(st.population_gradient(student, _scaled(networks.teacher, 0.0), loss=LOSSES[loss]))


def _scaled(teacher: st.Network, factor: float) -> st.Network:
    return st.Network(teacher.weights, factor * np.asarray(teacher.output_weights))


def _teachers_pull(loss: str, networks: Networks) -> np.ndarray:
    """The gradient is linear in the teacher."""
    silent = networks._replace(teacher=_scaled(networks.teacher, 0.0))
    both = [by_definition.population_gradient(problem(at, loss)) for at in (silent, networks)]
    rows, outputs = (a - b for a, b in zip(*both, strict=True))
    return np.concatenate([rows.ravel(), outputs])


def _sampled(loss: str) -> Sampled:
    """Against minus the teacher the pulls add up, to twice the student's own."""

    def requests(networks: Networks) -> list[Request]:
        opposite = _scaled(networks.teacher, -1.0)
        return [Request("population_gradient", networks.student, opposite, LOSSES[loss])]

    return Sampled(requests, lambda _, mean: np.asarray(flat(mean)) / 2)


def _claims(name: str, domain: Domain, wrong: dict) -> tuple[Claim, ...]:
    def claim(loss: str, symbol: str, source: str) -> Claim:
        twins: dict[str, Formula] = {
            what: partial(own_pull, loss, student=student) for what, student in wrong.items()
        }
        return Claim(
            f"networks/{name.format(loss=symbol.lower())}",
            stated.critical(loss),
            source,
            domain,
            partial(own_pull, loss),
            (Quadrature(partial(_teachers_pull, loss)), _sampled(loss)),
            twins,
            stated=place,
        )

    return (claim("L", "L2", TIAN), claim("H", "H1", PAPER))


CLAIMS = (
    *_claims(
        "{loss}-critical-at-the-teacher",
        _domain(
            r"W = PW^*, a = Pa^*, P \text{ a permutation}, \text{any } d, \text{no two neurons parallel}",
            in_another_order,
        ),
        {"output weights left behind": _only_weights},
    ),
    *_claims(
        "{loss}-critical-where-the-teacher-is-split",
        _domain(r"W = (sW^*, tW^*), a = (\alpha a^*, \beta a^*), s, t > 0, \alpha s + \beta t = 1", split),
        {"output weights that add up": partial(split, outputs=np.array([0.6, 0.4]))},
    ),
)
