"""The theory derived by SymPy from its definitions: what the closed forms of the library are compared with.

Nothing here knows a result. Expectations are integrated over the plane of two neurons (`integrals`), derivatives
taken in coordinates (`frame`), and equality is decided by a normal form (`algebra`). Results are functions of
r = |w|, r* = |w*| and the angle theta; vectors and matrices are in the frame (v, e, orthogonal) of `frame`.
"""

try:
    import sympy  # noqa: F401
except ImportError as error:
    raise ImportError('sobolev_theory.symbolic needs SymPy: pip install "sobolev-theory[symbolic]"') from error

from . import (
    conditioning,
    curvature,
    descent,
    duals,
    frame,
    integrals,
    kernels,
    noise,
    order_parameters,
    orthants,
    orthonormal,
    output_weight,
    pair,
    single_neuron,
    smoothed_step,
    squared_relu,
    teacher_spectrum,
    truncated_powers,
)
from .algebra import as_function, normal, tidy, vanishes
from .frame import r, r_star, rho, theta
from .proof import Proof, Step

__all__ = [
    "Proof",
    "Step",
    "as_function",
    "conditioning",
    "curvature",
    "descent",
    "duals",
    "frame",
    "integrals",
    "kernels",
    "noise",
    "normal",
    "order_parameters",
    "orthants",
    "orthonormal",
    "output_weight",
    "pair",
    "r",
    "r_star",
    "rho",
    "single_neuron",
    "smoothed_step",
    "squared_relu",
    "teacher_spectrum",
    "theta",
    "tidy",
    "truncated_powers",
    "vanishes",
]  # fmt: skip
__dir__ = __all__.copy
