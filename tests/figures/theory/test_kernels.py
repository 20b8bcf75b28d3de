"""What the figure of kernels shows: normalised duals, orders that exist, conditioning by the order of the loss."""

import matplotlib
import numpy as np
import pytest

import sobolev_theory as st
from figures import style
from figures.theory import kernels
from tests.figures.helpers import assert_within_the_page

pytestmark = pytest.mark.xdist_group("kernels-figure")  # they share what one worker computes
FAMILY = {name: k for k, name in enumerate(kernels.FAMILIES)}


@pytest.fixture(scope="module")
def data():
    return kernels.data(angles=12)


def test_shapes(data):
    shapes = {name: array.shape for name, array in data.items()}
    assert shapes == {"theta": (13,), "kernel": (11, 3, 13), "angle": (12,), "condition": (4, 5, 12)}


def test_kernels_are_relative_to_equal_neurons_and_missing_where_the_order_is(data):
    kernel = data["kernel"]
    for name, activation in kernels.FAMILIES.items():
        exists = [activation.highest_order is None or m <= activation.highest_order for m in kernels.ORDERS]
        assert [bool(np.isfinite(row).all()) for row in kernel[FAMILY[name]]] == exists
    present = kernel[np.isfinite(kernel[:, :, 0])]
    # Positive definite kernels on the circle are largest where the neurons are equal.
    assert np.all(np.abs(present) <= 1 + 1e-14)
    np.testing.assert_array_equal(present[:, 0], 1.0)


def test_relu_has_the_arc_cosine_kernels(data):
    theta = data["theta"]
    np.testing.assert_allclose(data["kernel"][FAMILY["ReLU"], 1], 1 - theta / np.pi, atol=1e-15)


def test_relu_is_conditioned_as_the_paper_says(data):
    sin = np.sin(data["angle"])
    # A few eps times the ratio, at most 3.
    np.testing.assert_allclose(data["condition"][0, 0], 1 / (1 - 2 * sin / np.pi), rtol=1e-13)
    np.testing.assert_allclose(data["condition"][0, 1], 1 / (1 - 3 * sin / (2 * np.pi)), rtol=1e-13)


def test_higher_orders_help_near_the_teacher_and_hurt_on_the_way_for_higher_powers(data):
    for power in kernels.POWERS[1:]:
        l2, h1 = data["condition"][power - 1, :2]
        assert h1[0] < l2[0]
        assert h1.max() > l2.max()


def test_conditions_exist_for_orders_up_to_the_power(data):
    finite = np.isfinite(data["condition"]).all(axis=2)
    np.testing.assert_array_equal(finite, [[s <= power for s in range(5)] for power in kernels.POWERS])


def test_it_is_drawn_within_the_page(data):
    figure = kernels.draw(data)
    with matplotlib.rc_context(style.SETTINGS):
        assert_within_the_page(figure)


def test_a_single_angle_is_refused():
    with pytest.raises(ValueError, match="angles: got 1; needs at least 2"):
        kernels.data(angles=1)


def test_families_are_activations():
    assert all(isinstance(activation, st.Activation) for activation in kernels.FAMILIES.values())
