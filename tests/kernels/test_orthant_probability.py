"""The orthant probability and its derivatives against quadrature of the density times the conditional cdf."""

from functools import cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from flint import acb, arb
from hypothesis import given
from hypothesis import strategies as hs
from scipy.special import ndtr

from sobolev_theory.geometry.angles import Angles
from sobolev_theory.kernels.orthant_probability import orthant_probability
from tests.helpers import kernel_references as ref
from tests.helpers.cases import EPS

DIGITS = 40
ROUNDING = 16 * EPS  # absolute, of a probability: roundings of some numbers below 1; 4 EPS is the largest seen
ANGLES = [1e-14, 1e-7, 0.01, 0.7, np.pi / 2, 2.4, -0.01, -1e-7, -1e-14]  # negative: the supplement
THRESHOLDS = [-30.0, -5.0, -1.0, 0.0, 1e-8, 2.9, 3.1, 30.0]


def angles(signed, dtype=float) -> Angles:
    """theta, or pi - |theta| from a negative number: each field accurate near its zero."""
    opposite, size = jnp.signbit(jnp.asarray(signed, float)), jnp.abs(jnp.asarray(signed, float))
    theta, supplement = jnp.where(opposite, np.pi - size, size), jnp.where(opposite, size, np.pi - size)
    fields = theta, supplement, jnp.sin(size), jnp.where(opposite, -1, 1) * jnp.cos(size)
    return Angles(*(jnp.asarray(field, dtype) for field in fields))


def exact_sine_and_cosine(signed) -> tuple[arb, arb]:
    size = abs(signed) if isinstance(signed, arb) else arb(abs(signed))
    return size.sin(), size.cos() * (-1 if signed < 0 else 1)


@cache
def by_quadrature(h, k, signed) -> float:
    return float(certified(h, k, signed))


def certified(h, k, signed) -> arb:
    """int_{-h}^inf phi(x) Phi((k + cos x) / sin) dx, to REACH, with the error bound of Arb."""
    with ref.precisely():
        sine, cosine = exact_sine_and_cosine(signed)
        start = arb(-h).max(arb(-ref.REACH))
        if not start < ref.REACH:
            return arb(0)
        integral = acb.integral(
            lambda x, _: ref.density(x) * ref.distribution((k + cosine * x) / sine), acb(start), acb(ref.REACH)
        )
        if not integral.real.rad() < 1e-30:
            raise ArithmeticError(f"reference: got {integral}; needs 30 digits")
        return integral.real


value = jax.jit(orthant_probability)


def at(theta, signed):
    """Angles that turn with theta at the given point."""
    point, turn = angles(signed), theta - angles(signed).theta
    return Angles(*(p + t * turn for p, t in zip(point, (1, -1, point.cos, -point.sin), strict=True)))


def test_probability_is_that_of_quadrature_on_a_hard_grid():
    rng = np.random.default_rng(0)
    grid = np.array([(h, k, t) for h in THRESHOLDS for k in THRESHOLDS for t in ANGLES])
    grid = grid[rng.permutation(len(grid))[:100]]
    found = value(grid[:, 0], grid[:, 1], angles(grid[:, 2]))
    exact = [by_quadrature(*map(float, row)) for row in grid]
    np.testing.assert_allclose(found, exact, rtol=0, atol=ROUNDING)


sizes = hs.floats(-9, 9, allow_subnormal=False)
turns = hs.builds(lambda e, s: s * 10.0**e, hs.floats(-14, 0.19), hs.sampled_from([-1, 1]))


@given(sizes, sizes, turns)
def test_probability_is_that_of_quadrature(h, k, signed):
    found = float(value(jnp.array(h), jnp.array(k), angles(signed)))
    assert abs(found - by_quadrature(h, k, signed)) <= ROUNDING


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(1)
    n = 10_000
    h, apart = rng.normal(size=n) * 3, rng.normal(size=n) * 10.0 ** rng.uniform(-15, 1, n)
    signed = rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-14, 0.19, n)
    return h, np.sign(signed) * h + apart, signed


def test_probability_of_a_threshold_and_its_negative_add_to_that_of_one_variable(many):
    h, k, signed = many
    total = value(h, k, angles(signed)) + value(h, -k, angles(-signed))
    np.testing.assert_allclose(total, jax.scipy.stats.norm.cdf(h), rtol=0, atol=ROUNDING)


