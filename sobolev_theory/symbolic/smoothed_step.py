"""The smoothed step Phi(u/h) in the place of 1(u > 0): its kernels, gradients, bias and variance, by one more noise.

Phi(u/h) = P(u + h Z > 0), Z standard normal and independent: a neuron w of h > 0 is a neuron (w, h) with a sharp step
in one dimension more, so that all expectations are those of `kernels`, at the norm R = sqrt(r^2 + h^2) and another
angle. Limits are in h -> 0; `h` is the width.

Returns, every function:
    An expression in r, r*, theta and h; gradients are vectors in the frame (v, e, orthogonal).
"""

import sympy as sp

from . import kernels
from .frame import gradient, r, r_star, theta, u, v, w, w_star

__all__ = [
    "density_squared", "dual", "h", "loss_at_the_teacher", "own_bias", "own_step_variance", "pair_bias",
    "slope_boundary", "slope_gradient", "step_kernel", "value_gradient",
]  # fmt: skip
__dir__ = __all__.copy

h = sp.Symbol("h", positive=True)
WIDE = sp.sqrt(r**2 + h**2)
s = sp.Symbol("s", real=True)


def step_kernel(both: bool = False) -> sp.Expr:
    """E[Phi(w.x/h) 1(w*.x > 0)], or with both steps smoothed: an orthant probability.

    Example:
        >>> from sobolev_theory.symbolic import smoothed_step, theta
        >>> smoothed_step.step_kernel().subs(theta, 0)
        -acos(r/sqrt(h**2 + r**2))/(2*pi) + 1/2
    """
    return kernels.orthant_probability().subs(theta, _angle(both))


def dual(order: int) -> sp.Expr:
    """Of E[(t + h Z)_+], whose slope is the smoothed step: of its values, and of slopes by Price's theorem.

    Example:
        >>> from sobolev_theory.symbolic import smoothed_step
        >>> smoothed_step.dual(1).subs(smoothed_step.theta, 0) == smoothed_step.step_kernel(both=True).subs(theta, 0)
        True
    """
    A, B, c, D, psi = sp.symbols("A B c D psi", positive=True)  # variances, covariance, D^2 = AB - c^2, the angle
    value = kernels.repu(1).subs({r: sp.sqrt(A), r_star: sp.sqrt(B), theta: psi}, simultaneous=True)
    value = sp.expand(value).subs({sp.sin(psi): D / sp.sqrt(A * B), sp.cos(psi): c / sp.sqrt(A * B)})
    for _ in range(order):
        value = sp.diff(value, c) - c / D * sp.diff(value, D) - sp.diff(value, psi) / D
    here = {A: r**2 + h**2, B: r_star**2 + h**2, c: w.dot(w_star)}
    root = sp.sqrt((A * B - c**2).subs(here))
    return sp.simplify(value).subs({**here, D: root, psi: _angle(both=True)}, simultaneous=True)


def slope_gradient(both: bool = False) -> sp.Matrix:
    """The gradient in w of (w.w*) E[Phi(w.x/h) 1(w*.x > 0)], or with both steps smoothed."""
    return gradient(w.dot(w_star) * step_kernel(both))


def slope_boundary(both: bool = False) -> sp.Matrix:
    """The share of it that comes from the slope of w's step: (w.w*) E[phi(w.x/h)/h x (step of w*)]."""
    return w.dot(w_star) * gradient(step_kernel(both))


def value_gradient() -> sp.Matrix:
    """E[Phi(w.x/h) (w*.x)_+ x]: the gradient in w of E[(w.x + h Z)_+ (w*.x)_+]."""
    return gradient(kernels.repu(1).subs({r: WIDE, theta: _angle(both=False)}, simultaneous=True))


def own_bias() -> sp.Expr:
    """The limit of (r^2/2) (E[Phi(w.x/h)^2] - 1/2) / h: what a neuron's square adds to the smoothed loss.

    Example:
        >>> from sobolev_theory.symbolic import smoothed_step
        >>> smoothed_step.own_bias()
        -sqrt(2)*r/(4*pi)
    """
    return _slope_at_0(r**2 / 2 * step_kernel(both=True).subs({r_star: r, theta: 0}, simultaneous=True))


def pair_bias(both: bool = False) -> sp.Expr:
    """The limit of (step kernel - orthant probability) / h, at an angle between 0 and pi."""
    return _slope_at_0(step_kernel(both))


def loss_at_the_teacher() -> sp.Expr:
    """The limit of the smoothed loss of one neuron at its teacher, over h."""
    own = step_kernel(both=True).subs({r_star: r, theta: 0}, simultaneous=True)
    across = step_kernel().subs({r_star: r, theta: 0}, simultaneous=True)
    return _slope_at_0(r**2 * (own / 2 - across))


def density_squared() -> sp.Expr:
    """int phi(s)^2 ds."""
    return sp.integrate(sp.exp(-(s**2)) / (2 * sp.pi), (s, -sp.oo, sp.oo))


def own_step_variance() -> sp.Expr:
    """The variance of Phi(s) under the density phi(s)^2 / int phi^2, that of N(0, 1/2).

    E[Phi(s)^2] = P(s + Z > 0, s + Z' > 0), whose correlation is (1/2) / (1/2 + 1).
    """
    half = sp.Rational(1, 2)
    return kernels.orthant_probability().subs(theta, sp.acos(half / (half + 1))) - half**2


def _angle(both: bool) -> sp.Expr:
    """Between (w, h) and (w*, 0), or (w, h, 0) and (w*, 0, h)."""
    other = sp.sqrt(r_star**2 + h**2) if both else r_star
    return sp.acos(r * r_star * v.dot(u) / (WIDE * other))


def _slope_at_0(expression: sp.Expr) -> sp.Expr:
    """The derivative in h as h falls to 0."""
    return sp.simplify(sp.limit(sp.simplify(sp.diff(expression, h)), h, 0, "+"))
