"""One neuron w and its teacher w*: the noise of the sample gradient, and the paper's quadratic forms."""

import sympy as sp

from .notation import (
    G_J,
    G_L,
    Dot,
    Expectation,
    Norm,
    c,
    d,
    descent,
    half,
    pi,
    r,
    r_star,
    s,
    theta,
    vector,
)
from .statement import at_least, at_most, equal, states

# Second moments of the gradients g_L and g_J of one sample.

g_L, g_J = vector("g_L"), vector("g_J")
VALUES, BETWEEN, DERIVATIVES = (Expectation(x) for x in (Norm(g_L) ** 2, Dot(g_L, g_J), Norm(g_J) ** 2))
MOMENTS = (VALUES, BETWEEN, DERIVATIVES)

_square = sp.Symbol("M")  # E[D^2 1(w.x > 0)]
_meaning = r**2 / 2 + r_star**2 * (pi - theta + s * c) / (2 * pi) - r * r_star * (s + (pi - theta) * c) / pi

SECOND_MOMENTS = states(
    equal(VALUES, (d + 2) * _square),
    equal(BETWEEN, _square),
    equal(DERIVATIVES, r**2 / 2 + (pi - theta) * (r_star**2 - 2 * r * r_star * c) / (2 * pi)),
    where=(equal(_square, _meaning),),
    remark="the noise of values grows with the dimension, that of derivatives does not depend on it",
)

# The quadratic forms M_1 and M_2 in y = (|w*|, |w|), and the least eigenvalue of M_2.

_m1, _m2, _lambda = sp.Symbol("m_1"), sp.Symbol("m_2"), sp.Symbol("lambda")
_m2_meaning = -(2 * pi - theta) * c
_least = (2 * pi - theta - sp.sqrt(theta**2 + (2 * pi - theta) ** 2 * c**2)) / (4 * pi)

L2_FORM = states(
    equal(
        descent(G_L),
        ((sp.sin(2 * theta) + 2 * pi - 2 * theta) * r_star**2 + 2 * _m1 * r * r_star + 2 * pi * r**2) / (4 * pi),
    ),
    where=(equal(_m1, _m2_meaning - s),),
)
SEMINORM_FORM = states(
    equal(descent(G_J), ((2 * pi - 2 * theta) * r_star**2 + 2 * _m2 * r * r_star + 2 * pi * r**2) / (4 * pi)),
    where=(equal(_m2, _m2_meaning),),
)
LEAST_EIGENVALUE = states(
    at_least(descent(G_J), _lambda * (r**2 + r_star**2)),
    where=(equal(_lambda, _least),),
    remark="the least eigenvalue of the second form",
)
# The form less its least eigenvalue is one square.
LEAST_EIGENVALUE_FACTORED = (half - _least) * (r + _m2_meaning * r_star / (4 * pi * (half - _least))) ** 2

NOTHING_GAINED = states(at_most(descent(G_J), 0), remark="for parallel neurons")  # refuted
