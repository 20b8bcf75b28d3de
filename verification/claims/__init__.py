"""All claims, in the order of the report."""

from ..claim import Claim
from . import (
    biases,
    critical_points,
    curvature,
    dynamics,
    families,
    gram,
    inputs,
    invariance,
    kernels,
    kink,
    l2_descent,
    loss_flow,
    networks,
    one_neuron,
    orthonormal,
    pairs,
    rates,
    readings,
    reflected,
    slice_saddles,
    spectra,
    times,
)
from .twins import wrong_twins

CLAIMS: tuple[Claim, ...] = (
    *one_neuron.CLAIMS,
    *spectra.CLAIMS,
    *readings.CLAIMS,
    *kink.CLAIMS,
    *l2_descent.CLAIMS,
    *dynamics.CLAIMS,
    *rates.CLAIMS,
    *times.CLAIMS,
    *loss_flow.CLAIMS,
    *kernels.CLAIMS,
    *gram.CLAIMS,
    *families.CLAIMS,
    *biases.CLAIMS,
    *inputs.CLAIMS,
    *pairs.CLAIMS,
    *networks.CLAIMS,
    *invariance.CLAIMS,
    *critical_points.CLAIMS,
    *orthonormal.CLAIMS,
    *slice_saddles.CLAIMS,
    *reflected.CLAIMS,
    *curvature.CLAIMS,
)

__all__ = ["CLAIMS", "wrong_twins"]
