"""The Frechet distance of Gaussians, against its closed forms."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from figures.measures.frechet import Moments, frechet_distance, moments

RNG = np.random.default_rng(0)


def covariance(size: int) -> np.ndarray:
    root = RNG.normal(size=(size, size))
    return root @ root.T


def test_of_commuting_covariances_it_is_that_of_means_and_standard_deviations():
    basis, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    a, b = RNG.uniform(0.1, 2.0, (2, 5))  # standard deviations along a common basis
    means = RNG.normal(size=(2, 5))
    found = frechet_distance(Moments(means[0], (basis * a**2) @ basis.T), Moments(means[1], (basis * b**2) @ basis.T))
    # Roots of 5 numbers near 1 and their sum, each to a few units of 1e-16.
    np.testing.assert_allclose(found, np.sum((means[0] - means[1]) ** 2) + np.sum((a - b) ** 2), rtol=1e-12)


def test_of_any_covariances_it_has_the_root_of_their_product():
    a, b = Moments(RNG.normal(size=4), covariance(4)), Moments(RNG.normal(size=4), covariance(4))
    mixed = np.trace(sqrtm(a.covariance @ b.covariance)).real
    expected = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance) - 2 * mixed
    np.testing.assert_allclose(frechet_distance(a, b), expected, rtol=1e-9)  # sqrtm of a matrix that is not symmetric


def test_it_is_symmetric_and_zero_from_itself():
    a, b = Moments(np.zeros(3), covariance(3)), Moments(np.ones(3), covariance(3))
    np.testing.assert_allclose(frechet_distance(a, b), frechet_distance(b, a), rtol=1e-10)
    assert abs(frechet_distance(a, a)) < 1e-12 * np.trace(a.covariance) * 3


def test_singular_covariances_have_one():
    line, other = np.diag([4.0, 0.0]), np.diag([0.0, 9.0])
    # Nothing is shared: the traces add; a root of rounding 1e-16 would be 1e-8.
    np.testing.assert_allclose(frechet_distance(Moments(np.zeros(2), line), Moments(np.zeros(2), other)), 13.0)


def test_moments_are_the_unbiased_ones():
    found = moments(np.array([[0.0, 1.0], [2.0, 1.0]]))
    np.testing.assert_array_equal(found.mean, [1.0, 1.0])
    np.testing.assert_array_equal(found.covariance, [[2.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("mean", "matrix", "message"),
    [
        (np.zeros(3), np.eye(2), r"b: got shapes \(3,\), \(2, 2\)"),
        (np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]]), "b: got a covariance that is not symmetric"),
    ],
)
def test_what_has_no_distance_is_named(mean, matrix, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(Moments(np.zeros(2), np.eye(2)), Moments(mean, matrix))
