"""The orthant probability with thresholds: identities by SymPy, and the library at one point."""

import math

import jax.numpy as jnp
import pytest
import sympy as sp
from scipy import stats

import sobolev_theory as st
import sobolev_theory.kernels.orthant_probability as library
from sobolev_theory.geometry.angles import angles_from_cosine
from sobolev_theory.symbolic import kernels, orthants, theta, vanishes
from sobolev_theory.symbolic.orthants import h, k
from tests.helpers.cases import EPS


def test_density_solves_the_heat_equation_of_plackett():
    assert vanishes(orthants.plackett_remainder())


def test_derivative_in_the_angle_from_the_density_is_that_of_the_two_sides():
    assert vanishes(orthants.derivative_by_plackett() - orthants.derivative_by_sides())


def test_distance_of_the_corner_is_that_of_either_line_and_its_ordinate():
    for near, other in ((h, k), (k, h)):
        assert vanishes(orthants.corner_square() - near**2 - orthants.ordinate(near, other) ** 2)


def test_ordinate_turns_by_the_other_ordinate_over_the_sine():
    assert vanishes(sp.diff(orthants.ordinate(), theta) - orthants.ordinate(k, h) / sp.sin(theta))


def test_without_thresholds_the_probability_is_that_of_the_wedge():
    assert vanishes(orthants.at_the_origin() - kernels.orthant_probability())


@pytest.mark.parametrize("cosine", [-0.75, 0.5])
def test_library_computes_what_is_derived(cosine):
    """Errors of 16 roundings of numbers of size 1."""
    point, angles = {h: 0.5, k: -0.25, theta: sp.acos(sp.Float(cosine, 30))}, angles_from_cosine(jnp.array(cosine))
    arguments = jnp.array(0.5), jnp.array(-0.25), angles
    assert abs(library.corner_ordinate(*arguments) - float(orthants.ordinate().subs(point))) <= 16 * EPS
    corner = float((orthants.density() * sp.sin(theta)).subs(point))
    assert abs(library.corner_density(*arguments) - corner) <= 16 * EPS


POWERS = [(i, j) for i in range(4) for j in range(4) if i >= 1]


@pytest.mark.parametrize(("i", "j"), POWERS)
def test_moments_of_biased_powers_follow_from_each_other(i, j):
    assert orthants.slope_defect(i, j) == 0


def test_without_thresholds_biased_powers_are_those_of_the_wedge():
    functions = {orthants.Orthant(0, 0): (sp.pi - theta) / (2 * sp.pi), orthants.Corner(0, 0): 1 / (2 * sp.pi)}
    functions |= {orthants.Density(0): 1 / sp.sqrt(2 * sp.pi), orthants.Phi(0): sp.Rational(1, 2)}
    for n in range(4):
        moment = orthants.rectified_moment(n, n).subs({h: 0, k: 0}).xreplace(functions)
        assert vanishes(moment - kernels.angular(n) / (2 * sp.pi))


FUNCTIONS = orthants.Density, orthants.Phi, orthants.Corner, orthants.Orthant


def test_library_has_the_moments_of_biased_relus():
    """Errors of 16 roundings of numbers of size 1."""
    cosine, means = 0.5, (0.5, -0.25)
    point = {h: means[0], k: means[1], theta: sp.acos(sp.Rational(1, 2))}
    for order in range(2):
        moment = orthants.rectified_moment(1 - order, 1 - order).subs(point)
        numbers = {
            f: _number(f) for f in moment.atoms(orthants.Density, orthants.Phi, orthants.Corner, orthants.Orthant)
        }
        found = st.dual(st.ReLU(), order, 1.0, 1.0, correlation=cosine, means=means)
        assert abs(found - float(moment.xreplace(numbers))) <= 16 * EPS


def _number(function: sp.Function) -> float:
    """Of the special functions, by SciPy."""
    arguments = [float(argument) for argument in function.args]
    if isinstance(function, orthants.Orthant):
        return float(stats.multivariate_normal(cov=[[1, 0.5], [0.5, 1]], abseps=1e-16, releps=1e-16).cdf(arguments))
    if isinstance(function, orthants.Corner):
        x, y = arguments
        return math.exp(-(x * x + y * y - x * y) / 1.5) / (2 * math.pi)
    return float((stats.norm.pdf if isinstance(function, orthants.Density) else stats.norm.cdf)(arguments[0]))
