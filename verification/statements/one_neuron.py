"""One neuron w and its teacher w*: losses, gradients, Jacobians, spectra, and flows in norm and angle."""

import sympy as sp

from .notation import (
    DG_H,
    DG_J,
    DG_L,
    G_H,
    G_J,
    G_L,
    Dot,
    Eigenvalue,
    H,
    J,
    Kappa,
    L,
    Name,
    c,
    descent,
    distance,
    e,
    grad_H,
    grad_J,
    half,
    hess_H,
    identity,
    pi,
    r,
    r_star,
    rho,
    s,
    theta,
    w,
    w_hat,
    w_star,
    w_star_hat,
)
from .statement import at_least, at_most, equal, states

# Losses and gradients.

_l2 = r**2 / 4 + r_star**2 / 4 - r * r_star * (s + (pi - theta) * c) / (2 * pi)
_seminorm = r**2 / 4 + r_star**2 / 4 - (pi - theta) * Dot(w, w_star) / (2 * pi)
_l2_gradient = w / 2 - ((pi - theta) * w_star + r_star * s * w_hat) / (2 * pi)
_seminorm_gradient = w / 2 - (pi - theta) / (2 * pi) * w_star
_h1_gradient = w - (2 * (pi - theta) * w_star + r_star * s * w_hat) / (2 * pi)
_boundary = -r_star * c / (2 * pi) * e

L2_LOSS = states(equal(L, _l2))
SEMINORM_LOSS = states(equal(J, _seminorm))
H1_LOSS = states(equal(H, _l2 + _seminorm))
L2_GRADIENT = states(equal(G_L, _l2_gradient))
SEMINORM_POPULATION_GRADIENT = states(equal(G_J, _seminorm_gradient))
SEMINORM_BOUNDARY = states(equal(grad_J - G_J, _boundary))
H1_POPULATION_GRADIENT = states(equal(G_H, _h1_gradient))
H1_LOSS_GRADIENT = states(equal(grad_H, _h1_gradient + _boundary))
SEMINORM_GRADIENT_OF_THE_LOSS = states(equal(grad_J, _seminorm_gradient))  # refuted

# Jacobians and eigenvalues.

_alpha = sp.Symbol("alpha")
_meaning = (equal(_alpha, rho / (2 * pi * s)),)
_across = identity - w_hat * w_hat.T
_tilted = w_star_hat * w_star_hat.T


def _bent(times: int) -> sp.MatrixExpr:
    return times * _tilted - c * w_hat * w_star_hat.T + s**2 * identity


_radial, _in_plane, _orthogonal = 1, 1 - 2 * rho * s / pi, 1 - rho * s / (2 * pi) + rho * c**2 / (2 * pi * s)

L2_JACOBIAN = states(equal(DG_L, identity / 2 - _alpha * _bent(1) * _across), where=_meaning)
SEMINORM_POPULATION_JACOBIAN = states(equal(DG_J, identity / 2 - _alpha * _tilted * _across), where=_meaning)
H1_POPULATION_JACOBIAN = states(equal(DG_H, identity - _alpha * _bent(2) * _across), where=_meaning)
H1_LOSS_HESSIAN = states(
    equal(hess_H, w_hat * w_hat.T + _in_plane * e * e.T + _orthogonal * (identity - w_hat * w_hat.T - e * e.T))
)
ASYMMETRY = states(equal((DG_H - DG_H.T) / 2, -rho * c / (4 * pi) * (w_hat * e.T - e * w_hat.T)))


def _spectrum(matrix: sp.MatrixSymbol, *values: sp.Expr) -> tuple[sp.Eq, ...]:
    return tuple(
        equal(Eigenvalue(matrix, direction), value)
        for direction, value in zip((w_hat, e, identity), values, strict=True)
    )


ORTHOGONAL = "the last one on the directions orthogonal to both"
L2_EIGENVALUES = states(*_spectrum(DG_L, half, half - rho * s / pi, half - rho * s / (2 * pi)), remark=ORTHOGONAL)
H1_POPULATION_EIGENVALUES = states(
    *_spectrum(DG_H, sp.Integer(1), 1 - 3 * rho * s / (2 * pi), 1 - rho * s / (2 * pi)),
    remark=f"to a right and to a left eigenvector, {ORTHOGONAL}",
)
H1_LOSS_HESSIAN_EIGENVALUES = states(
    *_spectrum(hess_H, sp.Integer(_radial), _in_plane, _orthogonal), remark=ORTHOGONAL
)
L2_RATIO = states(equal(Kappa(DG_L), 1 / (1 - 2 * rho * s / pi)))
H1_POPULATION_RATIO = states(equal(Kappa(DG_H), 1 / (1 - 3 * rho * s / (2 * pi))))

# Flows w' = -G in norm and angle, and under -grad H also along w* and across it.

