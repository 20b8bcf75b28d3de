"""The expectation of four signs: known values, an integral by another rule, and what it is where neurons coincide."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from sobolev_theory.geometry.angles import angles_between, direction, polar
from sobolev_theory.kernels.four_signs import EDGES, OTHERS, absolute_products, four_signs

EVERY = np.array(list(itertools.combinations(range(5), 4)))  # of five neurons: one shape for all tests
RNG = np.random.default_rng(0)


def of_rows(rows):
    neurons = polar(rows)
    angles = angles_between(neurons, neurons, jnp.eye(5, dtype=bool))
    four = four_signs(direction(neurons), angles, EVERY)
    return four, absolute_products(four, angles)


compiled = jax.jit(of_rows)


def moments(rows) -> dict[tuple[int, ...], float]:
    """E[s s s s] by four indices, and E[|u_i| |u_j| s_k s_l] by (i, j), (k, l), each in order."""
    four, products = jax.tree.map(np.asarray, compiled(np.asarray(rows, float)))
    found = {}
    for order, signs, row in zip(four.order, four.signs, products, strict=True):
        found[tuple(sorted(order))] = float(signs)
        for edge, other, value in zip(EDGES, OTHERS, row, strict=True):
            found[tuple(sorted(order[list(edge)])), tuple(sorted(order[other]))] = float(value)
    return found


def by_plackett(gram: np.ndarray) -> float:
    """With the first of four neurons shrunk, by SciPy's adaptive rule and determinants of the Gram matrix."""

    def of_pair(t, b):
        r = gram.copy()
        r[0, 1:] *= t
        r[1:, 0] *= t
        pinned, rest = [0, b], [x for x in (1, 2, 3) if x != b]
        law = r[np.ix_(rest, rest)] - r[np.ix_(rest, pinned)] @ np.linalg.solve(
            r[np.ix_(pinned, pinned)], r[np.ix_(pinned, rest)]
        )
        rho = law[0, 1] / np.sqrt(law[0, 0] * law[1, 1])
        return gram[0, b] / np.sqrt(1 - r[0, b] ** 2) * np.arcsin(rho)

    parts = [integrate.quad(of_pair, 0, 1, args=(b,), epsabs=1e-13, epsrel=1e-13)[0] for b in (1, 2, 3)]
    return 4 / np.pi**2 * sum(parts)


def arcsine(u, v) -> float:
    return 2 / np.pi * np.arcsin(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1))


def orthant(rows, q) -> float:
    pairs = sum(arcsine(rows[a], rows[b]) for a, b in itertools.combinations(q, 2))
    return (1 + pairs + moments(rows)[q]) / 16


def test_the_orthant_of_independent_fields_is_a_sixteenth():
    assert orthant(np.eye(5), (0, 1, 2, 3)) == pytest.approx(1 / 16, abs=1e-16)


def test_the_orthant_at_correlations_of_one_half_is_a_fifth():
    """Of five exchangeable fields Z_0 + Z_i, all four differences are positive if Z_0 is the largest."""
    rows = np.linalg.cholesky(np.full((5, 5), 0.5) + 0.5 * np.eye(5))
    for q in itertools.combinations(range(5), 4):
        assert orthant(rows, q) == pytest.approx(1 / 5, abs=1e-15)


def test_four_signs_are_plackett_s_integral():
    rows = RNG.normal(size=(5, 5))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = moments(rows)
    for q in itertools.combinations(range(5), 4):
        chosen = units[list(q)]
        assert found[q] == pytest.approx(by_plackett(chosen @ chosen.T), abs=1e-11)


def test_turning_a_neuron_turns_the_sign():
    rows = RNG.normal(size=(5, 5))
    turned = rows * np.array([-1, 1, 1, 1, 1])[:, None]
    before, after = moments(rows), moments(turned)
    for key, value in before.items():
        signs = key[1] if isinstance(key[0], tuple) else key
        assert after[key] == pytest.approx(-value if 0 in signs else value, abs=1e-12)


def planar(directions: np.ndarray, function) -> float:
    """E[f(u)] of u in a plane, f homogeneous of degree 0 or 2: an exact integral over every arc between kinks."""
    kinks = np.arctan2(directions[:, 1], directions[:, 0])
    cuts = np.sort(np.unique(np.concatenate([kinks + np.pi / 2, kinks - np.pi / 2]) % (2 * np.pi)))
    cuts = np.append(cuts, cuts[0] + 2 * np.pi)
    nodes, weights = np.polynomial.legendre.leggauss(30)
    total = 0.0
    for a, b in itertools.pairwise(cuts):
        angle = (a + b) / 2 + (b - a) / 2 * nodes
        u = directions @ np.array([np.cos(angle), np.sin(angle)])
        total += (b - a) / 2 * weights @ function(u)
    return total / (2 * np.pi)


