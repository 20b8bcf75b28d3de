"""Exact Sobolev losses of ReLU networks for Gaussian input, their gradients, Hessians and flows.

    import sobolev_theory as st

Importing changes no global setting: enable 64 bit yourself with jax.config.update("jax_enable_x64", True).
"""

import importlib

from . import differentiation, montecarlo, orthonormal, pair, single_neuron
from .activations import (
    GELU,
    AbsoluteValue,
    Activation,
    Cosine,
    Elementwise,
    Erf,
    Gaussian,
    Identity,
    LeakyReLU,
    Polynomial,
    ReLU,
    RePU,
    Sine,
)
from .critical_points import CriticalPoint, Kind, critical_point
from .duals import dual
from .extremes import ExtremeEigenvalues, extreme_eigenvalues
from .inputs import GaussianInput, LowRank
from .losses import H1, H2, L2, SobolevLoss
from .networks import Network
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

ON_FIRST_USE = {
    "flows": ("Flow", "gradient_flow", "gradient_flows"),
    "pieces": ("Outcome",),
    "descent": ("Descent", "descend", "largest_stable_step"),
    "sweeps": ("sweep",),
}


def __getattr__(name: str):
    """What needs SymPy, optax, diffrax or pyarrow on first use: they are not imported otherwise."""
    if name in ("symbolic", "training", "sweeps"):
        return importlib.import_module(f".{name}", __name__)
    for module, names in ON_FIRST_USE.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "GELU",
    "H1",
    "H2",
    "L2",
    "AbsoluteValue",
    "Activation",
    "Cosine",
    "CriticalPoint",
    "Elementwise",
    "Erf",
    "ExtremeEigenvalues",
    "Gaussian",
    "GaussianInput",
    "Identity",
    "Kind",
    "LeakyReLU",
    "LowRank",
    "Network",
    "Polynomial",
    "ReLU",
    "RePU",
    "Reduction",
    "Sine",
    "SobolevLoss",
    "Spectrum",
    "boundary_term",
    "condition_number",
    "critical_point",
    "differentiation",
    "dual",
    "extreme_eigenvalues",
    "loss_gradient",
    "loss_hessian",
    "loss_hessian_product",
    "montecarlo",
    "orthonormal",
    "pair",
    "population_gradient",
    "population_jacobian",
    "population_jacobian_product",
    "population_loss",
    "reduction",
    "single_neuron",
    "spectrum",
]
