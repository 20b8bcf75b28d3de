"""What the phase portraits show: flows of the whole network that stay on the slice, and its fixed points."""

import numpy as np
import pytest

from figures.theory import slices
from tests.figures.helpers import assert_within_the_page

pytestmark = pytest.mark.xdist_group("flows")


@pytest.fixture(scope="module")
def data():
    return slices.data(neurons=3, time=40.0, samples=9)


@pytest.mark.parametrize("panel", slices.PANELS)
def test_trajectories_go_from_their_starts_to_the_stable_point_of_their_side(data, panel):
    paths, points = data[f"{panel}_trajectory"], data[f"{panel}_point"]
    np.testing.assert_allclose(paths[:, 0], slices.STARTS, atol=1e-12)
    stable = points[points[:, 3] == 1]
    assert len(stable) == 2
    for path, (x, y) in zip(paths, slices.STARTS, strict=True):
        end = stable[np.argmin(np.linalg.norm(stable[:, :2] - path[-1], axis=1)), :2]
        np.testing.assert_allclose(path[-1], end, atol=1e-3)
        assert (end[0] > end[1]) == (x > y)  # x = y separates


@pytest.mark.parametrize("panel", slices.PANELS)
def test_of_three_neurons_only_the_teacher_is_a_minimum_of_the_whole_network(data, panel):
    minimum = data[f"{panel}_whole"]
    np.testing.assert_allclose(data[f"{panel}_point"][minimum][:, :2], [[1.0, 0.0]], atol=1e-12)


def test_it_is_drawn_within_the_page(data):
    assert_within_the_page(slices.draw(data))


def test_two_neurons_are_refused():
    with pytest.raises(ValueError, match="neurons: got 2; needs at least 3"):
        slices.data(neurons=2)
