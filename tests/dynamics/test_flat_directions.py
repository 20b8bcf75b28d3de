"""Eigenvalues that are 0, whatever sign rounding gives them: copies of neurons, more than the teacher has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.dynamics.zero_eigenvalues import conditions, is_zero

TWO = st.Network([[0.5, 0.0], [0.5, 0.0]]), st.Network([1.0, 0.0])
ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]


def split(teacher, shares):
    """The teacher's first neuron in several, of the same function; a share of 0 is a dead neuron."""
    first, *rest = np.asarray(teacher.weights)
    return st.Network(np.stack([share * first for share in shares] + rest))


TURNED = st.Network(ROTATION[:2])
# Four students each. In single precision one symmetric matrix and one that is not.
SHARES = [(0.2, 0.3, 0.5), (1.0, 0.0, 0.0), (0.2, 0.0, 0.8)]
READINGS = [
    (st.L2, "loss", np.float64),
    (st.L2, "population", np.float64),
    (st.H1, "population", np.float64),
    (st.L2, "loss", np.float32),
    (st.H1, "population", np.float32),
]


@pytest.mark.parametrize(("loss", "step"), [(st.L2, 2.0), (st.H1, 1.0)])
def test_two_neurons_for_one_have_the_step_of_the_directions_that_curve(loss, step):
    """Along (1, 1) and u the curvature is 2 * 1/2 per order; along (1, -1) there is none."""
    np.testing.assert_allclose(st.largest_stable_step(*TWO, loss), step, rtol=1e-12)


def test_four_neurons_for_two_have_the_step_of_the_directions_that_curve():
    """Blocks E[1[u.x > 0] 1[v.x > 0] x x']: 1/2 for one line, 1/4 + (uv' + vu')/(2 pi) at a right angle."""
    teacher = st.Network(np.eye(2, 3))
    u, v = np.eye(2, 3)
    same, other = np.eye(3) / 2, np.eye(3) / 4 + (np.outer(u, v) + np.outer(v, u)) / (2 * np.pi)
    blocks = [[same if (i < 3) == (j < 3) else other for j in range(4)] for i in range(4)]
    expected = 2 / np.linalg.eigvalsh(np.block(blocks))[-1]
    step = st.largest_stable_step(split(teacher, (0.25, 0.25, 0.5)), teacher, st.L2)
    np.testing.assert_allclose(step, expected, rtol=1e-12)


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize(("loss", "of", "dtype"), READINGS)
def test_flat_directions_are_zeros_and_not_signs(loss, of, shares, dtype):
    student, teacher = (st.Network(np.asarray(network.weights, dtype)) for network in (split(TURNED, shares), TURNED))
    values = np.asarray(st.spectrum(student, teacher, loss, of=of).values)
    flat = np.sum(values == 0)
    assert flat >= 3 * (len(shares) - 1) if 0.0 in shares else flat >= 1
    assert np.all(values[values != 0].real > 0.01)  # the teacher is a minimum: no other sign
    for definition in ("eigenvalue_ratio", "two_norm"):
        assert np.isinf(st.condition_number(student, teacher, loss, of=of, definition=definition))
    step = st.largest_stable_step(student, teacher, loss, of=of)
    np.testing.assert_allclose(step, np.min((2 / values[values != 0]).real), rtol=1e-4)


def test_the_dead_neuron_of_the_issue():
    student, teacher = st.Network([[1.0, 0.0], [0.0, 0.0]]), st.Network([1.0, 0.0])
    np.testing.assert_allclose(np.sort(st.spectrum(student, teacher, st.L2).values), [0, 0, 0.5, 0.5], rtol=1e-14)
    assert np.isinf(st.condition_number(student, teacher, st.L2))
    np.testing.assert_allclose(st.largest_stable_step(student, teacher, st.L2), 4.0, rtol=1e-14)


def test_where_every_direction_is_flat_every_step_is_stable():
    nothing = st.Network([[0.0, 0.0], [0.0, 0.0]])
    assert st.largest_stable_step(nothing, st.Network([1.0, 0.0]), st.L2) == np.inf
    assert np.isinf(st.condition_number(nothing, st.Network([1.0, 0.0]), st.L2))


