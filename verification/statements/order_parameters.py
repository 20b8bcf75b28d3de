"""What SGD in order parameters rests on: Saad and Solla's integral of four, and the terms of Hermite."""

import sympy as sp

from sobolev_theory.symbolic.order_parameters import C

from .kernels import of_pair
from .notation import Number, pi, r, r_star
from .statement import equal, states

four, zero, one, two = (sp.Symbol(rf"\Lambda_{k}") for k in (4, 0, 1, 2))
_first, _second = 1 + C[1, 1], 1 + C[2, 2]


class Mean(sp.Symbol):
    """Printed as it is spelled."""

    def _latex(self, printer) -> str:
        return self.name


def _own(k: int) -> sp.Expr:
    return four * (1 + C[k, k]) - C[2, k] ** 2 * _first - C[1, k] ** 2 * _second + 2 * C[1, 2] * C[1, k] * C[2, k]


INTEGRAL_OF_FOUR = states(
    equal(
        Mean(r"E\left[g'(u_1) g'(u_2) g(u_3) g(u_4)\right]"),
        4 / (pi**2 * sp.sqrt(four)) * sp.asin(zero / sp.sqrt(one * two)),
    ),
    where=(
        equal(four, _first * _second - C[1, 2] ** 2),
        equal(
            zero,
            four * C[3, 4]
            - C[2, 3] * C[2, 4] * _first
            - C[1, 3] * C[1, 4] * _second
            + C[1, 2] * C[1, 3] * C[2, 4]
            + C[1, 2] * C[1, 4] * C[2, 3],
        ),
        equal(one, _own(3)),
        equal(two, _own(4)),
    ),
    remark="for the error function of their convention, and fields of any covariances",
)

# The k-th term in cos(theta) of both kernels together.

k = sp.Symbol("k", integer=True, positive=True)


class Hermite(Number):
    """E[s(r Z) He_k(Z)]."""

    spelled = r"E\left[({1} Z)_+ He_{{{0}}}(Z)\right]"


TERMS = of_pair(
    equal(
        sp.Symbol(r"\left[\cos^k {\theta}\right] (\kappa_0 + \kappa_1)"),
        (1 + k) * Hermite(k, r) * Hermite(k, r_star) / sp.factorial(k),
    ),
    remark="the norm with derivatives multiplies each term by one more than its power",
)