_r_dot, _theta_dot = Name(r"\tfrac{d}{dt}|w|"), Name(r"\tfrac{d}{dt}\theta")


def _flow(gradient: sp.MatrixSymbol, radial: sp.Expr, turning: sp.Expr):
    closing, growing = Dot(e, gradient) / r, -Dot(w_hat, gradient)
    return states(equal(_r_dot, growing), equal(growing, radial), equal(_theta_dot, closing), equal(closing, turning))


_turn = -r_star / (2 * pi * r)
_l2_radial = -r / 2 + r_star * (s + (pi - theta) * c) / (2 * pi)
_h1_radial = -r + r_star * (s + 2 * (pi - theta) * c) / (2 * pi)
L2_FLOW = _flow(G_L, _l2_radial, _turn * (pi - theta) * s)
H1_POPULATION_FLOW = _flow(G_H, _h1_radial, 2 * _turn * (pi - theta) * s)
H1_LOSS_FLOW = _flow(grad_H, _h1_radial, _turn * (2 * (pi - theta) * s + c))

_away = s * w_hat - c * e  # orthogonal to w*, away from it
_collapse = Name(r"\inf\{t : \theta(t) = 0\}")
H1_LOSS_VELOCITY = states(
    equal(-Dot(w_star_hat, grad_H), -r * c + r_star * (2 * (pi - theta) + sp.sin(2 * theta)) / (2 * pi)),
    equal(-Dot(_away, grad_H), -r * s - r_star * sp.cos(2 * theta) / (2 * pi)),
    at_most(_collapse, sp.log(1 + 2 * pi * r * s / (r_star * sp.cos(2 * theta)))),
    remark="the last one from any start with an angle below one eighth of a turn",
)

# Where an output weight a of w trains too, at a = 1: what a^2 - |w|^2 does, and the flow of a w.


def _in_the_output_weight(loss: sp.Symbol, own: sp.Expr) -> sp.Expr:
    """The derivative there."""
    return loss + own * (r**2 - r_star**2) / 2


def _balance(gradient: sp.MatrixSymbol, loss: sp.Symbol, own: sp.Expr, cross: sp.Expr):
    right = own * r**2 - r * r_star * cross / (2 * pi)
    return states(
        equal(Dot(w, gradient), right),
        equal(_in_the_output_weight(loss, own), right),
        remark="the second one is the derivative in the output weight a of w, where that is one: so every flow of "
        "both conserves the square of a less that of the norm of w",
    )


_l2_cross, _h1_cross = s + (pi - theta) * c, s + 2 * (pi - theta) * c
L2_BALANCE = _balance(G_L, L, half, _l2_cross)
H1_POPULATION_BALANCE = _balance(G_H, H, sp.Integer(1), _h1_cross)
H1_LOSS_BALANCE = _balance(grad_H, H, sp.Integer(1), _h1_cross)

_product_dot = Name(r"\tfrac{d}{dt}|aw|")


def _flow_of_both(
    gradient: sp.MatrixSymbol, loss: sp.Symbol, own: sp.Expr, radial: sp.Expr, turning: sp.Expr, ends: str
):
    growing = -Dot(w_hat, gradient) - r * _in_the_output_weight(loss, own)
    closing = Dot(e, gradient) / r
    return states(
        equal(_product_dot, growing),
        equal(growing, (1 + r**2) * radial),
        equal(_theta_dot, closing),
        equal(closing, turning),
        remark="where the output weight a of w trains too, and is one: the flow of the product is that of w alone, "
        f"faster along it by the sum of their squares, and across it by the square of a. {ends}",
    )


L2_FLOW_OF_BOTH = _flow_of_both(
    G_L,
    L,
    half,
    _l2_radial,
    _turn * (pi - theta) * s,
    "So it comes to the teacher at half that sum, and in angle at half the square of a",
)
H1_POPULATION_FLOW_OF_BOTH = _flow_of_both(
    G_H,
    H,
    sp.Integer(1),
    _h1_radial,
    2 * _turn * (pi - theta) * s,
    "So it comes to the teacher at that sum, and in angle at the square of a: twice as fast as that of L",
)
H1_LOSS_FLOW_OF_BOTH = _flow_of_both(
    grad_H,
    H,
    sp.Integer(1),
    _h1_radial,
    _turn * (2 * (pi - theta) * s + c),
    "So it comes to the teacher at that sum, and closes a small angle in finite time",
)

# How fast |w - w*|^2/2 falls.

_fall = distance**2 / 2 + theta * Dot(w_star, w - w_star) / (2 * pi)
_loss_fall = _fall + r_star**2 * s * c / (2 * pi)
SEMINORM_DESCENT = states(equal(descent(G_J), _fall), at_least(_fall, 0))
SEMINORM_LOSS_DESCENT = states(equal(descent(grad_J), _loss_fall), at_least(_loss_fall, 0))