def test_descent_on_flat_directions_is_stable_up_to_the_step_and_not_beyond():
    student, teacher = TWO
    edge = st.largest_stable_step(student, teacher, st.L2)
    near = st.Network(student.weights + 1e-4 * np.array([[1.0, 2.0], [1.5, 0.5]]))
    runs = st.descend(near, teacher, st.L2, rates=[0.97 * edge, 1.03 * edge], steps=200, every=100)
    assert runs.loss[0, -1] < 1e-3 * runs.loss[0, 0]
    moved = np.linalg.norm(runs.weights - student.weights, axis=(1, 2))
    assert moved[0] < 1e-3
    assert moved[1] > 0.1  # to where the neurons share nothing, and each has half the curvature


def test_small_eigenvalues_that_are_known_are_no_zeros():
    """Two students an angle of 1e-9 apart: eigenvalues down to that, in digits of their own."""
    values = np.array([1.0, 1e-9, -1e-9, 1e-17])
    assert np.asarray(is_zero(jnp.asarray(values), 4)).tolist() == [False, False, False, True]


def test_a_condition_says_how_far_rounding_moves_an_eigenvalue():
    """[[0, 1], [delta, 0]] has +-sqrt(delta), of condition (1 + delta)/(2 sqrt(delta))."""
    delta = 1e-6
    triangle = jax.scipy.linalg.schur(jnp.array([[0.0, 1.0], [delta, 0.0]]), output="complex")[0]
    np.testing.assert_allclose(conditions(triangle), (1 + delta) / (2 * np.sqrt(delta)), rtol=1e-9)


@pytest.mark.parametrize("size", [2, 3])
def test_a_defective_zero_is_zero_although_rounding_makes_it_a_root_of_eps(size):
    """Turned and rounded, a Jordan block has pairs of either kind, real or complex."""
    block = np.zeros((size + 1, size + 1))
    block[0, 1], block[size, size] = 1.0, 1.0
    for seed in range(20):
        turn = np.linalg.qr(np.random.default_rng(seed).standard_normal(block.shape))[0]
        triangle = jax.scipy.linalg.schur(jnp.asarray(turn @ block @ turn.T), output="complex")[0]
        values = jnp.diagonal(triangle)
        assert int(jnp.sum(is_zero(values, size + 1, conditions(triangle)))) == size


def test_extreme_eigenvalues_know_flat_directions():
    teacher = st.Network(np.eye(3, 4))
    ends = st.extreme_eigenvalues(split(teacher, (0.5, 0.5)), teacher, st.L2)
    assert ends.smallest[0] == 0
    assert ends.largest[0] > 0.5


@pytest.mark.parametrize("shares", SHARES[:2], ids=str)
def test_a_critical_point_with_flat_directions_is_what_it_is(shares):
    point = st.critical_point(split(TURNED, shares), TURNED, st.L2)
    assert (point.kind, point.smallest) == (st.Kind.GLOBAL, 0.0)
    # The same function for another teacher, to which it is a spurious point of no slope to second order.
    assert point.residual <= 1e-13


@pytest.mark.parametrize("angle", [1e-6, 1e-14])
def test_next_to_a_kink_one_neuron_keeps_its_other_eigenvalues(angle):
    """The largest is 1/(2 pi angle); in closed form it rounds no other away."""
    student, teacher = st.Network([1.0, 0.0, 0.0]), st.Network([1.0, angle, 0.0])
    np.testing.assert_allclose(st.condition_number(student, teacher), 1 / (2 * np.pi * angle), rtol=1e-5)


def test_where_a_closed_form_vanishes_its_eigenvalue_is_0():
    """1/2 - rho sin / pi at a right angle and rho = pi / 2."""
    student, teacher = st.Network([2 / np.pi, 0.0, 0.0]), st.Network([0.0, 1.0, 0.0])
    assert np.sum(np.asarray(st.spectrum(student, teacher, st.L2).values) == 0) == 1
    assert np.isinf(st.condition_number(student, teacher, st.L2))
