"""Fourier derivatives and H^s: exact on waves, Parseval, and where the paper's weights differ from signed ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory.differentiation import fourier

EPS = float(np.finfo(np.float64).eps)
IMAGE = np.random.default_rng(0).normal(size=(3, 8, 6))


def periodic(n, length, start=0.0):
    return start + length * np.arange(n) / n


@pytest.mark.parametrize("n", [31, 64, 512])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_waves_are_differentiated_to_rounding_on_any_period(n, order):
    length, k = 1.5, 7
    xi = 2 * np.pi * k / length
    x = periodic(n, length, start=-0.3)
    found = np.asarray(fourier.derivative(np.cos(xi * x), order, length=length))
    error = abs(found - xi**order * np.cos(xi * x + order * np.pi / 2))
    # Samples of size 1 with arguments up to 35 carry 20 eps; a mode of that noise grows by its frequency^order.
    assert error.max() <= 20 * EPS * (np.pi * n / length) ** order


def test_the_fastest_mode_has_no_slope_at_its_samples_but_a_curvature():
    u = np.cos(np.pi * np.arange(8))
    for samples in (u, u + 0j):
        np.testing.assert_allclose(fourier.derivative(samples, 1, length=8.0), 0.0, atol=8 * EPS * np.pi)  # 8 terms
    np.testing.assert_allclose(fourier.derivative(u, 2, length=8.0), -(np.pi**2) * u, atol=8 * EPS * np.pi**2)


def test_a_complex_wave_keeps_its_sign_of_frequency():
    x = periodic(16, 2 * np.pi)
    u = np.exp(-3j * x)
    np.testing.assert_allclose(fourier.derivative(u, length=2 * np.pi), -3j * u, atol=16 * EPS * 8)  # modes up to 8


def test_derivatives_work_along_the_axis_named():
    along = fourier.derivative(IMAGE, length=3.0, axis=1)
    assert along.shape == IMAGE.shape
    alone = fourier.derivative(IMAGE[2, :, 5], length=3.0)
    np.testing.assert_allclose(
        np.asarray(along)[2, :, 5], alone, atol=8 * EPS * 8 * 9
    )  # sums of 8 terms, weights up to 8


@pytest.mark.parametrize("s", [-1.5, 1.0, 3.0])
def test_waves_of_the_plane_are_multiplied_by_their_own_factor(s):
    """On two axes that are not the last, of different lengths and numbers of points."""
    x, y = periodic(8, 2.0)[:, None], periodic(6, 5.0)
    k, m = 2 * np.pi * 3 / 2.0, -2 * np.pi * 2 / 5.0
    u = np.cos(k * x + m * y)[..., None]
    factor = (1 + k**2 + m**2) ** (s / 2)
    found = fourier.multiplier(u, s, axes=(0, 1), lengths=(2.0, 5.0))
    # Noise of the samples, some eps, is multiplied by at most the greatest factor of the grid.
    greatest = max(1.0, (1 + (8 * np.pi / 2) ** 2 + (6 * np.pi / 5) ** 2) ** (s / 2))
    np.testing.assert_allclose(found, factor * u, atol=50 * EPS * greatest)


def test_a_length_of_none_is_a_pixel_of_size_one():
    by_pixels = fourier.multiplier(IMAGE, 1.0)
    np.testing.assert_array_equal(by_pixels, fourier.multiplier(IMAGE, 1.0, lengths=(8.0, 6.0)))


def test_h1_is_the_integral_of_square_and_squared_gradient():
    """For modes below n/2, whose derivative on the grid is that of the wave."""
    x, y = periodic(16, 2.0)[:, None], periodic(12, 5.0)
    u = np.sin(2 * np.pi * 5 * x / 2.0 + 1) * np.cos(2 * np.pi * 4 * y / 5.0) + 0.3
    slopes = fourier.derivative(u, length=2.0, axis=0), fourier.derivative(u, length=5.0, axis=1)
    integral = sum(np.mean(np.asarray(v) ** 2) for v in (u, *slopes)) * 2.0 * 5.0
    found = fourier.sobolev_norm_squared(u, 1.0, lengths=(2.0, 5.0))
    np.testing.assert_allclose(found, integral, rtol=100 * EPS)  # sums of 192 terms, pairwise


@pytest.mark.parametrize("frequencies", ["signed", "paper"])
def test_the_mean_square_is_that_of_the_multiplied_image(frequencies):
    multiplied = np.asarray(fourier.multiplier(IMAGE, 1.3, frequencies=frequencies))
    found = fourier.sobolev_mean_square(IMAGE, 1.3, frequencies=frequencies)
    np.testing.assert_allclose(found, np.mean(abs(multiplied) ** 2, axis=(1, 2)), rtol=50 * EPS)  # sums of 48 terms


def test_the_paper_weights_conjugate_modes_differently_and_the_signed_ones_do_not():
    n, k, s = 16, 3, 1.0
    x = np.arange(n)
    forward, backward = (np.exp(sign * 2j * np.pi * k * x / n) for sign in (1, -1))  # modes k and n - k
    unit = 2 * np.pi / n

    def square(u, frequencies):
        return float(fourier.sobolev_mean_square(u, s, axes=(0,), frequencies=frequencies))

    rounding = {"rel": 50 * EPS * n**2}  # other modes hold eps, and weigh up to n^2 times as much
    assert square(forward, "signed") == pytest.approx(1 + (unit * k) ** 2, **rounding)
    assert square(backward, "signed") == pytest.approx(1 + (unit * k) ** 2, **rounding)
    assert square(forward, "paper") == pytest.approx(1 + (unit * k) ** 2, **rounding)
    assert square(backward, "paper") == pytest.approx(1 + (unit * (n - k)) ** 2, **rounding)
    both = 1 + unit**2 * (k**2 + (n - k) ** 2) / 2  # a real wave is half of each
    assert square(np.sqrt(2) * np.cos(2 * np.pi * k * x / n), "paper") == pytest.approx(both, **rounding)


def test_under_the_paper_weights_slow_waves_of_an_image_cost_about_as_much_as_fast_ones():
    """The order of smoothness that H^s is there for: lost, since k^2 + (n - k)^2 is largest for the slowest wave."""
    n = 28
    x = np.arange(n)
    slow, fast = (np.cos(2 * np.pi * k * x / n) for k in (1, 13))
    ratio = {
        frequencies: float(
            fourier.sobolev_mean_square(fast, 1.0, axes=(0,), frequencies=frequencies)
            / fourier.sobolev_mean_square(slow, 1.0, axes=(0,), frequencies=frequencies)
        )
        for frequencies in ("signed", "paper")
    }
    assert ratio["signed"] > 5
    assert ratio["paper"] < 1


def test_the_paper_multiplier_of_a_real_image_is_complex():
    found = np.asarray(fourier.multiplier(IMAGE, 1.0, frequencies="paper"))
    assert np.max(abs(found.imag)) > 0.1
    assert fourier.multiplier(IMAGE, 1.0).dtype == IMAGE.dtype


def test_the_gradient_of_the_norm_is_the_multiplier_twice_also_at_a_black_image():
    def half(u):
        return jnp.sum(fourier.sobolev_norm_squared(u, 1.0)) / 2

    gradient = jax.jit(jax.grad(half))
    twice = fourier.multiplier(IMAGE, 2.0)
    np.testing.assert_allclose(gradient(IMAGE), twice, atol=48 * EPS * 20 * 4)  # 48 terms, factors up to 1 + 2 pi^2
    np.testing.assert_array_equal(gradient(np.zeros_like(IMAGE)), 0.0)


def test_single_precision_stays_single():
    u = IMAGE.astype(np.float32)
    assert fourier.derivative(u, length=1.0).dtype == np.float32
    assert fourier.multiplier(u, 1.0).dtype == np.float32
    assert fourier.sobolev_norm_squared(u, 1.0, frequencies="paper").dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fourier.derivative(IMAGE, length=0.0), "length: got 0.0"),
        (lambda: fourier.derivative(IMAGE, -1, length=1.0), "order: got -1"),
        (lambda: fourier.multiplier(IMAGE, 1.0, axes=(0, 3)), r"axes: got \(0, 3\)"),
        (lambda: fourier.multiplier(IMAGE, 1.0, axes=(1, -2)), r"axes: got \(1, -2\); needs distinct"),
        (lambda: fourier.multiplier(IMAGE, 1.0, lengths=(1.0,)), "lengths: got 1; needs one for each of the 2 axes"),
        (lambda: fourier.sobolev_mean_square(IMAGE, 1.0, frequencies="all"), "frequencies: got 'all'"),
        (lambda: fourier.sobolev_norm_squared(np.zeros((0, 3)), 1.0), r"u: got shape \(0, 3\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
