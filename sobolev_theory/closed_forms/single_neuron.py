"""The paper's closed forms for one ReLU neuron w and its teacher w* (K = K* = 1, output weights 1).

theta is the angle between w and w*, v = w/|w|, u = w*/|w*|, rho = |w*|/|w|; e is the unit vector orthogonal to w
towards w*. L is the loss on values, J the one on first derivatives (the H1 seminorm), H = L + J. Gradients
named `..._population` are expectations of per-sample gradients (what the paper states); `..._loss_gradient` is
the gradient of the expected loss. They differ for J and H by the boundary term.

Where e does not exist (theta = 0 or pi) terms in it are 0, the mean of their one-sided values. At w = 0 the
gradients have the value 0, as for every zero neuron: no sample activates it.

Source: arXiv 2509.19773, section on one neuron; Tian, arXiv 1703.00560, for L.

Example:
    >>> import jax.numpy as jnp
    >>> from sobolev_theory import single_neuron
    >>> w, w_star = jnp.array([0.0, 1.0]), jnp.array([1.0, 0.0])
    >>> [round(float(g), 4) for g in single_neuron.seminorm_population_gradient(w, w_star)]
    [-0.25, 0.5]
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angle_differences import sine_excess
from ..geometry.angles import angle_and_directions, direction, inverse_or_zero, inverse_sine, polar
from ..model.losses import OrderWeights

__all__ = [
    "Eigenvalues", "PlanarVelocity", "Rate", "flow", "h1_loss", "h1_loss_flow", "h1_loss_gradient", "h1_loss_hessian",
    "h1_loss_hessian_eigenvalues", "h1_population_eigenvalues", "h1_population_flow", "h1_population_gradient",
    "h1_population_jacobian", "l2_eigenvalues", "l2_flow", "l2_gradient", "l2_jacobian", "l2_loss",
    "loss_hessian_eigenvalues", "population_eigenvalues", "rate", "seminorm_boundary", "seminorm_loss",
    "seminorm_population_gradient", "seminorm_population_jacobian",
]  # fmt: skip
__dir__ = __all__.copy

Vector = Float[Array, " d"]
Matrix = Float[Array, "d d"]
Scalar = Float[Array, "*shape"] | float
TWO_PI = 2 * jnp.pi


# Losses and gradients, in vectors.


def l2_loss(w: Vector, w_star: Vector) -> Float[Array, ""]:
    """L = |w|^2/4 + |w*|^2/4 - |w||w*| (sin + (pi - theta) cos) / (2 pi).

    Written so that it keeps its digits near w = w*: |w - w*|^2/4 - |w||w*| (sin - theta cos) / (2 pi).
    """
    angles, *_ = angle_and_directions(w, w_star)
    step = w - w_star
    return step @ step / 4 - _norm(w) * _norm(w_star) * sine_excess(angles.theta) / TWO_PI


def seminorm_loss(w: Vector, w_star: Vector) -> Float[Array, ""]:
    """J = |w|^2/4 + |w*|^2/4 - w.w* (pi - theta) / (2 pi) = |w - w*|^2/4 + w.w* theta / (2 pi)."""
    angles, *_ = angle_and_directions(w, w_star)
    step = w - w_star
    return step @ step / 4 + _norm(w) * _norm(w_star) * angles.cos * angles.theta / TWO_PI


def h1_loss(w: Vector, w_star: Vector) -> Float[Array, ""]:
    """H = L + J."""
    return l2_loss(w, w_star) + seminorm_loss(w, w_star)


def l2_gradient(w: Vector, w_star: Vector) -> Vector:
    """G_L = w/2 - [ (pi - theta) w* + |w*| sin v ] / (2 pi), Tian (2017); population and loss gradient alike.

    Written as (w - w*)/2 + [ theta w* - |w*| sin v ] / (2 pi).
    """
    angles, *_ = angle_and_directions(w, w_star)
    turn = angles.theta * w_star - _norm(w_star) * angles.sin * _unit(w)
    return _alive(w, (w - w_star) / 2 + turn / TWO_PI)


def seminorm_population_gradient(w: Vector, w_star: Vector) -> Vector:
    """G_J = w/2 - (pi - theta) w* / (2 pi) = (w - w*)/2 + theta w* / (2 pi)."""
    angles, *_ = angle_and_directions(w, w_star)
    return _alive(w, (w - w_star) / 2 + angles.theta * w_star / TWO_PI)


def seminorm_boundary(w: Vector, w_star: Vector) -> Vector:
    """Loss gradient of J minus its population gradient: -|w*| cos e / (2 pi).

    At theta = 0 the direction e does not exist and the loss has a kink; the value is 0 there.
    """
    angles, e, _ = angle_and_directions(w, w_star)
    return -_norm(w_star) * angles.cos * e / TWO_PI


def h1_population_gradient(w: Vector, w_star: Vector) -> Vector:
    """G_H = G_L + G_J, what SGD on the H1 loss follows."""
    return l2_gradient(w, w_star) + seminorm_population_gradient(w, w_star)


def h1_loss_gradient(w: Vector, w_star: Vector) -> Vector:
    """grad H = G_L + G_J + boundary term, the gradient of the expected H1 loss."""
    return h1_population_gradient(w, w_star) + seminorm_boundary(w, w_star)


# Jacobians.


def l2_jacobian(w: Vector, w_star: Vector) -> Matrix:
    """DG_L = I/2 - alpha (u u' - cos v u' + sin^2 I)(I - v v'), alpha = |w*| / (2 pi |w| sin); symmetric.

    With u = cos v + sin e this is I/2 - (rho sin / (2 pi)) (I - v v' + e e'), which has a value at sin = 0.
    """
    angles, e, _ = angle_and_directions(w, w_star)
    v, rho = _unit(w), _norm(w_star) * inverse_or_zero(_norm(w))
    across = _identity(w) - jnp.outer(v, v)
    return _identity(w) / 2 - rho * angles.sin / TWO_PI * (across + jnp.outer(e, e))


def seminorm_population_jacobian(w: Vector, w_star: Vector) -> Matrix:
    """DG_J = I/2 - alpha u u' (I - v v') = I/2 - (rho / (2 pi)) u e'; not symmetric."""
    _, e, _ = angle_and_directions(w, w_star)
    rho = _norm(w_star) * inverse_or_zero(_norm(w))
    return _identity(w) / 2 - rho / TWO_PI * jnp.outer(_unit(w_star), e)


