"""Derivatives of sampled functions: the target data of Sobolev training where no exact derivative is at hand.

st.differentiation.fourier    periodic grids: derivatives, H^s multipliers and norms, also of images
"""

from . import fourier

__all__ = ["fourier"]
