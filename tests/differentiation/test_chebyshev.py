"""Chebyshev differentiation: exact on polynomials, geometric on analytic functions, stable for many nodes."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from numpy.polynomial import chebyshev as series

from sobolev_theory.differentiation import chebyshev

EPS = float(np.finfo(np.float64).eps)
METHODS = ("matrix", "transform")
INTERVAL = (-1.0, 2.0)


def test_nodes_run_from_the_upper_end_to_the_lower_one_symmetric_about_the_middle():
    x = np.asarray(chebyshev.nodes(65))
    assert x[0] == 1.0
    assert x[-1] == -1.0
    np.testing.assert_array_equal(x, -x[::-1])
    np.testing.assert_allclose(x, np.cos(np.pi * np.arange(65) / 64), atol=EPS)  # one rounding of numbers below 1
    assert chebyshev.nodes(3, INTERVAL).tolist() == [2.0, 0.5, -1.0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_polynomial_through_the_nodes_is_differentiated_exactly(method, order):
    n = 17
    x = np.asarray(chebyshev.nodes(n))
    coefficients = np.eye(n)
    wanted = series.chebval(x, series.chebder(coefficients, order))
    error = abs(np.asarray(chebyshev.derivative(series.chebval(x, coefficients), order, method=method)) - wanted)
    # Samples and references, by Clenshaw's recurrence, are wrong by some eps of 1 and of n^(2 order); the derivative
    # carries that of the samples at most n^(2 order) times.
    assert error.max() <= 8 * EPS * n ** (2 * order)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("n", [64, 512])
def test_a_resolved_wave_is_differentiated_to_rounding(method, order, n):
    x = np.asarray(chebyshev.nodes(n, INTERVAL))
    wanted = 20.0**order * np.sin(20 * x + order * np.pi / 2)
    error = abs(np.asarray(chebyshev.derivative(np.sin(20 * x), order, interval=INTERVAL, method=method)) - wanted)
    # Arguments up to 40 carry rounding of 40 eps/2 into the samples, and n^(2 order) times that into derivatives.
    assert error.max() <= 20 * EPS * n ** (2 * order) * (2 / 3) ** order


def test_the_error_on_an_analytic_function_falls_as_its_poles_say():
    """1/(1 + x^2) has poles at +-i, which are on the ellipse of sum of half axes 1 + sqrt 2."""
    errors = []
    for n in (21, 31):  # of one parity of n - 1, since the function is even
        x = np.asarray(chebyshev.nodes(n))
        errors.append(abs(np.asarray(chebyshev.derivative(1 / (1 + x**2))) + 2 * x / (1 + x**2) ** 2).max())
    # The factor in front grows as a low power of n, here at most (31/21)^2 in ten nodes.
    rate = (errors[0] / errors[1]) ** 0.1
    assert (1 + 2**0.5) / (31 / 21) ** 0.2 <= rate <= 1 + 2**0.5


def test_entries_of_the_matrix_are_right_to_a_few_units_for_512_nodes():
    """References at 40 digits, in corners and middle, where differences of rounded nodes would cancel."""
    n = 512
    found = np.asarray(chebyshev.matrix(n))
    with mpmath.workdps(40):
        x = [mpmath.cos(mpmath.pi * k / (n - 1)) for k in range(n)]
        for i, j in ((0, 1), (1, 0), (1, 2), (2, 1), (255, 256), (300, 3), (510, 509), (511, 510)):
            ends = mpmath.mpf(2 if i in (0, n - 1) else 1) / (2 if j in (0, n - 1) else 1)
            wanted = float(ends * (-1) ** (i + j) / (x[i] - x[j]))
            np.testing.assert_allclose(found[i, j], wanted, rtol=8 * EPS)  # two sines, two angles, a division
    # A diagonal entry is a sum of n terms of both signs, no larger in sum than 4 n^2.
    np.testing.assert_allclose(found[0, 0], (2 * 511**2 + 1) / 6, atol=4 * n**2 * EPS)


def test_rows_sum_to_zero():
    matrix = np.asarray(chebyshev.matrix(200, 2))
    assert np.all(abs(matrix.sum(axis=1)) <= 8 * EPS * abs(matrix).sum(axis=1))  # rounding of the sum itself


@pytest.mark.parametrize("n", [2, 3, 8, 9])
def test_transform_and_its_inverse_are_those_of_the_series(n):
    coefficients = np.random.default_rng(n).normal(size=(2, n))
    values = series.chebval(np.asarray(chebyshev.nodes(n)), coefficients.T)
    # Sums of n numbers of size 1.
    np.testing.assert_allclose(chebyshev.transform(values), coefficients, atol=8 * n * EPS)
    np.testing.assert_allclose(chebyshev.inverse_transform(coefficients), values, atol=8 * n * EPS)


@pytest.mark.parametrize("method", METHODS)
def test_it_works_along_the_axis_named_in_the_precision_given(method):
    u = np.random.default_rng(0).normal(size=(9, 3, 4)).astype(np.float32)
    along = np.asarray(chebyshev.derivative(u, interval=INTERVAL, axis=0, method=method))
    assert along.dtype == np.float32
    alone = chebyshev.derivative(u[:, 1, 2], interval=INTERVAL, method=method)
    # Products of 9 terms may be summed in another order, with weights up to n^2.
    np.testing.assert_allclose(along[:, 1, 2], alone, atol=9 * 81 * float(np.finfo(np.float32).eps))


@pytest.mark.parametrize("method", METHODS)
def test_its_gradient_is_its_transpose_also_under_jit_and_vmap(method):
    matrix = np.asarray(chebyshev.matrix(9, interval=INTERVAL))
    u = np.random.default_rng(1).normal(size=(2, 9))

    def energy(u):
        return jnp.sum(chebyshev.derivative(u, interval=INTERVAL, method=method) ** 2) / 2

    gradient = jax.jit(jax.vmap(jax.grad(energy)))(u)
    np.testing.assert_allclose(gradient, u @ matrix.T @ matrix, atol=9 * EPS * 9**4)  # entries up to 9^2, squared


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chebyshev.nodes(1), "n: got 1; needs an integer >= 2"),
        (lambda: chebyshev.matrix(4, 0), "order: got 0"),
        (lambda: chebyshev.matrix(4, interval=(0.0, np.inf)), "interval: got"),
        (lambda: chebyshev.derivative(np.ones(1)), "u: got 1 points"),
        (lambda: chebyshev.derivative(np.ones(4), axis=2), "axis: got 2"),
        (lambda: chebyshev.derivative(np.ones(4), method="fft"), "method: got 'fft'"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
