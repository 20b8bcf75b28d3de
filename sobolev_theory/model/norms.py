"""How large and how small neurons may be, so that what losses are made of are numbers of the precision at hand."""

import numpy as np

from .activations import Activation


def check_norms(name: str, sigma: Activation, mean: np.ndarray, norm: np.ndarray) -> None:
    """Raise if a pre-activation is too large, or so small on a kink that the density there overflows.

    Products of two to the highest power must be numbers, and one over the square of a norm where a kink has a
    density: norms from 1e-150 to 1e150 in double precision and from 1e-16 to 1e16 in single, for a power p to the
    p-th root of that; down to 0 without kinks, or with a bias.

    Args:
        mean, norm: of the pre-activations, of known values.

    Raises:
        ValueError: with the norm, and those that are possible.
    """
    each = getattr(sigma, "activations", (sigma,))
    factors = [factor for one in each for _, factor in one.terms]
    largest = float(np.finfo(norm.dtype).max)
    degree = max((factor.power for factor in factors if factor.kind in ("power", "truncated power")), default=1)
    most, least = (largest / 1e6) ** (0.5 / max(degree, 1)), 1e3 / largest**0.5
    kinks = {kink for factor in factors for kink in factor.where_not_smooth}
    on_kink = (
        np.any([np.abs(mean - kink) <= 64 * norm for kink in kinks], axis=0) if kinks else np.zeros(norm.shape, bool)
    )
    wrong = (norm > most) | (on_kink & (norm < least) & (norm > 0))
    if np.any(wrong):
        lower = f", and from {least:.0e} or 0 where it has a kink," if kinks else ""
        raise ValueError(
            f"{name}: got a neuron of norm {norm[wrong][0]:.3g}; needs norms to {most:.0e}{lower} for {sigma} in "
            f"{norm.dtype}"
        )