def by_turning(h, k, signed):
    """Plackett: the probability at theta = 0 less int_0^theta exp(-r^2 / 2) / (2 pi), in log(theta) from 1e-19."""
    nodes, weights = np.polynomial.legendre.leggauss(14)
    panels = np.linspace(0, 1, 241)
    turned, size = np.where(signed < 0, -k, k), np.abs(signed)
    length, total = np.log(size / 1e-19), np.zeros_like(h)
    for left, right in pairwise(panels):
        for node, weight in zip(nodes, weights * (right - left) / 2, strict=True):
            t = 1e-19 * np.exp(length * (left + (right - left) * (node + 1) / 2))
            ordinate = np.clip((turned - h) / np.sin(t) + h * np.tan(t / 2), -60, 60)
            total += weight * length * t * np.exp(-(h * h + ordinate * ordinate) / 2)
    found = ndtr(np.minimum(h, turned)) - total / (2 * np.pi)
    return np.where(signed < 0, ndtr(h) - found, found)


def test_probability_of_many_is_that_of_plackett(many):
    h, k, signed = many
    np.testing.assert_allclose(value(h, k, angles(signed)), by_turning(h, k, signed), rtol=0, atol=ROUNDING)


def test_probability_is_symmetric(many):
    h, k, signed = many
    np.testing.assert_allclose(value(h, k, angles(signed)), value(k, h, angles(signed)), rtol=0, atol=ROUNDING)


def test_probability_at_the_origin_is_the_opening_to_relative_rounding():
    signed = np.array([*ANGLES, 0.0, -0.0])
    found = value(np.zeros(len(signed)), np.zeros(len(signed)), angles(signed))
    np.testing.assert_allclose(found, angles(signed).supplement / (2 * np.pi), rtol=32 * EPS, atol=1e-300)


def tail_by_quadrature(h: float, k: float, signed: float) -> float:
    """`certified` for h, k < 0, in units of its integrand at the corner."""
    with ref.precisely():
        sine, cosine = exact_sine_and_cosine(signed)
        start, edge = arb(-h), (arb(k) - cosine * h) / sine
        scale = ref.distribution(edge)

        def integrand(x, _):
            return (-x * start - x * x / 2).exp() * ref.distribution(edge + cosine * x / sine) / scale

        integral = acb.integral(integrand, acb(0), acb(40)).real
        if not integral.rad() < integral * arb("1e-20"):
            raise ArithmeticError(f"reference: got {integral}; needs 20 digits")
        return float(ref.density(arb(h)) * scale * integral)


def test_probability_of_a_tail_is_accurate_relatively():
    """1e-12: the rule of Gauss-Laguerre has 2e-13, the rest is lost where Q(D) / 2 - T is 1e-3 of its terms.

    And the condition number: a rounding of the thresholds moves exp(-r^2 / 2) by eps r^2.
    """
    points = [(-30, -30, 0.7), (-8, -5, 0.1), (-8, -5, 2.0), (-1, -1, -0.4), (-3, -0.1, 1.2), (-5, -5.001, 1e-3)]
    points += [(-1e-3, -2, 1.5), (-7, -7, 0.9), (-2.5, -2.4, 1.0), (-4, -30, 0.7), (-20, -19, 1e-7), (-12, -3, -1.2)]
    h, k, signed = np.array(points).T
    found = value(h, k, angles(signed))
    exact = np.array([tail_by_quadrature(*map(float, point)) for point in points])
    square = h**2 + ((k - np.cos(angles(signed).theta) * h) / np.sin(np.abs(signed))) ** 2
    assert exact.min() > 0
    np.testing.assert_array_less(np.abs(found / exact - 1), 1e-12 + 4 * EPS * square)


def test_probability_between_close_thresholds_of_opposite_variables_is_accurate_relatively():
    """P(-h < X < k) = P(0 < X < h) + P(0 < X < k)."""
    h, k = np.array([1e-9, 1e-3, 0.5]), np.array([2e-9, 1e-5, 0.999])
    found = value(h, k, angles(np.full(3, -0.0)))
    with mp.workdps(DIGITS):
        exact = [
            float((mp.erf(mp.mpf(a) / mp.sqrt(2)) + mp.erf(mp.mpf(b) / mp.sqrt(2))) / 2)
            for a, b in zip(h, k, strict=True)
        ]
    np.testing.assert_allclose(found, exact, rtol=4 * EPS)


