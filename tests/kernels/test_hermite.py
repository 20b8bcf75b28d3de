"""Hermite coefficients, the information exponent and what a Sobolev loss multiplies."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.geometry.angles import angles_from_cosine

HIGHEST = 12
CLOSED = {
    "ReLU": st.ReLU(),
    "RePU": st.RePU(3),
    "Erf": st.Erf(),
    "Sine": st.Sine(1.3, 0.4),
    "GELU": st.GELU(),
    "Polynomial": st.Polynomial([0.5, -1.0, 0.3, 2.0]),
}


compiled = jax.jit(lambda sigma, t: sigma(t), static_argnums=0)


def by_quadrature(sigma, norm: float) -> np.ndarray:
    """Gauss and Legendre on both sides of 0, of sigma(norm z) He_k(z)."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z = np.concatenate([8.0 * nodes - 8.0, 8.0 * nodes + 8.0])
    density = 8.0 * np.tile(weights, 2) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    polynomials = [np.polynomial.hermite_e.hermeval(z, np.eye(HIGHEST + 1)[k]) for k in range(HIGHEST + 1)]
    return np.array(polynomials) @ (density * np.asarray(compiled(sigma, norm * z)))


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("norm", [1.0, 0.7])
def test_coefficients_are_integrals(name, norm):
    found = st.hermite_coefficients(CLOSED[name], HIGHEST, norm=norm)
    expected = by_quadrature(CLOSED[name], norm)
    sizes = np.sqrt([math.factorial(k) for k in range(HIGHEST + 1)])  # to which the integral is known to rounding
    assert np.all(np.abs(found - expected) < 1e-13 * sizes * np.abs(expected / sizes).max())


def test_coefficients_of_relu():
    """c_k = He_(k-2)(0) / sqrt(2 pi) from k = 2 on."""
    expected = [1 / math.sqrt(2 * math.pi), 0.5]
    expected += [
        np.polynomial.hermite_e.hermeval(0.0, np.eye(12)[k - 2]) / math.sqrt(2 * math.pi) for k in range(2, 13)
    ]
    assert np.allclose(st.hermite_coefficients(st.ReLU(), HIGHEST), expected, rtol=1e-15, atol=1e-15)


def test_an_activation_without_closed_form_goes_by_quadrature():
    tanh, ramp = st.Elementwise(jnp.tanh), st.Elementwise(lambda t: jnp.maximum(t, 0.0), kinks=(0.0,))
    assert np.allclose(st.hermite_coefficients(tanh, HIGHEST), by_quadrature(jnp.tanh, 1.0), rtol=0, atol=1e-9)
    both = (st.hermite_coefficients(s, HIGHEST, norm=0.7) for s in (ramp, st.ReLU()))
    assert np.allclose(*both, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["Erf", "Polynomial"])
def test_a_derivative_multiplies_the_k_th_term_of_the_kernel(name):
    """(w.v)^m E[s^(m) s^(m)] = sum_k k!/(k - m)! c_k(|w|) c_k(|v|) cos^k / k!, at two norms."""
    sigma, cos, norms = CLOSED[name], 0.3, (0.7, 0.5)
    c, d = (np.asarray(st.hermite_coefficients(sigma, 40, norm=norm)) for norm in norms)
    for m in range(3):
        only = st.SobolevLoss((*(0.0,) * m, 1.0))
        factors = np.array([float(st.sobolev_factor(only, k)) for k in range(41)])
        series = np.sum([factors[k] * c[k] * d[k] * cos**k / math.factorial(k) for k in range(41)])
        angle = angles_from_cosine(jnp.array(cos)).theta
        kernel = (norms[0] * norms[1] * cos) ** m * st.dual(sigma, m, *norms, angle=angle)
        assert series == pytest.approx(float(kernel), rel=1e-11)


@pytest.mark.parametrize(
    ("sigma", "exponent"),
    [
        (st.ReLU(), 1),
        (st.Erf(), 1),
        (st.AbsoluteValue(), 2),
        (st.Cosine(), 2),
        (st.Polynomial([0.0, -3.0, 0.0, 1.0]), 3),
        (st.Polynomial([3.0, 0.0, -6.0, 0.0, 1.0]), 4),
        (st.Elementwise(lambda t: t**3 - 3 * t), 3),
    ],
)
def test_the_information_exponent_is_the_first_coefficient(sigma, exponent):
    assert st.information_exponent(sigma) == exponent


def test_the_exponent_of_a_polynomial_depends_on_the_norm():
    assert st.information_exponent(st.Polynomial([0.0, -3.0, 0.0, 1.0]), norm=0.5) == 1


@pytest.mark.parametrize("k", [1, 2])
def test_a_flow_from_a_small_overlap_starts_faster_by_the_factor(k):
    """The pull towards the teacher at an overlap of 1e-4, of the k-th Hermite polynomial and a fourth one."""
    sigma = st.Polynomial(np.polynomial.hermite_e.herme2poly(np.eye(5)[k] + np.eye(5)[4]))
    overlap = 1e-4
    student = st.Network([[1.0, 0.0]], activation=sigma)
    teacher = st.Network([[overlap, math.sqrt(1 - overlap**2)]], activation=sigma)
    pulls = [
        float(st.population_gradient(student, teacher, st.SobolevLoss((1.0, slope))).weights[0, 1])
        for slope in (jnp.asarray(0.0), jnp.asarray(0.4))
    ]
    assert pulls[1] / pulls[0] == pytest.approx(float(st.sobolev_factor(st.SobolevLoss((1.0, 0.4)), k)), rel=0.01)
    assert st.information_exponent(sigma) == k


def test_what_is_out_of_range_is_named():
    for call, message in (
        (lambda: st.hermite_coefficients(st.ReLU(), 65), "highest: got 65"),
        (lambda: st.hermite_coefficients(st.ReLU(), 3, norm=0.0), "norm: got 0"),
        (lambda: st.information_exponent(st.Polynomial([1.0])), "activation: got Polynomial"),
        (lambda: st.sobolev_factor(st.H1, -1), "k: got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="activation: got 'relu'"):
        st.hermite_coefficients("relu", 3)
