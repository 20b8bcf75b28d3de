"""An orthonormal teacher: the flows on its symmetric slice, its fixed points, and the spectrum at W = W*.

On the slice w_j = x w*_j + y sum_(l != j) w*_l: phi is the angle of two student neurons, alpha that of w_j and w*_j,
beta that of w_j and another w*_l, r = |w_j|; S = r^2 sin(phi), A = r sin(alpha), B = r sin(beta).
"""

import sympy as sp

from sobolev_theory.symbolic import teacher_spectrum
from sobolev_theory.symbolic.orthonormal import DOT, A, B, S, alpha, beta, n, phi, r, x, y
from sobolev_theory.symbolic.teacher_spectrum import K

from .notation import Number
from .statement import Statement, above, below, equal, states

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

_meanings = (
    equal(S, r**2 * sp.sin(phi)),
    equal(A, r * sp.sin(alpha)),
    equal(B, r * sp.sin(beta)),
)
SLICE_REMARK = (
    "|w| the norm of a student, phi the angle of two of them, alpha and beta those of a student with its own teacher "
    "and with another one"
)
x_dot, y_dot = sp.symbols(r"{\dot{x}} {\dot{y}}")


def _flow(velocity: tuple[sp.Expr, ...]) -> Statement:
    return states(equal(x_dot, velocity[0]), equal(y_dot, velocity[1]), where=_meanings, remark=SLICE_REMARK)


_h1 = _velocity(2)
L2_SLICE, H1_POPULATION_SLICE = _flow(_velocity(1)), _flow(_h1)
H1_LOSS_SLICE = _flow(tuple(v + b / (2 * pi) for v, b in zip(_h1, _boundary, strict=True)))

# Where all students coincide, x = y = q: the point, and the rates of the flow along x = y and across it.

q = sp.Symbol("q", positive=True)
saddle, rate_along, rate_across = sp.symbols(r"q \lambda_{x=y} \lambda_{x+y=2q}")


def saddle_of(m: int) -> Statement:
    """m = 1 for L, 2 for H: what multiplies pi - angle in the gradient."""
    return states(
        equal(q, (pi - sp.acos(1 / sp.sqrt(n)) + sp.sqrt(n - 1) / m) / (pi * n)),
        remark="the minus gradient vanishes where every student is q times the sum of the teacher's neurons",
    )


def saddle_type_of(m: int) -> Statement:
    along, across = -sp.Rational(m, 2) * n, (n - 1 + m) / (2 * pi * q * sp.sqrt(n - 1))
    return states(
        equal(rate_along, along),
        equal(rate_across, across),
        above(across, 0),
        remark="of the flow at the saddle, x and y being q there: a saddle",
    )


# At W = W*: trace and determinant of the quadratic that occurs once; trace, sum of principal minors and determinant
# of the cubic that occurs K - 1 times; then the single values: symmetric, antisymmetric, orthogonal to the teacher.

_g = 1 / (2 * pi)
_quarter, _half = sp.Rational(1, 4), sp.Rational(1, 2)
_low = _quarter - _g  # a root of L2's cubic: the quadratic that is left has this trace and determinant
_trace, _det = (K + 2) / 4, (K + 1) / 16 + _g / 2 - _g**2
_l2 = (
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
_h1_population = (
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


class RootSum(Number):
    """The elementary symmetric function of degree k of the eigenvalues of a block of the given size."""

    spelled = r"e_{1}(\lambda_1, \dots, \lambda_{0})"


class Repeated(Number):
    """A single eigenvalue, by its kind, with its multiplicity."""

    def _latex(self, printer, exp=None) -> str:
        kind, times = self.args
        return rf"\lambda_{{{printer.doprint(kind)}}}\ \left[{printer.doprint(times)} \text{{ times}}\right]"


def _spectrum(values: tuple[sp.Expr, ...]) -> Statement:
    sums = (RootSum(2, 1), RootSum(2, 2), RootSum(3, 1), RootSum(3, 2), RootSum(3, 3))
    single = (
        Repeated(kind, times) for kind, times in zip("abcd", teacher_spectrum.multiplicities()[2:], strict=True)
    )
    return states(
        *(equal(quantity, value) for quantity, value in zip((*sums, *single), values, strict=True)),
        remark="of two eigenvalues that occur once, and of three that occur once less than there are neurons, the "
        "symmetric functions; of the others the values with their multiplicities",
    )


L2_SPECTRUM, POPULATION_SPECTRUM = _spectrum(_l2), _spectrum(_h1_population)

# Convexity and conditioning at W = W*.

LeastAtTeacher = type("LeastAtTeacher", (Number,), {"spelled": r"\lambda_{{\min}}({}(W^*))"})
RatioAtTeacher = type(
    "RatioAtTeacher", (Number,), {"spelled": r"\tfrac{{\lambda_{{\max}}}}{{\lambda_{{\min}}}}({}(W^*))"}
)
_hessian, _jacobian = sp.symbols(r"{\nabla^2L} {DG_H}")
L2_CONVEX = states(equal(LeastAtTeacher(_hessian), _low), above(_low, 0))
H1_CONVEX = states(
    equal(LeastAtTeacher(_jacobian), 2 * _low),
    above(2 * _low, 0),
    remark="from three neurons on, and more for two",
)
CONDITIONING = states(
    above(RatioAtTeacher(_hessian), RatioAtTeacher(_jacobian)), remark="their quotient tends to one as K grows"
)

# The reflected teacher: x near 2/n - 1, y near 2/n.


class AtReflected(Number):
    """A quantity at the fixed point, for some numbers of neurons."""

    def _latex(self, printer, exp=None) -> str:
        quantity, sizes = self.args
        return rf"{printer.doprint(quantity)}\big|_{{n = {', '.join(map(str, sizes))}}}"


CURVATURE, VALUE = sp.Symbol(r"{\min\Re\lambda(DG)}"), sp.Symbol(r"{\text{loss}}")
ALL, FEW, MANY = sp.Tuple(*range(3, 9)), sp.Tuple(3, 4, 5), sp.Tuple(6, 7, 8)


def reflected(loss: str) -> Statement:
    return states(
        below(AtReflected(CURVATURE, FEW), 0),
        above(AtReflected(CURVATURE, MANY), 0),
        above(AtReflected(VALUE, MANY), 0),
        below(AtReflected(x, ALL), 0),
        above(AtReflected(y, ALL), 0),
        remark=f"at the zero of the population gradient G of {loss} on the slice next to the reflected teacher: "
        "unstable, and from six neurons on a spurious minimum",
    )
