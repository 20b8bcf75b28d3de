"""Network and GaussianInput: what they hold, and what they refuse."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st

WEIGHTS = np.array([[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]])


def message(*parts: str) -> str:
    return "(?s)" + ".*".join(re.escape(part) for part in parts)


def test_a_vector_is_one_neuron():
    network = st.Network([1.0, 2.0, 3.0])
    assert network.weights.shape == (1, 3)
    assert (network.neurons, network.dimension) == (1, 3)


def test_output_weights_are_ones_and_biases_are_absent_by_default():
    network = st.Network(WEIGHTS)
    np.testing.assert_array_equal(network.output_weights, [1.0, 1.0])
    assert network.biases is None
    assert network.activation == st.ReLU()


def test_value_is_the_sum_over_neurons():
    network = st.Network(WEIGHTS, [2.0, -1.0], biases=[0.5, 3.0])
    assert float(network(jnp.array([1.0, 4.0, -0.5]))) == 2.0 * 0.5 - 1.0 * 0.0
    assert float(network(jnp.array([1.0, -4.0, -0.5]))) == 2.0 * 0.5 - 1.0 * 6.5


def test_a_batch_of_inputs_is_mapped_by_vmap():
    assert jax.vmap(st.Network(WEIGHTS))(jnp.ones((5, 3))).shape == (5,)


def test_integers_become_floating_point():
    assert jnp.issubdtype(st.Network([[1, 2], [3, 4]]).weights.dtype, jnp.floating)


def test_single_precision_is_kept():
    network = st.Network(WEIGHTS.astype(np.float32))
    assert network.weights.dtype == network.output_weights.dtype == jnp.float32


def test_leaves_are_the_parameters_and_the_activation_is_static():
    assert len(jax.tree.leaves(st.Network(WEIGHTS))) == 2
    assert len(jax.tree.leaves(st.Network(WEIGHTS, biases=[0.0, 1.0]))) == 3


@pytest.mark.parametrize(
    ("weights", "got"),
    [(1.0, "()"), (np.ones((2, 3, 4)), "(2, 3, 4)"), (np.zeros((0, 3)), "(0, 3)"), (np.zeros((2, 0)), "(2, 0)")],
)
def test_weights_of_a_wrong_rank_or_empty_are_refused(weights, got):
    with pytest.raises(ValueError, match=message("weights", f"got shape {got}", "needs [K, d]")):
        st.Network(weights)


@pytest.mark.parametrize(("bad", "got"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_numbers_that_are_not_finite_are_refused_with_their_place(bad, got):
    weights = WEIGHTS.copy()
    weights[1, 2] = bad
    with pytest.raises(ValueError, match=message("weights", f"got {got} at [1, 2]", "needs finite numbers")):
        st.Network(weights)
    with pytest.raises(ValueError, match=message("output_weights", f"got {got} at [1]", "needs finite numbers")):
        st.Network(WEIGHTS, [1.0, bad])
    with pytest.raises(ValueError, match=message("biases", f"got {got} at [0]", "needs finite numbers")):
        st.Network(WEIGHTS, biases=[bad, 1.0])


@pytest.mark.parametrize(("bad", "got"), [([1j, 2.0], "complex128"), ([True, False], "bool"), (["a", "b"], "<U1")])
def test_numbers_that_are_not_real_are_refused(bad, got):
    with pytest.raises(TypeError, match=message("weights", f"got dtype {got}", "needs real")):
        st.Network(bad)
    with pytest.raises(TypeError, match=message("output_weights", f"got dtype {got}", "needs real")):
        st.Network(WEIGHTS, bad)


def test_none_is_refused():
    with pytest.raises(TypeError, match=message("weights", "object", "needs real")):
        st.Network(None)


def test_ragged_rows_are_refused():
    with pytest.raises(ValueError, match=message("weights", "ragged", "needs a rectangular array")):
        st.Network([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize(("bad", "got"), [([1.0, 2.0, 3.0], "(3,)"), (1.0, "()"), (np.ones((2, 1)), "(2, 1)")])
def test_parameters_that_are_not_one_per_neuron_are_refused(bad, got):
    with pytest.raises(ValueError, match=message("output_weights", f"got shape {got}", "needs [K] = [2]")):
        st.Network(WEIGHTS, bad)
    with pytest.raises(ValueError, match=message("biases", f"got shape {got}", "needs [K] = [2]")):
        st.Network(WEIGHTS, biases=bad)


def test_activation_that_is_none_of_ours_is_refused():
    with pytest.raises(TypeError, match=message("activation", "got 'relu'", "needs an Activation")):
        st.Network(WEIGHTS, activation="relu")


def test_input_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=message("x", "got shape (5, 3)", "needs [3]", "vmap")):
        st.Network(WEIGHTS)(np.ones((5, 3)))


def test_networks_are_immutable():
    with pytest.raises(AttributeError):
        st.Network(WEIGHTS).weights = WEIGHTS