def test_all_derivatives_of_first_and_second_order_are_those_of_quadrature():
    def along(x, signed):
        return orthant_probability(x[0], x[1], at(x[2], signed))

    both = jax.jit(jax.vmap(lambda x, s: (jax.grad(along)(x, s), jax.hessian(along)(x, s))))
    points = np.array([(0.3, -0.4, 0.7), (1.2, 0.5, 2.0), (-2.0, 1.0, 1.1), (3.5, 3.2, 0.3), (0.5, 0.6, 0.05)])
    x = points.copy()
    grads, hessians = both(x, points[:, 2])
    with mp.workdps(DIGITS):
        for point, grad, hessian in zip(points, grads, hessians, strict=True):
            h, k, theta = map(mp.mpf, map(float, point))

            def dh(h, k, t):  # by differentiation under the integral of `by_quadrature`
                return mp.npdf(h) * mp.ncdf((k - mp.cos(t) * h) / mp.sin(t))

            def turning(h, k, t):
                return -mp.exp(-(h * h - 2 * mp.cos(t) * h * k + k * k) / (2 * mp.sin(t) ** 2)) / (2 * mp.pi)

            first = dh, lambda h, k, t: dh(k, h, t), turning
            orders = (1, 0, 0), (0, 1, 0), (0, 0, 1)
            size = 1 / mp.sin(theta) ** 2
            for i, f in enumerate(first):
                assert abs(float(f(h, k, theta)) - grad[i]) <= ROUNDING
                for j, order in enumerate(orders):
                    exact = mp.diff(f, (h, k, theta), order)
                    assert abs(float(exact) - hessian[i, j]) <= ROUNDING * float(size)


def test_gradient_is_that_of_quadrature():
    """Central differences of the quadrature in all three arguments: error of step^2 = 1e-24."""
    grad = jax.grad(lambda h, k, t: orthant_probability(h, k, at(t, 0.7)), argnums=(0, 1, 2))
    found, point = grad(0.3, -0.4, 0.7), [0.3, -0.4, 0.7]
    with ref.precisely():
        step = arb("1e-12")
        for i in range(3):
            up, down = (certified(*(arb(p) + s * step * (i == j) for j, p in enumerate(point))) for s in (1, -1))
            assert abs(float((up - down) / (2 * step)) - found[i]) <= ROUNDING


def test_values_and_derivatives_are_finite_at_degenerate_points():
    def along(x, signed):
        return orthant_probability(x[0], x[1], at(x[2], signed))

    thresholds = [0.0, 1.0, -1.0, 30.0, -30.0, 1e6]
    points = np.array([(h, k, s) for h in thresholds for k in thresholds for s in (0.0, -0.0, 1e-14, -1e-14, 1e-300)])
    x = points.copy()
    x[:, 2] = angles(points[:, 2]).theta
    for f in (along, jax.grad(along), jax.hessian(along)):
        assert np.all(np.isfinite(jax.jit(jax.vmap(f))(x, points[:, 2])))


@pytest.mark.parametrize("sign", [0.0, -0.0])
def test_parallel_and_opposite_variables_are_one_variable(sign, many):
    h, k, _ = many
    exact = jax.scipy.stats.norm.cdf(np.minimum(h, k))
    if np.signbit(sign):
        exact = np.maximum(jax.scipy.stats.norm.cdf(h) - jax.scipy.stats.norm.cdf(-k), 0)
    np.testing.assert_allclose(value(h, k, angles(np.full(len(h), sign))), exact, rtol=0, atol=ROUNDING)


def test_single_precision_is_accurate_to_its_rounding(many):
    h, k, signed = many[0].astype(np.float32), many[1].astype(np.float32), many[2].astype(np.float32)
    single = value(jnp.asarray(h), jnp.asarray(k), angles(signed, np.float32))
    assert single.dtype == np.float32
    exact = value(h.astype(float), k.astype(float), angles(signed))
    np.testing.assert_allclose(single, exact, rtol=0, atol=4 * np.finfo(np.float32).eps)
