"""The paths of a trained output weight keep their balance, those of a fixed one their output weight."""

import numpy as np
import pytest

from figures.theory import output_weight_flows
from tests.figures.helpers import assert_within_the_page


@pytest.fixture(scope="module")
def arrays():
    return output_weight_flows.data(samples=16)


def test_paths_keep_what_they_keep_and_reach_the_teacher(arrays):
    norm, output = np.array(output_weight_flows.STARTS).T
    for loss in ("L2", "H1"):
        balance = arrays[f"{loss}_trained_output"] ** 2 - arrays[f"{loss}_trained_norm"] ** 2
        np.testing.assert_allclose(balance, (output**2 - norm**2)[:, None] + 0 * balance, atol=1e-6)
        fixed = arrays[f"{loss}_fixed_output"]
        np.testing.assert_array_equal(fixed, output[:, None] + 0 * fixed)
        end = arrays[f"{loss}_trained_norm"][:, -1] * arrays[f"{loss}_trained_output"][:, -1]
        np.testing.assert_allclose(end, 1.0, atol=1e-6)


def test_the_figure_keeps_to_the_page(arrays):
    assert_within_the_page(output_weight_flows.draw(arrays))
