"""One ReLU neuron w and its teacher w*, derived: the twin of `st.single_neuron`, name by name.

Losses and population gradients are integrals of what stands under the expectation; loss gradients, Jacobians and
flows are derivatives of those; eigenvalues are read off the matrices. In the frame (v, e, orthogonal) of `frame`.

Returns, every function:
    Losses are expressions in r, r* and theta, gradients vectors and Jacobians matrices of them in the frame;
    eigenvalues an `Eigenvalues` and flows a `PlanarVelocity`, named tuples of expressions.
"""

from functools import cache
from typing import NamedTuple

import sympy as sp

from . import frame, integrals
from .algebra import tidy, vanishes
from .frame import r, r_star, rho, w, w_star

__all__ = [
    "Eigenvalues", "PlanarVelocity", "eigenvalues", "flow", "h1_loss", "h1_loss_flow", "h1_loss_gradient",
    "h1_loss_hessian", "h1_loss_hessian_eigenvalues", "h1_population_eigenvalues", "h1_population_flow",
    "h1_population_gradient", "h1_population_jacobian", "h1_population_jacobian_asymmetry", "l2_eigenvalues",
    "l2_flow", "l2_gradient", "l2_jacobian", "l2_loss", "l2_loss_gradient", "seminorm_boundary",
    "seminorm_boundary_by_delta", "seminorm_loss", "seminorm_loss_gradient", "seminorm_population_gradient",
    "seminorm_population_jacobian",
]  # fmt: skip
__dir__ = __all__.copy

W, W_STAR, BOTH = integrals.W, integrals.W_STAR, integrals.BOTH
student, teacher = w.dot(integrals.x), w_star.dot(integrals.x)  # pre-activations


# Losses: the squares expanded, each product over the set where both of its factors are active.


@cache
def l2_loss() -> sp.Expr:
    """L = E[1/2 ((w.x)_+ - (w*.x)_+)^2]."""
    squares = integrals.expectation(student**2, W) + integrals.expectation(teacher**2, W_STAR)
    return tidy(squares / 2 - integrals.expectation(student * teacher, BOTH))


@cache
def seminorm_loss() -> sp.Expr:
    """J = E[1/2 |1(w.x > 0) w - 1(w*.x > 0) w*|^2]."""
    squares = integrals.expectation(w.dot(w), W) + integrals.expectation(w_star.dot(w_star), W_STAR)
    return tidy(squares / 2 - integrals.expectation(w.dot(w_star), BOTH))


@cache
def h1_loss() -> sp.Expr:
    """H = L + J."""
    return tidy(l2_loss() + seminorm_loss())


# Gradients.


@cache
def l2_gradient() -> sp.Matrix:
    """G_L = E[((w.x)_+ - (w*.x)_+) 1(w.x > 0) x], the expectation of the per-sample gradient.

    Example:
        >>> from sobolev_theory.symbolic import single_neuron
        >>> single_neuron.l2_gradient()[1]
        r^**theta*sin(theta)/(2*pi) - r^**sin(theta)/2
    """
    own = integrals.expectation(student * integrals.x, W)
    return tidy(own - integrals.expectation(teacher * integrals.x, BOTH))


@cache
def seminorm_population_gradient() -> sp.Matrix:
    """G_J = E[1(w.x > 0) (1(w.x > 0) w - 1(w*.x > 0) w*)], the indicators held as backpropagation holds them."""
    one = sp.Integer(1)
    return tidy(integrals.expectation(one, W) * w - integrals.expectation(one, BOTH) * w_star)


@cache
def h1_population_gradient() -> sp.Matrix:
    """G_H = G_L + G_J."""
    return tidy(l2_gradient() + seminorm_population_gradient())


@cache
def l2_loss_gradient() -> sp.Matrix:
    """grad L, by differentiation of the loss."""
    return tidy(frame.gradient(l2_loss()))


@cache
def seminorm_loss_gradient() -> sp.Matrix:
    """grad J, by differentiation of the loss."""
    return tidy(frame.gradient(seminorm_loss()))


@cache
def h1_loss_gradient() -> sp.Matrix:
    """grad H, by differentiation of the loss."""
    return tidy(frame.gradient(h1_loss()))


@cache
def seminorm_boundary() -> sp.Matrix:
    """grad J - G_J: what differentiation under the expectation misses.

    Example:
        >>> from sobolev_theory.symbolic import single_neuron
        >>> single_neuron.seminorm_boundary().T
        Matrix([[0, -r^**cos(theta)/(2*pi), 0]])
    """
    return tidy(seminorm_loss_gradient() - seminorm_population_gradient())


