"""Pairs of student and teacher neurons that have nearly become one."""

import jax
import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from sobolev_theory.population.relu.blocks import geometry
from sobolev_theory.population.relu.matching import match
from tests.helpers.cases import TRIPLES

ROWS = TRIPLES["generic"].weights
ONES = np.ones(3)


@jax.jit
def matching(student, teacher):
    return match(geometry(student, teacher, None, of_teachers=False), None)


@given(some.permutations(range(3)))
def test_a_permuted_teacher_is_found_neuron_by_neuron(order):
    found = matching((ROWS[np.array(order)] + 1e-7, ONES), (ROWS, ONES))
    np.testing.assert_array_equal(found.partner, order)
    assert np.all(found.matched)


def test_neurons_at_large_angles_stay_alone():
    assert not np.any(matching((ROWS, ONES), (TRIPLES["generic"].teacher_weights, ONES)).matched)


def test_opposite_neurons_stay_alone():
    assert not np.any(matching((-ROWS, ONES), (ROWS, ONES)).matched)


@given(some.integers(0, 2**32 - 1))
def test_no_teacher_is_taken_twice(seed):
    random = np.random.default_rng(seed)
    crowd = ROWS[random.integers(0, 3, size=3)] + 1e-3 * random.normal(size=(3, 4))
    found = matching((crowd, ONES), (ROWS[random.integers(0, 3, size=3)], ONES))
    taken = np.asarray(found.partner)[np.asarray(found.matched)]
    assert len(set(taken.tolist())) == len(taken)


def test_the_nearest_student_is_taken_first():
    students = np.stack([ROWS[0] + 1e-2, ROWS[0] + 1e-4, ROWS[1]])
    found = matching((students, ONES), (np.stack([ROWS[0], ROWS[2], ROWS[2]]), ONES))
    np.testing.assert_array_equal(found.matched, [False, True, False])


def test_of_two_teachers_in_one_direction_the_one_of_like_norm_is_taken():
    teachers = np.stack([3 * ROWS[0], ROWS[0], ROWS[1]])
    found = matching((np.stack([ROWS[0] + 1e-9, ROWS[1], ROWS[2]]), ONES), (teachers, ONES))
    assert int(found.partner[0]) == 1


def test_of_two_teachers_in_one_direction_the_one_of_like_output_weight_is_taken():
    rows, output = np.stack([ROWS[0], ROWS[0], ROWS[1]]), np.array([1.0, -1.0, 1.0])
    found = matching((rows + 1e-9, output), (rows[::-1], output[::-1]))
    np.testing.assert_array_equal(found.partner, [2, 1, 0])


def test_zero_neurons_are_legal():
    zeros = np.zeros((3, 4))
    assert not np.any(matching((zeros, ONES), (zeros, ONES)).matched)
