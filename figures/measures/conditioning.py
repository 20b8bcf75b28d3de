"""The curvature that figures compare, and its condition numbers where it is positive in every direction."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Inexact

import sobolev_theory as st

# The matrices that figures compare; for L2 the two semantics coincide.
CURVATURES: dict[str, tuple[st.SobolevLoss, Literal["loss", "population"]]] = {
    "L2": (st.L2, "loss"),
    "H1 population": (st.H1, "population"),
    "H1 loss": (st.H1, "loss"),
}


def where_positive(
    condition: Float[np.ndarray, "..."], eigenvalues: Inexact[np.ndarray, "... m"]
) -> Float[np.ndarray, "..."]:
    """`st.condition_number`, but NaN where the real part of some eigenvalue is not positive; NaN itself is none.

    The library's ratio is one of absolute values, and has a number for an indefinite matrix too.
    """
    return np.where(np.any(np.real(eigenvalues) <= 0, axis=-1), np.nan, condition)