@cache
def seminorm_boundary_by_delta() -> sp.Matrix:
    """-(w.w*) E[delta(w.x) 1(w*.x > 0) x]: the same from the jump of the indicator of w."""
    return tidy(-w.dot(w_star) * integrals.on_the_boundary(integrals.x, r))


# Jacobians, in rho = |w*| / |w| and theta.


@cache
def l2_jacobian() -> sp.Matrix:
    """DG_L."""
    return _ratio(frame.jacobian(l2_gradient()))


@cache
def seminorm_population_jacobian() -> sp.Matrix:
    """DG_J; not symmetric."""
    return _ratio(frame.jacobian(seminorm_population_gradient()))


@cache
def h1_population_jacobian() -> sp.Matrix:
    """DG_H; not symmetric."""
    return _ratio(frame.jacobian(h1_population_gradient()))


@cache
def h1_loss_hessian() -> sp.Matrix:
    """The Hessian of H, by differentiating the loss twice."""
    return _ratio(frame.jacobian(h1_loss_gradient()))


@cache
def h1_population_jacobian_asymmetry() -> sp.Matrix:
    """(DG_H - DG_H') / 2."""
    jacobian = h1_population_jacobian()
    return tidy((jacobian - jacobian.T) / 2)


# Eigenvalues.


class Eigenvalues(NamedTuple):
    """Along v, of the other eigenvector in the plane of w and w*, and of the d - 2 orthogonal directions."""

    radial: sp.Expr
    in_plane: sp.Expr
    orthogonal: sp.Expr


def eigenvalues(matrix: sp.Matrix) -> Eigenvalues:
    """The diagonal of a matrix that is triangular in (v, e, orthogonal), which is proved entry by entry.

    The orthogonal entry stands for d - 2 directions: none of them couples to the plane, or to another by symmetry.

    Raises:
        ValueError: an entry off the diagonal that couples them is not 0.
    """
    coupling = sp.Matrix([matrix[1, 0], matrix[2, 0], matrix[2, 1], matrix[0, 2], matrix[1, 2]])
    if not vanishes(coupling):
        raise ValueError(f"matrix: got {tidy(coupling).T} below (v, e) and across; needs zeros")
    return Eigenvalues(matrix[0, 0], matrix[1, 1], matrix[2, 2])


@cache
def l2_eigenvalues() -> Eigenvalues:
    """Of DG_L."""
    return eigenvalues(l2_jacobian())


@cache
def h1_population_eigenvalues() -> Eigenvalues:
    """Of DG_H.

    Example:
        >>> from sobolev_theory.symbolic import single_neuron
        >>> single_neuron.h1_population_eigenvalues().in_plane
        -3*rho*sin(theta)/(2*pi) + 1
    """
    return eigenvalues(h1_population_jacobian())


@cache
def h1_loss_hessian_eigenvalues() -> Eigenvalues:
    """Of the Hessian of H."""
    return eigenvalues(h1_loss_hessian())


# Gradient flows.


class PlanarVelocity(NamedTuple):
    """d|w|/dt and d theta/dt."""

    norm: sp.Expr
    angle: sp.Expr


def flow(field: sp.Matrix) -> PlanarVelocity:
    """Norm and angle under w' = -field, by the chain rule."""
    moving = frame.motion()
    return PlanarVelocity(*(tidy(-(slope * field)[0]) for slope in (moving.norm, moving.angle)))


@cache
def l2_flow() -> PlanarVelocity:
    """Under -G_L = -grad L."""
    return flow(l2_gradient())


@cache
def h1_population_flow() -> PlanarVelocity:
    """Under -G_H, the average of the per-sample gradient."""
    return flow(h1_population_gradient())


@cache
def h1_loss_flow() -> PlanarVelocity:
    """Under -grad H, the gradient of the loss.

    Example:
        >>> from sobolev_theory.symbolic import single_neuron
        >>> single_neuron.h1_loss_flow().angle
        r^**theta*sin(theta)/(pi*r) - r^**sin(theta)/r - r^**cos(theta)/(2*pi*r)
    """
    return flow(h1_loss_gradient())


def _ratio(matrix: sp.Matrix) -> sp.Matrix:
    """Jacobians depend on the norms through rho alone."""
    return tidy(matrix.subs(r_star, rho * r))
