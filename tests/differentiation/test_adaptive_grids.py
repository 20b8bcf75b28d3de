"""Adaptive orders on a grid: the estimate bounds the error, where samples are smooth and at a kink."""

import numpy as np
import pytest

from sobolev_theory.differentiation import ToleranceNotMetError, adaptive_grids
from sobolev_theory.differentiation import finite_differences as fd

EPS = float(np.finfo(np.float64).eps)
GRID = np.asarray(fd.grid(201, (-2.0, 2.0)))
FUNCTIONS = {  # with their derivatives
    "sin 3x": (lambda x: np.sin(3 * x), lambda x: 3 * np.cos(3 * x)),
    "sin 30x": (lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x)),
    "Runge": (lambda x: 1 / (1 + 25 * x**2), lambda x: -50 * x / (1 + 25 * x**2) ** 2),
    "far": (lambda x: 1e3 + np.tanh(x), lambda x: 1 / np.cosh(x) ** 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_estimate_bounds_the_error(name):
    function, slope = FUNCTIONS[name]
    found = adaptive_grids.derivative(function(GRID), interval=(-2.0, 2.0))
    assert np.all(abs(np.asarray(found.value) - slope(GRID)) <= np.asarray(found.error))


def test_orders_are_high_where_smooth_and_the_kink_is_reported():
    found = adaptive_grids.derivative(abs(GRID - 0.013), interval=(-2.0, 2.0))
    value, bound = np.asarray(found.value), np.asarray(found.error)
    error = abs(value - np.sign(GRID - 0.013))
    assert error.max() > 0.1
    assert np.all(error <= bound)
    away = abs(GRID - 0.013) > 0.5
    assert np.max(bound[away]) < 1e-11  # rounding of samples of size 2, over the spacing 0.02


def test_each_line_of_any_axis_is_on_its_own():
    u = np.stack([np.sin(3 * GRID), np.exp(GRID)], axis=1)
    found = adaptive_grids.derivative(u, interval=(-2.0, 2.0), axis=0)
    alone = adaptive_grids.derivative(u[:, 1], interval=(-2.0, 2.0))
    np.testing.assert_array_equal(np.asarray(found.accuracy)[:, 1], alone.accuracy)
    # Compiled for another shape, sums of samples of size 8 over the spacing 0.02 may round in another order.
    np.testing.assert_allclose(np.asarray(found.value)[:, 1], alone.value, rtol=0, atol=4 * EPS * 8 / 0.02)


def test_a_tolerance_that_cannot_be_met_names_the_place():
    message = r"needs at least .* index \[(9[6-9]|10[0-5])\] with accuracy"  # around the kink, at 100 or 101
    with pytest.raises(ToleranceNotMetError, match=message):
        adaptive_grids.derivative(abs(GRID - 0.013), interval=(-2.0, 2.0), tolerance=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 0}, "order: got 0"),
        ({"highest_accuracy": 5}, "accuracy: got 5; needs an even number"),
        ({"tolerance": -1.0}, "tolerance: got -1.0"),
        ({"interval": (1.0, 0.0)}, r"interval: got \(1.0, 0.0\)"),
        ({"highest_accuracy": 100}, "u: got 201 points along the axis; needs at least 202"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        adaptive_grids.derivative(GRID, **{"interval": (-2.0, 2.0), **arguments})
