"""ReLU as an activation: its values and its own dual; what activations may hold."""

import math
from functools import partial

import equinox as eqx
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


# What is held by an activation.


def prelu():
    return eqx.nn.PReLU(0.2)


def test_a_function_may_close_over_arrays():
    slope = prelu()
    held = st.Elementwise(lambda t: slope(t), kinks=(0.0,))
    assert held == held
    assert held.highest_order == 1


class WithArray(st.Activation):
    slope: jax.Array

    def __call__(self, t):
        return self.slope * t


class WithStaticArray(st.Activation):
    slope: np.ndarray = eqx.field(static=True)

    def __call__(self, t):
        return self.slope * t


class WithLeaf(st.Activation):
    slope: float

    def __call__(self, t):
        return self.slope * t


def traced(make):
    return lambda: jax.jit(lambda x: make(x)(x))(0.5)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: st.Elementwise(prelu(), kinks=(0.0,)), TypeError, "function: got PReLU.*holds arrays"),
        (traced(lambda s: st.Elementwise(lambda t: s * t)), TypeError, "function: .*closes over a traced value"),
        (traced(lambda s: st.Elementwise(partial(jnp.multiply, s))), TypeError, "function: .*closes over a traced"),
        (lambda: st.Elementwise(lambda t: t if t > 0 else 0.0), TypeError, "function: .*no decision in Python"),
        (lambda: st.Elementwise(math.tanh), TypeError, "function: .*functions of JAX"),
        (lambda: st.Elementwise(jnp.sum), ValueError, r"function: got shape \(\)"),
        (lambda: st.Elementwise(jnp.isfinite), TypeError, "function: got values of dtype bool"),
        (lambda: st.Elementwise(jnp.tanh, kinks=0.0), TypeError, "kinks: got 0.0"),
        (lambda: st.Elementwise(jnp.tanh, kinks=(0.0, "1")), TypeError, r"kinks\[1\]: got '1'"),
        (lambda: st.Elementwise(jnp.tanh, kinks=(math.inf,)), ValueError, r"kinks\[0\]: got inf"),
        (traced(lambda s: st.Elementwise(jnp.tanh, kinks=(s,))), TypeError, r"kinks\[0\]: got"),
        (lambda: WithArray(jnp.array(0.2)), TypeError, "slope: got .*with an array in it"),
        (lambda: WithStaticArray(np.array(0.2)), TypeError, "slope: got .*with an array in it"),
        (lambda: WithLeaf(0.2), TypeError, "slope: got a field that is not static"),
        (traced(st.LeakyReLU), TypeError, "slope: got"),
        (lambda: st.LeakyReLU(jnp.ones(2)), TypeError, "slope: got"),
        (lambda: st.Polynomial(1.0), TypeError, "coefficients: got 1.0"),
    ],
)
def test_what_is_no_parameter_of_an_activation_is_named_when_it_is_built(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_numbers_of_numpy_and_jax_are_numbers():
    assert st.LeakyReLU(jnp.array(0.25)) == st.LeakyReLU(np.float32(0.25)) == st.LeakyReLU(0.25)
    assert st.RePU(np.int64(3)) == st.RePU(3)
    assert st.Elementwise(jnp.tanh, kinks=jnp.array([1.0, -1.0])).kinks == (-1.0, 1.0)
