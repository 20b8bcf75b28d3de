"""The statements on one neuron and on one pair in SymPy, written as the paper writes them; none is derived here.

r = |w|, r* = |w*| (|v| for a pair), rho = r*/r; v = w/|w|, u = w*/|w*|, e and e* of `symbolic.frame`.
"""

import sympy as sp

from sobolev_theory.symbolic import r, r_star, rho, theta
from sobolev_theory.symbolic.frame import e, e_star, identity, u, v, w, w_star

pi = sp.pi
s, c = sp.sin(theta), sp.cos(theta)
half = sp.Rational(1, 2)

# One neuron: losses and gradients.

L2_LOSS = r**2 / 4 + r_star**2 / 4 - r * r_star * (s + (pi - theta) * c) / (2 * pi)
SEMINORM_LOSS = r**2 / 4 + r_star**2 / 4 - w.dot(w_star) * (pi - theta) / (2 * pi)
H1_LOSS = L2_LOSS + SEMINORM_LOSS

L2_GRADIENT = w / 2 - ((pi - theta) * w_star + r_star * s * v) / (2 * pi)
SEMINORM_POPULATION_GRADIENT = w / 2 - (pi - theta) * w_star / (2 * pi)
SEMINORM_BOUNDARY = -r_star * c * e / (2 * pi)
H1_POPULATION_GRADIENT = L2_GRADIENT + SEMINORM_POPULATION_GRADIENT
H1_LOSS_GRADIENT = H1_POPULATION_GRADIENT + SEMINORM_BOUNDARY

# Jacobians and eigenvalues.

alpha = rho / (2 * pi * s)
across = identity - v * v.T
L2_JACOBIAN = identity / 2 - alpha * (u * u.T - c * v * u.T + s**2 * identity) * across
SEMINORM_POPULATION_JACOBIAN = identity / 2 - alpha * u * u.T * across
H1_POPULATION_JACOBIAN = identity - alpha * (2 * u * u.T - c * v * u.T + s**2 * identity) * across
H1_LOSS_HESSIAN = (
    v * v.T
    + (1 - 2 * rho * s / pi) * e * e.T
    + (1 - rho * s / (2 * pi) + rho * c**2 / (2 * pi * s)) * (across - e * e.T)
)
ANTISYMMETRIC_PART = -rho * c / (4 * pi) * (v * e.T - e * v.T)

L2_EIGENVALUES = (half, half - rho * s / pi, half - rho * s / (2 * pi))
H1_POPULATION_EIGENVALUES = (sp.Integer(1), 1 - 3 * rho * s / (2 * pi), 1 - rho * s / (2 * pi))
H1_LOSS_HESSIAN_EIGENVALUES = (
    sp.Integer(1),
    1 - 2 * rho * s / pi,
    1 - rho * s / (2 * pi) + rho * c**2 / (2 * pi * s),
)
L2_RATIO = 1 / (1 - 2 * rho * s / pi)
H1_POPULATION_RATIO = 1 / (1 - 3 * rho * s / (2 * pi))

# Flows, in norm and angle.

_turn = -r_star / (2 * pi * r)
L2_FLOW = (-r / 2 + r_star * (s + (pi - theta) * c) / (2 * pi), _turn * (pi - theta) * s)
H1_POPULATION_FLOW = (-r + r_star * (s + 2 * (pi - theta) * c) / (2 * pi), _turn * 2 * (pi - theta) * s)
H1_LOSS_FLOW = (H1_POPULATION_FLOW[0], _turn * (2 * (pi - theta) * s + c))
H1_LOSS_VELOCITY = (
    -r * c + r_star * (2 * (pi - theta) + sp.sin(2 * theta)) / (2 * pi),
    -r * s - r_star * sp.cos(2 * theta) / (2 * pi),
)

L2_DESCENT = (w - w_star).dot(L2_GRADIENT)
SEMINORM_DESCENT = (w - w_star).dot(w - w_star) / 2 + theta * w_star.dot(w - w_star) / (2 * pi)
SEMINORM_LOSS_DESCENT = SEMINORM_DESCENT + r_star**2 * s * c / (2 * pi)

# One pair.

VALUE_KERNEL = r * r_star * (s + (pi - theta) * c) / (2 * pi)
SLOPE_KERNEL = (pi - theta) * w.dot(w_star) / (2 * pi)
VALUE_GRADIENT = ((pi - theta) * w_star + r_star * s * v) / (2 * pi)
SLOPE_GRADIENT = (pi - theta) * w_star / (2 * pi)
SLOPE_BOUNDARY = w.dot(w_star) * e / (2 * pi * r)
VALUE_HESSIAN = r_star * s / (2 * pi * r) * (across + e * e.T)
VALUE_MIXED_HESSIAN = ((pi - theta) * identity + s * (e * e_star.T + v * u.T)) / (2 * pi)
SLOPE_JACOBIAN = w_star * e.T / (2 * pi * r)
SLOPE_MIXED_JACOBIAN = ((pi - theta) * identity + u * e_star.T) / (2 * pi)
SLOPE_BOUNDARY_JACOBIAN = r_star / (2 * pi * r) * (s * e * e.T - c * v * e.T - c**2 / s * (across - e * e.T))
SLOPE_BOUNDARY_MIXED_JACOBIAN = (e * v.T + c / s * (across - e * e.T)) / (2 * pi)
ORTHANT_GRADIENT = e / (2 * pi * r)
