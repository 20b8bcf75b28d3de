"""The size of what a first call traces and compiles, which is what it costs, is kept from growing."""

import pytest

import sobolev_theory as st
from benchmarks import first_call

# Measured, and a twentieth more; before their sums were one, the loss had 3442 and the gradient 1519.
MOST = {
    st.population_loss: 1020,
    st.population_gradient: 650,
    st.loss_gradient: 790,
    st.loss_hessian: 1520,
}


@pytest.mark.parametrize("function", MOST, ids=lambda f: f.__name__)
def test_programs_have_no_more_equations_than_they_had(function):
    assert first_call.equations(function, *first_call.networks()) <= MOST[function]


# One sum over students and teachers; as two by two sums the loss had 9197, the gradient 4755.
MOST_WITH_BIASES = {st.population_loss: 2490, st.population_gradient: 2570}


@pytest.mark.parametrize("function", MOST_WITH_BIASES, ids=lambda f: f.__name__)
def test_programs_with_biases_have_no_more_equations_than_they_had(function):
    assert first_call.equations(function, *first_call.networks(biases=True)) <= MOST_WITH_BIASES[function]


@pytest.mark.parametrize(("loss", "most"), [("L2", 900), ("H1", 2390)])
def test_a_flow_is_one_program_with_its_velocity_once_for_steps_and_once_for_kinks(loss, most):
    """Measured, and a twentieth more; of five copies it had 4600 and 16800."""
    assert first_call.flow_equations(loss) <= most
