"""Condition numbers as figures show them: those of the library, where curvature is positive in every direction."""

import numpy as np
from jaxtyping import Float, Inexact


def where_positive(
    condition: Float[np.ndarray, "..."], eigenvalues: Inexact[np.ndarray, "... m"]
) -> Float[np.ndarray, "..."]:
    """`st.condition_number`, but NaN where the real part of some eigenvalue is not positive; NaN itself is none.

    The library's ratio is one of absolute values, and has a number for an indefinite matrix too.
    """
    return np.where(np.any(np.real(eigenvalues) <= 0, axis=-1), np.nan, condition)
