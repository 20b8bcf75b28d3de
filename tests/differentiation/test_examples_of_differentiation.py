"""The examples in the docstrings."""

import doctest

import jax
import pytest

from sobolev_theory import differentiation


@pytest.mark.parametrize("name", ["adaptive", "adaptive_grids", "chebyshev", "finite_differences", "fourier"])
def test_examples_are_right_in_single_precision(name):
    module = getattr(differentiation, name)
    with jax.enable_x64(False):
        result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
