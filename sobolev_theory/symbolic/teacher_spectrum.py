"""Curvature at W = W* for an orthonormal teacher: all eigenvalues, for every number K of neurons and dimension d.

The matrix of size K d commutes with permutations of the neurons. A direction U is a K x K matrix A_kl = u_k.w*_l and
a part orthogonal to the teacher; on A the matrix acts in blocks that do not grow with K, one per kind of pattern:
  trivial         A = f on the diagonal, h elsewhere                                      2 x 2, once
  standard        A_kk = f p_k, A_kl = g p_k + h p_l with sum p = 0                       3 x 3, K - 1 times
  symmetric       A = A', no diagonal, rows that sum to 0                                 one value, K (K - 3)/2 times
  antisymmetric   A = -A', rows that sum to 0                                             one value, (K - 1)(K - 2)/2
Orthogonal to the teacher it is a K x K matrix with two eigenvalues. Entries of blocks are affine in K, since they sum
terms over neurons: two values of K determine them. Hessian theory of this kind: Arjevani & Field, arXiv 2008.01805.

Returns, every function:
    A `Coupling` of neurons, the `Blocks` it leads to as functions of K, their `Multiplicities`; `applied` a matrix,
    `invariants` a tuple of expressions in K.
"""

from functools import cache
from typing import NamedTuple

import sympy as sp

from . import frame, pair
from .algebra import tidy

__all__ = [
    "Blocks", "Coupling", "K", "Multiplicities", "applied", "blocks", "d", "eigenvalue", "h1_population_blocks",
    "h1_population_coupling", "invariants", "l2_blocks", "l2_coupling", "multiplicities",
]  # fmt: skip
__dir__ = __all__.copy

K, d, eigenvalue = sp.symbols("K d lambda", positive=True)


class Coupling(NamedTuple):
    """Row k: own u_k + sum_(n != k) [ plain u_n + turned w*_n (w*_k.u_n) + straight w*_k (w*_n.u_n) ]."""

    own: sp.Expr
    plain: sp.Expr
    turned: sp.Expr
    straight: sp.Expr


class Blocks(NamedTuple):
    """The matrix on each kind of pattern, as functions of K."""

    trivial: sp.Matrix
    standard: sp.Matrix
    symmetric: sp.Expr
    antisymmetric: sp.Expr
    across_sum: sp.Expr  # orthogonal to the teacher, the same for all neurons: d - K times
    across_difference: sp.Expr  # orthogonal, with sum 0 over the neurons: (K - 1)(d - K) times


class Multiplicities(NamedTuple):
    """How often each block of `Blocks` occurs; times the sizes of the blocks they sum to K d."""

    trivial: sp.Expr
    standard: sp.Expr
    symmetric: sp.Expr
    antisymmetric: sp.Expr
    across_sum: sp.Expr
    across_difference: sp.Expr


@cache
def l2_coupling() -> Coupling:
    """Of the L2 loss.

    Example:
        >>> from sobolev_theory.symbolic import teacher_spectrum
        >>> tuple(teacher_spectrum.l2_coupling())
        (1/2, 1/4, 1/(2*pi), 1/(2*pi))
    """
    return _coupling(pair.value_mixed_hessian(), pair.self_value_jacobian())


@cache
def h1_population_coupling() -> Coupling:
    """Of DG_H, where terms in the direction e of a neuron to its own teacher, which does not exist, are 0."""
    return _coupling(
        pair.value_mixed_hessian() + pair.slope_mixed_jacobian(),
        pair.self_value_jacobian() + pair.self_slope_jacobian(),
    )


