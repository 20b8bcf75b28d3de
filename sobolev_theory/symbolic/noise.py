"""Second moments of the sample gradient of one ReLU neuron, derived: the noise of SGD under L and J.

With D = (w.x)_+ - (w*.x)_+, a sample's gradients are g_L = D 1(w.x > 0) x and g_J = 1(w.x > 0) grad D.

Returns, every function:
    An expression in r, r*, theta and the dimension d.
"""

from functools import cache

import sympy as sp

from . import integrals
from .algebra import tidy
from .frame import w, w_star
from .integrals import BOTH, W, x, x1, x2
from .single_neuron import student, teacher

__all__ = ["cross_moment", "d", "seminorm_square", "value_square"]
__dir__ = __all__.copy

d = sp.Symbol("d", integer=True, positive=True)


def _over_the_half_space(alone: sp.Expr, both: sp.Expr) -> sp.Expr:
    """E[f 1(w.x > 0)], f being a polynomial where w alone is active, and another where both are."""
    return integrals.expectation(alone, W) + integrals.expectation(both - alone, BOTH)


@cache
def value_square() -> sp.Expr:
    """E|g_L|^2 = E[D^2 1(w.x > 0) |x|^2]: the plane's part of |x|^2, and d - 2 independent coordinates of variance 1.

    Example:
        >>> from sobolev_theory.symbolic import noise, theta
        >>> noise.value_square().subs(theta, 0).factor()
        (d + 2)*(r - r^*)**2/2
    """
    alone, both = student**2, (student - teacher) ** 2
    in_plane = x1**2 + x2**2
    rest = (d - 2) * _over_the_half_space(alone, both)
    return tidy(_over_the_half_space(sp.expand(alone * in_plane), sp.expand(both * in_plane)) + rest)


@cache
def cross_moment() -> sp.Expr:
    """E[g_L . g_J] = E[D 1(w.x > 0) x . grad D]."""
    alone, both = student * x.dot(w), (student - teacher) * x.dot(w - w_star)
    return tidy(_over_the_half_space(sp.expand(alone), sp.expand(both)))


@cache
def seminorm_square() -> sp.Expr:
    """E|g_J|^2 = E[|grad D|^2 1(w.x > 0)]."""
    return tidy(_over_the_half_space(w.dot(w), (w - w_star).dot(w - w_star)))
