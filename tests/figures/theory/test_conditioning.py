"""What the conditioning figure shows: the claims of the one-neuron theory, per definition, and how it is drawn."""

import matplotlib
import numpy as np
import pytest

import sobolev_theory as st
from figures import style
from figures.theory import conditioning
from tests.figures.helpers import assert_within_the_page

pytestmark = pytest.mark.xdist_group("conditioning")  # they share what one worker computes
EPS = np.finfo(float).eps
L2, POPULATION, LOSS = range(3)
RATIO, TWO_NORM, SYMMETRIC = range(3)
HALF, ONE, TWO, FOUR = range(4)


@pytest.fixture(scope="module")
def data():
    return conditioning.data(angles=180)


@pytest.fixture(scope="module")
def figure(data):
    return conditioning.draw(data)


def test_shapes(data):
    shapes = {name: array.shape for name, array in data.items()}
    assert shapes == {
        "rho": (4,),
        "theta": (180,),
        "matrix": (3, 4, 180, 3, 3),
        "eigenvalue": (3, 4, 180, 3),
        "condition": (3, 3, 4, 180),
    }


def test_eigenvalues_are_those_of_the_matrices(data):
    by_numpy = np.linalg.eigvals(data["matrix"])
    # eps |A| times the condition of the eigenvectors, which is about 1 / (3 sin theta) < 40 for H1 population.
    error = np.abs(np.sort(by_numpy, axis=-1) - np.sort(data["eigenvalue"], axis=-1))
    assert np.all(error <= 40 * 8 * EPS * np.linalg.norm(data["matrix"], axis=(-2, -1))[..., None])


@pytest.mark.parametrize(
    ("index", "exact", "loss"),
    [
        (L2, st.population_jacobian, st.L2),
        (L2, st.loss_hessian, st.L2),
        (POPULATION, st.population_jacobian, st.H1),
        (LOSS, st.loss_hessian, st.H1),
    ],
)
def test_matrices_are_those_of_the_general_theory(data, index, exact, loss):
    for t in (3, 90, 170):
        theta = data["theta"][t]
        teacher = st.Network(4 * np.array([np.cos(theta), np.sin(theta), 0.0]))
        general = np.asarray(exact(st.Network([1.0, 0.0, 0.0]), teacher, loss))[0, :, 0, :]
        # A few rounding errors; the direction e carries eps / sin(theta).
        tolerance = 16 * EPS / np.sin(theta) * np.abs(general).max()
        np.testing.assert_allclose(data["matrix"][index, FOUR, t], general, rtol=0, atol=tolerance)


def test_only_the_population_jacobian_of_h1_is_not_symmetric(data):
    asymmetry = np.abs(data["matrix"] - np.swapaxes(data["matrix"], -1, -2)).max((-2, -1))
    size = np.abs(data["matrix"]).max((-2, -1))
    assert np.all(asymmetry[[L2, LOSS]] <= 4 * EPS * size[[L2, LOSS]])  # rounding of a symmetric formula
    expected = data["rho"][:, None] * np.abs(np.cos(data["theta"])) / (2 * np.pi)  # of the entry (v, e)
    # The direction e carries eps / sin(theta).
    assert np.all(np.abs(asymmetry[POPULATION] - expected) <= 4 * EPS / np.sin(data["theta"]) * size[POPULATION])


def test_eigenvalue_ratio_of_the_population_jacobians(data):
    s = data["rho"][:, None] * np.sin(data["theta"]) / np.pi
    for index, least in ((L2, 1 - 2 * s), (POPULATION, 1 - 1.5 * s)):
        expected = np.where(least > 0, 1 / np.where(least > 0, least, 1), np.nan)
        ratio = data["condition"][RATIO, index]
        # The smallest eigenvalue has an error of a few eps, so its inverse one of a few eps times itself squared.
        np.testing.assert_array_less(np.abs(ratio - expected)[least > 0], 8 * EPS * expected[least > 0] ** 2)
        np.testing.assert_array_equal(np.isnan(ratio), np.isnan(expected))


def test_h1_population_has_the_better_eigenvalue_ratio_wherever_both_exist(data):
    l2, h1 = data["condition"][RATIO, L2], data["condition"][RATIO, POPULATION]
    both = ~np.isnan(l2)
    assert np.all(h1[both] < l2[both])
    assert np.all(np.isfinite(h1[TWO]))  # where L2 has lost it
    assert np.any(np.isnan(l2[TWO]))


@pytest.mark.parametrize("definition", [TWO_NORM, SYMMETRIC])
def test_h1_population_is_worse_near_both_ends_in_definitions_that_see_non_normality(data, definition):
    l2, h1 = data["condition"][definition, L2, ONE], data["condition"][definition, POPULATION, ONE]
    near_end = np.minimum(data["theta"], np.pi - data["theta"])
    assert np.all(h1[near_end < 0.1 * np.pi] > l2[near_end < 0.1 * np.pi])
    assert np.all(h1[near_end > 0.12 * np.pi] < l2[near_end > 0.12 * np.pi])


