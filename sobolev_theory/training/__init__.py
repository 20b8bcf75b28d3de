"""Sobolev training of any network that JAX can call: derivatives, losses, and runs of many seeds.

Two gradients, never to be confused: `jax.grad` of `sobolev_loss` of a ReLU network follows the population gradient,
and misses what the moving kinks add. `loss_with_boundary` and `smoothed_relu` have it (docs/which_gradient.md).
"""

from .boundary import boundary_term, loss_with_boundary
from .fitting import Fit, Stage, fit
from .input_derivatives import derivatives
from .objectives import sobolev_loss
from .projections import projected_loss
from .smoothing import smoothed_relu

__all__ = [
    "Fit",
    "Stage",
    "boundary_term",
    "derivatives",
    "fit",
    "loss_with_boundary",
    "projected_loss",
    "smoothed_relu",
    "sobolev_loss",
]
__dir__ = __all__.copy
