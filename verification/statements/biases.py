"""One biased ReLU of a pair: u = w.x + b and u' = v.x + b' at thresholds h = b/|w|, k = b'/|v|; and RePU(2)."""

import sympy as sp

from sobolev_theory.symbolic import orthants

from .kernels import Positive, Probability, x
from .notation import Dot, Expectation, c, e, pi, r, r_star, s, vector, w, w_hat, w_star
from .statement import Statement, above, equal, states

h, k = orthants.h, orthants.k
STUDENT_BIAS, TEACHER_BIAS = sp.Rational(3, 10), -sp.Rational(2, 5)
_thresholds = (equal(h, STUDENT_BIAS / r), equal(k, TEACHER_BIAS / r_star))
u, u_star = Dot(w, x) + STUDENT_BIAS, Dot(w_star, x) + TEACHER_BIAS
BOTH = Probability(above(u, 0), above(u_star, 0))

_remark = (
    "P the probability that one normal variable is above -h and another one, at the angle, above -k, q the corner"
)
RECTIFIED = Expectation(Positive(u, 1) * Positive(u_star, 1))
MOMENTS = states(
    equal(RECTIFIED, r * r_star * orthants.rectified_moment(1, 1)),
    equal(BOTH, orthants.rectified_moment(0, 0)),
    where=_thresholds,
    remark=_remark,
    pair=True,
)

# The gradients of H for g = (w.x + b)_+, in the weights and in the bias.

G_w, G_b = vector("G_{H,w}"), sp.Symbol("G_{H,b}")
grad_w, grad_b = vector(r"\nabla_w H"), sp.Symbol(r"{\partial_b H}")
_density, _ordinate = orthants.Density(h), orthants.ordinate(h, k)
_both = orthants.Orthant(h, k)
_at_threshold = _density * (_ordinate * orthants.Phi(_ordinate) + orthants.Density(_ordinate))
_along = r_star * s * _at_threshold  # E[delta(u) u'_+] |w|^2
_in_w = 2 * orthants.Phi(h) * w - _along * w_hat - 2 * _both * w_star
_in_b = r * (h * orthants.Phi(h) + _density) - r_star * orthants.rectified_moment(0, 1)
_jump = r**2 / 2 - r * r_star * c * orthants.Phi(_ordinate)
_boundary_w = -_jump * h * _density / r * w_hat - r_star * c * orthants.Corner(h, k) * e
_boundary_b = _jump * _density / r
POPULATION_GRADIENT = states(equal(G_w, _in_w), equal(G_b, _in_b), where=_thresholds, remark=_remark, pair=True)
LOSS_GRADIENT = states(
    equal(grad_w, _in_w + _boundary_w),
    equal(grad_b, _in_b + _boundary_b),
    where=_thresholds,
    remark=_remark,
    pair=True,
)

# RePU(2): H1 is below the power, H2 at it.

G_H1, grad_H1, G_H2, grad_H2 = (vector(name) for name in ("G_{H^1}", r"\nabla H^1", "G_{H^2}", r"\nabla H^2"))
AGREEMENT: Statement = states(
    equal(grad_H1, G_H1),
    equal(grad_H2 - G_H2, -4 * Dot(w, w_star) ** 2 / (2 * pi * r) * e),
    remark="for squares of rectified neurons",
    pair=True,
)
