"""The normal form decides: equal expressions are equal, unequal ones are not, and the rest it leaves open."""

import pytest
import sympy as sp

from sobolev_theory.symbolic import as_function, normal, r, rho, theta, vanishes

s, c = sp.sin(theta), sp.cos(theta)


@pytest.mark.parametrize(
    "difference",
    [
        s**4 - c**4 - (s**2 - c**2),
        sp.sin(3 * theta) - (3 * s - 4 * s**3),
        1 / s - s - c**2 / s,
        (sp.pi - theta) / s * c - (sp.pi - theta) * sp.cot(theta),
        r * (rho * s) ** 2 - r * rho**2 + r * rho**2 * c**2,
    ],
)
def test_identities_vanish(difference):
    assert vanishes(difference) is True


@pytest.mark.parametrize("difference", [s - theta, s**2 + c**2 - sp.pi / 3, c - sp.Rational(101, 100) * c, s - c])
def test_what_is_not_zero_does_not_vanish(difference):
    assert vanishes(difference) is False


@pytest.mark.parametrize("difference", [sp.exp(theta) - 1, sp.sqrt(s), sp.asin(s) - theta, sp.Function("f")(theta)])
def test_what_the_normal_form_does_not_know_is_left_open(difference):
    assert vanishes(difference) is None


def test_one_nonzero_entry_makes_a_matrix_nonzero():
    assert vanishes(sp.Matrix([0, s**2 + c**2 - 1, s])) is False


def test_square_roots_are_eliminated_in_the_order_given():
    x, y, root, outer = sp.symbols("x y root outer", positive=True)
    squares = {outer: root**2 - y**2, root: x**2 + y**2}
    assert normal(outer**4 - x**4, squares) == 0
    assert normal(outer**4 - x**4 - outer * root, squares) != 0


def test_a_function_needs_all_symbols():
    with pytest.raises(ValueError, match="theta is missing"):
        as_function(r * s, [r])
