"""Sobolev losses of functions: closed forms, targets as arrays, schemes and functions, and unbiased projections."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import training
from sobolev_theory.differentiation import chebyshev

# Compiled once, not operation by operation.
derivatives, sobolev_loss, projected_loss = map(
    eqx.filter_jit, (training.derivatives, training.sobolev_loss, training.projected_loss)
)
WEIGHTED = st.SobolevLoss((1.0, 0.5, 0.25))
X = jnp.asarray(np.random.default_rng(0).standard_normal((3, 4)))


def network(x):
    return jnp.stack([jnp.sin(x[0] * x[1]), x[2] ** 2 * x[3]])


def target(x):
    return jnp.stack([x[0] + x[3], jnp.cos(x[1] - x[2])])


def test_the_loss_of_a_quadratic_is_its_closed_form():
    x = jnp.array([-1.0, 0.5, 2.0])
    found = sobolev_loss(lambda x: x**2, x, lambda x: -x, WEIGHTED)
    expected = np.mean((x**2 + x) ** 2 + 0.5 * (2 * x + 1) ** 2 + 0.25 * 4) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_squares_are_summed_over_outputs_and_inputs_and_averaged_over_points():
    found = sobolev_loss(lambda x: 3 * x, X, lambda x: x, st.SobolevLoss((1.0, 0.5)))
    # The difference 2x has the slope 2 in each of 4 outputs.
    np.testing.assert_allclose(found, (np.mean(np.sum(4 * X**2, axis=1)) + 0.5 * 4 * 4) / 2, rtol=1e-14)


def test_arrays_of_exact_derivatives_are_the_same_target_as_the_function():
    arrays = derivatives(target, X, 2)
    of_function = sobolev_loss(network, X, target, WEIGHTED)
    np.testing.assert_allclose(sobolev_loss(network, X, arrays, WEIGHTED), of_function, rtol=1e-14)


def test_a_scheme_gives_a_target_from_values_alone():
    x = chebyshev.nodes(24)
    values = jnp.exp(x)
    scheme = (values, chebyshev.derivative(values, 1), chebyshev.derivative(values, 2))
    loss = sobolev_loss(jnp.exp, x, scheme, st.H2)
    # Squared errors of second derivatives on 24 nodes: rounding times n^4, squared.
    assert loss < (24**4 * 1e-16) ** 2


def test_orders_without_weight_need_no_target():
    without_slope = st.SobolevLoss((1.0, 0.0, 1.0))
    value, _, curvature = derivatives(target, X, 2)
    of_function = sobolev_loss(network, X, target, without_slope)
    np.testing.assert_allclose(
        sobolev_loss(network, X, (value, None, curvature), without_slope), of_function, rtol=1e-14
    )


def test_its_gradient_is_that_of_nested_differentiation():
    x = jnp.linspace(-1.0, 1.0, 7)

    def nested(a):
        def error(x):
            return jnp.tanh(a * x) - jnp.sin(x)

        slopes = jax.vmap(jax.grad(error))(x), jax.vmap(jax.grad(jax.grad(error)))(x)
        return sum(jnp.mean(e**2) for e in (error(x), *slopes)) / 2

    def ours(a):
        return training.sobolev_loss(lambda x: jnp.tanh(a * x), x, jnp.sin, st.H2)

    np.testing.assert_allclose(jax.jit(jax.grad(ours))(1.3), jax.jit(jax.grad(nested))(1.3), rtol=1e-13)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("order", [1, 2])
def test_projections_are_unbiased_for_the_full_norm(order, directions):
    loss = st.SobolevLoss((0.0,) * order + (1.0,))
    draws = 4000

    @jax.jit
    @jax.vmap
    def projected(key):
        return training.projected_loss(network, X, key, target, loss, directions=directions)

    found = np.asarray(projected(jax.random.split(jax.random.key(1), draws)))
    full = sobolev_loss(network, X, target, loss)
    error = found.std(ddof=1) / np.sqrt(draws)
    assert abs(found.mean() - full) < 4 * error  # standard errors; a factor of d = 4 would be some 100 of them
    assert error < 0.05 * full


def test_slopes_along_as_many_directions_as_inputs_are_all_of_them():
    found = projected_loss(network, X, jax.random.key(0), target, st.H1, directions=4)
    np.testing.assert_allclose(found, sobolev_loss(network, X, target, st.H1), rtol=1e-13)


def test_projections_of_arrays_are_those_of_the_function():
    key = jax.random.key(3)
    arrays = derivatives(target, X, 2)
    np.testing.assert_allclose(
        projected_loss(network, X, key, arrays, WEIGHTED),
        projected_loss(network, X, key, target, WEIGHTED),
        rtol=1e-12,
    )


@pytest.mark.parametrize("precision", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("loss", [st.L2, st.H1])
def test_single_and_half_precision_stay(loss, precision):
    x = X.astype(precision)
    assert sobolev_loss(network, x, target, loss).dtype == precision
    for directions in (1, 2):  # more than one by QR, which half precision lacks
        found = projected_loss(network, x, jax.random.key(0), target, loss, directions=directions)
        assert found.dtype == precision


def with_every_loss(network, x, wanted, loss=st.H1):
    """Each loss, called alike."""
    yield lambda: training.sobolev_loss(network, x, wanted, loss)
    yield lambda: training.projected_loss(network, x, jax.random.key(0), wanted, loss)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ((jnp.ones((3, 2)),), "target: got 1 arrays; needs one for each order from 0 to 1"),
        ((jnp.ones((3, 2)), jnp.ones((3, 4))), r"target\[1\]: got shape \(3, 4\); needs shape \(3, 2, 4\)"),
        ((jnp.ones((3, 2)), None), r"target\[1\]: got None"),
        ((jnp.ones((3, 1)), jnp.ones((3, 2, 4))), r"target\[0\]: got shape \(3, 1\)"),
        ((jnp.ones(2), jnp.ones((3, 2, 4))), r"target\[0\]: got shape \(2,\)"),
        ((1.0, jnp.ones((3, 2, 4))), r"target\[0\]: got shape \(\)"),
        ((jnp.ones((3, 2)), np.full((3, 2, 4), np.nan)), r"target\[1\]: got nan at \[0, 0, 0\]"),
        (lambda x: x[0], r"target: got a function to shape \(\); needs shape \(2,\)"),
        (lambda x: x[:1], r"target: got a function to shape \(1,\); needs shape \(2,\)"),
        (lambda x: x[None, :2], r"target: got a function to shape \(1, 2\); needs shape \(2,\)"),
    ],
)
def test_targets_that_do_not_fit_are_named_and_never_broadcast(wanted, message):
    for loss in with_every_loss(network, X, wanted):
        with pytest.raises(ValueError, match=message):
            loss()


def test_networks_that_do_not_fit_their_target_are_named():
    x = jnp.array([0.0, 1.0])
    for wanted in (jnp.sin, (jnp.sin(x), jnp.cos(x))):
        for loss in with_every_loss(lambda t: jnp.stack([jnp.sin(t)]), x, wanted):
            with pytest.raises(ValueError, match=r"target.*: got .*shape \((2,)?\); needs shape \((2, )?1,?\)"):
                loss()


@pytest.mark.parametrize(
    ("x", "wanted", "name"),
    [
        (X * 1j, target, "x"),
        (X, lambda x: 1j * target(x), "target"),
        (X, (jnp.ones((3, 2)), 1j * jnp.ones((3, 2, 4))), r"target\[1\]"),
        (X, None, "target"),
    ],
)
def test_complex_numbers_are_named(x, wanted, name):
    for loss in with_every_loss(network, x, wanted):
        with pytest.raises(TypeError, match=f"{name}: got"):
            loss()


def test_no_points_have_no_mean():
    for loss in with_every_loss(network, X[:0], target):
        with pytest.raises(ValueError, match=r"x: got shape \(0, 4\); needs at least one point"):
            loss()


@pytest.mark.parametrize("directions", [0, 5, 1.0])
def test_numbers_of_directions_outside_the_input_dimension_are_named(directions):
    with pytest.raises(ValueError, match=f"directions: got {directions}; needs a whole number from 1 to 4"):
        training.projected_loss(network, X, jax.random.key(0), target, directions=directions)


def test_a_loss_that_is_none_is_named():
    with pytest.raises(TypeError, match="loss: got 'H1'"):
        training.sobolev_loss(network, X, target, "H1")


def test_a_single_direction_has_signs_so_that_slopes_along_an_axis_do_not_vary():
    x = jnp.zeros((3, 5))
    for seed in range(2):
        found = training.projected_loss(lambda x: 3 * x[1], x, jax.random.key(seed), lambda x: 0 * x[0], st.H1)
        assert float(found) == 4.5
