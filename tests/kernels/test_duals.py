"""st.dual of every family against references at 40 digits, its derivatives, its special points, what it refuses."""

from functools import cache, partial

import jax
import mpmath as mp
import numpy as np
import pytest
from flint import arb
from hypothesis import example, given, settings
from hypothesis import strategies as some

import sobolev_theory as st
from tests.helpers import kernel_references as ref
from tests.helpers.cases import EPS

PI = np.pi
CUBIC = (0.3, 1.0, 0.5, 0.1)


def repu(p: int, m: int) -> ref.Inner:
    return ref.scaled(ref.falling(p, m), ref.truncated(p - m))


def polynomial(coefficients, m: int) -> ref.Inner:
    return ref.added(
        *(ref.scaled(c * ref.falling(n, m), ref.power(n - m)) for n, c in enumerate(coefficients) if n >= m)
    )


def leaky(slope: float, m: int) -> ref.Inner:
    return ref.added(ref.scaled(1 - slope, ref.truncated(1 - m)), ref.scaled(slope, ref.power(1 - m)))


def wave(frequency: float, phase: float, quarters: int, m: int) -> ref.Inner:
    """cos(frequency t + phase + quarters pi/2), its m-th derivative."""
    with ref.precisely():
        return ref.scaled(arb(frequency) ** m, ref.wave(frequency, phase + (quarters + m) * arb.pi() / 2))


CASES = {  # activation, its derivatives, orders looked at
    # Derivatives of RePU(3) are RePU(2) and ReLU, times a factor. Without an order: beside another one, in PAIRS.
    "ReLU": (st.ReLU(), partial(repu, 1), (0, 1)),
    "RePU(2)": (st.RePU(2), partial(repu, 2), ()),
    "RePU(3)": (st.RePU(3), partial(repu, 3), (0, 1, 2)),
    "leaky": (st.LeakyReLU(0.2), partial(leaky, 0.2), (0, 1)),
    "absolute": (st.AbsoluteValue(), partial(leaky, -1.0), ()),
    "cubic": (st.Polynomial(CUBIC), partial(polynomial, CUBIC), (0, 2)),
    "identity": (st.Identity(), partial(polynomial, (0, 1)), (0, 1)),
    "sine": (st.Sine(1.3, 0.4), partial(wave, 1.3, 0.4, -1), (0, 1)),
    "cosine": (st.Cosine(0.7, -0.2), partial(wave, 0.7, -0.2, 0), (2,)),
    "erf": (st.Erf(), ref.error_function, (0, 1)),
    "Gaussian": (st.Gaussian(), ref.bell, (0, 2)),
    "GELU": (st.GELU(), ref.gelu, (0, 1, 2)),
}
PAIRS = [
    ("ReLU", "erf", 1),
    ("leaky", "RePU(2)", 0),
    ("sine", "cubic", 1),
    ("sine", "Gaussian", 0),
    ("GELU", "absolute", 0),
    ("ReLU", "sine", 0),  # by quadrature
]
ORDERS = [(name, m) for name, (_, _, orders) in CASES.items() for m in orders]

angles = some.floats(0.02, PI - 0.02)
norms = some.floats(0.2, 2.5)
means = some.floats(-1.5, 1.5)
few = settings(max_examples=10)


@cache
def compiled(name: str, other: str, order: int, biased: bool):
    activation, tau = CASES[name][0], CASES[other][0]

    def dual(r, r_, theta, mean, mean_):
        return st.dual(activation, order, r, r_, angle=theta, means=(mean, mean_) if biased else None, other=tau)

    return jax.jit(dual)


def reference(name: str, other: str, order: int, pair, theta, centres) -> arb:
    return ref.expectation(CASES[name][1](order), CASES[other][1](order), pair, theta, centres)


def size(name: str, order: int, r: float, mean: float) -> float:
    """sqrt(E f(u)^2): the largest that the expectation of a product can be, by Cauchy and Schwarz."""
    return float(np.sqrt(compiled(name, name, order, True)(r, r, 0.0, mean, mean)))


@pytest.mark.parametrize(("name", "order"), ORDERS)
@few
@given(r=norms, r_=norms, theta=angles, mean=means, mean_=means)
@example(r=1.0, r_=2.0, theta=1e-3, mean=0.5, mean_=1.0)
@example(r=1.0, r_=2.0, theta=PI - 1e-3, mean=0.5, mean_=-1.0)
def test_biased_dual_is_the_reference_to_rounding_of_its_largest_value(name, order, r, r_, theta, mean, mean_):
    found = float(compiled(name, name, order, True)(r, r_, theta, mean, mean_))
    exact = reference(name, name, order, (r, r_), theta, (mean, mean_))
    assert abs(float(exact - found)) <= 1e-12 * size(name, order, r, mean) * size(name, order, r_, mean_)


@pytest.mark.parametrize(("name", "other", "order"), PAIRS)
@few
@given(r=norms, r_=norms, theta=angles, mean=means, mean_=means)
def test_unequal_activations(name, other, order, r, r_, theta, mean, mean_):
    found = float(compiled(name, other, order, True)(r, r_, theta, mean, mean_))
    exact = reference(name, other, order, (r, r_), theta, (mean, mean_))
    assert abs(float(exact - found)) <= 1e-12 * size(name, order, r, mean) * size(other, order, r_, mean_)


