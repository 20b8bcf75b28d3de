"""Extreme eigenvalues of the Kd x Kd population Jacobian and loss Hessian without a matrix.

For K too large for the dense blocks of `spectrum`: Krylov methods (ARPACK, through SciPy) on the exact products, in
the coordinates of the span and one more, which stands for all directions orthogonal to it.
"""

from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float, Inexact

from ..geometry.span import Reduction, orthogonal_to, with_a_zero_input
from ..model.arguments import check_choice, finite, whole
from ..model.inputs import GaussianInput
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network, with_parameters
from ..population.jacobians import loss_hessian_product, population_jacobian_product
from .curvature_blocks import invariant_span
from .zero_eigenvalues import is_zero


class ExtremeEigenvalues(eqx.Module):
    """Eigenvalues from both ends of a spectrum, by real part; exactly 0 where rounding cannot tell them from it.

    Attributes:
        smallest: [count], ascending.
        largest: [count], descending; real for a symmetric matrix, else complex.
        smallest_vectors, largest_vectors: [count, K, d], unit eigenvectors; one of them where a value is multiple.
        residual: the largest |A x - value x| over all of them.
        products: how many products with the matrix were taken.
    """

    smallest: Inexact[Array, " count"]
    largest: Inexact[Array, " count"]
    smallest_vectors: Inexact[Array, "count K d"]
    largest_vectors: Inexact[Array, "count K d"]
    residual: float
    products: int


def extreme_eigenvalues(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    of: Of = "loss",
    count: int = 1,
    tolerance: float = 1e-10,
    mesh: Mesh | None = None,
) -> ExtremeEigenvalues:
    """The `count` smallest and largest eigenvalues of the loss Hessian or the population Jacobian in the weights.

    A Krylov method sees each different eigenvalue once, whatever its multiplicity. Costs one QR of d x (K + K*) and
    some tens to hundreds of products of K (K + K*) (n + 1), n = min(d, K + K*): many where an end of the spectrum
    is crowded. Not for jit: the number of steps depends on the values.

    Args:
        of: "loss" for `loss_hessian`, symmetric; "population" for `population_jacobian`.
        tolerance: on the eigenvalues, relative to their size, reached by the iteration's own estimate; at least a
            few eps of the dtype.
        mesh: as in `population_loss`.

    Returns:
        ExtremeEigenvalues: [count] values and vectors [count, K, d] from either end, and how good they are.

    Raises:
        TypeError, ValueError: an unknown `of`; `count` not a whole number from 1 to (K (n + 1) - 2) / 2, for less
            `spectrum` is exact; a tolerance that is not positive.
        RuntimeError: the iteration did not reach the tolerance.

    Example:
        >>> import sobolev_theory as st
        >>> teacher = st.Network([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
        >>> ends = st.extreme_eigenvalues(teacher, teacher, loss=st.L2, tolerance=1e-4)
        >>> [round(float(value), 3) for value in (*ends.smallest, *ends.largest)]
        [0.091, 0.909]
    """
    check_choice("of", of, Of)
    rotation = invariant_span(student, teacher, inputs)
    small, small_teacher = rotation.reduce(student), rotation.reduce(teacher)
    if rotation.dimension < student.dimension:
        small, small_teacher = with_a_zero_input(small), with_a_zero_input(small_teacher)
    size, dtype = small.weights.size, np.dtype(student.weights.dtype)
    if size < 4:
        raise ValueError(f"student: got K (n + 1) = {size} weights; needs at least 4, or use spectrum")
    count = whole("count", count, 1, (size - 2) // 2)
    tolerance = finite("tolerance", tolerance, above=0.0)
    product = {"loss": loss_hessian_product, "population": population_jacobian_product}[of]
    still, products = jnp.zeros_like(small.output_weights), 0

    def multiply(vector: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        nonlocal products
        products += 1
        tangent = with_parameters(small, jnp.asarray(vector.reshape(small.weights.shape), dtype), still)
        return np.asarray(product(small, small_teacher, tangent, loss, inputs, mesh=mesh).weights).ravel()

    smallest, largest = (
        _krylov(multiply, size, dtype, of, end, count, max(tolerance, 8 * float(np.finfo(dtype).eps)))
        for end in ("smallest", "largest")
    )
    gaps = [_gaps(multiply, *pairs) for pairs in (smallest, largest)]
    found = np.concatenate([smallest[0], largest[0]])
    # A residual bounds the error of a symmetric matrix's eigenvalue; of others it is the size of it.
    zero = np.asarray(is_zero(jnp.asarray(found), size)) | (np.abs(found) <= np.concatenate(gaps))
    values = jnp.asarray(np.where(zero, 0.0, found))
    lifted = [_lifted(vectors, small.weights.shape, rotation) for _, vectors in (smallest, largest)]
    return ExtremeEigenvalues(values[:count], values[count:], lifted[0], lifted[1], float(np.max(gaps)), products)


End = Literal["smallest", "largest"]
Eigenpairs = tuple[Inexact[np.ndarray, " count"], Inexact[np.ndarray, "m count"]]


def _krylov(multiply, size: int, dtype: np.dtype, of: Of, end: End, count: int, tolerance: float) -> Eigenpairs:
    """By SciPy's ARPACK; values sorted from the outside in."""
    from scipy.sparse import linalg  # here, so that importing the library stays quick

    operator = linalg.LinearOperator((size, size), matvec=multiply, dtype=dtype)
    solve: Any = linalg.eigsh if of == "loss" else linalg.eigs
    by = "A" if of == "loss" else "R"  # algebraic; real part
    which = {"smallest": "S", "largest": "L"}[end] + by
    start = np.random.default_rng(0).normal(size=size).astype(dtype)  # the same call gives the same result
    try:
        values, vectors = solve(
            operator, k=count, which=which, tol=tolerance, v0=start, ncv=min(size, 4 * count + 40)
        )
    except linalg.ArpackNoConvergence as error:
        raise RuntimeError(
            f"extreme_eigenvalues: {len(error.eigenvalues)} of {count} {end} eigenvalues reached the tolerance "
            f"{tolerance:g}; needs a larger tolerance, or spectrum"
        ) from error
    order = np.argsort(values.real if end == "smallest" else -values.real)
    return values[order], vectors[:, order]


def _gaps(multiply, values, vectors) -> Float[np.ndarray, " count"]:
    """|A x - value x| of each."""

    def times(vector):
        if np.iscomplexobj(vector):
            return multiply(vector.real) + 1j * multiply(vector.imag)
        return multiply(vector)

    gaps = [times(x) - value * x for value, x in zip(values, vectors.T, strict=True)]
    return np.linalg.norm(gaps, axis=1)


def _lifted(vectors: Inexact[np.ndarray, "m count"], shape: tuple[int, ...], rotation: Reduction):
    """From coordinates in the span, and perhaps one orthogonal to it, to [count, K, d]."""
    rows = jnp.asarray(vectors.T.reshape(-1, *shape))
    basis = rotation.basis.astype(rows.dtype)
    lifted = rows[..., : rotation.dimension] @ basis.T
    if shape[1] == rotation.dimension:
        return lifted
    return lifted + rows[..., -1:] * orthogonal_to(rotation.basis).astype(rows.dtype)[None, None]
