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

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angle_differences import sine_excess
from ..geometry.angles import angle_and_directions, inverse_or_zero, inverse_sine
from .planar import (
    Eigenvalues,
    PlanarVelocity,
    Rate,
    flow,
    h1_loss_flow,
    h1_loss_hessian_eigenvalues,
    h1_population_eigenvalues,
    h1_population_flow,
    l2_eigenvalues,
    l2_flow,
    loss_hessian_eigenvalues,
    population_eigenvalues,
    rate,
)
from .vectors import TWO_PI, Vector, norm, of_vectors, unit

__all__ = [
    "Eigenvalues", "PlanarVelocity", "Rate", "flow", "h1_loss", "h1_loss_flow", "h1_loss_gradient", "h1_loss_hessian",
    "h1_loss_hessian_eigenvalues", "h1_population_eigenvalues", "h1_population_flow", "h1_population_gradient",
    "h1_population_jacobian", "l2_eigenvalues", "l2_flow", "l2_gradient", "l2_jacobian", "l2_loss",
    "loss_hessian_eigenvalues", "population_eigenvalues", "rate", "seminorm_boundary", "seminorm_loss",
    "seminorm_population_gradient", "seminorm_population_jacobian",
]  # fmt: skip
__dir__ = __all__.copy

Matrix = Float[Array, "d d"]


# Losses and gradients, in vectors.


@of_vectors
def l2_loss(w: Vector, w_star: Vector) -> Float[Array, ""]:
    """L = |w|^2/4 + |w*|^2/4 - |w||w*| (sin + (pi - theta) cos) / (2 pi).

    Written so that it keeps its digits near w = w*: |w - w*|^2/4 - |w||w*| (sin - theta cos) / (2 pi).

    Returns:
        A scalar.
    """
    angles, *_ = angle_and_directions(w, w_star)
    step = w - w_star
    return step @ step / 4 - norm(w) * norm(w_star) * sine_excess(angles.theta) / TWO_PI


@of_vectors
def seminorm_loss(w: Vector, w_star: Vector) -> Float[Array, ""]:
    """J = |w|^2/4 + |w*|^2/4 - w.w* (pi - theta) / (2 pi) = |w - w*|^2/4 + w.w* theta / (2 pi).

    Returns:
        A scalar.
    """
    angles, *_ = angle_and_directions(w, w_star)
    step = w - w_star
    return step @ step / 4 + norm(w) * norm(w_star) * angles.cos * angles.theta / TWO_PI


@of_vectors
def h1_loss(w: Vector, w_star: Vector) -> Float[Array, ""]:
    """H = L + J.

    Returns:
        A scalar.
    """
    return l2_loss(w, w_star) + seminorm_loss(w, w_star)


@of_vectors
def l2_gradient(w: Vector, w_star: Vector) -> Vector:
    """G_L = w/2 - [ (pi - theta) w* + |w*| sin v ] / (2 pi), Tian (2017); population and loss gradient alike.

    Written as (w - w*)/2 + [ theta w* - |w*| sin v ] / (2 pi).

    Returns:
        [d], for the weights w.
    """
    angles, *_ = angle_and_directions(w, w_star)
    turn = angles.theta * w_star - norm(w_star) * angles.sin * unit(w)
    return _alive(w, (w - w_star) / 2 + turn / TWO_PI)


@of_vectors
def seminorm_population_gradient(w: Vector, w_star: Vector) -> Vector:
    """G_J = w/2 - (pi - theta) w* / (2 pi) = (w - w*)/2 + theta w* / (2 pi).

    Returns:
        [d], for the weights w.
    """
    angles, *_ = angle_and_directions(w, w_star)
    return _alive(w, (w - w_star) / 2 + angles.theta * w_star / TWO_PI)


@of_vectors
def seminorm_boundary(w: Vector, w_star: Vector) -> Vector:
    """Loss gradient of J minus its population gradient: -|w*| cos e / (2 pi).

    At theta = 0 the direction e does not exist and the loss has a kink; the value is 0 there.

    Returns:
        [d], for the weights w.
    """
    angles, e, _ = angle_and_directions(w, w_star)
    return -norm(w_star) * angles.cos * e / TWO_PI


@of_vectors
def h1_population_gradient(w: Vector, w_star: Vector) -> Vector:
    """G_H = G_L + G_J, what SGD on the H1 loss follows.

    Returns:
        [d], for the weights w.
    """
    return l2_gradient(w, w_star) + seminorm_population_gradient(w, w_star)


@of_vectors
def h1_loss_gradient(w: Vector, w_star: Vector) -> Vector:
    """grad H = G_L + G_J + boundary term, the gradient of the expected H1 loss.

    Returns:
        [d], for the weights w.
    """
    return h1_population_gradient(w, w_star) + seminorm_boundary(w, w_star)


# Jacobians.


@of_vectors
def l2_jacobian(w: Vector, w_star: Vector) -> Matrix:
    """DG_L = I/2 - alpha (u u' - cos v u' + sin^2 I)(I - v v'), alpha = |w*| / (2 pi |w| sin); symmetric.

    With u = cos v + sin e this is I/2 - (rho sin / (2 pi)) (I - v v' + e e'), which has a value at sin = 0.

    Returns:
        [d, d].
    """
    angles, e, _ = angle_and_directions(w, w_star)
    v, rho = unit(w), norm(w_star) * inverse_or_zero(norm(w))
    across = _identity(w) - jnp.outer(v, v)
    return _identity(w) / 2 - rho * angles.sin / TWO_PI * (across + jnp.outer(e, e))


@of_vectors
def seminorm_population_jacobian(w: Vector, w_star: Vector) -> Matrix:
    """DG_J = I/2 - alpha u u' (I - v v') = I/2 - (rho / (2 pi)) u e'; not symmetric.

    Returns:
        [d, d].
    """
    _, e, _ = angle_and_directions(w, w_star)
    rho = norm(w_star) * inverse_or_zero(norm(w))
    return _identity(w) / 2 - rho / TWO_PI * jnp.outer(unit(w_star), e)


@of_vectors
def h1_population_jacobian(w: Vector, w_star: Vector) -> Matrix:
    """DG_H = I - alpha (2 u u' - cos v u' + sin^2 I)(I - v v'); the paper's Hessian of H; not symmetric.

    Returns:
        [d, d].
    """
    return l2_jacobian(w, w_star) + seminorm_population_jacobian(w, w_star)


@of_vectors
def h1_loss_hessian(w: Vector, w_star: Vector) -> Matrix:
    """Hessian of H in the frame (v, e, rest), from `h1_loss_hessian_eigenvalues`; symmetric.

    At theta = 0 or pi, where e does not exist, the terms that diverge like 1/theta are dropped.

    Returns:
        [d, d].
    """
    angles, e, _ = angle_and_directions(w, w_star)
    v, rho = unit(w), norm(w_star) * inverse_or_zero(norm(w))
    rest = _identity(w) - jnp.outer(v, v) - jnp.outer(e, e)
    kink = rho / TWO_PI * angles.cos**2 * inverse_sine(angles)
    return (
        jnp.outer(v, v)
        + (1 - 4 * rho * angles.sin / TWO_PI) * jnp.outer(e, e)
        + (1 - rho * angles.sin / TWO_PI + kink) * rest
    )


def _identity(w: Vector) -> Matrix:
    return jnp.eye(w.size, dtype=w.dtype)


def _alive(w: Vector, gradient: Vector) -> Vector:
    return jnp.where(norm(w) > 0, gradient, 0.0)