def _coupling(mixed: sp.Matrix, own: sp.Matrix) -> Coupling:
    """From one pair at a right angle: w = w*_k = v and w* = w*_n = e.

    At W = W* second derivatives in one neuron against other students and their teachers cancel; against its own
    teacher they vanish like sin(theta).
    """
    block = tidy(mixed.subs({frame.r: 1, frame.r_star: 1, frame.theta: sp.pi / 2}))
    plain = block[2, 2]
    rest = block - plain * frame.identity
    if any(rest[i, j] != 0 for i in range(3) for j in range(3) if (i, j) not in ((0, 1), (1, 0))):
        raise ArithmeticError(f"block: got {block}; needs a multiple of the identity and two entries")
    return Coupling(own[0, 0], plain, rest[1, 0], rest[0, 1])


def applied(coupling: Coupling, pattern: sp.Matrix) -> sp.Matrix:
    """The matrix on a direction in the span, as the K x K matrix A_kl = u_k.w*_l."""
    size = pattern.rows

    def entry(k: int, m: int) -> sp.Expr:
        others = [j for j in range(size) if j != k]
        value = coupling.own * pattern[k, m] + coupling.plain * sum(pattern[j, m] for j in others)
        if k == m:
            return value + coupling.straight * sum(pattern[j, j] for j in others)
        return value + coupling.turned * pattern[m, k]

    return sp.Matrix(size, size, entry)


@cache
def blocks(coupling: Coupling) -> Blocks:
    """The blocks as functions of K, from what the matrix does for two values of K."""
    own, plain, turned, _ = coupling
    trivial, standard = (_affine(*(kind(coupling, size) for size in (4, 5))) for kind in (_trivial, _standard))
    return Blocks(
        trivial,
        standard,
        own - plain + turned,
        own - plain - turned,
        tidy(own + (K - 1) * plain),
        own - plain,
    )


def l2_blocks() -> Blocks:
    """Of the L2 loss."""
    return blocks(l2_coupling())


def h1_population_blocks() -> Blocks:
    """Of DG_H; symmetric there."""
    return blocks(h1_population_coupling())


def invariants(found: Blocks) -> tuple[sp.Expr, ...]:
    """What determines all eigenvalues: trace and determinant of the trivial block, the coefficients of the standard
    block's characteristic polynomial (trace, sum of principal minors, determinant), and the four other eigenvalues.
    """
    trivial, standard = found.trivial, found.standard
    polynomial = standard.charpoly(eigenvalue).all_coeffs()
    return tuple(
        tidy(value)
        for value in (
            trivial.trace(),
            trivial.det(),
            -polynomial[1],
            polynomial[2],
            -polynomial[3],
            *found[2:],
        )
    )


def multiplicities() -> Multiplicities:
    """Of the eigenvalues of each block. For K = 2 that of the symmetric kind is -1: one of the standard block's
    eigenvalues is the same number and does not occur, as p_k + p_l = 0 leaves one pattern less. So for K = 1.
    """
    return Multiplicities(sp.Integer(1), K - 1, K * (K - 3) / 2, (K - 1) * (K - 2) / 2, d - K, (K - 1) * (d - K))


def _trivial(coupling: Coupling, size: int) -> sp.Matrix:
    columns = []
    for f, h in ((1, 0), (0, 1)):
        image = applied(coupling, sp.Matrix(size, size, lambda k, m, f=f, h=h: f if k == m else h))
        columns.append([image[0, 0], image[0, 1]])
    return sp.Matrix(columns).T


def _standard(coupling: Coupling, size: int) -> sp.Matrix:
    """Coefficients f, g, h of the images, read where p = (1, -1, 0, ...)."""
    p = [1, -1] + [0] * (size - 2)
    columns = []
    for f, g, h in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):

        def entry(k: int, m: int, f=f, g=g, h=h) -> int:
            return f * p[k] if k == m else g * p[k] + h * p[m]

        image = applied(coupling, sp.Matrix(size, size, entry))
        columns.append([image[0, 0], image[0, 2], image[2, 0]])
    return sp.Matrix(columns).T


def _affine(at_four: sp.Matrix, at_five: sp.Matrix) -> sp.Matrix:
    return tidy(at_four + (K - 4) * (at_five - at_four))
