"""The closed forms of a pair of neurons: definition, autodiff, and finiteness where e does not exist."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory import pair
from tests.helpers import reference
from tests.helpers.cases import EPS, PAIRS

random = np.random.default_rng(8)
W, V = jnp.array(random.normal(size=4)), jnp.array(random.normal(size=4))
# Vectors of norm below 4, a few roundings, 1 / sin below 2.
ROUNDING = 16 * 4 * EPS


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=ROUNDING)


def derivative(f, argument=0):
    return jax.jit(jax.jacfwd(f, argument))(W, V)


@pytest.mark.parametrize(("order", "kernel"), [(0, pair.value_kernel), (1, pair.slope_kernel)])
def test_kernel_is_that_of_the_definition(order, kernel):
    exact = float(reference.kernel(order, reference.exact(W), reference.exact(V)))
    close(kernel(W, V), exact)
    np.testing.assert_allclose(kernel(W, W), W @ W / 2, rtol=8 * EPS)


@pytest.mark.parametrize(
    ("f", "argument", "written"),
    [
        (pair.value_kernel, 0, pair.value_gradient),
        (pair.slope_kernel, 0, lambda w, v: pair.slope_gradient(w, v) + pair.slope_boundary(w, v)),
        (pair.value_gradient, 0, pair.value_hessian),
        (pair.value_gradient, 1, pair.value_mixed_hessian),
        (pair.slope_gradient, 0, pair.slope_jacobian),
        (pair.slope_gradient, 1, pair.slope_mixed_jacobian),
    ],
    ids=["kappa_0", "kappa_1", "kappa_0 twice", "kappa_0 mixed", "kappa_1 twice", "kappa_1 mixed"],
)
def test_written_derivative_is_that_of_autodiff(f, argument, written):
    close(derivative(f, argument), written(W, V))


def test_value_hessian_is_symmetric_and_slope_jacobian_is_not():
    close(pair.value_hessian(W, V), pair.value_hessian(W, V).T)
    skew = pair.slope_jacobian(W, V) - pair.slope_jacobian(W, V).T
    assert np.max(np.abs(skew)) > 0.01


def test_mixed_hessian_transposes_when_the_neurons_are_exchanged():
    close(pair.value_mixed_hessian(W, V), pair.value_mixed_hessian(V, W).T)


FUNCTIONS = (
    pair.value_kernel,
    pair.slope_kernel,
    pair.value_gradient,
    pair.slope_gradient,
    pair.slope_boundary,
    pair.value_hessian,
    pair.value_mixed_hessian,
    pair.slope_jacobian,
    pair.slope_mixed_jacobian,
)


def test_every_function_is_finite_at_every_pair():
    pairs = [(c.weights[0], c.teacher_weights[0]) for c in PAIRS.values()]
    values = jax.jit(jax.vmap(lambda w, v: [f(w, v) for f in FUNCTIONS]))(*map(jnp.array, zip(*pairs, strict=True)))
    for f, leaf in zip(FUNCTIONS, values, strict=True):
        bad = np.flatnonzero(~np.all(np.isfinite(leaf.reshape(len(pairs), -1)), axis=1))
        assert not bad.size, (f.__name__, [list(PAIRS)[i] for i in bad])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_terms_in_e_are_zero_between_parallel_neurons(sign):
    assert not np.any(pair.slope_boundary(W, sign * 2 * W))
    assert not np.any(pair.slope_jacobian(W, sign * 2 * W))
