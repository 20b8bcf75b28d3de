"""Exact Sobolev losses of ReLU networks for Gaussian input, their gradients, Hessians and flows.

    import sobolev_theory as st

Importing changes no global setting: enable 64 bit yourself with jax.config.update("jax_enable_x64", True).
"""

import importlib

from . import differentiation, montecarlo
from .closed_forms import orthonormal, pair, single_neuron
from .dynamics.critical_points import CriticalPoint, Kind, critical_point
from .dynamics.extreme_eigenvalues import ExtremeEigenvalues, extreme_eigenvalues
from .dynamics.spectra import Spectrum, condition_number, spectrum
from .geometry.reduction import Reduction, reduction
from .kernels.duals import dual
from .model.activations import (
    GELU,
    AbsoluteValue,
    Activation,
    Cosine,
    Erf,
    Gaussian,
    Identity,
    LeakyReLU,
    Polynomial,
    ReLU,
    RePU,
    Sine,
)
from .model.elementwise import Elementwise
from .model.inputs import GaussianInput, LowRank
from .model.losses import H1, H2, L2, SobolevLoss
from .model.networks import Network
from .population.gradients import (
    boundary_term,
    loss_gradient,
    loss_hessian,
    loss_hessian_product,
    population_gradient,
    population_jacobian,
    population_jacobian_product,
    population_loss,
)

MODULES_ON_FIRST_USE = {"symbolic": ".symbolic", "training": ".training", "sweeps": ".runs.sweeps"}
ON_FIRST_USE = {
    "dynamics.flows": ("Flow", "gradient_flow", "gradient_flows"),
    "dynamics.flow_pieces": ("Outcome",),
    "dynamics.gradient_descent": ("Descent", "descend", "largest_stable_step"),
    "runs.sweeps": ("sweep",),
}


def __getattr__(name: str):
    """What needs SymPy, optax, diffrax or pyarrow on first use: they are not imported otherwise."""
    if name in MODULES_ON_FIRST_USE:
        return importlib.import_module(MODULES_ON_FIRST_USE[name], __name__)
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