@pytest.mark.parametrize("power", range(1, 9))
def test_repu_without_biases_keeps_its_relative_accuracy_at_every_angle(power):
    """The lowest order has J_p; those of higher order are the J_n of lower powers."""
    theta = np.array([1e-9, 0.3, 1.57, PI / 2, 1.58, 2.5, 3.1, PI - 1e-5])
    for order in (0, power) if power in (3, 8) else (0, 1) if power == 2 else (0,):
        found = np.asarray(st.dual(st.RePU(power), order, 1.0, 2.0, angle=theta))
        for t, value in zip(theta, found, strict=True):
            exact = _arc_cosine(power - order, t) * 2.0 ** (power - order) * ref.falling(power, order) ** 2
            # pi - theta is rounded: relative eps pi / (pi - theta), to the power 2n + 1.
            conditioned = 64 * EPS * (1 + (2 * (power - order) + 1) / (PI - t))
            assert abs(value / exact - 1) <= conditioned


@cache
def _arc_cosine(n: int, theta: float) -> float:
    """J_n / (2 pi) = E[u_+^n u'_+^n] as an integral over the wedge where both are active, in polar coordinates."""
    with mp.workdps(40):
        t = mp.mpf(float(theta))
        width = mp.pi - t  # taken out, so that what is integrated is of size 1
        angular = mp.quad(lambda a: (mp.cos(a) * mp.cos(a - t) / width**2) ** n, [t - mp.pi / 2, mp.pi / 2])
        return float(mp.factorial(n) * 2**n * width ** (2 * n) * angular / (2 * mp.pi))


POINT = (0.9, 1.4, 1.1, 0.3, -0.6)
SPECIAL = [
    (1.0, 1.0, 0.0, 0.0, 0.0),
    (1.0, 1.0, PI, 0.0, 0.0),
    (1.0, 2.0, 0.0, 0.5, 1.0),
    (1.0, 2.0, PI, 0.5, -1.0),
    (0.0, 1.0, PI / 2, 0.3, 0.0),
    (0.0, 0.0, PI / 2, 0.0, 0.0),
    (1.0, 1.0, 1e-12, 30.0, -30.0),
]
# The products of ReLU are among those of the leaky one, at the same points.
GRADIENTS = [("RePU(2)", 1), ("leaky", 0), ("sine", 1), ("erf", 0), ("GELU", 0)]


@cache
def derivatives(name: str, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hessian, value and gradient at POINT and at the special points, in one program."""

    def gradient(x):
        value, slope = jax.value_and_grad(lambda x: compiled(name, name, order, True)(*x))(x)
        return slope, (value, slope)

    hessian, (value, slope) = jax.jit(jax.vmap(jax.jacfwd(gradient, has_aux=True)))(np.array([POINT, *SPECIAL]))
    return tuple(map(np.asarray, (hessian, value, slope)))


@pytest.mark.parametrize(("name", "order"), GRADIENTS)
def test_derivatives_are_those_of_the_reference(name, order):
    _, _, (found, *_) = derivatives(name, order)
    for k, slope in enumerate(found):
        with ref.precisely():
            h, ends = arb(10) ** -15, []
            for sign in (1, -1):
                r, r_, theta, *centres = (arb(x) + (sign * h if k == place else 0) for place, x in enumerate(POINT))
                ends.append(reference(name, name, order, (r, r_), theta, centres))
            quotient = float((ends[0] - ends[1]) / (2 * h))
        # h^2 = 1e-30 of the difference quotient, 1e-25 of the reference, and rounding of terms of size below 10.
        assert abs(float(slope) - quotient) <= 1e-13


@pytest.mark.parametrize(("name", "order"), GRADIENTS)
def test_values_and_two_derivatives_are_finite_at_special_points(name, order):
    for derivative in derivatives(name, order):
        assert np.all(np.isfinite(derivative))


def test_correlation_and_angle_agree():
    value = st.dual(st.ReLU(), 0, 1.0, 2.0, correlation=np.cos(1.1))
    np.testing.assert_allclose(value, st.dual(st.ReLU(), 0, 1.0, 2.0, angle=1.1), rtol=8 * EPS)


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        ((st.ReLU(), 2, 1.0, 1.0), {"angle": 1.0}, ValueError, "order: got 2"),
        ((st.ReLU(), 0, 1.0, 1.0), {}, ValueError, "angle: got both or neither"),
        ((st.ReLU(), 0, 1.0, 1.0), {"angle": 1.0, "correlation": 0.5}, ValueError, "angle: got both or neither"),
        (("relu", 0, 1.0, 1.0), {"angle": 1.0}, TypeError, "activation: got 'relu'"),
        ((st.RePU(3), 0, 1.0, 1.0), {"angle": 1.0, "other": "relu"}, TypeError, "other: got 'relu'"),
    ],
)
def test_wrong_arguments_are_named(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        st.dual(*arguments, **keywords)
