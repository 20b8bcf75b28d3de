"""The loss by NumPy in extended precision is within the error it states, however near the teacher."""

import mpmath
import numpy as np
import pytest

from sobolev_theory.population.relu import extended_sums

TEACHER = np.array([[1.0, 0.2, -0.3], [0.4, -1.1, 0.5]])
AWAY = np.array([[0.3, -0.7, 0.2], [-0.5, 0.1, 0.9]])
OUTPUT, TEACHER_OUTPUT = np.array([1.0, -0.5]), np.array([1.0, -0.5])
LAMBDAS = (1.0, 0.7)


def reference(rows, signs):
    """1/2 sum_ij rho_i rho_j K(theta_ij) to 50 digits."""
    with mpmath.workdps(50):
        vectors = [mpmath.matrix([mpmath.mpf(float(x)) for x in row]) for row in rows]
        norms = [mpmath.norm(v) for v in vectors]
        total = mpmath.mpf(0)
        for v, r, a in zip(vectors, norms, signs, strict=True):
            for u, s, b in zip(vectors, norms, signs, strict=True):
                cos = min(mpmath.mpf(1), (v.T * u)[0] / (r * s))
                theta = mpmath.acos(cos)
                turn = (mpmath.pi - theta) * cos
                kernel = LAMBDAS[0] * (mpmath.sin(theta) + turn) + mpmath.mpf(LAMBDAS[1]) * turn
                total += float(a) * float(b) * r * s * kernel / (4 * mpmath.pi)
        return total


@pytest.mark.parametrize("away", [1.0, 0.03, 1e-3, 1e-6])
def test_losses_are_within_the_errors_they_state(away):
    student = TEACHER + away * AWAY
    found, errors = extended_sums.losses(LAMBDAS, student[None], OUTPUT, TEACHER[None], TEACHER_OUTPUT)
    exact = reference(np.concatenate([student, TEACHER]), np.concatenate([OUTPUT, -TEACHER_OUTPUT]))
    rounding = 4 * np.finfo(float).eps  # of the factor 1 / (2 pi), the lambdas and the result in double precision
    assert abs(mpmath.mpf(float(found[0])) / exact - 1) <= errors[0] + rounding


def test_at_the_teacher_no_digit_is_claimed():
    found, errors = extended_sums.losses(LAMBDAS, TEACHER[None], OUTPUT, TEACHER[None], TEACHER_OUTPUT)
    assert errors[0] > 1 or found[0] == 0


def test_large_problems_are_left_to_compiled_sums():
    rows = np.ones((1, 300, 10))
    assert extended_sums.losses(LAMBDAS, rows, np.ones(300), rows, np.ones(300)) is None
