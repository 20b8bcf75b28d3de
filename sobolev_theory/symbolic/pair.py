"""The kernels of one pair of ReLU neurons (w, w*) and their derivatives: the twin of `st.pair`.

kappa_0 = E[(w.x)_+ (w*.x)_+], kappa_1 = w.w* P(w.x > 0, w*.x > 0). Kernels and almost-everywhere gradients are
integrals, all else is differentiation. Results are in the frame of `frame`: vectors along (v, e, orthogonal).

Returns, every function:
    Kernels are expressions in r, r* and theta, gradients vectors and Jacobians matrices of them in the frame.
"""

from functools import cache

import sympy as sp

from . import integrals, kernels
from .algebra import tidy
from .frame import gradient, identity, jacobian, r, w, w_star

__all__ = [
    "self_slope_gradient", "self_slope_jacobian", "self_value_gradient", "self_value_jacobian", "slope_boundary",
    "slope_boundary_by_delta", "slope_boundary_jacobian", "slope_boundary_mixed_jacobian", "slope_gradient",
    "slope_jacobian", "slope_kernel", "slope_mixed_jacobian", "value_gradient", "value_gradient_by_integration",
    "value_hessian", "value_hessian_by_delta", "value_kernel", "value_mixed_hessian",
    "value_mixed_hessian_by_integration",
]  # fmt: skip
__dir__ = __all__.copy


@cache
def value_kernel() -> sp.Expr:
    """kappa_0."""
    return kernels.sobolev(1, 0)


@cache
def slope_kernel() -> sp.Expr:
    """kappa_1."""
    return kernels.sobolev(1, 1)


@cache
def value_gradient() -> sp.Matrix:
    """d kappa_0 / dw by differentiation of the kernel.

    Example:
        >>> from sobolev_theory.symbolic import pair
        >>> pair.value_gradient()[1]
        -r^**theta*sin(theta)/(2*pi) + r^**sin(theta)/2
    """
    return tidy(gradient(value_kernel()))


@cache
def value_gradient_by_integration() -> sp.Matrix:
    """E[1(w.x > 0) (w*.x)_+ x], the gradient under the expectation."""
    return integrals.expectation(w_star.dot(integrals.x) * integrals.x, integrals.BOTH)


@cache
def slope_gradient() -> sp.Matrix:
    """The almost-everywhere part of d kappa_1 / dw: E[1(w.x > 0) 1(w*.x > 0)] w*, the indicators held."""
    return tidy(kernels.orthant_probability() * w_star)


@cache
def slope_boundary() -> sp.Matrix:
    """The rest of d kappa_1 / dw: all of it, by differentiation of the kernel, less the almost-everywhere part."""
    return tidy(gradient(slope_kernel()) - slope_gradient())


@cache
def slope_boundary_by_delta() -> sp.Matrix:
    """(w.w*) E[delta(w.x) 1(w*.x > 0) x]."""
    return tidy(w.dot(w_star) * kernels.orthant_gradient_by_delta())


@cache
def value_hessian() -> sp.Matrix:
    """d2 kappa_0 / dw dw."""
    return tidy(jacobian(value_gradient()))


@cache
def value_hessian_by_delta() -> sp.Matrix:
    """E[delta(w.x) (w*.x)_+ x x']: what moves when the hyperplane of w turns."""
    x = integrals.x
    return tidy(integrals.on_the_boundary(w_star.dot(x) * x * x.T, r))


@cache
def value_mixed_hessian() -> sp.Matrix:
    """d2 kappa_0 / dw dw*: rows in w, columns in w*."""
    return tidy(jacobian(value_gradient(), "w_star"))


@cache
def value_mixed_hessian_by_integration() -> sp.Matrix:
    """E[1(w.x > 0) 1(w*.x > 0) x x']."""
    return integrals.expectation(integrals.x * integrals.x.T, integrals.BOTH)


@cache
def slope_jacobian() -> sp.Matrix:
    """Derivative of `slope_gradient` in w; not symmetric."""
    return tidy(jacobian(slope_gradient()))


@cache
def slope_mixed_jacobian() -> sp.Matrix:
    """Derivative of `slope_gradient` in w*."""
    return tidy(jacobian(slope_gradient(), "w_star"))


@cache
def slope_boundary_jacobian() -> sp.Matrix:
    """Derivative of `slope_boundary` in w: what the loss Hessian has and the population Jacobian lacks."""
    return tidy(jacobian(slope_boundary()))


@cache
def slope_boundary_mixed_jacobian() -> sp.Matrix:
    """Derivative of `slope_boundary` in w*."""
    return tidy(jacobian(slope_boundary(), "w_star"))


@cache
def self_value_gradient() -> sp.Matrix:
    """E[1(w.x > 0) (w.x) x] = w / 2, the pair of a neuron with itself."""
    return integrals.expectation(w.dot(integrals.x) * integrals.x, integrals.W)


@cache
def self_value_jacobian() -> sp.Matrix:
    """Derivative of `self_value_gradient`."""
    return tidy(jacobian(self_value_gradient()))


@cache
def self_slope_gradient() -> sp.Matrix:
    """E[1(w.x > 0)] w = w / 2."""
    return integrals.expectation(sp.Integer(1), integrals.W) * w


@cache
def self_slope_jacobian() -> sp.Matrix:
    """Derivative of `self_slope_gradient`."""
    return integrals.expectation(sp.Integer(1), integrals.W) * identity
