"""The Frechet distance of two Gaussians, and so of two sets of features by their means and covariances."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Moments(NamedTuple):
    mean: Float[np.ndarray, " F"]
    covariance: Float[np.ndarray, "F F"]


def moments(features: Float[np.ndarray, "N F"]) -> Moments:
    """Mean and unbiased covariance over N >= 2 rows."""
    return Moments(features.mean(axis=0), np.cov(features, rowvar=False).reshape(features.shape[1], -1))


def frechet_distance(a: Moments, b: Moments) -> float:
    """The squared distance |m_a - m_b|^2 + tr(A + B - 2 (A^(1/2) B A^(1/2))^(1/2)) of N(m_a, A) and N(m_b, B).

    The roots are of symmetric matrices, by their eigenvalues, of which rounding below 0 is cut: singular covariances,
    as of fewer samples than features, need no care.

    Source: Dowson & Landau, J. Multivariate Anal. 12 (1982) 450; as a distance of images Heusel et al., arXiv
    1706.08500, there in the features of Inception.

    Raises:
        ValueError: covariances that are not square, symmetric and of the size of both means.

    Example:
        >>> one = Moments(np.zeros(2), np.eye(2))
        >>> frechet_distance(one, Moments(np.array([3.0, 0.0]), 4 * np.eye(2)))
        11.0
    """
    for name, (mean, covariance) in (("a", a), ("b", b)):
        size = len(a.mean)
        if mean.shape != (size,) or covariance.shape != (size, size):
            raise ValueError(
                f"{name}: got shapes {mean.shape}, {covariance.shape}; needs ({size},), ({size}, {size})"
            )
        if not np.allclose(covariance, covariance.T, rtol=1e-4, atol=1e-5 * np.abs(covariance).max()):
            raise ValueError(f"{name}: got a covariance that is not symmetric; needs a symmetric one")
    difference = np.asarray(a.mean, float) - b.mean
    root = _root(a.covariance)
    eigenvalues = np.linalg.eigvalsh(root @ np.asarray(b.covariance, float) @ root)
    mixed = np.sqrt(eigenvalues.clip(0)).sum()
    return float(difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * mixed)


def _root(covariance: Float[np.ndarray, "F F"]) -> Float[np.ndarray, "F F"]:
    values, vectors = np.linalg.eigh(np.asarray(covariance, float))
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T
