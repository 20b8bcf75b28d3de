"""One ReLU neuron and its teacher in norm and angle: eigenvalues, gradient flows, and rates of convergence.

rho = |w*|/|w|, theta is the angle between w and w*; L, J and H = L + J as in `single_neuron`, which has all of this
under its own name.

Source: arXiv 2509.19773, section on one neuron; Tian, arXiv 1703.00560, for L.
"""

from typing import NamedTuple

import jax.numpy as jnp

from ..geometry.angles import inverse_or_zero
from ..model.losses import OrderWeights
from .vectors import TWO_PI, Scalar, of_numbers

# Eigenvalues, in (rho, theta).


class Eigenvalues(NamedTuple):
    """Along v = w/|w|, of the other eigenvector in the plane of w and w*, and of the d - 2 orthogonal directions."""

    radial: Scalar
    in_plane: Scalar
    orthogonal: Scalar


@of_numbers("rho", "theta")
def l2_eigenvalues(rho: Scalar, theta: Scalar) -> Eigenvalues:
    """Of DG_L: 1/2, 1/2 - rho sin / pi, 1/2 - rho sin / (2 pi).

    Returns:
        Eigenvalues: three numbers, or arrays of the shape of the arguments.
    """
    return population_eigenvalues((1.0, 0.0), rho, jnp.sin(theta))


@of_numbers("rho", "theta")
def h1_population_eigenvalues(rho: Scalar, theta: Scalar) -> Eigenvalues:
    """Of DG_H: 1, 1 - 3 rho sin / (2 pi), 1 - rho sin / (2 pi). Not normal: v is an eigenvector, e is not.

    Returns:
        Eigenvalues: three numbers, or arrays of the shape of the arguments.
    """
    return population_eigenvalues((1.0, 1.0), rho, jnp.sin(theta))


@of_numbers("rho", "theta")
def h1_loss_hessian_eigenvalues(rho: Scalar, theta: Scalar) -> Eigenvalues:
    """Of the Hessian of H: 1, 1 - 2 rho sin / pi, 1 - rho sin / (2 pi) + rho cos^2 / (2 pi sin).

    The last is infinite at theta = 0 and pi: the loss H has a kink there.

    Returns:
        Eigenvalues: three numbers, or arrays of the shape of the arguments.
    """
    sin = jnp.sin(theta)
    return loss_hessian_eigenvalues((1.0, 1.0), rho, sin, jnp.cos(theta) ** 2 / sin)


@of_numbers("rho", "sin", "mass")
def population_eigenvalues(lambdas: OrderWeights, rho: Scalar, sin: Scalar, mass: Scalar = 1.0) -> Eigenvalues:
    """For lambda_0 L + lambda_1 J. With output weights a and a* put a a* |w*| / |w| for rho, and a^2 for mass.

    Returns:
        Eigenvalues: three numbers, or arrays of the shape of the arguments.
    """
    value, slope = _both(lambdas)
    s = rho * sin / TWO_PI
    half = mass * (value + slope) / 2 + 0 * s
    return Eigenvalues(half, half - (2 * value + slope) * s, half - value * s)


@of_numbers("rho", "sin", "kink", "mass")
def loss_hessian_eigenvalues(
    lambdas: OrderWeights, rho: Scalar, sin: Scalar, kink: Scalar, mass: Scalar = 1.0
) -> Eigenvalues:
    """As above, with what the boundary term adds; `kink` stands for cos^2 / sin, and is 0 where it is dropped.

    Returns:
        Eigenvalues: three numbers, or arrays of the shape of the arguments.
    """
    radial, in_plane, orthogonal = population_eigenvalues(lambdas, rho, sin, mass)
    strength = _both(lambdas)[1] * rho / TWO_PI
    return Eigenvalues(radial, in_plane - strength * sin, orthogonal + strength * kink)


# Gradient flows, in (norm, angle).


class PlanarVelocity(NamedTuple):
    """d|w|/dt and d theta/dt."""

    norm: Scalar
    angle: Scalar


