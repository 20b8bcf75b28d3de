"""A new activation is one class: two are written here, and every public function works for them."""

from functools import cache, partial
from typing import get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.kernels.activation_pairs import Part
from sobolev_theory.population.general_sums import general_sums
from sobolev_theory.population.preactivations import Fields
from sobolev_theory.population.relu.sums import ReluSums
from tests.helpers.cases import EPS, TRIPLES


class Sine(st.Activation):
    """sin(frequency t). E[cos(f u) cos(f u')] and E[sin(f u) sin(f u')] follow from the characteristic function."""

    frequency: float = eqx.field(static=True)

    def __call__(self, t):
        return jnp.sin(self.frequency * t)

    def dual(self, order, variance, covariance, variance_):
        square = self.frequency**2
        apart = jnp.exp(-square * (variance - 2 * covariance + variance_) / 2)
        along = jnp.exp(-square * (variance + 2 * covariance + variance_) / 2)
        sign = 1 if order % 2 else -1  # derivatives of odd order are cosines
        return square**order * (apart + sign * along) / 2


class Square(st.Activation):
    """t^2: E[u^2 u'^2] = v v' + 2 c^2, E[2u 2u'] = 4c, E[2 2] = 4."""

    def __call__(self, t):
        return t**2

    def dual(self, order, variance, covariance, variance_):
        moments = (variance * variance_ + 2 * covariance**2, 4 * covariance, 4 * jnp.ones_like(covariance))
        return moments[order] if order < 3 else jnp.zeros_like(covariance)


ACTIVATIONS = {"sine": Sine(0.7), "square": Square()}
LOSSES = {"H1": st.H1, "H3": st.SobolevLoss((0.5, 0.0, 2.0, 0.3))}  # every order, and one left out

random = np.random.default_rng(4)
ROWS, TEACHER_ROWS = random.normal(size=(3, 2)), random.normal(size=(2, 2))
OUTPUT, TEACHER_OUTPUT = [1.0, -0.5, 2.0], [0.7, -1.0]

# Gauss-Hermite in two dimensions: 40 points a side integrate these functions to rounding; terms of size 100.
POINTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
GRID = jnp.array(np.stack(np.meshgrid(POINTS, POINTS), axis=-1).reshape(-1, 2))
MEASURE = jnp.array(np.outer(WEIGHTS, WEIGHTS).reshape(-1) / (2 * np.pi))
ROUNDING = 100 * 16 * EPS

each_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)


def networks(activation, rows=ROWS, output=OUTPUT):
    student = st.Network(rows, output, activation=activation)
    return student, st.Network(TEACHER_ROWS, TEACHER_OUTPUT, activation=activation)


@cache
def by_quadrature(activation):
    """Loss of order 0 to 3 as an integral of 1/2 |D^m (g - g*)|^2, with its gradient and Hessian by autodiff."""

    def loss(weights, parameters):
        student, teacher = networks(activation, *parameters)
        total = 0.0
        derivative = lambda x: student(x) - teacher(x)  # noqa: E731
        for weight in weights:
            squares = jax.vmap(lambda x, f=derivative: jnp.sum(f(x) ** 2) / 2)(GRID)
            total = total + weight * (MEASURE @ squares)
            derivative = jax.jacfwd(derivative)
        return total

    def all_of(weights, parameters):
        value, gradient = jax.value_and_grad(loss, argnums=1)(weights, parameters)
        by_rows = lambda rows: jax.grad(loss, argnums=1)(weights, (rows, parameters[1]))[0]  # noqa: E731
        return value, gradient, jax.jacfwd(by_rows)(parameters[0])

    parameters = jnp.array(ROWS), jnp.array(OUTPUT)
    compiled = jax.jit(all_of)
    return lambda weights: compiled((*weights, *[0.0] * (4 - len(weights))), parameters)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@each_activation
def test_loss_is_that_of_quadrature(activation, loss):
    value, _, _ = by_quadrature(activation)(loss.lambdas)
    np.testing.assert_allclose(st.population_loss(*networks(activation), loss), value, rtol=ROUNDING)


@pytest.mark.parametrize(("name", "gradient"), [("H1", st.population_gradient), ("H3", st.loss_gradient)])
@each_activation
def test_gradients_are_that_of_quadrature(activation, name, gradient):
    """Both of them: without jumps they are one."""
    _, (rows, output), _ = by_quadrature(activation)(LOSSES[name].lambdas)
    found = gradient(*networks(activation), LOSSES[name])
    np.testing.assert_allclose(found.weights, rows, rtol=0, atol=ROUNDING * np.max(np.abs(rows)))
    np.testing.assert_allclose(found.output_weights, output, rtol=0, atol=ROUNDING * np.max(np.abs(output)))


@pytest.mark.parametrize(("name", "matrix"), [("sine", "population_jacobian"), ("square", "loss_hessian")])
def test_jacobian_and_hessian_are_that_of_quadrature_and_products_are_theirs_times_the_tangent(name, matrix):
    student, teacher = networks(ACTIVATIONS[name])
    _, _, hessian = by_quadrature(ACTIVATIONS[name])(st.H2.lambdas)
    found = getattr(st, matrix)(student, teacher, st.H2)
    np.testing.assert_allclose(found, hessian, rtol=0, atol=ROUNDING * np.max(np.abs(hessian)))
    tangent = st.Network(ROWS[::-1], np.zeros(3), activation=ACTIVATIONS[name])
    expected = np.einsum("kdle,le->kd", found, tangent.weights)
    product = getattr(st, f"{matrix}_product")(student, teacher, tangent, st.H2).weights
    np.testing.assert_allclose(product, expected, rtol=0, atol=ROUNDING * np.max(np.abs(expected)))


@each_activation
def test_smooth_activations_have_no_boundary_term(activation):
    assert not np.any(st.boundary_term(*networks(activation), st.H2))


def test_student_equal_to_teacher_is_legal_and_has_loss_zero():
    student, _ = networks(ACTIVATIONS["sine"])
    np.testing.assert_allclose(st.population_loss(student, student, st.H2), 0.0, atol=ROUNDING)
    gradient = st.loss_gradient(student, student, st.H2)
    np.testing.assert_allclose(gradient.weights, 0.0, atol=ROUNDING)


def test_parameters_of_an_activation_tell_two_of_them_apart():
    """Compiled functions are kept by activation: another frequency must not get the first one's."""
    one, other = (float(st.population_loss(*networks(Sine(f)), st.L2)) for f in (0.7, 0.71))
    assert abs(one - other) > 1e-3


def test_the_general_sums_of_relu_are_those_of_relu():
    case = TRIPLES["signed output weights"]
    student, teacher = (Fields(*map(jnp.array, side)) for side in (case[:2], case[2:]))
    general, own = general_sums(*case.networks, (0, 1)), ReluSums()

    @partial(jax.jit, static_argnums=0)
    def both(sums):
        problem = (1.0, 1.0), student, teacher, None
        return sums.loss(*problem), [sums.gradient(part, *problem)[:2] for part in get_args(Part)]

    for x, y in zip(jax.tree.leaves(both(general)), jax.tree.leaves(both(own)), strict=True):
        # Six neurons, terms of size 20.
        np.testing.assert_allclose(x, y, rtol=0, atol=6 * 20 * 2 * EPS)
