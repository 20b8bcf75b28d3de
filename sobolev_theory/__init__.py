"""Exact Sobolev losses of ReLU networks for Gaussian input, their gradients, Hessians and flows.

    import sobolev_theory as st

Importing changes no global setting: enable 64 bit yourself with jax.config.update("jax_enable_x64", True).
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import differentiation, montecarlo
from .closed_forms import orthonormal, pair, single_neuron, smoothed_step
from .closed_forms.kinds import Kind
from .dynamics.critical_points import CriticalPoint, critical_point
from .dynamics.extreme_eigenvalues import ExtremeEigenvalues, extreme_eigenvalues
from .dynamics.spectra import Spectrum, condition_number, spectrum
from .geometry.overlaps import Overlaps, networks_from_overlaps, overlaps
from .geometry.span import Reduction, reduction
from .kernels.duals import dual
from .kernels.hermite import hermite_coefficients, information_exponent, sobolev_factor
from .model import activation_terms
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
from .population.gradients import boundary_term, loss_gradient, population_gradient, population_loss
from .population.jacobians import (
    loss_hessian,
    loss_hessian_product,
    population_jacobian,
    population_jacobian_product,
)
from .population.noise.gradient_noise import GradientNoise, gradient_noise

if TYPE_CHECKING:  # the names of ON_FIRST_USE, for type checkers and editors
    from . import symbolic, training
    from .dynamics.flow_events import Outcome
    from .dynamics.flow_results import Flow
    from .dynamics.flows import gradient_flow, gradient_flows
    from .dynamics.gradient_descent import Descent, descend, largest_stable_step
    from .dynamics.order_parameters import OnlineSGD, online_sgd
    from .runs import sweeps
    from .runs.sweeps import sweep

__all__ = [
    "GELU",
    "H1",
    "H2",
    "L2",
    "AbsoluteValue",
    "Activation",
    "Cosine",
    "CriticalPoint",
    "Descent",
    "Elementwise",
    "Erf",
    "ExtremeEigenvalues",
    "Flow",
    "Gaussian",
    "GaussianInput",
    "GradientNoise",
    "Identity",
    "Kind",
    "LeakyReLU",
    "LowRank",
    "Network",
    "OnlineSGD",
    "Outcome",
    "Overlaps",
    "Polynomial",
    "ReLU",
    "RePU",
    "Reduction",
    "Sine",
    "SobolevLoss",
    "Spectrum",
    "activation_terms",
    "boundary_term",
    "condition_number",
    "critical_point",
    "descend",
    "differentiation",
    "dual",
    "extreme_eigenvalues",
    "gradient_flow",
    "gradient_flows",
    "gradient_noise",
    "hermite_coefficients",
    "information_exponent",
    "largest_stable_step",
    "loss_gradient",
    "loss_hessian",
    "loss_hessian_product",
    "montecarlo",
    "networks_from_overlaps",
    "online_sgd",
    "orthonormal",
    "overlaps",
    "pair",
    "population_gradient",
    "population_jacobian",
    "population_jacobian_product",
    "population_loss",
    "reduction",
    "single_neuron",
    "smoothed_step",
    "sobolev_factor",
    "spectrum",
    "sweep",
    "sweeps",
    "symbolic",
    "training",
]

ON_FIRST_USE = {
    "symbolic": ("symbolic",),
    "training": ("training",),
    "runs.sweeps": ("sweeps", "sweep"),
    "dynamics.flow_events": ("Outcome",),
    "dynamics.flow_results": ("Flow",),
    "dynamics.flows": ("gradient_flow", "gradient_flows"),
    "dynamics.order_parameters": ("OnlineSGD", "online_sgd"),
    "dynamics.gradient_descent": ("Descent", "descend", "largest_stable_step"),
}


class NotInstalled:
    """What a name stands for whose extra is not installed: `import *` works, and every use says what to install."""

    def __init__(self, error: ImportError):
        self._error = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise ImportError(str(self._error), name=self._error.name) from self._error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by tools that only look
            raise AttributeError(name)
        return self()


if not TYPE_CHECKING:  # a type checker would take it that every name exists

    def __getattr__(name: str) -> Any:
        """What needs SymPy, optax, diffrax or pyarrow: they are imported on first use."""
        for place, names in ON_FIRST_USE.items():
            if name in names:
                try:
                    module = importlib.import_module(f".{place}", __name__)
                except ImportError as error:
                    return NotInstalled(error)
                return module if place.endswith(f".{name}") or place == name else getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
