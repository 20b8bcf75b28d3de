"""Convexity and conditioning at the teacher: proofs without gaps, that fail for wrong bounds, and the numbers."""

import numpy as np
import pytest
import sympy as sp

from sobolev_theory.symbolic import curvature
from sobolev_theory.symbolic.teacher_spectrum import K, h1_population_blocks, l2_blocks

LEAST = float(curvature.LEAST)
SIZES = [*range(2, 12), 100, 10_000]


def extremes(blocks, size: int) -> tuple[float, float]:
    """Least and largest eigenvalue for K neurons and d > K, by the numbers of each block's characteristic polynomial.

    For K = 2 neither the symmetric nor the antisymmetric kind occurs, and one root of the cubic is the symmetric one.
    """
    found = curvature.polynomials(blocks)
    roots = [np.roots([float(c) for c in sp.Poly(p.subs(K, size), curvature.x).all_coeffs()]) for p in found[:2]]
    symmetric, antisymmetric, *across = (float(v.subs(K, size)) for v in found.single)
    if size == 2:
        roots[1] = np.delete(roots[1], np.argmin(np.abs(roots[1] - symmetric)))
    else:
        across.append(antisymmetric)
    values = np.concatenate([*roots, across]).real
    return values.min(), values.max()


@pytest.mark.parametrize("proof", [curvature.least, curvature.largest, curvature.better_conditioned])
def test_proofs_have_no_gaps(proof):
    assert proof().gaps == []


@pytest.mark.parametrize("index", [0, 1], ids=["L2", "H1"])
def test_a_bound_a_thousandth_too_high_is_not_proved(index):
    found, bound = curvature._both()[index], (1 + index) * (curvature.LEAST + sp.Rational(1, 1000))
    steps = curvature._none_below("", found, bound)
    assert any(step.difference != 0 for step in steps)


def test_the_largest_eigenvalues_grow_like_a_quarter_and_half_of_the_neurons():
    for blocks, rate in ((l2_blocks(), 0.25), (h1_population_blocks(), 0.5)):
        assert extremes(blocks, 10_000)[1] == pytest.approx(rate * 10_000, abs=2)  # the next term is of order 1


@pytest.mark.parametrize("size", SIZES)
def test_the_least_eigenvalues_are_those_proved(size):
    # Roots of a cubic with coefficients of order K, to eps K times the condition of a root, below 10.
    rounding = 1e-14 * size
    assert extremes(l2_blocks(), size)[0] == pytest.approx(LEAST, abs=rounding)
    least = extremes(h1_population_blocks(), size)[0]
    assert least == pytest.approx(2 * LEAST, abs=rounding) if size > 2 else least > 2.5 * LEAST


@pytest.mark.parametrize("size", SIZES)
def test_the_ratio_of_h1_is_less_and_tends_to_that_of_l2(size):
    (low, high), (low_, high_) = extremes(l2_blocks(), size), extremes(h1_population_blocks(), size)
    quotient = (high_ / low_) / (high / low)
    assert quotient < 1
    assert quotient > 1 - 1 / np.sqrt(size)  # any bound that tends to 1