def test_limits_of_the_h1_population_condition_numbers_at_alignment(data):
    rho = data["rho"][:3]
    c = rho / (2 * np.pi)  # the Jacobian tends to I - c v e'
    limits = {TWO_NORM: (c / 2 + np.sqrt(1 + c**2 / 4)) ** 2, SYMMETRIC: (1 + c / 2) / (1 - c / 2)}
    for definition, limit in limits.items():
        first = data["condition"][definition, POPULATION, :3, 0]
        # Of first order in theta, with a slope below 3 c times the limit squared.
        assert np.all(np.abs(first - limit) <= 3 * c * limit**2 * data["theta"][0])


def test_loss_hessian_of_h1_is_conditioned_like_l2_in_the_middle_and_worse_outside(data):
    l2, h1 = data["condition"][RATIO, L2, ONE], data["condition"][RATIO, LOSS, ONE]
    middle = np.abs(data["theta"] - np.pi / 2) < np.pi / 4
    np.testing.assert_allclose(h1[middle], l2[middle], rtol=16 * EPS)  # two roundings of one quotient
    assert np.all(h1[~middle] > l2[~middle] * (1 + 1e-3))  # they part linearly in theta from pi/4, steps of pi/180


def test_orthogonal_eigenvalue_of_the_loss_hessian_diverges_like_one_over_the_angle(data):
    theta = data["theta"][0]
    times_theta = data["eigenvalue"][LOSS, :, 0, 2] * 2 * np.pi * theta / data["rho"]
    assert np.all(np.abs(times_theta - 1) <= 2 * np.pi * theta / data["rho"] + theta**2 * 2)  # the next terms


def test_ratio_is_undefined_exactly_where_an_eigenvalue_is_not_positive(data):
    positive = np.all(data["eigenvalue"] > 0, axis=-1)
    np.testing.assert_array_equal(np.isnan(data["condition"][RATIO]), ~positive)


def test_definitions_are_those_of_the_library(data):
    t = 20
    theta = data["theta"][t]
    student, teacher = st.Network([1.0, 0.0, 0.0]), st.Network([np.cos(theta), np.sin(theta), 0.0])
    for index, loss, of in ((L2, st.L2, "population"), (POPULATION, st.H1, "population"), (LOSS, st.H1, "loss")):
        for number, definition in enumerate(conditioning.DEFINITIONS):
            value = st.condition_number(student, teacher, loss, of=of, definition=definition)
            shown = data["condition"][number, index, ONE, t]
            assert shown == pytest.approx(float(value), rel=100 * EPS)  # rounding of two eigensolvers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rho": ()}, "rho: got "),
        ({"rho": (1.0, -1.0)}, "rho: got "),
        ({"rho": (float("nan"),)}, "rho: got "),
        ({"angles": 1}, "angles: got 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        conditioning.data(**arguments)


def test_nine_lettered_panels(figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title[:3] for title in titles] == [f"({letter})" for letter in "abcdefghi"]
    assert all(rf"\rho = {rho}" in title for title, rho in zip(titles, 6 * ["1"] + ["0.5", "2", "4"], strict=True))


def test_curves_are_the_data(data, figure):
    for index, axes in enumerate(figure.axes[:3]):
        drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
        for direction, values in zip(conditioning.DIRECTIONS, data["eigenvalue"][index, ONE].T, strict=True):
            np.testing.assert_array_equal(drawn[direction], values)
    shown = [(d, ONE) for d in range(3)] + [(RATIO, r) for r in (HALF, TWO, FOUR)]
    for (definition, rho), axes in zip(shown, figure.axes[3:], strict=True):
        drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
        for index, name in enumerate(conditioning.MATRICES):
            values = data["condition"][definition, index, rho]
            np.testing.assert_array_equal(drawn[style.MATRIX_LABELS[name]], values)


def test_each_loss_has_one_colour_and_each_semantics_of_h1_one_line(figure):
    for axes in figure.axes[3:]:
        l2, population, loss = axes.lines
        assert l2.get_color() == style.COLOURS["L2"]
        assert population.get_color() == loss.get_color() == style.COLOURS["H1"]
        assert population.get_linestyle() != loss.get_linestyle()


def test_legends_name_every_curve_and_shade(figure):
    labels = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    shades = [label for label, _ in conditioning.INDEFINITE.values()]
    assert labels == [*style.MATRIX_LABELS.values(), *conditioning.BETTER, *shades]


def test_indefinite_angles_are_shaded(data, figure):
    at_two = figure.axes[7]  # rho = 2
    lighter, darker = at_two.collections
    assert lighter.get_label() == conditioning.INDEFINITE["L2"][0]
    undefined = data["theta"][np.isnan(data["condition"][RATIO, L2, TWO])]
    box = lighter.get_paths()[0].get_extents()
    assert (box.x0, box.x1) == (undefined[0], undefined[-1])
    assert not darker.get_paths()  # H1 population is positive there


def test_nothing_is_cut_off(figure):
    assert_within_the_page(figure)


def test_drawing_leaves_matplotlib_settings_alone(data):
    before = dict(matplotlib.rcParams)
    conditioning.draw(data)
    assert dict(matplotlib.rcParams) == before
