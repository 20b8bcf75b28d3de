"""Overlaps and networks of given ones."""

import numpy as np
import pytest

import sobolev_theory as st

RNG = np.random.default_rng(0)


def some(students: int = 2, teachers: int = 3, rank: int = 5) -> st.Overlaps:
    rows = RNG.normal(size=(students + teachers, rank))
    gram = rows @ rows.T
    return st.Overlaps(gram[:students, :students], gram[:students, students:], gram[students:, students:])


@pytest.mark.parametrize(("rank", "dimension"), [(5, None), (2, None), (2, 2), (5, 9)])
def test_networks_have_the_overlaps_that_they_are_made_of(rank, dimension):
    given = some(rank=rank)
    student, teacher = st.networks_from_overlaps(given, [1.0, 2.0], dimension=dimension, activation=st.Erf())
    assert student.dimension == (dimension or 5)
    assert student.output_weights.tolist() == [1.0, 2.0]
    assert teacher.activation == st.Erf()
    for found, wanted in zip(st.overlaps(student, teacher), given, strict=True):
        assert np.allclose(found, wanted, rtol=0, atol=1e-13)


def test_what_is_no_gram_matrix_is_refused_by_its_smallest_eigenvalue():
    with pytest.raises(ValueError, match=r"smallest eigenvalue -0\.5"):
        st.networks_from_overlaps(([[1.0]], [[1.5]], [[1.0]]))


def test_wrong_overlaps_are_named():
    q, r, t = some()
    for given, error, message in (
        ((q, r.T, t), ValueError, "overlaps: got shapes"),
        ((q, r), TypeError, "overlaps: got tuple"),
        ((q + np.triu(np.ones((2, 2)), 1), r, t), ValueError, "Q: got a matrix that is not symmetric"),
    ):
        with pytest.raises(error, match=message):
            st.networks_from_overlaps(given)
    with pytest.raises(ValueError, match="dimension: got 3; needs at least 5"):
        st.networks_from_overlaps((q, r, t), dimension=3)
