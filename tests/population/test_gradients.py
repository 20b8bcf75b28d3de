"""The public functions: structure and dtype of what they return, and what they refuse."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from tests.helpers.cases import TRIPLES

CASE = TRIPLES["signed output weights"]
STUDENT, TEACHER = CASE.networks

FUNCTIONS = (
    st.population_loss,
    st.population_gradient,
    st.loss_gradient,
    st.boundary_term,
    st.population_jacobian,
    st.loss_hessian,
)
PRODUCTS = (st.population_jacobian_product, st.loss_hessian_product)


def name(f) -> str:
    return f.__name__


@pytest.mark.parametrize("gradient", [st.population_gradient, st.loss_gradient], ids=name)
def test_gradients_have_the_structure_of_the_student(gradient):
    found = gradient(STUDENT, TEACHER)
    assert jax.tree.structure(found) == jax.tree.structure(STUDENT)
    assert [x.shape for x in jax.tree.leaves(found)] == [x.shape for x in jax.tree.leaves(STUDENT)]


def test_arrays_have_one_axis_per_index():
    assert st.population_loss(STUDENT, TEACHER).shape == ()
    assert st.boundary_term(STUDENT, TEACHER).shape == (3, 4)
    assert st.population_jacobian(STUDENT, TEACHER).shape == (3, 4, 3, 4)
    assert st.loss_hessian(STUDENT, TEACHER).shape == (3, 4, 3, 4)


def test_the_default_loss_is_h1():
    assert float(st.population_loss(STUDENT, TEACHER)) == float(st.population_loss(STUDENT, TEACHER, st.H1))


def test_values_under_jit_are_those_of_eager_calls():
    traced = jax.jit(lambda s, t: (st.population_loss(s, t), st.loss_gradient(s, t)))(STUDENT, TEACHER)
    eager = st.population_loss(STUDENT, TEACHER), st.loss_gradient(STUDENT, TEACHER)
    for one, other in zip(jax.tree.leaves(traced), jax.tree.leaves(eager), strict=True):
        # Compiled together the sums may be ordered differently: terms of size 20.
        np.testing.assert_allclose(one, other, rtol=0, atol=20 * 4 * np.finfo(float).eps)


SINGLE = [
    st.Network(*(jnp.asarray(x, jnp.float32) for x in pair)) for pair in ((CASE[0], CASE[1]), (CASE[2], CASE[3]))
]


@pytest.mark.parametrize("function", [st.population_loss, st.loss_gradient, st.population_jacobian], ids=name)
def test_single_precision_stays_single_with_errors_of_its_own_size(function):
    for one, other in zip(
        jax.tree.leaves(function(*SINGLE)), jax.tree.leaves(function(STUDENT, TEACHER)), strict=True
    ):
        assert one.dtype == jnp.float32
        # Six terms of size 20, rounded at 2^-23, and the neurons themselves were rounded on the way.
        np.testing.assert_allclose(one, other, rtol=0, atol=6 * 20 * 2.0**-23)


def test_single_precision_near_the_optimum_keeps_its_digits():
    teacher = SINGLE[1]
    student = st.Network(teacher.weights * jnp.float32(1 + 2.0**-20), teacher.output_weights)
    exact = [st.Network(*(np.asarray(x, float) for x in jax.tree.leaves(n))) for n in (student, teacher)]
    np.testing.assert_allclose(
        st.population_loss(student, teacher),
        st.population_loss(*exact),
        rtol=64 * 2.0**-23,  # tens of roundings, as in double precision
    )


# What is refused.


def message(*parts: str) -> str:
    """A pattern: these parts in this order."""
    return "(?s)" + ".*".join(re.escape(part) for part in parts)


@pytest.mark.parametrize("function", FUNCTIONS, ids=name)
def test_teacher_on_another_number_of_inputs_is_refused(function):
    with pytest.raises(ValueError, match=message("teacher", "(1, 3)", "3 inputs", "needs", "4")):
        function(STUDENT, st.Network([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("function", FUNCTIONS, ids=name)
def test_arrays_in_the_place_of_networks_are_refused(function):
    with pytest.raises(TypeError, match=message("student", "got ndarray", "needs a Network")):
        function(CASE.weights, TEACHER)
    with pytest.raises(TypeError, match=message("teacher", "got ndarray", "needs a Network")):
        function(STUDENT, CASE.weights)


@pytest.mark.parametrize("function", FUNCTIONS, ids=name)
def test_h2_for_relu_is_refused_because_it_is_infinite(function):
    with pytest.raises(ValueError, match=message("loss", "order 2", "needs order at most 1", "ReLU", "infinite")):
        function(STUDENT, TEACHER, st.H2)


def test_an_order_with_weight_zero_is_no_order():
    padded = st.SobolevLoss((1.0, 1.0, 0.0))
    assert float(st.population_loss(STUDENT, TEACHER, padded)) == float(st.population_loss(STUDENT, TEACHER))


@pytest.mark.parametrize("function", FUNCTIONS, ids=name)
def test_numbers_in_the_place_of_a_loss_are_refused(function):
    with pytest.raises(TypeError, match=message("loss", "got (1.0, 1.0)", "needs a SobolevLoss")):
        function(STUDENT, TEACHER, (1.0, 1.0))


def test_inputs_that_are_no_distribution_are_refused():
    with pytest.raises(TypeError, match=message("inputs", "got 'gauss'", "needs a GaussianInput")):
        st.population_loss(STUDENT, TEACHER, st.H1, "gauss")


def test_biases_are_refused_by_what_follows_flows():
    biased = st.Network(CASE.weights, biases=np.ones(3))
    with pytest.raises(NotImplementedError, match=message("biases", "critical_point needs networks without")):
        st.critical_point(biased, TEACHER)


@pytest.mark.parametrize("product", PRODUCTS, ids=name)
def test_tangent_that_is_no_network_is_refused(product):
    with pytest.raises(TypeError, match=message("tangent", "got ndarray", "needs a Network")):
        product(STUDENT, TEACHER, CASE.weights)


@pytest.mark.parametrize("product", PRODUCTS, ids=name)
def test_tangent_of_another_shape_is_refused(product):
    with pytest.raises(ValueError, match=message("tangent", "(1, 4)", "needs", "(3, 4)")):
        product(STUDENT, TEACHER, st.Network(CASE.weights[0]))


def test_errors_are_raised_under_jit_too():
    with pytest.raises(ValueError, match="infinite"):
        jax.jit(lambda s: st.population_loss(s, TEACHER, st.H2))(STUDENT)
