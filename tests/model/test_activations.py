"""ReLU as an activation: its values and its own dual."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from tests.helpers import reference
from tests.helpers.cases import EPS, TRIPLES


def test_relu_is_the_positive_part_with_slope_zero_at_the_kink():
    points = jnp.array([-2.0, -0.0, 0.0, 3.0])
    np.testing.assert_array_equal(st.ReLU()(points), [0.0, 0.0, 0.0, 3.0])
    np.testing.assert_array_equal(jax.vmap(jax.grad(st.ReLU()))(points), [0.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("order", [0, 1])
def test_dual_of_relu_is_the_expectation_of_its_derivatives(order):
    w, v = TRIPLES["generic"].weights[0], TRIPLES["generic"].teacher_weights[0]
    norm, norm_ = np.sqrt(w @ w), np.sqrt(v @ v)
    found = st.dual(st.ReLU(), order, norm, norm_, correlation=w @ v / (norm * norm_))
    exact = reference.half_space_kernel(1 - order, reference.exact(w), reference.exact(v))
    # Products of size at most 10; the angle, near 1, has the rounding of its cosine.
    assert abs(float(found) - float(exact)) <= 10 * 4 * EPS


def test_activations_are_compared_and_hashed_by_value():
    assert st.ReLU() == st.ReLU()
    assert hash(st.ReLU()) == hash(st.ReLU())


def test_an_activation_without_a_dual_is_integrated_numerically():
    class Cube(st.Activation):
        def __call__(self, t):
            return t**3

    found = st.dual(Cube(), 0, 1.0, np.sqrt(2.0), correlation=0.3 / np.sqrt(2.0))
    # E[u^3 u'^3] = 9 v v' c + 6 c^3; quadrature of a polynomial to a few roundings of its largest value, 15 v v'.
    assert abs(float(found) - (9 * 2 * 0.3 + 6 * 0.3**3)) <= 30 * 16 * EPS
