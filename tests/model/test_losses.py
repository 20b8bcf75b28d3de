"""SobolevLoss: one weight per order, traced or not, and what it refuses."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from tests.helpers.cases import EPS, TRIPLES

STUDENT, TEACHER = TRIPLES["signed output weights"].networks
ROUNDING = 6 * 20 * EPS  # sums of six terms of size at most 20


def message(*parts: str) -> str:
    return "(?s)" + ".*".join(re.escape(part) for part in parts)


def value(weights):
    return st.population_loss(STUDENT, TEACHER, st.SobolevLoss(weights))


def test_names_are_the_first_orders_with_weight_one():
    assert (st.L2.lambdas, st.H1.lambdas, st.H2.lambdas) == ((1.0,), (1.0, 1.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(("weights", "order"), [((1.0,), 0), ((1.0, 0.5), 1), ((1.0, 0.0, 0.0), 0), ((0.0, 0.0), 0)])
def test_order_is_the_highest_with_a_weight(weights, order):
    assert st.SobolevLoss(weights).order == order


def test_losses_are_linear_in_the_weights():
    combined = value((0.3, 2.0))
    np.testing.assert_allclose(combined, 0.3 * value((1.0,)) + 2.0 * value((0.0, 1.0)), rtol=0, atol=ROUNDING)


def test_all_weights_zero_give_zero():
    assert float(value((0.0, 0.0))) == 0.0
    assert not np.any(st.loss_gradient(STUDENT, TEACHER, st.SobolevLoss((0.0,))).weights)


def test_weights_may_be_mapped():
    mapped = jax.vmap(lambda weight: value((1.0, weight)))(jnp.array([0.0, 0.5, 1.0]))
    alone = [value((1.0, weight)) for weight in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(mapped, alone, rtol=0, atol=ROUNDING)


def test_the_derivative_in_a_weight_is_the_loss_of_its_order():
    slope = jax.jit(jax.grad(lambda weights: value(tuple(weights))))((0.7, 0.2))
    np.testing.assert_allclose(slope, [value((1.0,)), value((0.0, 1.0))], rtol=0, atol=ROUNDING)


def test_zeros_at_the_end_are_dropped_so_that_the_order_is_the_same_under_jit():
    padded = st.SobolevLoss((1.0, 1.0, 0.0))
    assert padded.lambdas == (1.0, 1.0)
    traced = jax.jit(lambda loss: st.population_loss(STUDENT, TEACHER, loss))(padded)
    np.testing.assert_allclose(traced, value((1.0, 1.0)), rtol=0, atol=ROUNDING)


def test_traced_lambdas_that_are_not_real_scalars_are_refused():
    for bad in (jnp.array(1j), jnp.ones(2), jnp.array(True)):
        with pytest.raises(TypeError, match=message("lambdas[0]", "got", "needs a real number")):
            jax.eval_shape(lambda x: st.SobolevLoss((x,)).lambdas[0], bad)


def test_array_scalars_are_numbers():
    assert st.SobolevLoss((np.float32(1.0), jnp.array(0.5))).lambdas == (1.0, 0.5)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_weights_that_are_negative_or_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match=message("lambdas[1]", f"got {bad}", "needs a finite number >= 0")):
        st.SobolevLoss((1.0, bad))


@pytest.mark.parametrize("bad", ["1", 1j, True, None, np.bool_(True), np.complex64(1), jnp.array(1j), jnp.ones(2)])
def test_weights_that_are_not_real_are_refused(bad):
    with pytest.raises(TypeError, match=message("lambdas[0]", "got ", "needs a real number")):
        st.SobolevLoss((bad,))


def test_a_lone_number_and_an_empty_sequence_are_refused():
    with pytest.raises(TypeError, match=message("lambdas", "got 1.0", "needs a sequence")):
        st.SobolevLoss(1.0)
    with pytest.raises(ValueError, match=message("lambdas", "got an empty sequence", "needs at least")):
        st.SobolevLoss(())
