"""Derivatives of sampled functions: the target data of Sobolev training where no exact derivative is at hand.

st.differentiation.finite_differences   uniform grids of an interval, of any even accuracy
st.differentiation.chebyshev            Chebyshev nodes of an interval: accuracy that grows with their number
st.differentiation.fourier              periodic grids: derivatives, H^s multipliers and norms, also of images
st.differentiation.adaptive             finite differences to a tolerance, with an estimate of their error
"""

from . import adaptive, adaptive_grids, chebyshev, finite_differences, fourier
from .estimates import EstimatedDerivative, ToleranceNotMetError

__all__ = [
    "EstimatedDerivative",
    "ToleranceNotMetError",
    "adaptive",
    "adaptive_grids",
    "chebyshev",
    "finite_differences",
    "fourier",
]
__dir__ = __all__.copy
