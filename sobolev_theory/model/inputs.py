"""The input distribution x ~ N(mean, covariance), and the metric in which derivatives in x are measured."""

from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .arguments import common_dtype, real_array
from .covariance_root import check_covariance, root_of

Metric = Literal["euclidean", "mahalanobis"]


class LowRank(eqx.Module):
    """The covariance diag(diagonal) + factor factor', in d + d k numbers; products with it cost as much.

    Attributes:
        diagonal: [d], >= 0.
        factor: [d, k].

    Raises:
        TypeError, ValueError: wrong shapes, numbers that are not finite, a negative entry of the diagonal.

    Example:
        >>> import sobolev_theory as st
        >>> st.LowRank([1.0, 2.0, 1.0], [[1.0], [0.0], [1.0]]).matrix.tolist()
        [[2.0, 0.0, 1.0], [0.0, 2.0, 0.0], [1.0, 0.0, 2.0]]
    """

    diagonal: Float[Array, " d"]
    factor: Float[Array, "d k"]

    def __init__(self, diagonal, factor):
        self.diagonal, self.factor = real_array("diagonal", diagonal), real_array("factor", factor)
        if self.diagonal.ndim != 1 or self.factor.ndim != 2 or len(self.factor) != len(self.diagonal):
            raise ValueError(
                f"factor: got shapes {self.diagonal.shape} of the diagonal and {self.factor.shape} of the factor; "
                "needs [d] and [d, k]"
            )
        _check_not_negative("diagonal", self.diagonal)

    @property
    def matrix(self) -> Float[Array, "d d"]:
        diagonal, factor = _alike(self.diagonal, self.factor)
        return jnp.diag(diagonal) + factor @ factor.T


