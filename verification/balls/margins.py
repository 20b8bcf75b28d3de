"""The quantities behind the inequalities on one neuron, in balls: from certified integrals, and as they are factored.

For each name there is `by_integrals` and `as_factored`: the left side of the inequality less the right one, or what
its sign is read off; the factored form is the one whose positivity is certified (verification.certificates).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from flint import arb

from . import integrals as by_integral
from .formulas import Frame, frame
from .integrals import Balls, Vector, balls


class Margin(NamedTuple):
    """Two ways to one number, at (w, w*)."""

    by_integrals: Callable[[Vector, Vector], arb]
    as_factored: Callable[[Vector, Vector], arb]


def _step(w: Vector, v: Vector) -> Balls:
    return balls(w) - balls(v)


def _descent(gradient: Callable[[Vector, Vector], Balls], w: Vector, v: Vector) -> arb:
    """(w - w*).G."""
    return _step(w, v) @ gradient(w, v)


def _distance2(w: Vector, v: Vector) -> arb:
    return _step(w, v) @ _step(w, v)


def _norms(w: Vector, v: Vector) -> tuple[arb, arb]:
    return (balls(w) @ balls(w)).sqrt(), (balls(v) @ balls(v)).sqrt()


# Rates: see verification.certificates.rates.


def _acceleration_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return _distance2(w, v) / 2 + f.theta / (2 * arb.pi()) * (f.v @ (f.w - f.v))


def _loss_acceleration_by_integrals(w: Vector, v: Vector) -> arb:
    return _descent(by_integral.seminorm_population_gradient, w, v) + _descent(by_integral.seminorm_boundary, w, v)


def _loss_acceleration_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return _acceleration_as_factored(w, v) + f.r_**2 * f.sin * f.cos / (2 * arb.pi())


def _sharp_by_integrals(w: Vector, v: Vector) -> arb:
    r, r_ = _norms(w, v)
    return _descent(by_integral.seminorm_population_gradient, w, v) - r / (2 * (r + r_)) * _distance2(w, v)


def _sharp_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    phi, y = arb.pi() - f.theta, (f.r - f.r_) / (f.r + f.r_)
    first = arb.pi() * phi * (phi / 2).sinc() ** 2 / 4
    excess = (f.theta / 2).sinc() ** 2 / 4 - phi * (phi / 2).sinc() ** 2 / (16 * arb.pi())
    bracket = first * (y + f.theta / (2 * arb.pi())) ** 2 + excess * f.theta**2
    return f.r_ * (f.r + f.r_) * phi / (2 * arb.pi()) * bracket


def _l2_rate_by_integrals(w: Vector, v: Vector) -> arb:
    return _distance2(w, v) / 2 - _descent(by_integral.l2_gradient, w, v)


def _l2_rate_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    terms = f.r_ * (f.theta - f.sin * f.cos) + f.r * (f.sin - f.theta * f.cos)
    return f.r_ * terms / (2 * arb.pi())


def _rate_by_integrals(w: Vector, v: Vector) -> arb:
    return _descent(by_integral.h1_population_gradient, w, v) / _distance2(w, v)


def _rate_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    bend = 2 * f.theta * (f.r * f.cos - f.r_) - f.sin * (f.r - f.r_ * f.cos)
    return 1 + f.r_ * bend / (2 * arb.pi()) / _distance2(w, v)


def _loss_rate_by_integrals(w: Vector, v: Vector) -> arb:
    return _descent(by_integral.h1_loss_gradient, w, v) / _distance2(w, v) - 1


def _loss_rate_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return _rate_as_factored(w, v) - 1 + f.r_**2 * f.sin * f.cos / (2 * arb.pi()) / _distance2(w, v)


def _normalised_by_integrals(w: Vector, v: Vector) -> arb:
    return _descent(by_integral.h1_population_gradient, w, v) - 2 * _descent(by_integral.l2_gradient, w, v)


def _normalised_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return f.r_ * f.sin * (f.r - f.r_ * f.cos) / (2 * arb.pi())


# Jacobians: see verification.certificates.conditioning.


def triangular(matrix: Balls, w: Vector, v: Vector) -> tuple[list[arb], Balls]:
    """The candidates v'Mv, e'Me and the mean over the rest, and what vanishes if they are the eigenvalues.

    M v = l_1 v, e'M = l_2 e' and M = l_3 on all directions orthogonal to both.
    """
    p = by_integral.plane(w, v)
    radial, in_plane = p.first @ matrix @ p.first, p.second @ matrix @ p.second
    orthogonal = (np.trace(matrix) - radial - in_plane) / (len(matrix) - 2)
    residual = [matrix @ p.first - radial * p.first, p.second @ matrix - in_plane * p.second]
    residual.append((matrix @ p.rest - orthogonal * p.rest).ravel())
    return [radial, in_plane, orthogonal], np.concatenate(residual)


def _extremes(matrix: Balls, w: Vector, v: Vector) -> tuple[arb, arb]:
    a, b, c = triangular(matrix, w, v)[0]
    return a.min(b).min(c), a.max(b).max(c)


def eigenvalue_ratio(matrix: Balls, w: Vector, v: Vector) -> arb:
    """Largest over smallest."""
    least, most = _extremes(matrix, w, v)
    return most / least


def _plane_part(matrix: Balls, w: Vector, v: Vector) -> Balls:
    p = by_integral.plane(w, v)
    basis = np.stack([p.first, p.second], axis=1)
    return basis.T @ matrix @ basis


def _determinant(m: Balls) -> arb:
    return m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]


def _symmetric(matrix: Balls) -> Balls:
    return (matrix + matrix.T) / 2


def _singular_spread(matrix: Balls, w: Vector, v: Vector) -> arb:
    """k + 1/k for the 2-norm condition number k in the plane of w and w*; there it is that of the whole matrix."""
    m = _plane_part(matrix, w, v)
    return np.sum(m * m) / abs(_determinant(m))


def _symmetric_spread(matrix: Balls, w: Vector, v: Vector) -> arb:
    """k + 1/k + 2 for the condition number k of the symmetric part."""
    m = _plane_part(_symmetric(matrix), w, v)
    return np.trace(m) ** 2 / _determinant(m)


def _l2_least(w: Vector, v: Vector) -> arb:
    return _extremes(by_integral.l2_jacobian(w, v), w, v)[0]


def _h1_least(w: Vector, v: Vector) -> arb:
    return _extremes(by_integral.h1_population_jacobian(w, v), w, v)[0]


def _symmetric_determinant(w: Vector, v: Vector) -> arb:
    return _determinant(_plane_part(_symmetric(by_integral.h1_population_jacobian(w, v)), w, v))


def _ratio_order(w: Vector, v: Vector) -> arb:
    return 1 - eigenvalue_ratio(by_integral.h1_population_jacobian(w, v), w, v) / eigenvalue_ratio(
        by_integral.l2_jacobian(w, v), w, v
    )


def _two_norm_order(w: Vector, v: Vector) -> arb:
    return _singular_spread(by_integral.l2_jacobian(w, v), w, v) - _singular_spread(
        by_integral.h1_population_jacobian(w, v), w, v
    )


def _symmetric_order(w: Vector, v: Vector) -> arb:
    return _symmetric_spread(by_integral.l2_jacobian(w, v), w, v) - _symmetric_spread(
        by_integral.h1_population_jacobian(w, v), w, v
    )


def _hessian_order(w: Vector, v: Vector) -> arb:
    """Not a difference, which would be exactly 0 in half of the domain: the quotient of the two ratios."""
    return eigenvalue_ratio(by_integral.h1_loss_hessian(w, v), w, v) / eigenvalue_ratio(
        by_integral.l2_jacobian(w, v), w, v
    )


def _hessian_better(w: Vector, v: Vector) -> arb:
    return eigenvalue_ratio(by_integral.l2_jacobian(w, v), w, v) - eigenvalue_ratio(
        by_integral.h1_loss_hessian(w, v), w, v
    )


def _tau(f: Frame) -> arb:
    return 2 * f.rho * f.sin / arb.pi()


def _two_norm_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    tau = _tau(f)
    bracket = f.sin**2 * (7 - 3 * tau) - f.cos**2 * (1 - tau)
    return f.p**2 * bracket / ((1 - tau) * (1 - 3 * tau / 4))


def _symmetric_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    tau = _tau(f)
    bracket = f.sin**2 * (7 - 3 * tau) - f.cos**2 * (1 - tau / 2) ** 2
    return f.p**2 * bracket / ((1 - tau) * _symmetric_determinant_factored(w, v))


def _symmetric_determinant_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return 1 - 3 * f.p * f.sin - f.p**2 * f.cos**2 / 4


def _ratio_order_factored(w: Vector, v: Vector) -> arb:
    tau = _tau(frame(w, v))
    return tau / (4 - 3 * tau)


def _hessian_order_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return 1 + (f.p * (2 * f.theta).cos() / f.sin).max(arb(0))


def _hessian_better_factored(w: Vector, v: Vector) -> arb:
    return (1 - _hessian_order_factored(w, v)) / (1 - _tau(frame(w, v)))


def _l2_least_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return arb(1) / 2 - f.rho * f.sin / arb.pi()


def _h1_least_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return 1 - 3 * f.p * f.sin


def _turning_by_integrals(w: Vector, v: Vector) -> arb:
    """-e.grad H, e orthogonal to w towards w*: positive where w turns to w*."""
    return -(frame(w, v).e @ (by_integral.h1_population_gradient(w, v) + by_integral.seminorm_boundary(w, v)))


def _turning_as_factored(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return f.r_ * (2 * (arb.pi() - f.theta) * f.sin + f.cos) / (2 * arb.pi())


MARGINS = {
    "acceleration": Margin(partial(_descent, by_integral.seminorm_population_gradient), _acceleration_as_factored),
    "loss-acceleration": Margin(_loss_acceleration_by_integrals, _loss_acceleration_as_factored),
    "sharp-acceleration": Margin(_sharp_by_integrals, _sharp_as_factored),
    "loss-turning": Margin(_turning_by_integrals, _turning_as_factored),
    "l2-rate": Margin(_l2_rate_by_integrals, _l2_rate_as_factored),
    "rate-in-ball": Margin(_rate_by_integrals, _rate_as_factored),
    "loss-rate-in-ball": Margin(_loss_rate_by_integrals, _loss_rate_as_factored),
    "normalised-rate": Margin(_normalised_by_integrals, _normalised_as_factored),
    "l2-positive": Margin(_l2_least, _l2_least_factored),
    "h1-positive": Margin(_h1_least, _h1_least_factored),
    "symmetric-part-positive": Margin(_symmetric_determinant, _symmetric_determinant_factored),
    "eigenvalue-ratio": Margin(_ratio_order, _ratio_order_factored),
    "two-norm": Margin(_two_norm_order, _two_norm_factored),
    "symmetric-part": Margin(_symmetric_order, _symmetric_factored),
    "loss-hessian-better": Margin(_hessian_better, _hessian_better_factored),
    "loss-hessian": Margin(_hessian_order, _hessian_order_factored),
}
