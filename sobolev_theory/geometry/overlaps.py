"""Order parameters: the scalar products of all neurons, and networks that have given ones.

Everything that the population functions say of two networks without biases on N(0, I) depends on their weights
through Q = W W', R = W W*' and T = W* W*' (the letters of Saad & Solla).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.activations import Activation
from ..model.arguments import real_array, whole
from ..model.networks import Network, check_same_inputs
from ..model.precision import full_products


class Overlaps(NamedTuple):
    """Q [K, K] of the student's neurons, R [K, K*] with the teacher's, T [K*, K*] of the teacher's."""

    Q: Float[Array | np.ndarray, "K K"]
    R: Float[Array | np.ndarray, "K K_star"]
    T: Float[Array | np.ndarray, "K_star K_star"]

    @property
    def gram(self) -> Float[Array, "m m"]:
        """Of all neurons, the student's first."""
        return jnp.block([[self.Q, self.R], [self.R.T, self.T]])


@full_products
def overlaps(student: Network, teacher: Network) -> Overlaps:
    """Q = W W', R = W W*' and T = W* W*', not divided by d.

    Returns:
        Overlaps: Q [K, K], R [K, K*], T [K*, K*].

    Raises:
        TypeError, ValueError: arguments that are no Networks on the same inputs.

    Example:
        >>> import sobolev_theory as st
        >>> st.overlaps(st.Network([1.0, 2.0]), st.Network([3.0, 0.0])).R.tolist()
        [[3.0]]
    """
    check_same_inputs(student, teacher)
    w, v = student.weights, teacher.weights
    return Overlaps(w @ w.T, w @ v.T, v @ v.T)


def networks_from_overlaps(
    overlaps: Overlaps,
    output_weights=None,
    teacher_output_weights=None,
    *,
    dimension: int | None = None,
    activation: Activation | None = None,
) -> tuple[Network, Network]:
    """A student and a teacher of these overlaps, one of many pairs that differ by a rotation.

    By the eigenvalues of the Gram matrix of all neurons: entries are met to rounding, angles near 0 and pi to half
    the digits, as in any matrix of products. Not for jit.

    Args:
        overlaps: Q, R and T, or a tuple of them.
        output_weights, teacher_output_weights: [K] and [K*], default ones.
        dimension: d, at least the rank of the Gram matrix; default K + K*.

    Returns:
        Two Networks in d inputs.

    Raises:
        ValueError: matrices of wrong shape, that are not symmetric or no Gram matrix, with the smallest eigenvalue; a
            dimension below the rank.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.networks_from_overlaps(([[1.0]], [[0.5]], [[1.0]]), dimension=3)
        >>> student.weights.shape, round(float(st.overlaps(student, teacher).R[0, 0]), 6)
        ((1, 3), 0.5)
    """
    gram, students = _checked(overlaps)
    values, vectors = np.linalg.eigh(gram)
    rounding = 64 * len(gram) * np.finfo(gram.dtype).eps * max(values[-1], np.finfo(gram.dtype).tiny)
    if values[0] < -rounding:
        raise ValueError(
            f"overlaps: got matrices whose joint Gram matrix has the smallest eigenvalue {values[0]:.6g}; needs "
            "products of vectors, with eigenvalues >= 0"
        )
    rank = max(int(np.sum(values > rounding)), 1)
    dimension = len(gram) if dimension is None else whole("dimension", dimension, 1)
    if dimension < rank:
        raise ValueError(f"dimension: got {dimension}; needs at least {rank}, the rank of the Gram matrix")
    rows = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1][:, :dimension]
    rows = np.pad(rows, ((0, 0), (0, dimension - rows.shape[1])))
    return (
        Network(rows[:students], output_weights, activation=activation),
        Network(rows[students:], teacher_output_weights, activation=activation),
    )


def _checked(overlaps: Overlaps) -> tuple[np.ndarray, int]:
    """The Gram matrix, and how many of its rows are students."""
    if not isinstance(overlaps, tuple) or len(overlaps) != 3:
        raise TypeError(f"overlaps: got {type(overlaps).__name__}; needs Overlaps(Q, R, T)")
    found = [real_array(name, x) for name, x in zip("QRT", overlaps, strict=True)]
    if any(isinstance(x, jax.core.Tracer) for x in found):
        raise TypeError("overlaps: got traced values; needs numbers: whether they are products is decided by them")
    q, r, t = (np.asarray(x) for x in found)
    if r.ndim != 2 or q.shape != (len(r),) * 2 or t.shape != (r.shape[1],) * 2 or 0 in r.shape:
        raise ValueError(f"overlaps: got shapes {q.shape}, {r.shape}, {t.shape}; needs [K, K], [K, K*], [K*, K*]")
    for name, x in (("Q", q), ("T", t)):
        if not np.allclose(x, x.T, rtol=0, atol=64 * np.finfo(x.dtype).eps * np.abs(x).max()):
            raise ValueError(f"{name}: got a matrix that is not symmetric; needs scalar products")
    return np.block([[q, r], [r.T, t]]), len(q)
