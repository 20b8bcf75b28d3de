"""Sobolev training of any network that JAX can call: derivatives, losses, and runs of many seeds."""

from .fitting import Fit, Stage, fit
from .input_derivatives import derivatives
from .objectives import sobolev_loss
from .projections import projected_loss

__all__ = ["Fit", "Stage", "derivatives", "fit", "projected_loss", "sobolev_loss"]
__dir__ = __all__.copy
