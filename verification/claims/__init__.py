"""All claims, in the order of the report."""

from ..claim import Claim
from . import dynamics, kernels, loss_flow, networks, one_neuron, orthonormal, pairs, rates, readings, spectra
from .twins import wrong_twins

CLAIMS: tuple[Claim, ...] = (
    *one_neuron.CLAIMS,
    *spectra.CLAIMS,
    *readings.CLAIMS,
    *dynamics.CLAIMS,
    *rates.CLAIMS,
    *loss_flow.CLAIMS,
    *kernels.CLAIMS,
    *pairs.CLAIMS,
    *networks.CLAIMS,
    *orthonormal.CLAIMS,
)

__all__ = ["CLAIMS", "wrong_twins"]
