"""The frame of two neurons w and w* (or any pair), its symbols, and how it moves when one of them moves.

Coordinates are along v = w/|w|, along e, the unit vector orthogonal to w towards w*, and along one direction
orthogonal to both: what holds for it holds for all d - 2 of them. Vectors are columns of 3, matrices 3 x 3.

Returns, every function:
    `gradient` a vector and `jacobian` a matrix in the frame (v, e, orthogonal); `motion` a `Motion`.
"""

from functools import cache
from typing import Literal, NamedTuple

import sympy as sp

__all__ = ["Motion", "gradient", "jacobian", "motion", "r", "r_star", "rho", "theta"]
__dir__ = __all__.copy

r, r_star, theta = sp.symbols("r r^* theta", positive=True)  # |w|, |w*|, their angle
rho = sp.Symbol("rho", positive=True)  # |w*| / |w|

identity = sp.eye(3)
v, e, orthogonal = (identity[:, k] for k in range(3))
w = r * v
u = sp.cos(theta) * v + sp.sin(theta) * e  # w* / |w*|
w_star = r_star * u
e_star = sp.sin(theta) * v - sp.cos(theta) * e  # the unit vector orthogonal to w* towards w

Neuron = Literal["w", "w_star"]


class Motion(NamedTuple):
    """First derivatives, in the three coordinates of one neuron, of everything a formula is made of."""

    norm: sp.Matrix
    norm_star: sp.Matrix
    angle: sp.Matrix
    v: sp.Matrix
    e: sp.Matrix


@cache
def motion(of: Neuron = "w") -> Motion:
    """How norms, angle and frame move with one neuron, by differentiation in six Cartesian coordinates.

    Rows are what is differentiated, columns the coordinates of the neuron.
    """
    x, y = sp.Matrix(sp.symbols("x:3", real=True)), sp.Matrix(sp.symbols("y:3", real=True))
    norm, norm_star = (sp.sqrt(z.dot(z)) for z in (x, y))
    across = y - (x.dot(y) / norm**2) * x
    height = sp.sqrt(across.dot(across))
    angle = sp.atan2(height * norm, x.dot(y))
    moved = x if of == "w" else y
    here = _here(x, y)

    def slope(quantity: sp.Expr | sp.Matrix) -> sp.Matrix:
        column = quantity if isinstance(quantity, sp.MatrixBase) else sp.Matrix([quantity])
        return column.jacobian(moved).subs(here).applyfunc(_evaluated)

    return Motion(*map(slope, (norm, norm_star, angle, x / norm, across / height)))


def gradient(scalar: sp.Expr, of: Neuron = "w") -> sp.Matrix:
    """The gradient in one neuron of a function of r, r* and theta.

    Example:
        >>> from sobolev_theory.symbolic import frame
        >>> frame.gradient(frame.theta).T
        Matrix([[0, -1/r, 0]])
    """
    return _chain(sp.Matrix([scalar]), motion(of)).T


def jacobian(field: sp.Matrix, of: Neuron = "w") -> sp.Matrix:
    """The derivative in one neuron of a vector in the plane, its coordinates being functions of r, r* and theta.

    The frame turns with the neurons, so that this is more than the derivative of the coordinates.

    Raises:
        ValueError: a field that leaves the plane, whose third direction is not determined.

    Example:
        >>> from sobolev_theory.symbolic import frame
        >>> frame.jacobian(frame.w) == frame.identity
        True
    """
    if field[2] != 0:
        raise ValueError(f"field: got {field[2]} orthogonal to the plane; needs a vector in the plane of w and w*")
    moving = motion(of)
    return (_chain(field, moving) + field[0] * moving.v + field[1] * moving.e).applyfunc(_evaluated)


def _chain(column: sp.Matrix, moving: Motion) -> sp.Matrix:
    slopes = zip((r, r_star, theta), (moving.norm, moving.norm_star, moving.angle), strict=True)
    return sum((column.diff(x) * slope for x, slope in slopes), sp.zeros(column.rows, 3))


def _here(x: sp.Matrix, y: sp.Matrix) -> list[tuple[sp.Expr, sp.Expr]]:
    return [*zip(x, w, strict=True), *zip(y, w_star, strict=True)]


def _evaluated(entry: sp.Expr) -> sp.Expr:
    """Roots drawn: r, r* and sin(theta) are positive."""
    return sp.simplify(sp.simplify(entry).subs(sp.Abs(sp.sin(theta)), sp.sin(theta)))
