"""All claims, in the order of the report."""

from ..claim import Claim
from . import dynamics, networks, one_neuron, pairs, spectra
from .twins import wrong_twins

CLAIMS: tuple[Claim, ...] = (
    *one_neuron.CLAIMS,
    *spectra.CLAIMS,
    *dynamics.CLAIMS,
    *pairs.CLAIMS,
    *networks.CLAIMS,
)

__all__ = ["CLAIMS", "wrong_twins"]
