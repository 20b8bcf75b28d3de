"""Norms, directions and angles against 60 digits."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from sobolev_theory.geometry import angles
from tests.helpers import reference
from tests.helpers.cases import EPS, PAIRS, TRIPLES

FEW = 4 * EPS

between = jax.jit(lambda a, b: angles.angles_between(angles.polar(a), angles.polar(b)))
among = jax.jit(lambda a: angles.angles_between(angles.polar(a), angles.polar(a), np.eye(len(a), dtype=bool)))
directions = jax.jit(lambda a: angles.direction(angles.polar(a)))
remainder = jax.jit(lambda a, b: angles.difference(angles.polar(a), angles.polar(b)))


def relative(value, exact) -> float:
    exact = mp.mpf(exact)
    return float(abs(mp.mpf(float(value)) - exact) / abs(exact)) if exact else float(abs(value))


@pytest.mark.parametrize("name", [n for n in PAIRS if "zero" not in n and "1e-200" not in n])
def test_angle_supplement_sine_and_cosine_are_each_accurate_to_rounding(name):
    """Relative errors: also of theta near 0, and of pi - theta near pi.

    Where the norms agree to a power of two, the difference of the neurons is exact. Elsewhere their ratio is cut
    to half a mantissa, and the rest, 2^-24 of the norm, is projected out with a rounding of eps of it.
    """
    case = PAIRS[name]
    found = between(case.weights, case.teacher_weights)
    with mp.workdps(100):
        theta = reference.angle(reference.exact(case.weights[0]), reference.exact(case.teacher_weights[0]))
        theta = theta if theta > mp.mpf(10) ** -90 else mp.mpf(0)
        supplement = mp.pi - theta if mp.pi - theta > mp.mpf(10) ** -90 else mp.mpf(0)
        sine = mp.sin(min(theta, supplement))
        rest = FEW * 2.0**-24 if "longer" in name else 0.0
        for value, exact in ((found.theta, theta), (found.supplement, supplement), (found.sin, sine)):
            assert abs(mp.mpf(float(value[0, 0])) - exact) <= FEW * exact + rest
        # cos is accurate to eps near its zero, not relatively: it is a sum of products of size 1.
        assert abs(mp.mpf(float(found.cos[0, 0])) - mp.cos(theta)) <= FEW


def test_angle_below_the_square_root_of_the_smallest_number_is_zero():
    case = PAIRS["tangent 1e-200 on the axes"]
    found = between(case.weights, case.teacher_weights)
    assert float(found.theta[0, 0]) == float(found.sin[0, 0]) == 0.0
    assert float(found.cos[0, 0]) == 1.0


def test_zero_neuron_is_opposite_to_all_and_to_itself():
    for found in (between(np.zeros((3, 4)), TRIPLES["generic"].weights), among(np.zeros((3, 4)))):
        np.testing.assert_array_equal(found.supplement, 0.0)
        np.testing.assert_array_equal(found.cos, -1.0)


def test_angle_of_a_neuron_with_itself_is_exactly_zero():
    found = among(TRIPLES["generic"].weights)
    np.testing.assert_array_equal(np.diag(found.theta), 0.0)
    np.testing.assert_array_equal(np.diag(found.sin), 0.0)


@pytest.mark.parametrize(
    "name", ["generic", "two students coincide", "two students are opposite", "two huge students"]
)
def test_angles_among_are_the_angles_between_a_matrix_and_itself(name):
    weights = TRIPLES[name].weights
    for one, other in zip(among(weights), between(weights, weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=FEW)


def test_angle_among_close_neurons_is_accurate_to_rounding():
    base = TRIPLES["generic"].weights[0]
    weights = np.stack([base, base + 1e-9 * TRIPLES["generic"].weights[1], TRIPLES["generic"].weights[2]])
    with mp.workdps(60):
        exact = reference.angle(*map(reference.exact, weights[:2]))
    assert relative(among(weights).theta[0, 1], exact) <= FEW
    assert relative(among(weights).theta[1, 0], exact) <= FEW


def test_several_close_pairs_in_one_row_are_all_refined():
    base = TRIPLES["generic"].weights[0]
    turned = base + np.array([1e-8, 2e-8, 3e-8])[:, None] * TRIPLES["generic"].weights[1]
    found = between(np.stack([base] * 3), turned)
    for j in range(3):
        with mp.workdps(60):
            exact = reference.angle(reference.exact(base), reference.exact(turned[j]))
        assert relative(found.theta[0, j], exact) <= FEW


@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_norm_and_direction_of_a_neuron_of_any_size(size):
    row = np.array([3.0, 0.0, -4.0, 0.0]) / 4 * size
    found = angles.polar(jnp.array([row] * 3))
    exact = reference.norm(reference.exact(row))
    assert relative(found.norm[0], exact) <= FEW
    length = np.linalg.norm(directions(jnp.array([row] * 3))[0])
    assert abs(length - (size > 0)) <= FEW


def test_difference_of_nearly_equal_neurons_keeps_relative_accuracy():
    """Errors below 4 eps of the displacement, though the displacement is 1e-9 of the neurons."""
    random = np.random.default_rng(0)
    b = random.normal(size=(3, 4))
    a = (b + 1e-9 * random.normal(size=(3, 4))) * np.array([1.0, 4.0, 1 / 3])[:, None]
    found = remainder(a, b)
    with mp.workdps(60):
        for j in range(3):
            x, y = reference.exact(a[j]), reference.exact(b[j])
            step = [s / reference.norm(x) - t / reference.norm(y) for s, t in zip(x, y, strict=True)]
            error = [mp.mpf(float(f)) - s for f, s in zip(found.direction[j], step, strict=True)]
            # At the ratio 1/3 of norms the neurons themselves are rounded products: a few eps of them, none of z.
            assert reference.norm(error) <= 2 * FEW * reference.norm(step)
            exact_norm = reference.norm(x) - reference.norm(y)
            assert relative(found.norm[j], exact_norm) <= FEW


def test_derivative_of_the_angle_is_that_of_arccos():
    a, b = TRIPLES["generic"].weights, TRIPLES["generic"].teacher_weights

    def by_arccos(a, b):
        u, v = (x / jnp.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        return jnp.arccos(u @ v.T)

    found = jax.jit(jax.jacrev(lambda a, b: between(a, b).theta, argnums=(0, 1)))(a, b)
    expected = jax.jit(jax.jacrev(by_arccos, argnums=(0, 1)))(a, b)
    for one, other in zip(found, expected, strict=True):
        # arccos at these angles (0.3 to 2.8) loses a factor 1 / sin < 4 at most.
        np.testing.assert_allclose(one, other, rtol=0, atol=4 * FEW * float(np.max(np.abs(other))))


@pytest.mark.parametrize("theta", [1e-12, 1e-6, 1.0, np.pi - 1e-6])
def test_directions_are_unit_vectors_orthogonal_to_their_neurons(theta):
    case = PAIRS[f"angle {theta:.15g}"]
    w, v = case.weights[0], case.teacher_weights[0]
    found, e, e_ = angles.angle_and_directions(w, v)
    allowed = FEW / float(found.sin[()])
    for unit, orthogonal_to, towards in ((e, w, v), (e_, v, w)):
        assert abs(np.linalg.norm(unit) - 1) <= allowed
        assert abs(unit @ orthogonal_to) / np.linalg.norm(orthogonal_to) <= allowed
        assert unit @ towards > 0 or theta < 1e-10  # e.v = |v| sin: below rounding at the smallest angles


def test_directions_are_zero_where_they_do_not_exist():
    for name in ("exactly parallel", "exactly opposite", "both zero"):
        case = PAIRS[name]
        _, e, e_ = angles.angle_and_directions(case.weights[0], case.teacher_weights[0])
        assert not np.any(e)
        assert not np.any(e_)