def h1_population_jacobian(w: Vector, w_star: Vector) -> Matrix:
    """DG_H = I - alpha (2 u u' - cos v u' + sin^2 I)(I - v v'); the paper's Hessian of H; not symmetric."""
    return l2_jacobian(w, w_star) + seminorm_population_jacobian(w, w_star)


def h1_loss_hessian(w: Vector, w_star: Vector) -> Matrix:
    """Hessian of H in the frame (v, e, rest), from `h1_loss_hessian_eigenvalues`; symmetric.

    At theta = 0 or pi, where e does not exist, the terms that diverge like 1/theta are dropped.
    """
    angles, e, _ = angle_and_directions(w, w_star)
    v, rho = _unit(w), _norm(w_star) * inverse_or_zero(_norm(w))
    rest = _identity(w) - jnp.outer(v, v) - jnp.outer(e, e)
    kink = rho / TWO_PI * angles.cos**2 * inverse_sine(angles)
    return (
        jnp.outer(v, v)
        + (1 - 4 * rho * angles.sin / TWO_PI) * jnp.outer(e, e)
        + (1 - rho * angles.sin / TWO_PI + kink) * rest
    )


# Eigenvalues, in (rho, theta).


class Eigenvalues(NamedTuple):
    """Along v = w/|w|, of the other eigenvector in the plane of w and w*, and of the d - 2 orthogonal directions."""

    radial: Scalar
    in_plane: Scalar
    orthogonal: Scalar


def l2_eigenvalues(rho: Scalar, theta: Scalar) -> Eigenvalues:
    """Of DG_L: 1/2, 1/2 - rho sin / pi, 1/2 - rho sin / (2 pi)."""
    return population_eigenvalues((1.0, 0.0), rho, jnp.sin(theta))


def h1_population_eigenvalues(rho: Scalar, theta: Scalar) -> Eigenvalues:
    """Of DG_H: 1, 1 - 3 rho sin / (2 pi), 1 - rho sin / (2 pi). Not normal: v is an eigenvector, e is not."""
    return population_eigenvalues((1.0, 1.0), rho, jnp.sin(theta))


def h1_loss_hessian_eigenvalues(rho: Scalar, theta: Scalar) -> Eigenvalues:
    """Of the Hessian of H: 1, 1 - 2 rho sin / pi, 1 - rho sin / (2 pi) + rho cos^2 / (2 pi sin).

    The last is infinite at theta = 0 and pi: the loss H has a kink there.
    """
    sin = jnp.sin(theta)
    return loss_hessian_eigenvalues((1.0, 1.0), rho, sin, jnp.cos(theta) ** 2 / sin)


def population_eigenvalues(lambdas: OrderWeights, rho: Scalar, sin: Scalar, mass: Scalar = 1.0) -> Eigenvalues:
    """For lambda_0 L + lambda_1 J. With output weights a and a* put a a* |w*| / |w| for rho, and a^2 for mass."""
    s = rho * sin / TWO_PI
    half = mass * (lambdas[0] + lambdas[1]) / 2 + 0 * s
    return Eigenvalues(half, half - (2 * lambdas[0] + lambdas[1]) * s, half - lambdas[0] * s)


