"""Sums as differences over a matching: an identity, whatever the matching."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory.population.relu import matched_sums, plain_sums
from sobolev_theory.population.relu.matching import Matching
from tests.helpers.cases import EPS, LOSSES, TRIPLES

CASE = TRIPLES["signed output weights"]
STUDENT, TEACHER = tuple(map(jnp.array, CASE[:2])), tuple(map(jnp.array, CASE[2:]))
# Terms of size 20, six to a sum, some of them split in two differences of twice the size.
ROUNDING = 4 * 6 * 20 * EPS

MATCHINGS = {
    "nobody": ([0, 0, 0], [False] * 3),
    "one": ([2, 0, 0], [True, False, False]),
    "two": ([0, 2, 1], [False, True, True]),
    "all": ([1, 0, 2], [True] * 3),
}


@jax.jit
def both(lam, matching: Matching):
    layers = plain_sums.layers(STUDENT, TEACHER)
    g, moves, unit = plain_sums.geometry(layers), matched_sums.moves(layers, matching), 2.0
    p = matched_sums.dipoles(g, moves)

    def rows(pull_rows, where, *pulls):
        return [pull_rows(where, pull(lam, where)) for pull in pulls]

    def loss(parts, masses):
        return jnp.sum(parts) + jnp.sum(plain_sums.half_energy(lam, layers.teacher, masses / unit))

    matched = [
        *rows(matched_sums.matched_rows, p, matched_sums.matched_gradient, matched_sums.matched_boundary),
        matched_sums.matched_potential(lam, p),
        loss(matched_sums.matched_loss(lam, p, unit), moves.excess),
    ]
    plain = [
        *rows(plain_sums.plain_rows, g, plain_sums.plain_gradient, plain_sums.plain_boundary),
        plain_sums.plain_potential(lam, g),
        loss(plain_sums.plain_loss(lam, g, unit), layers.rho_star),
    ]
    return matched, plain


@pytest.mark.parametrize("lam", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("matching", MATCHINGS.values(), ids=MATCHINGS)
def test_any_matching_gives_the_plain_sums(matching, lam):
    partner, matched = matching
    found, plain = both(lam, Matching(jnp.array(partner), jnp.array(matched)))
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ROUNDING)
