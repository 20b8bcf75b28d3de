"""Condition numbers are shown where all curvature is positive."""

import numpy as np

from figures.measures.conditioning import where_positive


def test_a_condition_number_needs_positive_eigenvalues():
    eigenvalues = np.array([[0.5, 2.0, np.nan], [-0.5, 2.0, np.nan], [0.0, 1.0, 1.0], [0.5 + 2j, 0.5 - 2j, 1.0]])
    np.testing.assert_array_equal(where_positive(np.full(4, 4.0), eigenvalues), [4.0, np.nan, np.nan, 4.0])
