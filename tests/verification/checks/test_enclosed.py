"""Enclosures: the Newton box, Gershgorin's discs, and a check that decides by certain signs alone."""

import numpy as np
import pytest
from flint import arb

import sobolev_theory as st
from verification.balls import precision
from verification.balls.reflected import reflected, smallest_real_part
from verification.checks import Enclosed
from verification.claim import Verdict
from verification.claims.orthonormal import reflected as claims
from verification.run.settings import Settings

CONTEXT = Settings(points=2).context()
SIX = claims.Size(6)
CLAIM = claims.CLAIMS[0]


@pytest.mark.parametrize("multiple", [1.0, 1.0 + 1e-13])
def test_the_least_eigenvalue_is_enclosed_also_where_it_is_multiple(multiple):
    """Of a matrix that is not normal, from its known eigenvalues."""
    basis = np.array([[1, 2, 0, 1], [0, 1, 3, 0], [0, 0, 1, -1], [0, 0, 0, 1]])
    inverse = np.rint(np.linalg.inv(basis)).astype(int)
    with precision(160):
        diagonal = np.diag([arb(1), arb(multiple), arb(2), arb(3)])
        found = smallest_real_part(basis.astype(object) @ diagonal @ inverse.astype(object))
        assert found.contains(arb(1))
        assert found.rad() < 1e-11


def test_the_point_is_the_one_of_the_flow_and_its_curvature_that_of_differences():
    point = st.orthonormal.fixed_points(6, st.L2)[1]
    with precision(160):
        found = reflected(6, (1, 0), (point.x, point.y))
        np.testing.assert_allclose([float(found.x), float(found.y)], [point.x, point.y], rtol=1e-12)
        np.testing.assert_allclose(float(found.loss), point.loss, rtol=1e-12)
        np.testing.assert_allclose(float(found.smallest), 0.0015036523729, rtol=1e-10)  # as `critical_point` has it
        assert found.smallest > 0


def test_a_start_with_no_box_is_refused():
    """On x = y students coincide, and the gradient has no derivative."""
    with precision(160), pytest.raises(ArithmeticError, match="singular matrix"):
        reflected(6, (1, 0), (0.5, 0.5))


def checked(check, formula=CLAIM.formula):
    return check.compare(CLAIM, formula, check.reference(CLAIM, CONTEXT))


def test_what_is_claimed_must_be_certain():
    enclose = CLAIM.checks[0].enclose
    right = checked(Enclosed((SIX,), enclose, lambda _, found: bool(found.smallest > 0.0015)))
    wrong = checked(Enclosed((SIX,), enclose, lambda _, found: bool(found.smallest > 0.0016)))
    assert right.verdict is Verdict.CERTIFIED
    assert (wrong.verdict, "not certain" in wrong.detail) == (Verdict.OPEN, True)


def test_no_enclosure_leaves_it_open():
    def fails(point):
        raise ArithmeticError("no box")

    found = checked(Enclosed((SIX,), fails, lambda *_: True))
    assert (found.verdict, found.detail) == (Verdict.OPEN, "at n = 6: no box")


def test_a_formula_off_by_a_part_in_a_billion_is_refuted():
    check = Enclosed((SIX,), CLAIM.checks[0].enclose, lambda *_: True)
    found = checked(check, lambda size: CLAIM.formula(size) * (1 + 1e-9))
    assert found.verdict is Verdict.REFUTED
