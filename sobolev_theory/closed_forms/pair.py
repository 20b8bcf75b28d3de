"""The closed forms for one pair of ReLU neurons (w, v): kernels and their derivatives, one function each.

kappa_0 = E[relu(w.x) relu(v.x)] and kappa_1 = (w.v) P(w.x > 0, v.x > 0), for x ~ N(0, I_d); every loss, gradient
and Hessian of a ReLU network is a sum of these over its pairs. theta is the angle of w and v, r = |w|, r' = |v|,
e the unit vector orthogonal to w towards v, e' the one orthogonal to v towards w. Where e does not exist
(theta = 0 or pi) terms in it are 0, the mean of their one-sided values; at a zero w, so is w / |w|.

Source: Cho & Saul (2009) for kappa; Tian (arXiv 1703.00560) and arXiv 2509.19773 for the gradients.

Example:
    >>> import jax.numpy as jnp
    >>> from sobolev_theory import pair
    >>> w, v = jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])
    >>> round(float(2 * jnp.pi * pair.value_kernel(w, v)), 4)  # |w||v| J_1(pi/2)
    2.0
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import angle_and_directions, inverse_or_zero
from .vectors import TWO_PI, Vector, norm, of_vectors, unit

__all__ = [
    "slope_boundary", "slope_gradient", "slope_jacobian", "slope_kernel", "slope_mixed_jacobian", "value_gradient",
    "value_hessian", "value_kernel", "value_mixed_hessian",
]  # fmt: skip
__dir__ = __all__.copy


@of_vectors
def value_kernel(w: Vector, v: Vector) -> Float[Array, ""]:
    """kappa_0 = r r' (sin theta + (pi - theta) cos theta) / (2 pi).

    Returns:
        A scalar.
    """
    angles, *_ = angle_and_directions(w, v)
    return norm(w) * norm(v) * (angles.sin + angles.supplement * angles.cos) / TWO_PI


@of_vectors
def slope_kernel(w: Vector, v: Vector) -> Float[Array, ""]:
    """kappa_1 = w.v (pi - theta) / (2 pi).

    Returns:
        A scalar.
    """
    angles, *_ = angle_and_directions(w, v)
    return norm(w) * norm(v) * angles.cos * angles.supplement / TWO_PI


@of_vectors
def value_gradient(w: Vector, v: Vector) -> Vector:
    """d kappa_0 / dw = [ (pi - theta) v + r' sin(theta) w/r ] / (2 pi).

    Returns:
        [d], for the weights w.
    """
    angles, *_ = angle_and_directions(w, v)
    return (angles.supplement * v + norm(v) * angles.sin * unit(w)) / TWO_PI


@of_vectors
def slope_gradient(w: Vector, v: Vector) -> Vector:
    """The almost-everywhere part of d kappa_1 / dw: (pi - theta) v / (2 pi).

    Returns:
        [d], for the weights w.
    """
    angles, *_ = angle_and_directions(w, v)
    return angles.supplement * v / TWO_PI


@of_vectors
def slope_boundary(w: Vector, v: Vector) -> Vector:
    """The rest of d kappa_1 / dw, from the jump of relu' on w.x = 0: (w.v) e / (2 pi r).

    Returns:
        [d], for the weights w.
    """
    angles, e, _ = angle_and_directions(w, v)
    return norm(v) * angles.cos * e / TWO_PI


@of_vectors
def value_hessian(w: Vector, v: Vector) -> Float[Array, "d d"]:
    """d2 kappa_0 / dw dw = (r' sin(theta) / (2 pi r)) (I - u u' + e e'), u = w/r.

    Returns:
        [d, d].
    """
    angles, e, _ = angle_and_directions(w, v)
    u = unit(w)
    size = norm(v) * angles.sin * inverse_or_zero(norm(w)) / TWO_PI
    return size * (jnp.eye(w.size, dtype=u.dtype) - jnp.outer(u, u) + jnp.outer(e, e))


@of_vectors
def value_mixed_hessian(w: Vector, v: Vector) -> Float[Array, "d d"]:
    """d2 kappa_0 / dw dv = [ (pi - theta) I + sin(theta) (e e'^T + (w/r) (v/r')^T) ] / (2 pi).

    Returns:
        [d, d], rows for w and columns for v.
    """
    angles, e, e_ = angle_and_directions(w, v)
    plane = jnp.outer(e, e_) + jnp.outer(unit(w), unit(v))
    return (angles.supplement * jnp.eye(w.size, dtype=w.dtype) + angles.sin * plane) / TWO_PI


@of_vectors
def slope_jacobian(w: Vector, v: Vector) -> Float[Array, "d d"]:
    """Derivative of `slope_gradient` in w: v e^T / (2 pi r).

    Returns:
        [d, d].
    """
    _, e, _ = angle_and_directions(w, v)
    return jnp.outer(v, e) * inverse_or_zero(norm(w)) / TWO_PI


@of_vectors
def slope_mixed_jacobian(w: Vector, v: Vector) -> Float[Array, "d d"]:
    """Derivative of `slope_gradient` in v: [ (pi - theta) I + (v/r') e'^T ] / (2 pi).

    Returns:
        [d, d], rows for w and columns for v.
    """
    angles, _, e_ = angle_and_directions(w, v)
    return (angles.supplement * jnp.eye(w.size, dtype=w.dtype) + jnp.outer(unit(v), e_)) / TWO_PI
