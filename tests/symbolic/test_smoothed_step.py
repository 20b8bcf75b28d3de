"""The derived kernels, constants and gradients of the smoothed step, and the closed forms of the library."""

import numpy as np
import pytest
import sympy as sp

import sobolev_theory as st
from sobolev_theory.closed_forms import smoothed_step
from sobolev_theory.symbolic import as_function, r, r_star, theta
from sobolev_theory.symbolic import smoothed_step as derived

NORM, TEACHER_NORM = 0.7, 1.9


def test_the_constants_are_the_derived_ones():
    for stated, expression in (
        (smoothed_step.BIAS, -derived.own_bias() / r),
        (smoothed_step.SQUARE, derived.density_squared()),
        (smoothed_step.OWN, derived.own_step_variance()),
    ):
        np.testing.assert_allclose(stated, float(sp.N(expression)), rtol=1e-15)
    assert derived.pair_bias() == derived.pair_bias(both=True) == 0
    assert sp.simplify(derived.loss_at_the_teacher() - r * sp.sqrt(2) / (4 * sp.pi) * (sp.sqrt(2) - 1)) == 0


@pytest.mark.parametrize("angle", [0.4, 2.9])
@pytest.mark.parametrize("width", [0.05, 1.0])
def test_the_gradient_of_one_neuron_is_the_derived_one(angle, width):
    """a^2 own parts - a a* parts with the teacher, in the frame of the student."""
    a, a_star, lambdas = 0.8, 1.3, (0.5, 2.0)
    at = [r, r_star, theta, derived.h]

    def of(matrix, *values):
        return np.array(as_function(matrix, at)(*values), float).ravel()

    teacher = NORM, TEACHER_NORM, angle, width
    # A neuron and itself, as two neurons of a small angle, of which one moves.
    nearly = NORM, NORM, 1e-7, width
    values, slopes, boundary = derived.value_gradient(), derived.slope_gradient(), derived.slope_boundary()
    own = lambdas[0] * of(values, *nearly) + lambdas[1] * of(derived.slope_gradient(both=True), *nearly)
    across = lambdas[0] * of(values, *teacher) + lambdas[1] * of(slopes, *teacher)
    expected = a * (a * own - a_star * across)
    student = st.Network([NORM, 0.0, 0.0], [a])
    target = st.Network(TEACHER_NORM * np.array([np.cos(angle), np.sin(angle), 0.0]), [a_star])
    found = smoothed_step.population_gradient(student, target, width, st.SobolevLoss(lambdas))
    np.testing.assert_allclose(found[0], expected, atol=1e-6)  # the angle 1e-7 in the place of 0
    share = lambdas[1] * a * (a * of(derived.slope_boundary(both=True), *nearly) - a_star * of(boundary, *teacher))
    stated = smoothed_step.boundary_term(student, target, width, st.SobolevLoss(lambdas))
    np.testing.assert_allclose(stated[0], share, atol=1e-6)
