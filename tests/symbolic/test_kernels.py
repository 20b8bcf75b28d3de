"""Arc-cosine kernels by integration, differentiation and recursion; Gaussian moments in sectors."""

import pytest
import sympy as sp

from sobolev_theory.symbolic import integrals, kernels, theta, vanishes


@pytest.mark.parametrize("n", range(6))
def test_three_ways_to_an_angular_kernel_agree(n):
    integral = kernels.angular(n)
    assert vanishes(integral - kernels.angular_by_derivatives(n))
    assert vanishes(integral - kernels.angular_by_recursion(n))


def test_a_kernel_at_zero_angle_is_a_moment_of_the_half_line():
    """J_n(0) / (2 pi) = E[t_+^(2n)] = (2n - 1)!! / 2."""
    for n in range(6):
        assert kernels.angular(n).subs(theta, 0) == sp.pi * sp.factorial2(2 * n - 1)


def test_the_orthant_probability_and_its_gradient_by_the_delta():
    assert vanishes(kernels.orthant_probability() - (sp.pi - theta) / (2 * sp.pi))
    assert vanishes(kernels.orthant_gradient() - kernels.orthant_gradient_by_delta())


def test_active_sets_add_up():
    """Both neurons, and w alone: with -w*, whose angle is theta - pi."""
    x1, x2, x3 = integrals.x
    for polynomial in (x1**2, x1 * x2, x2**4 * x1**2, x2**2 * x3**2):
        both = integrals.expectation(polynomial, "both")
        opposite = integrals.expectation(polynomial.subs(x2, -x2), "both").subs(theta, sp.pi - theta)
        assert vanishes(both + opposite - integrals.expectation(polynomial, "w"))


@pytest.mark.parametrize("n", [-1, 9, 1.5])
def test_powers_that_are_not_offered_are_refused(n):
    with pytest.raises(ValueError, match="n: got"):
        kernels.angular(n)


def test_an_order_above_the_power_is_refused():
    with pytest.raises(ValueError, match="order: got 2"):
        kernels.sobolev(1, 2)


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match="active: got 'none'"):
        integrals.expectation(sp.Integer(1), "none")
