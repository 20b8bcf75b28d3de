"""One neuron: ratios of extreme eigenvalues, where all are positive, and which eigenvalues are extreme.

Returns, every function:
    Ratios are expressions in rho and theta; orders and comparisons are each a `Proof`.
"""

import sympy as sp

from . import single_neuron
from .frame import rho, theta
from .proof import Proof, Step
from .single_neuron import Eigenvalues

__all__ = [
    "h1_loss_order",
    "h1_loss_ratio",
    "h1_population_is_better",
    "h1_population_order",
    "h1_population_ratio",
    "l2_order",
    "l2_ratio",
]
__dir__ = __all__.copy

UNIT = rho * sp.sin(theta) / (2 * sp.pi)  # not negative


def l2_ratio() -> sp.Expr:
    """Of DG_L: radial over in-plane, 1 / (1 - 2 rho sin / pi)."""
    return _radial_over_in_plane(single_neuron.l2_eigenvalues())


def h1_population_ratio() -> sp.Expr:
    """Of DG_H: radial over in-plane, 1 / (1 - 3 rho sin / (2 pi)).

    Example:
        >>> from sobolev_theory.symbolic import conditioning
        >>> conditioning.h1_population_ratio()
        1/(-3*rho*sin(theta)/(2*pi) + 1)
    """
    return _radial_over_in_plane(single_neuron.h1_population_eigenvalues())


def h1_loss_ratio() -> sp.Expr:
    """Of the Hessian of H: the largest of radial and orthogonal over in-plane."""
    values = single_neuron.h1_loss_hessian_eigenvalues()
    return sp.Max(values.radial, values.orthogonal) / values.in_plane


def l2_order() -> Proof:
    """in-plane <= orthogonal <= radial, for DG_L."""
    return _order(single_neuron.l2_eigenvalues(), (UNIT, UNIT))


def h1_population_order() -> Proof:
    """in-plane <= orthogonal <= radial, for DG_H."""
    return _order(single_neuron.h1_population_eigenvalues(), (2 * UNIT, UNIT))


def h1_loss_order() -> Proof:
    """For the Hessian of H: in-plane is least; orthogonal exceeds radial if and only if |theta - pi/2| > pi/4.

    In the plane it is twice the Hessian of L, so that its ratio is never less than that of L.
    """
    values, l2 = single_neuron.h1_loss_hessian_eigenvalues(), single_neuron.l2_eigenvalues()
    kink = rho / (2 * sp.pi * sp.sin(theta))
    return Proof(
        (
            Step("orthogonal - in-plane", values.orthogonal - values.in_plane - 3 * UNIT - kink * sp.cos(theta) ** 2),
            Step("radial - in-plane", values.radial - values.in_plane - 4 * UNIT),
            Step("orthogonal - radial", values.orthogonal - values.radial - kink * sp.cos(2 * theta)),
            Step("radial is twice that of L", values.radial - 2 * l2.radial),
            Step("in-plane is twice that of L", values.in_plane - 2 * l2.in_plane),
        ),
        (r"\sin\theta > 0", r"\cos 2\theta > 0 \iff |\theta - \pi/2| > \pi/4"),
    )


def h1_population_is_better() -> Proof:
    """The ratio of DG_H is at most that of DG_L where both are positive: 1/ratio differs by rho sin / (2 pi)."""
    return Proof(
        (
            *l2_order().steps,
            *h1_population_order().steps,
            Step("difference of inverse ratios", 1 / h1_population_ratio() - 1 / l2_ratio() - UNIT),
        ),
        (r"\rho\sin\theta/(2\pi) \ge 0",),
    )


def _radial_over_in_plane(values: Eigenvalues) -> sp.Expr:
    return 1 / sp.expand(values.in_plane / values.radial)


def _order(values: Eigenvalues, gaps: tuple[sp.Expr, sp.Expr]) -> Proof:
    """The gaps orthogonal - in-plane and radial - orthogonal, both not negative."""
    return Proof(
        (
            Step("orthogonal - in-plane", values.orthogonal - values.in_plane - gaps[0]),
            Step("radial - orthogonal", values.radial - values.orthogonal - gaps[1]),
        ),
        (r"\rho\sin\theta/(2\pi) \ge 0",),
    )