@of_numbers("norm", "angle", "teacher_norm")
def flow(
    lambdas: OrderWeights, norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0, *, boundary: bool = False
) -> PlanarVelocity:
    """Of the loss lambda_0 L + lambda_1 J under minus its population gradient; with `boundary` its loss gradient.

    r' = -(lambda_0 + lambda_1) r/2 + |w*| (lambda_0 sin + (lambda_0 + lambda_1)(pi - theta) cos) / (2 pi),
    theta' = -|w*| ((lambda_0 + lambda_1)(pi - theta) sin [+ lambda_1 cos]) / (2 pi r), the bracket with `boundary`:
    then valid for 0 < theta < pi, and theta reaches 0, where the loss has a kink, in finite time.

    Args:
        lambdas: (lambda_0, lambda_1), as in `SobolevLoss.lambdas`; lambda_1 is 0 if it is missing.
        norm, angle: r = |w| > 0 and theta, numbers or arrays of one shape.

    Returns:
        PlanarVelocity: (r', theta'), numbers or arrays of the shape of the arguments.
    """
    sin, cos, supplement = jnp.sin(angle), jnp.cos(angle), jnp.pi - angle
    value, slope = _both(lambdas)
    both = value + slope
    pull = teacher_norm * (value * sin + both * supplement * cos) / TWO_PI
    turn = both * supplement * sin + (slope * cos if boundary else 0.0)
    return PlanarVelocity(-both * norm / 2 + pull, -teacher_norm * turn / (TWO_PI * norm))


@of_numbers("norm", "angle", "teacher_norm")
def l2_flow(norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0) -> PlanarVelocity:
    """w' = -G_L: r' = -r/2 + |w*| J_1 / (2 pi), theta' = -(|w*| / (2 pi r)) (pi - theta) sin.

    Returns:
        PlanarVelocity: (r', theta'), numbers or arrays of the shape of the arguments.
    """
    return flow((1.0, 0.0), norm, angle, teacher_norm)


@of_numbers("norm", "angle", "teacher_norm")
def h1_population_flow(norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0) -> PlanarVelocity:
    """w' = -G_H: r' = -r + |w*| (sin + 2 (pi - theta) cos) / (2 pi), theta' = -(|w*| / (pi r)) (pi - theta) sin.

    Returns:
        PlanarVelocity: (r', theta'), numbers or arrays of the shape of the arguments.
    """
    return flow((1.0, 1.0), norm, angle, teacher_norm)


@of_numbers("norm", "angle", "teacher_norm")
def h1_loss_flow(norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0) -> PlanarVelocity:
    """w' = -grad H: r' as under -G_H, theta' = -(|w*| / (2 pi r)) (2 (pi - theta) sin + cos).

    Returns:
        PlanarVelocity: (r', theta'), numbers or arrays of the shape of the arguments.
    """
    return flow((1.0, 1.0), norm, angle, teacher_norm, boundary=True)


class Rate(NamedTuple):
    """At which the distance from the teacher falls, -d log|w - w*| / dt, and that per unit of largest curvature."""

    raw: Scalar
    per_curvature: Scalar


@of_numbers("norm", "angle", "teacher_norm")
def rate(
    lambdas: OrderWeights, norm: Scalar, angle: Scalar, teacher_norm: Scalar = 1.0, *, boundary: bool = False
) -> Rate:
    """(w - w*).G / |w - w*|^2, and the same over the largest eigenvalue of DG, in d >= 3; arguments as for `flow`.

    The first is what a flow gets. The second is what an optimiser gets whose step the curvature limits: a loss that
    is only multiplied by 2 has twice the first and the same second. With `boundary` G is the gradient of the loss,
    and the second is 0 on the kink. Both are 0 at w = w*; next to it their relative errors are eps |w*| / |w - w*|.

    Returns:
        Rate: two numbers, or arrays of the shape of the arguments.

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
        kink = jnp.where(jnp.asarray(_both(lambdas)[1]) > 0, cos**2 / sin, 0.0)
        curvatures = loss_hessian_eigenvalues(lambdas, rho, sin, kink)
    else:
        curvatures = population_eigenvalues(lambdas, rho, sin)
    return Rate(raw, raw / jnp.max(jnp.stack(curvatures), axis=0))


def _both(lambdas: OrderWeights) -> tuple[Scalar, Scalar]:
    if len(lambdas) > 2:
        raise ValueError(f"lambdas: got {len(lambdas)} of them; needs those of order 0 and 1, the order of ReLU")
    value, slope = (*lambdas, 0.0)[:2]
    return value, slope
