"""A root A of a covariance, A A' = Sigma, also of a singular one, with a derivative at every rank.

Sigma is scaled to a unit diagonal first: graded covariances keep their digits (Demmel 1989), and what is rounding can
be told from what is small. Then Cholesky's factor if it is sound, else that of the eigenvectors, without the
eigenvalues at rounding. Which root it is matters to no expectation: another one is A Q with Q orthogonal.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .precision import full_products


def rounding(size: int, dtype) -> float:
    """Of eigenvalues of a matrix of unit diagonal whose entries are rounded, with a factor of safety."""
    return 8 * size * float(jnp.finfo(dtype).eps)


def check_covariance(matrix: np.ndarray) -> None:
    """Raise unless it is symmetric and positive semidefinite, up to rounding."""
    gap = float(np.max(np.abs(matrix - matrix.T)))
    if gap > 8 * np.finfo(matrix.dtype).eps * np.max(np.abs(matrix)):
        raise ValueError(
            f"covariance: got a matrix that differs from its transpose by {gap:.3g}; needs a symmetric one"
        )
    size = np.sqrt(np.abs(np.diagonal(matrix)))
    size = np.where(size > 0, size, np.max(size) or 1.0)  # beside a variance of 0 only zeros will do
    if np.linalg.eigvalsh(matrix / size[:, None] / size)[0] < -rounding(len(matrix), matrix.dtype):
        raise ValueError(
            f"covariance: got a matrix of smallest eigenvalue {np.linalg.eigvalsh(matrix)[0]:.6g}; "
            "needs a positive semidefinite one"
        )


@jax.custom_jvp
def root_of(covariance: Float[Array, "d d"] | Float[Array, " d"]) -> Float[Array, "d d"] | Float[Array, " d"]:
    """A, of a diagonal its entries' roots."""
    if covariance.ndim == 1:
        return jnp.sqrt(covariance)
    size = jnp.sqrt(jnp.diagonal(covariance))
    inverse = _inverse_or_zero(size)
    unit = inverse[:, None] * covariance * inverse[None, :]
    smallest = rounding(len(size), covariance.dtype)
    factor = jnp.linalg.cholesky(unit)

    def by_eigenvectors():
        values, vectors = jnp.linalg.eigh(unit)
        return vectors * jnp.sqrt(jnp.where(values > smallest, values, 0.0))[None, :]

    sound = jnp.min(jnp.diagonal(factor)) ** 2 > smallest  # not if it is NaN
    return size[:, None] * lax.cond(sound, lambda: factor, by_eigenvectors)


@root_of.defjvp
@full_products
def _root_jvp(primals, tangents):
    """dA = (I - A B' / 2) dSigma B, with B' A the identity on what A spans: then dA A' + A dA' = dSigma there.

    An expectation does not change by a rotation of A, so that any such dA will do; also for second derivatives, since
    the product with a gradient in A is as invariant as the expectation is.
    """
    (covariance,), (step,) = primals, tangents
    root = root_of(covariance)
    if covariance.ndim == 1:
        return root, step * _inverse_or_zero(root) / 2
    weight = _inverse_or_zero(jnp.diagonal(covariance))[:, None]
    empty = jnp.all(root == 0, axis=0)
    gram = root.T @ (weight * root) + jnp.diag(empty.astype(root.dtype))
    dual = weight * jnp.linalg.solve(gram, root.T).T
    half = (step + step.T) / 2 @ dual
    return root, half - root @ (dual.T @ half) / 2


def _inverse_or_zero(x: Float[Array, " d"]) -> Float[Array, " d"]:
    return jnp.where(x > 0, 1.0, 0.0) / jnp.where(x > 0, x, 1.0)