class GaussianInput(eqx.Module):
    """x ~ N(mean, covariance); by default N(0, I), the input distribution of the paper.

    A singular covariance is legal: x then stays in a subspace, and only the Euclidean metric sees the orthogonal
    complement. Eigenvalues at rounding, of the covariance with its diagonal scaled to 1, count as 0. Derivatives in a
    singular covariance are those along covariances of the same rank.

    Attributes:
        covariance: None for the identity; a symmetric positive semidefinite matrix [d, d]; a diagonal [d], >= 0; or a
            `LowRank`, a low rank plus a diagonal.
        mean: [d], or None for 0.
        metric: how a Sobolev loss measures D_x^m g: "euclidean" in x as it is, || D_x^m g ||_F, or "mahalanobis" in
            x whitened, || D_z^m g ||_F with x = mean + covariance^(1/2) z. The same for the identity.

    Raises:
        TypeError: what is not real.
        ValueError: wrong shapes; a matrix that is not symmetric, or has a negative eigenvalue (it is in the message);
            another metric. Of traced matrices only the shape is known.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> float(st.population_loss(student, teacher, st.L2, st.GaussianInput([4.0, 1.0])))
        2.0
    """

    covariance: Float[Array, "d d"] | Float[Array, " d"] | LowRank | None
    mean: Float[Array, " d"] | None
    metric: Metric = eqx.field(static=True)

    def __init__(self, covariance=None, mean=None, metric: Metric = "euclidean"):
        if metric not in get_args(Metric):
            raise ValueError(f"metric: got {metric!r}; needs 'euclidean' or 'mahalanobis'")
        self.covariance = (
            covariance if covariance is None or isinstance(covariance, LowRank) else _covariance(covariance)
        )
        self.mean = None if mean is None else real_array("mean", mean)
        self.metric = metric
        if self.mean is not None and self.mean.ndim != 1:
            raise ValueError(f"mean: got shape {self.mean.shape}; needs [d]")
        if self.mean is not None and self.dimension not in (None, len(self.mean)):
            raise ValueError(f"mean: got shape {self.mean.shape}; needs [{self.dimension}], as the covariance has")

    @property
    def dimension(self) -> int | None:
        """d, or None where any is served."""
        if isinstance(self.covariance, LowRank):
            return len(self.covariance.diagonal)
        if self.covariance is not None:
            return len(self.covariance)
        return None if self.mean is None else len(self.mean)

    @property
    def is_isotropic(self) -> bool:
        """Whether the covariance is the identity."""
        return self.covariance is None

    @property
    def is_standard(self) -> bool:
        """N(0, I)."""
        return self.covariance is None and self.mean is None

    def whitened(self, weights: Float[Array, "K d"]) -> Float[Array, "K q"]:
        """Rows v with v.v' = w . covariance w'; linear in the weights. q = d, or d + k for a `LowRank`."""
        if self.covariance is None:
            return weights
        if isinstance(self.covariance, LowRank):
            weights, diagonal, factor = _alike(weights, self.covariance.diagonal, self.covariance.factor)
            return jnp.concatenate([_scaled(weights, root_of(diagonal)), weights @ factor], 1)
        weights, covariance = _alike(weights, self.covariance)
        root = root_of(covariance)
        return _scaled(weights, root) if root.ndim == 1 else weights @ root

    def stretched(self, z: Float[Array, "... q"]) -> Float[Array, "... d"]:
        """A z, with A A' the covariance: the transpose of `whitened`. Of standard normal z, it is x - mean."""
        if self.covariance is None:
            return z
        if isinstance(self.covariance, LowRank):
            z, diagonal, factor = _alike(z, self.covariance.diagonal, self.covariance.factor)
            d = len(diagonal)
            return _scaled(z[..., :d], root_of(diagonal)) + z[..., d:] @ factor.T
        z, covariance = _alike(z, self.covariance)
        root = root_of(covariance)
        return _scaled(z, root) if root.ndim == 1 else z @ root.T

    def coloured(self, z: Float[Array, "... q"]) -> Float[Array, "... d"]:
        """x of standard normal z."""
        if self.mean is None:
            return self.stretched(z)
        x, mean = _alike(self.stretched(z), self.mean)
        return x + jnp.broadcast_to(mean, x.shape)

    def whitened_dimension(self, dimension: int) -> int:
        """q, for inputs of this dimension."""
        return dimension + (self.covariance.factor.shape[1] if isinstance(self.covariance, LowRank) else 0)


def check_dimension(inputs: GaussianInput, dimension: int) -> None:
    if not isinstance(inputs, GaussianInput):
        raise TypeError(f"inputs: got {inputs!r}; needs a GaussianInput")
    if inputs.dimension not in (None, dimension):
        raise ValueError(
            f"inputs: got a distribution in {inputs.dimension} dimensions; needs the networks' {dimension}"
        )


def _covariance(covariance) -> Float[Array, "d d"] | Float[Array, " d"]:
    covariance = real_array("covariance", covariance)
    if covariance.ndim == 1 and covariance.size:
        _check_not_negative("covariance", covariance)
        return covariance
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not covariance.size:
        raise ValueError(f"covariance: got shape {covariance.shape}; needs [d, d], a diagonal [d], or a LowRank")
    if not isinstance(covariance, jax.core.Tracer):
        check_covariance(np.asarray(covariance))
    return covariance


def _check_not_negative(name: str, values: Float[Array, " d"]) -> None:
    if not isinstance(values, jax.core.Tracer) and not bool(np.all(np.asarray(values) >= 0)):
        raise ValueError(
            f"{name}: got the smallest entry {float(np.min(np.asarray(values))):.6g}; needs numbers >= 0"
        )


def _alike(*arrays: Array) -> list[Array]:
    """All of the precision that holds all of them."""
    dtype = common_dtype(*arrays)
    return [array.astype(dtype) for array in arrays]


def _scaled(rows: Float[Array, "... d"], by: Float[Array, " d"]) -> Float[Array, "... d"]:
    return rows * jnp.broadcast_to(by, rows.shape)
