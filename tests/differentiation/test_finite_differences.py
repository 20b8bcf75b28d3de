"""Finite differences: the known weights, the order that they promise inside and at the ends, and rounding."""

from fractions import Fraction
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from sobolev_theory.differentiation import finite_differences as fd

EPS = float(np.finfo(np.float64).eps)
INTERVAL = (-1.0, 2.0)


@pytest.mark.parametrize(
    ("offsets", "order", "numerators", "denominator"),
    [
        ((-1, 0, 1), 1, (-1, 0, 1), 2),
        ((-1, 0, 1), 2, (1, -2, 1), 1),
        ((0, 1, 2), 1, (-3, 4, -1), 2),
        (range(-4, 5), 1, (3, -32, 168, -672, 0, 672, -168, 32, -3), 840),
        ((0.0, 0.5), 1, (-2, 2), 1),
    ],
)
def test_weights_are_the_known_ones(offsets, order, numerators, denominator):
    np.testing.assert_array_equal(fd.weights(offsets, order), np.array(numerators) / denominator)


@given(some.sets(some.integers(-12, 12), min_size=5, max_size=9), some.integers(0, 4))
def test_weights_differentiate_every_power_that_they_can(offsets, order):
    """sum of w x^j is j! at j = order and 0 at the other j; the weights are rounded once, so eps bounds each term."""
    offsets = sorted(offsets)
    weights = [Fraction(w) for w in fd.weights(offsets, order).tolist()]
    for j in range(len(offsets)):
        terms = [w * Fraction(x) ** j for w, x in zip(weights, offsets, strict=True)]
        wanted = factorial(j) if j == order else 0
        assert abs(sum(terms) - wanted) <= EPS * sum(map(abs, terms))


@pytest.mark.parametrize(("order", "accuracy"), [(1, 2), (1, 4), (1, 8), (2, 2), (2, 6), (3, 4), (4, 2)])
def test_halving_the_spacing_divides_the_error_by_two_to_the_accuracy_inside_and_at_the_ends(order, accuracy):
    half = fd.reach(order, accuracy)
    errors = []
    for n in (33, 65):
        u = np.exp(fd.grid(n, INTERVAL))
        error = abs(np.asarray(fd.derivative(u, order, interval=INTERVAL, accuracy=accuracy)) / u - 1)
        errors.append([error[half], error[n // 2], error[0], error[-1]])
    rate = np.log2(np.divide(*errors))
    # The next term of the error is smaller by h^2 < 0.01 inside, by a few h = 0.09 at the ends.
    np.testing.assert_allclose(rate[:2], accuracy, atol=0.02)
    np.testing.assert_allclose(rate[2:], accuracy, atol=0.5)


@pytest.mark.parametrize("accuracy", [8, 12])
def test_a_resolved_wave_is_differentiated_to_rounding_on_512_points(accuracy):
    x = np.asarray(fd.grid(512, INTERVAL))
    error = abs(np.asarray(fd.derivative(np.sin(3 * x), interval=INTERVAL, accuracy=accuracy)) - 3 * np.cos(3 * x))
    # Values of size 1, rounded, with arguments of size 6 rounded too; each row amplifies that by its own weights.
    assert np.all(error <= 4 * EPS * fd.amplification(512, 1, accuracy) * 511 / 3)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_polynomials_below_the_order_of_the_scheme_are_exact_everywhere(order):
    accuracy, n = 4, 65
    x = np.asarray(fd.grid(n, INTERVAL))
    power = np.polynomial.Polynomial([1, -2, 0.5, 3, 0, 1, -1][: order + accuracy])
    found = fd.derivative(power(x), order, interval=INTERVAL, accuracy=accuracy)
    error = abs(np.asarray(found) - power.deriv(order)(x))
    size = float(abs(power(x)).max())
    assert np.all(error <= 8 * EPS * size * fd.amplification(n, order, accuracy) * ((n - 1) / 3) ** order)


@pytest.mark.parametrize("order", [1, 2])
def test_a_constant_has_derivative_zero_exactly(order):
    u = np.full((3, 21), 0.1)
    np.testing.assert_array_equal(fd.derivative(u, order, interval=(0.0, 0.7), accuracy=6), 0.0)


def test_it_works_along_the_axis_named_and_no_other():
    u = np.random.default_rng(0).normal(size=(9, 3, 8))
    along = np.asarray(fd.derivative(u, interval=INTERVAL, axis=0))
    np.testing.assert_array_equal(along[:, 1, 5], fd.derivative(u[:, 1, 5], interval=INTERVAL))
    np.testing.assert_array_equal(along, fd.derivative(u, interval=INTERVAL, axis=-3))


def test_single_precision_stays_single():
    u = np.ones(9, np.float32)
    assert fd.derivative(u, interval=INTERVAL).dtype == jnp.float32


def test_its_gradient_is_its_transpose_also_under_jit_and_vmap():
    def scheme(u):
        return fd.derivative(u, interval=INTERVAL, accuracy=4)

    u = np.random.default_rng(1).normal(size=(2, 9))
    matrix = np.asarray(scheme(np.eye(9))).T
    gradient = jax.jit(jax.vmap(jax.grad(lambda u: jnp.sum(scheme(u) ** 2) / 2)))(u)
    # Two products of matrices of size 9 with entries up to 12: rounding of 18 terms each.
    np.testing.assert_allclose(gradient, u @ matrix.T @ matrix, atol=18 * EPS * 12**2 * 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u: fd.derivative(u, interval=(1.0, 1.0)), r"interval: got \(1.0, 1.0\)"),
        (lambda u: fd.derivative(u, interval=(0.0, 1.0), accuracy=3), "accuracy: got 3; needs an even number"),
        (lambda u: fd.derivative(u, 0, interval=(0.0, 1.0)), "order: got 0"),
        (
            lambda u: fd.derivative(u, interval=(0.0, 1.0), accuracy=10),
            "u: got 9 points along the axis; needs at least 11",
        ),
        (lambda u: fd.derivative(u, interval=(0.0, 1.0), axis=1), "axis: got 1"),
        (lambda u: fd.weights((0, 1, 1), 1), r"offsets: got \(0, 1, 1\)"),
        (lambda u: fd.grid(1, (0.0, 1.0)), "n: got 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones(9))
