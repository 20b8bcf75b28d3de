"""Which eigenvalues are 0, as far as rounding can tell: one threshold for spectra, steps and kinds.

Flat directions are common: copies of a neuron, more neurons than the teacher's, dead neurons, angles where a closed
form vanishes. Their eigenvalue comes out as plus or minus rounding, a sign that says nothing, or as a complex pair.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Inexact

ROUNDINGS = 8  # errors of an entry, in eps of the matrix: formulas of some operations; seen are below 1


@jax.jit
def is_zero(
    values: Inexact[Array, " m"], size: int, condition: Float[Array, " m"] | float = 1.0
) -> Bool[Array, " m"]:
    """Eigenvalues or singular values below their own errors.

    Each entry is wrong by some eps of the largest value, sums of `size` of them in an eigenvector by `size` times
    as much; algorithms are backward stable, so they add no more. An eigenvalue moves by its condition times that,
    but never further than a defective pair does: by the root of eps.

    Args:
        values: of one matrix, all of them or both ends: the largest is the unit.
        size: rows of the matrix.
        condition: 1 / |y'x| of unit left and right eigenvectors; 1 for a symmetric matrix. 0 for values that no
            other one has rounded; infinite where the matrix itself is known to half the digits, as at a degenerate
            point that an iteration found.
    """
    sizes = jnp.abs(values)
    eps = jnp.finfo(sizes.dtype).eps
    known = ROUNDINGS * jnp.minimum(size * eps * jnp.asarray(condition, sizes.dtype), jnp.sqrt(eps))
    return sizes <= known.astype(sizes.dtype) * jnp.max(sizes)


def conditions(triangle: Inexact[Array, "m m"]) -> Float[Array, " m"]:
    """Of the eigenvalues on the diagonal of a Schur form, which LAPACK leaves in their order."""
    _, left, right = lax.linalg.eig(triangle, compute_left_eigenvectors=True, compute_right_eigenvectors=True)
    overlap = jnp.abs(jnp.sum(left.conj() * right, axis=0))
    return 1 / jnp.maximum(overlap, jnp.finfo(overlap.dtype).tiny)
