"""Lists and tuples of numbers, arrays and traced values, in every place where numbers are passed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.model.arguments import real_array

N = st.Network
TEACHER = N([[0.0, 1.0]])
LISTS = {
    "weights": lambda t: N([[jnp.cos(t), jnp.sin(t)]]),
    "one neuron": lambda t: N((t, np.float32(2.0))),
    "output weights": lambda t: N([[1.0, 2.0]], [t]),
    "biases": lambda t: N([[1.0, 2.0]], biases=(t,)),
    "mean": lambda t: st.GaussianInput(mean=[t, 1]),
    "diagonal": lambda t: st.GaussianInput([t, 2.0]),
    "matrix": lambda t: st.GaussianInput([[2.0, t], (t, np.float64(3.0))]),
    "low rank": lambda t: st.GaussianInput(st.LowRank([1.0, t], [[t], [1]])),
    "lambdas": lambda t: st.SobolevLoss([1.0, t]),
}


def value(name: str, t):
    given = LISTS[name](t)
    student, loss, inputs = N([[0.3, -1.0]]), st.L2, st.GaussianInput()
    if isinstance(given, st.Network):
        student = given
    elif isinstance(given, st.SobolevLoss):
        loss = given
    else:
        inputs = given
    return st.population_loss(student, TEACHER, loss, inputs)


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_traced_numbers_under_every_transformation(name):
    difference = (value(name, 0.3 + 1e-6) - value(name, 0.3 - 1e-6)) / 2e-6
    mapped, slopes = jax.jit(jax.vmap(jax.value_and_grad(lambda t: value(name, t))))(jnp.array([0.3, 0.4]))
    np.testing.assert_allclose(mapped[0], value(name, 0.3), rtol=1e-13)
    np.testing.assert_allclose(slopes[0], difference, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("promotion", ["standard", "strict"])
def test_entries_of_several_precisions_make_one_array(promotion):
    with jax.numpy_dtype_promotion(promotion):
        found = real_array("x", [[jnp.float32(1.0), 2], (np.float64(3.0), 4.0)])
    assert found.dtype == jnp.float64
    np.testing.assert_array_equal(found, [[1.0, 2.0], [3.0, 4.0]])


INFINITE = jnp.array(jnp.inf)  # of known value: made under jit it would be traced


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (lambda t: [[t, 1.0], [2.0]], ValueError, "x: got a ragged sequence"),
        (lambda t: [[1.0, 1.0], [2.0]], ValueError, "x: got a ragged sequence"),
        (lambda t: [t, 1j], TypeError, "x: got dtype complex128; needs real"),
        (lambda t: [t, None], TypeError, "x: got entries of type None; needs real"),
        (lambda t: [t, "1"], TypeError, "x: got entries of type str; needs real"),
        (lambda t: ["1"], TypeError, "x: got dtype <U1; needs real"),
        (lambda t: [True], TypeError, "x: got dtype bool; needs real"),
        (lambda t: [INFINITE, 1.0], ValueError, r"x: got inf at \[0\]; needs finite"),
    ],
)
def test_what_is_no_real_array_is_named(bad, error, message):
    with pytest.raises(error, match=message):
        jax.eval_shape(lambda t: real_array("x", bad(t)), 0.3)
