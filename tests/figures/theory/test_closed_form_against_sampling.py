"""What the sampling figure shows: errors as large as announced, the rate, and the wrong semantics levelling off."""

import matplotlib
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import sobolev_theory as st
from figures import style
from figures.theory import closed_form_against_sampling as figure_module
from tests.figures.helpers import assert_within_the_page

pytestmark = pytest.mark.xdist_group("sampling_figure")  # they share what one worker computes
LOSS, POPULATION_GRADIENT, LOSS_GRADIENT, JACOBIAN = range(4)
L2, H1 = range(2)


@pytest.fixture(scope="module")
def data():
    # Two sizes of whole batches, so that they share their compiled steps.
    return figure_module.data(samples=(2**14, 2**16), repetitions=12)


@pytest.fixture(scope="module")
def figure(data):
    return figure_module.draw(data)


def test_shapes(data):
    shapes = {name: array.shape for name, array in data.items()}
    by_samples = dict.fromkeys(("error", "error_bar", "predicted", "twin_error", "twin_bar"), (4, 2, 2))
    assert shapes == {"samples": (2,), "gap": (4, 2)} | by_samples


def test_errors_are_as_large_as_the_standard_errors_announce(data):
    # Bars are two standard errors; five of them, and the 16 numbers compared come from fixed keys.
    assert np.all(np.abs(data["error"] - data["predicted"]) <= 2.5 * data["error_bar"])


def test_error_bars_resolve_the_error(data):
    # Of a mean of 12 squares of one Gaussian the bar is sqrt(2 / 12) = 0.41 of the root, of many components less.
    assert np.all(data["error_bar"][JACOBIAN] < 0.15 * data["error"][JACOBIAN])
    assert np.all(data["error_bar"] < data["error"])


def test_announced_errors_halve_with_four_times_the_samples(data):
    # A standard error from 12 x 64 group means is itself known to 1 / sqrt(2 * 12 * 63) = 2.6 %: five of these.
    np.testing.assert_allclose(data["predicted"][..., 0] / data["predicted"][..., 1], 2, rtol=0.13)


def test_h1_estimates_level_off_at_the_gap_to_the_other_semantics(data):
    level = np.hypot(data["gap"][1:, H1, None], data["predicted"][1:, H1])
    assert np.all(
        np.abs(data["twin_error"][1:, H1] - level) <= 2.5 * data["twin_bar"][1:, H1]
    )  # five standard errors
    assert np.all(data["twin_error"][1:, H1, -1] > 10 * data["error"][1:, H1, -1])


def test_l2_has_one_semantics(data):
    # The two exact values differ by rounding, relative to errors of 1e-2.
    np.testing.assert_allclose(data["twin_error"][1:, L2], data["error"][1:, L2], rtol=1e-11)
    assert np.all(data["gap"][:, L2] <= 1e-14)


def test_the_loss_has_no_other_semantics(data):
    for name in ("twin_error", "twin_bar", "gap"):
        assert not np.any(data[name][LOSS])


def test_gap_of_the_gradients_is_the_boundary_term(data):
    student, teacher = figure_module.networks()
    boundary = np.linalg.norm(st.boundary_term(student, teacher))
    for function, exact in ((POPULATION_GRADIENT, st.population_gradient), (LOSS_GRADIENT, st.loss_gradient)):
        size = np.linalg.norm(ravel_pytree(exact(student, teacher))[0])
        # The gap is a difference of gradients some ten times as large: a few eps times ten.
        assert data["gap"][function, H1] == pytest.approx(boundary / size, rel=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"samples": ()}, "samples: got none"), ({"repetitions": 1}, "repetitions: got 1; needs at least 2")],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        figure_module.data(**arguments)


def test_four_lettered_panels_name_their_functions(figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    expected = zip("abcd", figure_module.TITLES.values(), strict=True)
    assert titles == [f"({letter})  {title}" for letter, title in expected]


def test_points_and_bars_are_the_data(data, figure):
    for f, axes in enumerate(figure.axes):
        drawn = {container.get_label(): container for container in axes.containers}
        assert set(drawn) == ({"L2", "H1"} if f == LOSS else {"L2", "H1", "H1 twin"})
        for m, name in enumerate(figure_module.LOSSES):
            _assert_drawn(drawn[name], data["samples"], data["error"][f, m], data["error_bar"][f, m])
            assert drawn[name].lines[0].get_color() == style.COLOURS[name]
        if f != LOSS:
            _assert_drawn(drawn["H1 twin"], data["samples"], data["twin_error"][f, H1], data["twin_bar"][f, H1])


def _assert_drawn(container, samples, values, bars):
    points, _, (vertical,) = container.lines
    np.testing.assert_array_equal(points.get_xdata(), samples)
    np.testing.assert_array_equal(points.get_ydata(), values)
    for segment, value, bar in zip(vertical.get_segments(), values, bars, strict=True):
        np.testing.assert_array_equal(segment[:, 1], [value - bar, value + bar])


def test_predicted_lines_fall_like_one_over_the_root(data, figure):
    for f, axes in enumerate(figure.axes):
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        for m, name in enumerate(figure_module.LOSSES):
            line = lines[f"{name} predicted"]
            assert line[-1] == data["predicted"][f, m, -1]
            assert line[0] == pytest.approx(2 * line[-1], rel=1e-15)  # a quarter of the samples


def test_losses_differ_in_colour_and_marker(figure):
    looks = {line.get_label(): (line.get_color(), line.get_marker()) for line in figure.legends[0].legend_handles}
    (colour, marker), (colour_, marker_) = looks["$L^2$"], looks["$H^1$"]
    assert colour != colour_
    assert marker != marker_


def test_nothing_is_cut_off(figure):
    assert_within_the_page(figure)


def test_drawing_leaves_matplotlib_settings_alone(data):
    before = dict(matplotlib.rcParams)
    figure_module.draw(data)
    assert dict(matplotlib.rcParams) == before
