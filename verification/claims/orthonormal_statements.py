"""The statements on an orthonormal teacher in SymPy; none is derived here.

On the slice: phi is the angle of two student neurons, alpha that of w_j and w*_j, beta that of w_j and another w*_l,
r = |w_j|; S = r^2 sin(phi), A = r sin(alpha), B = r sin(beta).
"""

import sympy as sp

from sobolev_theory.symbolic.orthonormal import DOT, A, B, S, alpha, beta, n, phi, r, x, y
from sobolev_theory.symbolic.teacher_spectrum import K

pi = sp.pi
sin_phi, sin_alpha, sin_beta = S / r**2, A / r, B / r
cos_phi, cos_alpha, cos_beta = DOT / r**2, x / r, y / r
teacher_sines = sin_alpha + (n - 1) * sin_beta


def _velocity(m: int) -> tuple[sp.Expr, sp.Expr]:
    """Under -G_L for m = 1 and -G_H for m = 2."""
    x_ = (
        -m * x / 2
        - (n - 1) * (m * (pi - phi) * y + x * sin_phi) / (2 * pi)
        + (m * (pi - alpha) + teacher_sines * x / r) / (2 * pi)
    )
    y_ = (
        -m * y / 2
        - (m * (pi - phi) * (x + (n - 2) * y) + (n - 1) * y * sin_phi) / (2 * pi)
        + (m * (pi - beta) + teacher_sines * y / r) / (2 * pi)
    )
    return x_, y_


cot_phi, cot_alpha, cot_beta = cos_phi / sin_phi, cos_alpha / sin_alpha, cos_beta / sin_beta
_boundary = (
    -(n - 1) * cot_phi * (y - x * cos_phi) + cot_alpha * sin_alpha**2 - (n - 1) * cot_beta * cos_beta * x / r,
    -cot_phi * (x + (n - 2) * y - (n - 1) * y * cos_phi)
    - cot_alpha * cos_alpha * y / r
    + cot_beta * (1 - (n - 1) * cos_beta * y / r),
)

L2_SLICE = _velocity(1)
H1_POPULATION_SLICE = _velocity(2)
H1_LOSS_SLICE = tuple(v + b / (2 * pi) for v, b in zip(H1_POPULATION_SLICE, _boundary, strict=True))

# At W = W*: trace and determinant of the quadratic that occurs once; trace, sum of principal minors and determinant
# of the cubic that occurs K - 1 times; then the single values: symmetric, antisymmetric, orthogonal to the teacher.

_g = 1 / (2 * pi)
_quarter, _half = sp.Rational(1, 4), sp.Rational(1, 2)
_low = _quarter - _g  # a root of L2's cubic: the quadratic that is left has this trace and determinant
_trace, _det = (K + 2) / 4, (K + 1) / 16 + _g / 2 - _g**2
L2_SPECTRUM = (
    _half + K / 4 + K * _g,
    (_half + (K - 1) * _g) * (K / 4 + _g) - (K - 1) / 16,
    _trace + _low,
    _det + _low * _trace,
    _low * _det,
    _quarter + _g,
    _low,
    (K + 1) / 4,
    _quarter,
)
POPULATION_SPECTRUM = (
    1 + K / 2 + (K + 1) * _g,
    (1 + (K - 1) * _g) * (K / 2 + 2 * _g) - (K - 1) / 4,
    (K + 3) / 2 - _g,
    (2 * K + 3) / 4 - (K - 1) * _g / 2 - 4 * _g**2,
    (K + 1) / 8 - (K - 2) * _g / 4 - 5 * _g**2 + 4 * _g**3,
    _half + 2 * _g,
    _half - 2 * _g,
    (K + 1) / 2,
    _half,
)
