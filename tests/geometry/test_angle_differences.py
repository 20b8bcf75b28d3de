"""Differences of functions of angles against 60 digits: relative accuracy however small the step."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from sobolev_theory.geometry import angle_differences
from sobolev_theory.geometry.angles import Angles
from tests.helpers import reference
from tests.helpers.cases import EPS

change, mixed_change = jax.jit(angle_differences.change), jax.jit(angle_differences.mixed_change)
STEPS = (1e-2, 1e-5, 1e-9, 1e-13)
# Each factor of a product of up to four differences is rounded twice.
ROUNDING = 16 * EPS


def unit(vector) -> list:
    exact = reference.exact(vector)
    return [x / reference.norm(exact) for x in exact]


def minus(a, b) -> list:
    return [x - y for x, y in zip(a, b, strict=True)]


def rounded(theta: list) -> Angles:
    fields = (theta, [mp.pi - t for t in theta], [mp.sin(t) for t in theta], [mp.cos(t) for t in theta])
    return Angles(*(jnp.array([float(x) for x in field]) for field in fields))


def dots(pairs) -> jnp.ndarray:
    return jnp.array([float(reference.dot(a, b)) for a, b in pairs])


def errors(values, exact) -> list[float]:
    return [float(abs(mp.mpf(float(v)) - x) / abs(x)) for v, x in zip(values, exact, strict=True)]


@pytest.fixture(scope="module", params=STEPS, ids="step {:g}".format)
def quadruples(request):
    """Ten pairs of neurons p, q at generic angles, and where a small step takes each of them."""
    random = np.random.default_rng(1)
    with mp.workdps(60):
        sets = []
        for _ in range(10):
            p, q, dp, dq = random.normal(size=(4, 4))
            sets.append([unit(x) for x in (p, q, p + request.param * dp, q + request.param * dq)])
        yield sets


def test_change_of_angle_sine_and_cosine(quadruples):
    firsts = [reference.angle(p, q) for p, q, _, _ in quadruples]
    seconds = [reference.angle(p_, q) for _, q, p_, _ in quadruples]
    moved = [(minus(p, p_), q) for p, q, p_, _ in quadruples]
    distance = jnp.array([float(reference.norm(step)) for step, _ in moved])
    found = change(rounded(firsts), rounded(seconds), dots(moved), distance)
    for value, f in ((found.theta, lambda t: t), (found.sin, mp.sin), (found.cos, mp.cos)):
        exact = [f(a) - f(b) for a, b in zip(firsts, seconds, strict=True)]
        # cos(mean) multiplies the change of sine: 1 / cos of these angles is below 20.
        assert max(errors(value, exact)) <= 20 * ROUNDING


def test_mixed_second_differences(quadruples):
    corners = [
        [reference.angle(a, b) for a, b in ((p, q), (p, q_), (p_, q), (p_, q_))] for p, q, p_, q_ in quadruples
    ]
    steps = [
        [(minus(p, p_), q), (minus(p, p_), q_), (p, minus(q, q_)), (p_, minus(q, q_)), (minus(p, p_), minus(q, q_))]
        for p, q, p_, q_ in quadruples
    ]
    moved = [max(reference.norm(minus(p, p_)), reference.norm(minus(q, q_))) for p, q, p_, q_ in quadruples]
    found = mixed_change(
        angle_differences.Corners(*(rounded(list(theta)) for theta in zip(*corners, strict=True))),
        angle_differences.CosineSteps(*(dots(pairs) for pairs in zip(*steps, strict=True))),
        jnp.array([float(m) for m in moved]),
    )
    functions = (
        (found.supplement_cos, lambda t: (mp.pi - t) * mp.cos(t)),
        (found.j1, lambda t: mp.sin(t) + (mp.pi - t) * mp.cos(t)),
    )
    for value, f in functions:
        exact = [f(a) - f(b) - f(c) + f(d) for a, b, c, d in corners]
        size = [float(m) ** 2 for m in moved]
        absolute = [float(abs(mp.mpf(float(v)) - x)) for v, x in zip(value, exact, strict=True)]
        # Of second order in the step; terms of this size cancel, times 1 / sin^2 of these angles, below 10.
        assert max(a / s for a, s in zip(absolute, size, strict=True)) <= 10 * ROUNDING


@pytest.mark.parametrize("x", [0.0, 1e-100, 1e-8, 1e-3, 0.1, 0.4999, 0.5001, 1.0, 3.0])
def test_sine_excess_and_arc_excess_are_relatively_accurate(x):
    with mp.workdps(400):
        exact = mp.mpf(x)
        wanted = mp.sin(exact) - exact * mp.cos(exact), exact - mp.sin(exact)
    found = angle_differences.sine_excess(jnp.array(x)), angle_differences.arc_excess(jnp.array(x))
    for value, want in zip(found, wanted, strict=True):
        # Above 1/2 by subtraction of terms at most 25 times the result.
        assert abs(mp.mpf(float(value)) - want) <= 32 * EPS * abs(want)


def test_arc_excess_is_odd():
    x = jnp.array([1e-3, 0.4, 0.7, 2.0])
    np.testing.assert_array_equal(angle_differences.arc_excess(-x), -angle_differences.arc_excess(x))
