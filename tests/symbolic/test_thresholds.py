"""The orthant probability with thresholds: identities by SymPy, and the library at one point."""

import jax.numpy as jnp
import pytest
import sympy as sp
from cases import EPS

import sobolev_theory.orthants as library
from sobolev_theory.angles import angles_from_cosine
from sobolev_theory.symbolic import kernels, orthants, theta, vanishes
from sobolev_theory.symbolic.orthants import h, k


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
