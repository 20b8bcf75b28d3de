"""What holds for all public functions of sampled derivatives: what they take, refuse, keep, and say in docstrings."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory.differentiation import adaptive, adaptive_grids, chebyshev, finite_differences, fourier

SCHEMES = {  # of samples [n n]
    "finite differences": lambda u: finite_differences.derivative(u, 2, interval=(0.0, 1.0), accuracy=4, axis=0),
    "Chebyshev matrix": lambda u: chebyshev.derivative(u, 2, axis=0, method="matrix"),
    "Chebyshev transform": lambda u: chebyshev.derivative(u, 2, axis=1, method="transform"),
    "transform": chebyshev.transform,
    "inverse transform": chebyshev.inverse_transform,
    "Fourier": lambda u: fourier.derivative(u, length=2.0, axis=1),
    "multiplier": lambda u: fourier.multiplier(u, 1.0),
    "mean square": lambda u: fourier.sobolev_mean_square(u, 1.0, axes=(0,), lengths=(2.0,)),
    "norm": lambda u: fourier.sobolev_norm_squared(u, 0.5),
    "adaptive": lambda u: adaptive.derivative(jnp.sin, u[0][0]).value,
    "adaptive at points": lambda u: adaptive.derivative(jnp.sin, u).value,
    "adaptive grid": lambda u: adaptive_grids.derivative(u, interval=(0.0, 1.0), axis=1).value,
}
OF_COMPLEX = {"Fourier", "multiplier", "mean square", "norm"}
WHOLE = np.arange(22 * 22).reshape(22, 22) % 7


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("precision", [jnp.bfloat16, jnp.float32, jnp.float64])
def test_precision_is_kept(scheme, precision):
    found = SCHEMES[scheme](jnp.asarray(WHOLE, precision))
    assert found.dtype == precision
    assert np.all(np.isfinite(np.asarray(found, float)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_promoted(scheme):
    """In the precision that meets no other one without promotion."""
    u = jnp.asarray(WHOLE, jnp.bfloat16)
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        found = SCHEMES[scheme](u)
    np.testing.assert_array_equal(found, SCHEMES[scheme](u))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray, np.ndarray.tolist])
def test_whole_numbers_are_those_numbers(scheme, kind):
    np.testing.assert_array_equal(SCHEMES[scheme](kind(WHOLE)), SCHEMES[scheme](WHOLE.astype(float)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_complex_numbers_are_refused_by_name_or_right(scheme):
    if scheme not in OF_COMPLEX:
        with pytest.raises(TypeError, match=r"(u|x|coefficients): got dtype complex128"):
            SCHEMES[scheme](WHOLE * (1 + 2j))
        return
    found = SCHEMES[scheme](WHOLE * (1 + 2j))
    factor = 5 if scheme in ("mean square", "norm") else 1 + 2j
    np.testing.assert_allclose(found, factor * SCHEMES[scheme](WHOLE), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, "complex"])
def test_numbers_that_are_not_finite_are_named(scheme, bad):
    if bad == "complex" and scheme not in OF_COMPLEX:
        return
    u = WHOLE + (0j if bad == "complex" else 0.0)
    u[0, 0] = np.nan * 1j if bad == "complex" else bad
    with pytest.raises(ValueError, match=r"(u|x|coefficients): got (nan|inf).*; needs finite numbers"):
        SCHEMES[scheme](u)


def test_a_function_of_complex_values_is_refused():
    with pytest.raises(TypeError, match="f: got values of dtype complex128; needs real numbers"):
        adaptive.derivative(lambda x: jnp.exp(1j * x), 0.3)


@pytest.mark.parametrize("s", [1j, np.nan, [1.0, 2.0], "1"])
def test_a_smoothness_that_is_no_number_is_named(s):
    for function in (fourier.multiplier, fourier.sobolev_mean_square, fourier.sobolev_norm_squared):
        with pytest.raises((TypeError, ValueError), match="s: got"):
            function(np.ones((4, 4)), s)


@pytest.mark.parametrize("order", [0.5, 1.0, True, -1])
def test_orders_that_are_not_whole_are_named(order):
    for call in (
        lambda: fourier.derivative(np.ones(8), order, length=1.0),
        lambda: chebyshev.derivative(np.ones(8), order),
        lambda: finite_differences.derivative(np.ones(8), order, interval=(0, 1)),
        lambda: adaptive.derivative(np.sin, 0.0, order),
        lambda: adaptive_grids.derivative(np.ones(40), order, interval=(0, 1)),
    ):
        with pytest.raises(ValueError, match=f"order: got {order}"):
            call()


def test_spacings_that_underflow_are_left_out():
    """Where the smallest of them is 0, no slope is 0/0."""
    found = adaptive.derivative(jnp.sin, 0.0, levels=3000)
    assert abs(found.value - 1) <= found.error < 1e-9


PUBLIC = [
    getattr(module, name)
    for module in (adaptive, adaptive_grids, chebyshev, finite_differences, fourier)
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
]


@pytest.mark.parametrize("function", PUBLIC, ids=lambda f: f"{f.__module__.rsplit('.')[-1]}.{f.__name__}")
def test_public_functions_say_what_they_return_and_show_it(function):
    assert "\n    Returns:\n" in function.__doc__
    assert ">>>" in function.__doc__
