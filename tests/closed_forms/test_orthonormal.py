"""The slice of an orthonormal teacher against the networks it consists of, and its fixed points."""

import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import Kind, orthonormal

READINGS = [(st.L2, "loss"), (st.H1, "population"), (st.H1, "loss"), (st.SobolevLoss((0.3, 1.2)), "loss")]
GRADIENTS = {"loss": st.loss_gradient, "population": st.population_gradient}
# Both sides of x = y and of y = 0, next to them and on them, and where all students are opposite to a teacher's sum.
POINTS = [(0.7, 0.3), (-0.4, 0.9), (1.0, 1e-9), (1.0, 0.0), (0.5, 0.5), (-0.3, -0.3), (0.4, -0.8), (0.0, 1.0)]


@pytest.mark.parametrize("n", [2, 3, 7])
@pytest.mark.parametrize(("loss", "of"), READINGS)
def test_loss_and_velocity_are_those_of_the_network(loss, of, n):
    teacher = st.Network(np.eye(n))
    for x, y in POINTS:
        student = orthonormal.student(x, y, n)
        exact = st.population_loss(student, teacher, loss)
        np.testing.assert_allclose(orthonormal.population_loss(x, y, n, loss), exact, atol=4e-15 * n**2)
        gradient = np.asarray(GRADIENTS[of](student, teacher, loss).weights)
        found = orthonormal.velocity(x, y, n, loss, of=of)
        expected = np.full((n, n), float(found.y)) + (found.x - found.y) * np.eye(n)  # the slice is invariant
        np.testing.assert_allclose(gradient, -expected, atol=4e-14, err_msg=f"at ({x}, {y})")


def test_arrays_of_points_are_taken_at_once():
    x, y = jnp.meshgrid(jnp.linspace(-1, 1, 5), jnp.linspace(0.1, 1, 4))
    found = orthonormal.velocity(x, y, 4)
    alone = orthonormal.velocity(x[2, 3], y[2, 3], 4)
    assert found.x.shape == x.shape
    np.testing.assert_allclose([found.x[2, 3], found.y[2, 3]], [alone.x, alone.y], rtol=1e-14)


@pytest.mark.parametrize("n", [2, 3, 6, 8, 50])
@pytest.mark.parametrize(("loss", "of"), READINGS)
def test_nothing_moves_at_a_fixed_point(loss, of, n):
    for point in orthonormal.fixed_points(n, loss, of=of):
        velocity = orthonormal.velocity(point.x, point.y, n, loss, of=of)
        np.testing.assert_allclose([velocity.x, velocity.y], 0.0, atol=1e-12)


@pytest.mark.parametrize("n", [3, 6])
@pytest.mark.parametrize(("loss", "of"), READINGS)
def test_rates_are_those_at_which_the_flow_leaves_and_returns(loss, of, n):
    """By one-sided differences, along x = y at its saddles, and in both eigenvectors off all kinks."""
    teacher, reflected, *saddles = orthonormal.fixed_points(n, loss, of=of)

    def velocity(x, y):
        return np.array([float(part) for part in orthonormal.velocity(x, y, n, loss, of=of)])

    h = 1e-6
    columns = [
        (velocity(reflected.x + dx, reflected.y + dy) - velocity(reflected.x, reflected.y)) / h
        for dx, dy in ((h, 0), (0, h))
    ]
    values = np.sort(np.linalg.eigvals(np.stack(columns, axis=1)).real)[::-1]
    np.testing.assert_allclose(reflected.rates, values, rtol=1e-4)
    for saddle in saddles:
        along = velocity(saddle.x + h, saddle.y + h)[0] / h
        np.testing.assert_allclose(min(saddle.rates), along, rtol=1e-4)
        x, y = velocity(saddle.x + h, saddle.y - h)
        if np.isinf(saddle.rates[0]):
            assert x - y > 0.05  # whatever the distance: the students repel each other
        else:
            # Of x - y alone, which along x = y is 0: an eigenvector's share of that does not count.
            np.testing.assert_allclose(saddle.rates[0], (x - y) / (2 * h), rtol=1e-4)
    assert (teacher.kind, reflected.kind) == (Kind.GLOBAL, Kind.MINIMUM)
    assert {saddle.kind for saddle in saddles} == {Kind.SADDLE}


def test_across_the_teachers_kink_the_loss_flow_is_held():
    point = orthonormal.fixed_points(5, st.H1, of="loss")[0]
    assert point.rates[1] == -np.inf
    above, below = (float(orthonormal.velocity(1.0, y, 5, st.H1).y) for y in (1e-9, -1e-9))
    assert above < -0.05 < 0.05 < below
    slide = orthonormal.velocity(1.0 + 1e-6, 0.0, 5, st.H1)
    np.testing.assert_allclose(float(slide.x) / 1e-6, point.rates[0], rtol=1e-5)


def test_two_neurons_reflected_are_the_teacher_in_the_other_order():
    teacher, reflected, *_ = orthonormal.fixed_points(2, st.L2)
    assert (reflected.x, reflected.y, reflected.rates) == (0.0, 1.0, teacher.rates)
    np.testing.assert_allclose(teacher.loss, 0.0, atol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1}, "n: got 1; needs a whole number >= 2"),
        ({"of": "sample"}, "of: got 'sample'"),
        ({"loss": st.H2}, "loss: got order 2; needs at most 1"),
        ({"loss": st.SobolevLoss((0.0,))}, "needs a positive one"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        orthonormal.fixed_points(**{"n": 3, "loss": st.L2, **arguments})