@pytest.mark.parametrize("case", ["plane", "coincident", "opposite", "two pairs", "line"])
def test_neurons_in_a_plane_have_the_integral_over_the_circle(case):
    flat = RNG.normal(size=(5, 2))
    for k, (of, sign) in {
        "plane": {},
        "coincident": {3: (0, 1.0)},
        "opposite": {3: (0, -1.0)},
        "two pairs": {3: (0, -2.0), 4: (1, 1.0)},
        "line": {2: (0, 1.0), 3: (0, -1.0), 4: (0, 3.0)},
    }[case].items():
        flat[k] = sign * flat[of]
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0][:2]
    for key, value in moments(flat @ rotation).items():
        if not isinstance(key[0], tuple):
            exact = planar(flat, lambda u, q=key: np.sign(u[list(q)]).prod(0))
        else:
            (i, j), q = key[0], [*key[0], *key[1]]
            exact = 2 * planar(flat, lambda u, i=i, j=j, q=q: u[i] * u[j] * np.sign(u[q]).prod(0))  # E[r^2] = 2
        assert value == pytest.approx(exact, abs=2e-14)


def test_a_coincident_neuron_leaves_two_signs():
    """s_1 s_1 s_2 s_3 = s_2 s_3, in a space that the others span."""
    rows = RNG.normal(size=(5, 5))
    rows[4] = 2 * rows[1]
    assert moments(rows)[0, 1, 2, 4] == pytest.approx(arcsine(rows[0], rows[2]), abs=1e-15)


@pytest.mark.parametrize("distance", [1e-2, 1e-5, 1e-7, 1e-9])
def test_near_a_coincidence_the_limit_is_approached_at_the_rate_of_the_angle(distance):
    rows = RNG.normal(size=(5, 5))
    rows[4] = rows[1]
    moved = rows.copy()
    moved[4] += distance * RNG.normal(size=5)
    before, after = moments(rows), moments(moved)
    for key in [(0, 1, 2, 4), ((0, 2), (1, 4)), ((0, 1), (2, 4)), ((1, 4), (0, 3))]:
        assert 0 < abs(after[key] - before[key]) < 30 * distance


def test_the_derivative_in_a_covariance_is_the_expectation_of_four_signs():
    """Price: d/dC_ij E[|u_i| |u_j| s_k s_l] = E[s_i s_j s_k s_l]; both sides from different parts of the formulas."""
    factor = np.linalg.cholesky(np.cov(RNG.normal(size=(5, 40))))
    scale = 1 / np.linalg.norm(factor, axis=1)
    gram = scale[:, None] * (factor @ factor.T) * scale[None, :]
    step = 1e-4

    def at(h):
        moved = gram.copy()
        moved[0, 1] = moved[1, 0] = gram[0, 1] + h
        return moments(np.linalg.cholesky(moved))[(0, 1), (2, 3)]

    slope = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
    assert slope == pytest.approx(moments(np.linalg.cholesky(gram))[0, 1, 2, 3], abs=1e-9)


def test_derivatives_are_those_of_differences_and_numbers_where_neurons_coincide():
    def value(rows):
        four, products = of_rows(rows)
        return jnp.sum(jnp.sin(four.signs)) + jnp.sum(jnp.sin(products))

    both = jax.jit(jax.value_and_grad(value))
    rows, along, step = RNG.normal(size=(5, 5)), RNG.normal(size=(5, 5)), 1e-5
    difference = (both(rows + step * along)[0] - both(rows - step * along)[0]) / (2 * step)
    assert float(np.sum(np.asarray(both(rows)[1]) * along)) == pytest.approx(float(difference), rel=1e-7)
    rows[1], rows[2] = rows[0], -2 * rows[0]
    assert np.all(np.isfinite(np.asarray(both(rows)[1])))


def test_single_precision_is_known_to_its_digits():
    rows = RNG.normal(size=(5, 5)).astype(np.float32)
    (four, products), (fine, fine_products) = compiled(rows), compiled(rows.astype(float))
    assert four.signs.dtype == products.dtype == jnp.float32
    assert np.allclose(four.signs, fine.signs, rtol=0, atol=3e-6)
    assert np.allclose(products, fine_products, rtol=0, atol=1e-5)
