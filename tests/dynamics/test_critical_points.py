"""Critical points of known kind and curvature."""

import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import Kind, orthonormal

# Of five to eight neurons, as all of these problems: they share a program.
TEACHER = st.Network(np.eye(5, 6))
NEAR = st.Network(TEACHER.weights + 0.01 * np.random.default_rng(0).standard_normal((5, 6)))
READINGS = {"L2": (st.L2, "loss"), "H1 population": (st.H1, "population"), "H1 loss": (st.H1, "loss")}


@pytest.mark.parametrize(
    ("name", "ray", "smallest"),
    [
        ("L2", None, 1 / 4 - 1 / (2 * np.pi)),
        ("H1 population", None, 1 / 2 - 1 / np.pi),
        ("H1 loss", range(5), None),
    ],
)
def test_at_an_orthonormal_teacher_the_curvature_is_the_one_proved(name, ray, smallest):
    loss, of = READINGS[name]
    point = st.critical_point(NEAR, TEACHER, loss, of=of, ray=None if ray is None else np.array(ray))
    assert point.kind is Kind.GLOBAL
    assert point.residual <= 1e-13
    np.testing.assert_allclose(point.student.weights, TEACHER.weights, atol=1e-12)
    np.testing.assert_allclose(point.moved, np.linalg.norm(NEAR.weights - TEACHER.weights), rtol=1e-9)
    if smallest is not None:
        np.testing.assert_allclose(point.smallest, smallest, rtol=1e-9)
    else:
        assert point.smallest > 0


@pytest.mark.parametrize(
    ("name", "n", "kind"), [("L2", 6, Kind.MINIMUM), ("H1 population", 6, Kind.MINIMUM), ("H1 loss", 5, Kind.SADDLE)]
)
def test_the_reflected_teacher_is_a_spurious_minimum_from_six_neurons_on(name, n, kind):
    """The eigenvalue is that of second differences of the loss, of which it is one off all kinks."""
    loss, of = READINGS[name]
    on_slice = orthonormal.fixed_points(n, loss, of=of)[1]
    student, teacher = orthonormal.student(on_slice.x, on_slice.y, n), st.Network(np.eye(n))
    point = st.critical_point(student, teacher, loss, of=of)
    assert point.kind is kind
    assert point.moved < 1e-9
    np.testing.assert_allclose(point.loss, on_slice.loss, rtol=1e-10)
    if of == "loss":
        hessian = np.asarray(st.loss_hessian(student, teacher, loss)).reshape(n * n, n * n)
        np.testing.assert_allclose(point.smallest, np.linalg.eigvalsh(hessian)[0], atol=1e-10)


BOTH = ("weights", "output_weights")


@pytest.mark.parametrize("name", READINGS)
def test_where_output_weights_train_curvature_leaves_out_what_only_changes_scale(name):
    """Next to an orthonormal teacher rescaled, against the spectrum of all that trains."""
    loss, of = READINGS[name]
    start, ray = (
        st.Network(1.2 * np.asarray(NEAR.weights), np.full(5, 0.8)),
        np.arange(5) if name == "H1 loss" else None,
    )
    point = st.critical_point(start, TEACHER, loss, of=of, train=BOTH, ray=ray)
    assert point.kind is Kind.GLOBAL
    a = np.asarray(point.student.output_weights)
    np.testing.assert_allclose(a[:, None] * np.asarray(point.student.weights), TEACHER.weights, atol=1e-12)
    kept = [
        np.asarray(x.output_weights) ** 2 - np.sum(np.asarray(x.weights) ** 2, axis=1) for x in (start, point.student)
    ]
    np.testing.assert_allclose(*kept, atol=1e-12)
    changes = np.asarray(point.student.weights - start.weights), a - 0.8
    np.testing.assert_allclose(point.moved, np.hypot(*map(np.linalg.norm, changes)), rtol=1e-9)
    if ray is None:
        spectrum = st.spectrum(point.student, TEACHER, loss, of=of, train=BOTH)
        values = np.sort(np.asarray(spectrum.values).real)
        assert int(spectrum.gauge) == 5
        np.testing.assert_allclose(point.smallest, values[5], rtol=1e-9)


