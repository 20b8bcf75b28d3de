"""What the closed forms take: real numbers however they are written, under transformations of JAX; and no others."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory import L2, orthonormal, pair, single_neuron

W, V = [1.0, 0.5, -0.2, 2.0], [0.1, 1.0, 0.0, -1.0]


def functions(module, first: str):
    found = {name: getattr(module, name) for name in module.__all__ if name[0].islower()}
    return {name: f for name, f in found.items() if next(iter(inspect.signature(f).parameters)) == first}


VECTORS = {f"{m.__name__}.{name}": f for m in (pair, single_neuron) for name, f in functions(m, "w").items()}
CURVES = functions(single_neuron, "rho") | functions(single_neuron, "norm")


def test_every_closed_form_is_here():
    with_lambdas = functions(single_neuron, "lambdas")
    assert len(VECTORS) + len(CURVES) + len(with_lambdas) == sum(
        name[0].islower() for m in (pair, single_neuron) for name in m.__all__
    )


@pytest.mark.parametrize("f", VECTORS.values(), ids=VECTORS)
def test_vectors_may_be_lists_and_are_checked_by_name(f):
    second = list(inspect.signature(f).parameters)[1]
    np.testing.assert_array_equal(f(W, V), f(jnp.array(W), jnp.array(V)))
    np.testing.assert_array_equal(f([1, 0, 0, 2], V), f([1.0, 0.0, 0.0, 2.0], V))
    for bad, error, message in (
        ([1j, 0, 0, 0], TypeError, f"{second}: got dtype complex128"),
        (np.ones(4) * 1j, TypeError, f"{second}: got dtype complex128"),
        (jnp.ones(4) * 1j, TypeError, f"{second}: got dtype complex128"),
        ([True, False, True, True], TypeError, f"{second}: got dtype bool"),
        ([1.0, 2.0, 3.0], ValueError, f"{second}: got 3 entries; needs the 4"),
        ([[1.0, 2.0, 3.0, 4.0]], ValueError, rf"{second}: got shape \(1, 4\)"),
        (1.0, (TypeError, ValueError), f"{second}: got"),
        ([np.nan, 0, 0, 0], ValueError, f"{second}: got nan"),
    ):
        with pytest.raises(error, match=message):
            f(W, bad)


def test_lists_of_traced_numbers_are_vectors():
    def loss(t):
        return single_neuron.h1_loss([jnp.cos(t), jnp.sin(t), 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])

    slope = jax.jit(jax.grad(loss))(0.3)
    w = jnp.array([np.cos(0.3), np.sin(0.3), 0.0, 0.0])
    gradient = single_neuron.h1_loss_gradient(w, [1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(slope, gradient @ np.array([-np.sin(0.3), np.cos(0.3), 0.0, 0.0]), rtol=1e-12)
    assert jax.vmap(loss)(jnp.array([0.1, 0.2])).shape == (2,)


@pytest.mark.parametrize("f", CURVES.values(), ids=CURVES)
def test_numbers_and_arrays_are_taken_by_curves(f):
    first, second, *_ = inspect.signature(f).parameters
    one, several = f(1, 0.5), f(np.array([1.0, 2.0]), [0.5, 0.25])
    np.testing.assert_allclose([float(part) for part in one], [float(np.ravel(part)[0]) for part in several])
    single = f(jnp.float32(1), jnp.float32(0.5))
    assert {jnp.asarray(part).dtype for part in single} == {jnp.dtype("float32")}
    assert all(np.isfinite(part) for part in jax.jit(jax.vmap(lambda t: f(1.0, t)))(jnp.array([0.5]))[0])
    for name, arguments in ((first, (1j, 0.5)), (second, (1.0, [0.5j])), (second, (1.0, True))):
        with pytest.raises(TypeError, match=f"{name}: got dtype"):
            f(*arguments)


def test_lambdas_of_a_loss_of_values_are_those_of_two_orders():
    assert single_neuron.flow(L2.lambdas, 1.0, 0.5) == single_neuron.l2_flow(1.0, 0.5)
    with pytest.raises(ValueError, match="lambdas: got 3 of them"):
        single_neuron.flow((1.0, 1.0, 1.0), 1.0, 0.5)


def test_the_slice_takes_numbers_and_arrays_too():
    np.testing.assert_array_equal(orthonormal.student(1, 0, 2).weights, np.eye(2))
    found = orthonormal.velocity([1, 0.5], [0, 0.25], 3)
    np.testing.assert_allclose(found.x[1], orthonormal.velocity(0.5, 0.25, 3).x, rtol=1e-12)
    for f in (orthonormal.student, orthonormal.velocity, orthonormal.population_loss):
        with pytest.raises(TypeError, match="y: got dtype complex128"):
            f(1.0, 1j, 3)
        with pytest.raises((TypeError, ValueError), match="n: got"):
            f(1.0, 0.0, True)
