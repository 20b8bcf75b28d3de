"""Spectra in all parameters against differences of the public gradients; what a change of scale leaves at 0."""

import numpy as np
import pytest

import sobolev_theory as st

TRAIN = ("weights", "output_weights")
RNG = np.random.default_rng(7)
STUDENT = st.Network(RNG.normal(size=(2, 5)), [0.8, -0.5])
TEACHER = st.Network(RNG.normal(size=(2, 5)), [1.0, 0.7])
POINTS = {"a critical point": TEACHER, "elsewhere": STUDENT}

pytestmark = pytest.mark.xdist_group("parameter spectra")


def differences(student, gradient):
    """The Jacobian in weights and output weights, in all d dimensions, by central differences."""
    x, h = np.concatenate([np.ravel(student.weights), student.output_weights]), 1e-5

    def at(x):
        found = gradient(st.Network(x[:10].reshape(2, 5), x[10:]))
        return np.concatenate([np.ravel(found.weights), found.output_weights])

    return np.stack([(at(x + step) - at(x - step)) / (2 * h) for step in h * np.eye(x.size)], axis=1)


@pytest.mark.parametrize("place", POINTS)
def test_the_spectrum_in_all_parameters_is_that_of_the_jacobian_in_all_dimensions(place):
    student = POINTS[place]
    found = st.spectrum(student, TEACHER, st.H1, of="population", train=TRAIN)
    dense = differences(student, lambda one: st.population_gradient(one, TEACHER, st.H1))
    values = np.repeat(np.asarray(found.values), np.asarray(found.multiplicities))
    expected = np.linalg.eigvals(dense)
    assert values.size == expected.size == 2 * 5 + 2
    for value in values:  # at a critical point 0 is a value of all its multiplicity, known to half the digits
        assert np.min(np.abs(expected - value)) < (1e-4 if place == "a critical point" else 1e-7)
    rtol = (
        1e-5 if place == "a critical point" else 1e-8
    )  # at the teacher it is differentiable once: errors of the step
    np.testing.assert_allclose(values.sum(), np.trace(dense), rtol=rtol)
    np.testing.assert_allclose((values**2).sum(), np.trace(dense @ dense), rtol=rtol)
    assert int(found.gauge) == (2 if place == "a critical point" else 0)
    assert int(found.flat) == 0


def test_directions_of_scale_are_told_from_flat_ones_and_do_not_count():
    found = st.spectrum(TEACHER, TEACHER, st.L2, train=TRAIN)
    values = np.asarray(found.values)
    assert (int(found.gauge), int(found.flat), int(np.sum(values == 0))) == (2, 0, 2)
    least = values[values > 0].min()
    for definition in ("eigenvalue_ratio", "two_norm"):
        condition = st.condition_number(TEACHER, TEACHER, st.L2, train=TRAIN, definition=definition)
        np.testing.assert_allclose(condition, values.max() / least, rtol=1e-10)
    np.testing.assert_allclose(st.largest_stable_step(TEACHER, TEACHER, st.L2, train=TRAIN), 2 / values.max())
    alike = st.Network(np.asarray(TEACHER.weights)[[0, 0]], [1.0, 0.7])  # copies: one may take from the other
    copies = st.spectrum(alike, alike, st.L2, train=TRAIN)
    assert (int(copies.gauge), int(copies.flat)) == (2, 5)
    assert not np.isfinite(st.condition_number(alike, alike, st.L2, train=TRAIN))


def test_the_transpose_takes_directions_of_scale_to_0_too():
    """So that no definition of the condition number mixes them with others, if the Jacobian is not symmetric."""
    blocks = st.spectrum(TEACHER, TEACHER, st.H1, of="population", train=TRAIN).blocks
    w, a = np.asarray(blocks.reduction.reduce(TEACHER).weights), np.asarray(TEACHER.output_weights)
    scale = np.concatenate([w[0], 0 * w[1], -a * [1, 0]])
    matrix = np.asarray(blocks.in_span)
    assert np.abs(matrix - matrix.T).max() > 1e-2
    np.testing.assert_allclose([matrix @ scale, scale @ matrix], 0.0, atol=1e-13)
    found = st.condition_number(TEACHER, TEACHER, st.H1, of="population", train=TRAIN, definition="symmetric_part")
    sizes = [np.abs(np.linalg.eigvalsh((x + x.T) / 2)) for x in (matrix, np.asarray(blocks.orthogonal))]
    sizes = np.sort(np.concatenate(sizes))
    np.testing.assert_allclose(found, sizes[-1] / sizes[2], rtol=1e-10)


def test_blocks_have_names():
    blocks = st.spectrum(TEACHER, TEACHER, st.L2, train=TRAIN).blocks
    in_weights = st.spectrum(TEACHER, TEACHER, st.L2).blocks
    np.testing.assert_allclose(blocks.named("weights", "weights"), in_weights.in_span, atol=1e-13)
    mixed = np.asarray(blocks.named("weights", "output_weights"))
    assert mixed.shape == (8, 2)
    np.testing.assert_allclose(mixed, blocks.named("output_weights", "weights").T, atol=1e-14)
    with pytest.raises(ValueError, match="row: got 'biases'; needs one of 'weights', 'output_weights'"):
        blocks.named("biases", "weights")


def test_what_the_student_does_not_have_is_named():
    with pytest.raises(ValueError, match="train: got 'biases'"):
        st.spectrum(STUDENT, TEACHER, train="biases")
    with pytest.raises(ValueError, match="train: got the spectrum"):
        st.spectrum(TEACHER, TEACHER, st.L2, train=TRAIN).eigenpairs()
