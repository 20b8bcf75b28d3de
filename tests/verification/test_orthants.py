"""The quadrature over the plane of two neurons, where it is hardest."""

import numpy as np
import pytest

from verification.orthants import Given

NEAR = 0.05
PAIRS = {
    "nearly one direction": ([0.3, 0.2, 0.8, 0.4], [0.3 + NEAR, 0.2, 0.8, 0.4 - NEAR]),
    "nearly one direction outside the plane": ([0.3, -0.9, 0.8, 0.4], [-0.5, 0.2, 0.8, 0.4 - NEAR]),
    "nearly opposite": ([0.3, -0.9, 0.8, 0.4], [-0.3, 0.9, NEAR - 0.8, -0.4]),
    "nearly in the plane": ([0.7, -0.9, NEAR, 0.0], [0.4, 0.6, 0.0, NEAR]),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_averages_over_the_plane_are_those_of_the_whole_space(pair):
    given = Given(np.array([[1.0, 0.2, 0.0, 0.0], [-0.4, 0.9, 0.0, 0.0], *pair]))
    (sizes, cosine) = np.linalg.norm(pair, axis=1), np.dot(*pair) / np.prod(np.linalg.norm(pair, axis=1))
    angle = np.arccos(cosine)
    product = np.prod(sizes) * (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
    np.testing.assert_allclose(given.expectation(given.product), product, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(given.expectation(given.both_active), (np.pi - angle) / (2 * np.pi), atol=1e-13)
    np.testing.assert_allclose(given.expectation(given.means), sizes / np.sqrt(2 * np.pi), rtol=1e-13)
