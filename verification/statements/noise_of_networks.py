"""Networks: second moments of the sample gradient, the orthant of four neurons, and SGD with small steps."""

import sympy as sp

from . import networks as n
from .networks import a, c, i, j, k, v, w
from .networks import n as other
from .notation import Number, d, half, pi, theta
from .statement import equal, states

# Means over the half-spaces of four neurons: (w_1, w_2, v_1, v_2), of which some may be the same.

products = type(
    "products",
    (n.OfNeurons,),
    {"spelled": r"E\left[1({0} \cdot x > 0) 1({1} \cdot x > 0) ({2} \cdot x)_+ ({3} \cdot x)_+\right]"},
)
all_active = type(
    "all_active", (n.OfNeurons,), {"spelled": r"P\left({0} \cdot x, {1} \cdot x, {2} \cdot x, {3} \cdot x > 0\right)"}
)

_four = w[k], w[other], v[i], v[j]
_both = sp.Sum(
    c[i] * c[j] * ((d + 4) * products(*_four) + n.inner(v[i], v[j]) * all_active(*_four)),
    (i, 1, n.m),
    (j, 1, n.m),
)
SECOND_MOMENTS = states(
    equal(sp.Symbol(r"E[g_k \cdot g_n]"), a[k] * a[other] * _both),
    remark="for the gradient of one sample under the norm with values and derivatives alike",
)

# The orthant of four, where it is elementary.


class Alike(Number):
    spelled = r"P_4(\text{{all correlations }} {})"


class Apart(Number):
    spelled = r"P_4(\text{{two orthogonal pairs, each at the angle }} {})"


ORTHANT_OF_FOUR = states(
    equal(Alike(0), sp.Rational(1, 16)),
    equal(Alike(half), sp.Rational(1, 5)),
    equal(Apart(theta), ((pi - theta) / (2 * pi)) ** 2),
    remark="the probability that four neurons are active",
    pair=True,
)

# SGD in order parameters as the learning rate falls.

eta = sp.Symbol("eta", positive=True)
w_star = n.w_star
_rows = n.H1_ROWS.right
_rate = r"\lim_{\eta \to 0} \tfrac{1}{\eta} \tfrac{d}{dt}"
SMALL_STEPS = states(
    equal(sp.Symbol(_rate + "Q_{kn}"), -n.inner(_rows, w[other]) - n.inner(w[k], _rows.subs(k, other))),
    equal(sp.Symbol(_rate + "R_{kn}"), -n.inner(_rows, w_star[other])),
    remark="the flow of the population gradient",
)
