"""Balls of smooth activations: slopes and averages against their definitions, and statements evaluated."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from flint import acb, arb

from sobolev_theory.symbolic import orthants, r, theta
from verification.balls import precision, smooth
from verification.balls.arithmetic import BALLS, density, with_orthants
from verification.claims.kernels.families import OMEGA, PHI, SMOOTH, P
from verification.statements.evaluation import Environment, evaluate

POINTWISE = {
    "polynomial": lambda t: sum(mp.mpf(int(c.p)) / int(c.q) * t**n for n, c in enumerate(P)),
    "sine": lambda t: mp.sin(mp.mpf(13) / 10 * t + mp.mpf(2) / 5),
    "cosine": lambda t: mp.cos(mp.mpf(13) / 10 * t + mp.mpf(2) / 5),
    "erf": mp.erf,
    "gaussian": lambda t: mp.exp(-t * t / 2),
    "gelu": lambda t: t * mp.ncdf(t),
}
ORDERS = [(name, m) for name in POINTWISE for m in range(3)]


def evaluated(expression, values):
    at = Environment(BALLS, values=values)
    return evaluate(expression, with_orthants(at) if theta in values else at)


W, V = np.array([0.75, 0.125, 0.0]), np.array([0.25, 1.0, -0.5])


def test_the_waves_have_the_parameters_of_the_claims():
    assert (sp.Rational(13, 10), sp.Rational(2, 5)) == (OMEGA, PHI)


@pytest.mark.parametrize(("name", "m"), ORDERS)
def test_without_noise_it_is_the_derivative(name, m):
    with precision(120), mp.workdps(40):
        found = SMOOTH[name](m, acb("0.625"), arb(0)).real
        slope = mp.diff(POINTWISE[name], mp.mpf("0.625"), m)
        assert abs(mp.mpf(found.mid().str(35, radius=False)) - slope) < 1e-18  # differences of 40 digits


@pytest.mark.parametrize(("name", "m"), ORDERS)
def test_noise_is_averaged(name, m):
    sigma, mean, spread = SMOOTH[name], acb("0.625"), arb("0.75")
    with precision(120):
        smoothed = sigma(m, mean, spread**2).real
        integral = acb.integral(lambda z, _: density(z) * sigma(m, mean + spread * z, arb(0)), acb(-14), acb(14)).real
        gap = abs(smoothed - integral)
        assert bool(gap < arb("1e-30"))  # the tails beyond 14
        if (name, m) != ("polynomial", 2):  # a line, which does not see the noise
            assert bool(abs(sigma(m, mean, arb("0.85") ** 2).real - integral) > arb("1e-3"))


@pytest.mark.parametrize("name", POINTWISE)
def test_more_precision_stays_inside_the_ball(name):
    """The tails left out, which depend on the precision, are inside."""
    sigma = SMOOTH[name]
    with precision(40):
        coarse = smooth.moments(sigma, W, V)
    with precision(160):
        fine = smooth.moments(sigma, W, V)
        assert all(a.overlaps(b) and bool(b.rad() < a.rad()) for a, b in zip(coarse, fine, strict=True))


def test_the_orthant_probability_has_the_density_as_its_mixed_derivative():
    """By central differences of 30 digits: errors of step^2."""
    with precision(200):
        angle, step = arb("1.25"), arb("1e-8")
        values = {theta: angle}

        def at(i: int, j: int) -> arb:
            here = {orthants.h: arb("0.5") + i * step, orthants.k: arb("-0.75") + j * step}
            return evaluated(orthants.Orthant(orthants.h, orthants.k), values | here)

        mixed = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * step**2)
        here = {orthants.h: arb("0.5"), orthants.k: arb("-0.75")}
        corner = evaluated(orthants.Corner(orthants.h, orthants.k), values | here) / angle.sin()
        assert bool(abs(mixed - corner) < arb("1e-14"))


def test_statements_are_evaluated_or_refused():
    with precision(120):
        value = evaluated(sp.pi * sp.sqrt(r) / 3 + r ** sp.Rational(-3, 2) - sp.asin(r / 8), {r: arb(4)})
        assert value.overlaps(2 * arb.pi() / 3 + arb(1) / 8 - arb.pi() / 6)
        for unknown in (sp.Symbol("x"), sp.gamma(r), r ** sp.Rational(1, 3)):
            with pytest.raises(TypeError, match="statement: got"):
                evaluated(unknown, {r: arb(4)})