def test_a_student_of_one_neuron_too_many_is_found_to_be_global_where_output_weights_train():
    """Two that share a teacher neuron: the gradient vanishes to second order, and scales are free."""
    weights = np.concatenate([np.eye(5, 6), np.eye(1, 6)]) * np.array([[0.6], *4 * [[1.0]], [0.4]])
    start = st.Network(weights + 0.01 * np.random.default_rng(1).standard_normal((6, 6)))
    for loss, of in (READINGS["L2"], READINGS["H1 population"]):
        point = st.critical_point(start, TEACHER, loss, of=of, train=BOTH)
        assert (point.kind, point.smallest) == (Kind.GLOBAL, 0.0)
        assert point.residual <= 1e-13


@pytest.mark.parametrize("train", ["weights", BOTH], ids=str)
def test_on_rays_curvature_is_along_the_lines_alone(train):
    """It grows with the loss, also beyond what holds neurons there."""
    found = [
        st.critical_point(TEACHER, TEACHER, st.SobolevLoss((size, size)), train=train, ray=range(5)).smallest
        for size in (1e-2, 1e2)
    ]
    np.testing.assert_allclose(found[1] / found[0], 1e4, rtol=1e-9)


@pytest.mark.parametrize("teacher", np.eye(2)[:, None])
def test_a_neuron_that_is_nothing_is_a_saddle_in_every_frame(teacher):
    """It has no scale to change."""
    nothing = st.Network([[0.0, 0.0]], [0.0], activation=st.Identity())
    point = st.critical_point(nothing, st.Network(teacher, activation=st.Identity()), st.L2, train=BOTH)
    assert point.kind is Kind.SADDLE
    np.testing.assert_allclose(point.smallest, -1.0, rtol=1e-12)


def test_of_output_weights_alone_the_critical_point_is_the_best_fit():
    point = st.critical_point(NEAR, TEACHER, st.L2, train="output_weights")
    np.testing.assert_array_equal(point.student.weights, NEAR.weights)
    np.testing.assert_allclose(st.loss_gradient(point.student, TEACHER, st.L2).output_weights, 0.0, atol=1e-13)
    assert point.kind is Kind.MINIMUM


def test_copies_of_a_teacher_neuron_are_found_to_be_global_although_flat():
    """Two students next to one teacher neuron: a line of minima, where the gradient vanishes to second order."""
    weights = np.concatenate([np.eye(5, 6), np.eye(1, 6)]) * np.array([[0.6], *4 * [[1.0]], [0.4]])
    start = st.Network(weights + 0.01 * np.random.default_rng(1).standard_normal((6, 6)))
    point = st.critical_point(start, TEACHER, st.L2)
    assert point.kind is Kind.GLOBAL
    assert point.residual <= 1e-13


def test_a_ray_of_a_teacher_neuron_that_is_0_is_refused():
    with pytest.raises(ValueError, match=r"ray: got \[1, -1\], with a teacher neuron that is 0"):
        st.critical_point(st.Network(np.eye(2)), st.Network([[1.0, 0.0], [0.0, 0.0]]), ray=[1, -1])


def test_far_from_any_critical_point_in_few_steps_there_is_none():
    point = st.critical_point(st.Network(3 * np.asarray(NEAR.weights)), TEACHER, st.L2, max_steps=2)
    assert point.kind is Kind.NONE
    assert point.residual > 1e-13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ray": np.array([0, 1])}, r"ray: got shape \(2,\)"),
        ({"ray": np.array([0, 1, 2, 3, 5])}, "needs teacher neurons 0 ... 4, or -1"),
        ({"ray": np.arange(5.0)}, "of float64; needs integers"),
        ({"of": "sample"}, "of: got 'sample'"),
        ({"train": "biases"}, "train: got 'biases', and a student without biases"),
        ({"tolerance": np.nan}, "tolerance: got nan; needs a finite number >= 0"),
        ({"max_steps": 0}, "max_steps: got 0; needs a whole number >= 1"),
        ({"loss": st.H2}, "needs order at most 1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        st.critical_point(NEAR, TEACHER, **{"loss": st.L2, **arguments})


def test_in_single_precision_kinds_are_those_of_double_precision():
    """Its rounding is no slope and no saddle: the tolerance and the zero eigenvalues are those of the precision."""
    near, teacher = (st.Network(np.asarray(network.weights[:3, :4], np.float32)) for network in (NEAR, TEACHER))
    for student in (near, st.Network(np.concatenate([0.5 * teacher.weights[:1], 0.5 * teacher.weights[:1]]))):
        found = st.critical_point(student, teacher if student is near else st.Network(teacher.weights[:1]), st.L2)
        assert found.kind is Kind.GLOBAL
