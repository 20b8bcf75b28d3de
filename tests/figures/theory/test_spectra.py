"""What the figure of spectra shows: exact spectra of a true flow, every direction counted once."""

import numpy as np
import pytest

import sobolev_theory as st
from figures import style
from figures.theory import spectra
from tests.figures.helpers import assert_within_the_page

pytestmark = pytest.mark.xdist_group("spectra")  # they share what one worker computes
TIMES, NEURONS, FLOW_NEURONS = (0.0, 0.5, 0.5 + 1e-3, 0.5 + 2e-3), (2, 3), 2
L2, POPULATION, LOSS = range(3)


@pytest.fixture(scope="module")
def data():
    return spectra.data(TIMES, NEURONS, FLOW_NEURONS)


@pytest.fixture(scope="module")
def figure(data):
    return spectra.draw(data)


def test_every_direction_is_counted_once(data):
    assert np.all(data["multiplicity"].sum(-1) == FLOW_NEURONS * 4 * FLOW_NEURONS)
    assert data["near_multiplicity"].sum(-1).tolist() == [count * 4 * count for count in NEURONS]


def test_filled_up_entries_are_nan_and_no_others(data):
    assert not np.any(np.isnan(data["eigenvalue"]))
    nan = np.isnan(data["near_eigenvalue"])
    np.testing.assert_array_equal(nan, np.broadcast_to(data["near_multiplicity"][:, None] == 0, nan.shape))


@pytest.mark.parametrize(
    ("index", "matrix", "loss"),
    [(L2, st.loss_hessian, st.L2), (POPULATION, st.population_jacobian, st.H1), (LOSS, st.loss_hessian, st.H1)],
)
def test_values_near_the_teacher_are_those_of_the_dense_matrix(data, index, matrix, loss):
    student, teacher = spectra.networks(NEURONS[0], spectra.NEAR)
    size = student.weights.size
    dense = np.linalg.eigvals(np.asarray(matrix(student, teacher, loss)).reshape(size, size))
    kept = data["near_multiplicity"][0] > 0
    ours = np.repeat(data["near_eigenvalue"][0, index][kept], data["near_multiplicity"][0][kept])
    # eps |A| = 1e-15, times the condition of eigenvalues of a matrix that is not normal; their copies are equal.
    np.testing.assert_allclose(np.sort(ours.real), np.sort(dense.real), rtol=0, atol=1e-12)


def test_the_flow_descends_along_the_population_gradient():
    (_, before, now, after), teacher = spectra.flow(TIMES, FLOW_NEURONS)
    velocity = (after.weights - before.weights) / (TIMES[3] - TIMES[1])
    gradient = st.population_gradient(now, teacher, st.H1).weights
    # Central difference over h = 1e-3: h^2 / 6 times a third derivative of order 1, and 1e-8 / h of the integrator.
    np.testing.assert_allclose(velocity, -gradient, rtol=0, atol=3e-5)
    assert np.abs(gradient).max() > 0.1


def test_the_flow_approaches_the_teacher(data):
    assert data["distance"][0] == pytest.approx(spectra.START * np.sqrt(FLOW_NEURONS), rel=1e-14)
    assert np.all(np.diff(data["distance"]) < 0)


def test_shares_are_weighted_by_multiplicity():
    values, multiplicity = np.array([0.1, 0.9 + 2j, 0.95, np.nan]), np.array([1, 2, 5, 0])
    shares = spectra.histogram(values, multiplicity, np.array([0.0, 0.5, 1.0]))
    assert shares.tolist() == [1 / 8, 7 / 8]


def test_the_bins_hold_every_value(data):
    values = data["eigenvalue"]
    edges = spectra.bins(values)
    for matrix in range(3):
        shares = spectra.histogram(values[0, matrix], data["multiplicity"][0], edges)
        assert shares.sum() == pytest.approx(1, rel=1e-14)


def test_condition_numbers_are_ratios_of_the_extreme_values_where_all_are_positive(data):
    real = data["near_eigenvalue"].real
    positive = ~np.any(real <= 0, axis=-1)
    ratios = np.nanmax(real, axis=-1) / np.nanmin(real, axis=-1)
    # Rounding of the smallest eigenvalue, times the condition of eigenvalues of a matrix that is not normal.
    np.testing.assert_allclose(data["near_condition"][positive], ratios[positive], rtol=1e-10)
    assert np.all(np.isnan(data["near_condition"]) == ~positive)


def test_panels_draw_the_three_histograms_of_their_state(data, figure):
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == len(TIMES) + len(NEURONS)
    steps = [patch for patch in panels[0].patches if not patch.get_fill()]
    assert [patch.get_label() for patch in steps] == list(style.MATRIX_LABELS.values())
    for patch, values in zip(steps, data["eigenvalue"][0], strict=True):
        shares, edges, _ = patch.get_data()
        np.testing.assert_array_equal(shares, spectra.histogram(values, data["multiplicity"][0], edges))


def test_nothing_is_cut_off(figure):
    assert_within_the_page(figure)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": (1.0, 2.0)}, "times: got"),
        ({"times": (0.0, 2.0, 2.0)}, "times: got"),
        ({"neurons": (1, 2)}, "neurons: got"),
        ({"flow_neurons": 1}, "flow_neurons: got 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        spectra.data(**arguments)