def loss_hessian_eigenvalues(
    lambdas: OrderWeights, rho: Scalar, sin: Scalar, kink: Scalar, mass: Scalar = 1.0
) -> Eigenvalues:
    """As above, with what the boundary term adds; `kink` stands for cos^2 / sin, and is 0 where it is dropped."""
    radial, in_plane, orthogonal = population_eigenvalues(lambdas, rho, sin, mass)
    strength = lambdas[1] * rho / TWO_PI
    return Eigenvalues(radial, in_plane - strength * sin, orthogonal + strength * kink)


# Gradient flows, in (norm, angle).


class PlanarVelocity(NamedTuple):
    """d|w|/dt and d theta/dt."""

    norm: Scalar
    angle: Scalar


def flow(
    lambdas: OrderWeights, norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0, *, boundary: bool = False
) -> PlanarVelocity:
    """Of the loss lambda_0 L + lambda_1 J under minus its population gradient; with `boundary` its loss gradient.

    r' = -(lambda_0 + lambda_1) r/2 + |w*| (lambda_0 sin + (lambda_0 + lambda_1)(pi - theta) cos) / (2 pi),
    theta' = -|w*| ((lambda_0 + lambda_1)(pi - theta) sin [+ lambda_1 cos]) / (2 pi r), the bracket with `boundary`:
    then valid for 0 < theta < pi, and theta reaches 0, where the loss has a kink, in finite time.

    Args:
        lambdas: (lambda_0, lambda_1), as in `SobolevLoss.lambdas`.
        norm, angle: r = |w| > 0 and theta, numbers or arrays of one shape.
    """
    sin, cos, supplement = jnp.sin(angle), jnp.cos(angle), jnp.pi - angle
    both = lambdas[0] + lambdas[1]
    pull = teacher_norm * (lambdas[0] * sin + both * supplement * cos) / TWO_PI
    turn = both * supplement * sin + (lambdas[1] * cos if boundary else 0.0)
    return PlanarVelocity(-both * norm / 2 + pull, -teacher_norm * turn / (TWO_PI * norm))


def l2_flow(norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0) -> PlanarVelocity:
    """w' = -G_L: r' = -r/2 + |w*| J_1 / (2 pi), theta' = -(|w*| / (2 pi r)) (pi - theta) sin."""
    return flow((1.0, 0.0), norm, angle, teacher_norm)


def h1_population_flow(norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0) -> PlanarVelocity:
    """w' = -G_H: r' = -r + |w*| (sin + 2 (pi - theta) cos) / (2 pi), theta' = -(|w*| / (pi r)) (pi - theta) sin."""
    return flow((1.0, 1.0), norm, angle, teacher_norm)


def h1_loss_flow(norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0) -> PlanarVelocity:
    """w' = -grad H: r' as under -G_H, theta' = -(|w*| / (2 pi r)) (2 (pi - theta) sin + cos)."""
    return flow((1.0, 1.0), norm, angle, teacher_norm, boundary=True)


class Rate(NamedTuple):
    """At which the distance from the teacher falls, -d log|w - w*| / dt, and that per unit of largest curvature."""

    raw: Scalar
    per_curvature: Scalar


def rate(
    lambdas: OrderWeights, norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0, *, boundary: bool = False
) -> Rate:
    """(w - w*).G / |w - w*|^2, and the same over the largest eigenvalue of DG, in d >= 3; arguments as for `flow`.

    The first is what a flow gets. The second is what an optimiser gets whose step the curvature limits: a loss that
    is only multiplied by 2 has twice the first and the same second. With `boundary` G is the gradient of the loss,
    and the second is 0 on the kink. Both are 0 at w = w*; next to it their relative errors are eps |w*| / |w - w*|.

    Example:
        >>> from math import pi
        >>> from sobolev_theory import single_neuron
        >>> [[round(float(x), 3) for x in single_neuron.rate(loss, 1.0, pi / 2)] for loss in ((1, 0), (1, 1))]
        [[0.295, 0.591], [0.67, 0.67]]
    """
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    velocity = flow(lambdas, norm, angle, teacher_norm, boundary=boundary)
    along = norm - teacher_norm * cos
    approach = along * velocity.norm + teacher_norm * norm * sin * velocity.angle
    raw = -approach * inverse_or_zero(along**2 + (teacher_norm * sin) ** 2)
    rho = teacher_norm / norm
    if boundary:
        kink = jnp.where(jnp.asarray(lambdas[1]) > 0, cos**2 / sin, 0.0)
        curvatures = loss_hessian_eigenvalues(lambdas, rho, sin, kink)
    else:
        curvatures = population_eigenvalues(lambdas, rho, sin)
    return Rate(raw, raw / jnp.max(jnp.stack(curvatures), axis=0))


def _norm(w: Vector) -> Float[Array, ""]:
    return polar(w[None]).norm[0]


def _unit(w: Vector) -> Vector:
    return direction(polar(w[None]))[0]


def _identity(w: Vector) -> Matrix:
    return jnp.eye(w.size, dtype=w.dtype)


def _alive(w: Vector, gradient: Vector) -> Vector:
    return jnp.where(_norm(w) > 0, gradient, 0.0)
