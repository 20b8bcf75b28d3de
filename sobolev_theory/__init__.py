"""Exact Sobolev losses of ReLU networks for Gaussian input, their gradients, Hessians and flows.

    import sobolev_theory as st

Importing changes no global setting: enable 64 bit yourself with jax.config.update("jax_enable_x64", True).
"""

import importlib

from . import montecarlo, pair, single_neuron
from .activations import Activation, ReLU
from .extremes import ExtremeEigenvalues, extreme_eigenvalues
from .losses import H1, H2, L2, SobolevLoss
from .networks import GaussianInput, Network
from .population import (
    boundary_term,
    loss_gradient,
    loss_hessian,
    loss_hessian_product,
    population_gradient,
    population_jacobian,
    population_jacobian_product,
    population_loss,
)
from .reduction import Reduction, reduction
from .spectrum import Spectrum, condition_number, spectrum


def __getattr__(name: str):
    """`st.symbolic` and the flows on first use: SymPy and diffrax are neither needed nor imported otherwise."""
    if name == "symbolic":
        return importlib.import_module(".symbolic", __name__)
    if name in ("Flow", "Outcome", "gradient_flow", "gradient_flows"):
        return getattr(importlib.import_module(".flows", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "H1",
    "H2",
    "L2",
    "Activation",
    "ExtremeEigenvalues",
    "GaussianInput",
    "Network",
    "ReLU",
    "Reduction",
    "SobolevLoss",
    "Spectrum",
    "boundary_term",
    "condition_number",
    "extreme_eigenvalues",
    "loss_gradient",
    "loss_hessian",
    "loss_hessian_product",
    "montecarlo",
    "pair",
    "population_gradient",
    "population_jacobian",
    "population_jacobian_product",
    "population_loss",
    "reduction",
    "single_neuron",
    "spectrum",
]
