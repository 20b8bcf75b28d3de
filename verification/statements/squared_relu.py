"""One neuron of RePU(2) and its teacher: what the terms of H2 of orders 1 and 2 add to the descent."""

import sympy as sp

from .notation import Dot, descent, distance, pi, r, r_star, theta, vector, w, w_star
from .statement import at_least, states

G_J1, G_J2 = vector("G_{J_1}"), vector("G_{J_2}")

_along = Dot(w, w_star)
IN_THE_BALL = states(
    at_least(descent(G_J2), 2 * _along * distance**2),
    remark="for a neuron that is a squared ReLU; so second derivatives make the distance fall faster",
)
IN_THE_BALL_FACTORED = 4 * (r**2 - _along) ** 2 + 2 * _along * (distance**2 - 2 * theta / pi * (r_star**2 - _along))
BOTH_IN_THE_BALL = states(
    at_least((descent(G_J1) + descent(G_J2)) / distance**2, sp.Integer(5) * _along),
    remark="for a neuron that is a squared ReLU; so the Sobolev terms of both orders make the distance fall faster",
)
EVERYWHERE = states(
    at_least(descent(G_J1) + descent(G_J2), 0), remark="for a neuron that is a squared ReLU, for every w"
)  # refuted
