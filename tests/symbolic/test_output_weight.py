"""The neuron whose output weight trains: balance, fixed points and rates, and the library's gradients."""

import numpy as np
import pytest
import sympy as sp

import sobolev_theory as st
from sobolev_theory.symbolic import frame, vanishes
from sobolev_theory.symbolic import output_weight as derived

A, A_STAR = derived.a, derived.a_star
FIELDS = {
    "L2": (derived.l2_field, st.L2, st.loss_gradient),
    "H1 population": (derived.h1_population_field, st.H1, st.population_gradient),
    "H1 loss": (derived.h1_loss_field, st.H1, st.loss_gradient),
}
HALF = sp.Rational(1, 2)
RATES = {
    "L2": (HALF * (A**2 + frame.r**2), 0, HALF * A**2, 0),
    "H1 population": (A**2 + frame.r**2, 0, A**2, 0),
    "H1 loss": (A**2 + frame.r**2, 0, 0, A**2 / (2 * sp.pi)),
}


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_conserves_the_balance(name):
    field = FIELDS[name][0]()
    assert derived.balance_rate(field) == 0
    assert derived.balance_rate(derived.Field(field.weights, 2 * field.output_weight)) != 0


@pytest.mark.parametrize("name", FIELDS)
def test_the_rates_at_the_teacher(name):
    """With a fixed at 1 the radial rate of L2 is 1/2; where it trains it is (a^2 + r^2)/2."""
    found = derived.rates(derived.flow(FIELDS[name][0]()))
    assert all(vanishes(x - y) for x, y in zip(found, RATES[name], strict=True))


def test_the_fixed_points_on_the_ray_are_those_of_the_teachers_size():
    velocity = derived.flow(derived.l2_field())
    norm, output = (x.subs(frame.theta, 0) for x in (velocity.norm, velocity.output_weight))
    gap = A * frame.r - A_STAR * frame.r_star
    assert vanishes(norm + A * gap / 2)
    assert vanishes(output + frame.r * gap / 2)


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_the_gradients_of_the_library(name):
    field, loss, gradient = FIELDS[name]
    norm, other, angle, a, a_star = 0.7, 1.3, 0.9, 0.6, 1.7
    values = {frame.r: norm, frame.r_star: other, frame.theta: angle, A: a, A_STAR: a_star}
    student = st.Network([norm, 0.0, 0.0], [a])
    teacher = st.Network([other * np.cos(angle), other * np.sin(angle), 0.0], [a_star])
    found, expected = gradient(student, teacher, loss), field()
    weights = np.array(expected.weights.subs(values).evalf(), float)[:, 0]
    np.testing.assert_allclose(found.weights[0], weights, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found.output_weights[0], float(expected.output_weight.subs(values)), rtol=1e-13)
