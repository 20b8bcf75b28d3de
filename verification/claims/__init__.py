"""All claims, in the order of the report.

A new claim is three things, each in one place: the derivation in `sobolev_theory/symbolic/`, the statement (SymPy, in
`statements.py` of its part of the paper, or beside the claim) and the claim, which joins them with the library's
closed form and the methods that attack it. CONTRIBUTING.md has the steps.
"""

from ..claim import Claim
from ..twins import wrong_twins
from .kernels import arc_cosine, biased, biases, families, gram, order_parameters, pairs
from .networks import critical_points, inputs, invariance, sums
from .networks import noise as noise_of_networks
from .one_neuron import (
    flows,
    kink,
    l2_descent,
    local_rates,
    loss_flow,
    noise,
    rates,
    readings,
    spectra,
    squared_relu,
    times,
    values,
)
from .orthonormal import curvature, reflected, saddles, slices

ONE_NEURON = (
    values,
    spectra,
    readings,
    kink,
    l2_descent,
    flows,
    local_rates,
    rates,
    times,
    loss_flow,
    noise,
    squared_relu,
)
KERNELS = (arc_cosine, gram, families, biased, biases, order_parameters)
NETWORKS = (sums, invariance, critical_points, noise_of_networks)
ORTHONORMAL = (slices, saddles, reflected, curvature)
MODULES = (*ONE_NEURON, *KERNELS, inputs, pairs, *NETWORKS, *ORTHONORMAL)

CLAIMS: tuple[Claim, ...] = tuple(claim for module in MODULES for claim in module.CLAIMS)

__all__ = ["CLAIMS", "wrong_twins"]
