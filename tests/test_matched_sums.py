"""Sums as differences over a matching: an identity, whatever the matching."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import EPS, LOSSES, TRIPLES

from sobolev_theory import arc_cosine, matched_sums
from sobolev_theory.matching import Matching

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
    g = arc_cosine.geometry(STUDENT, TEACHER)
    pairs = matched_sums._dipoles(g, matching)
    matched = (matched_sums._matched_loss, matched_sums._matched_gradient, matched_sums._matched_boundary)
    plain = (arc_cosine.plain_loss, arc_cosine.plain_gradient, arc_cosine.plain_boundary)
    return [f(lam, pairs) for f in matched], [f(lam, g) for f in plain]


@pytest.mark.parametrize("lam", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("matching", MATCHINGS.values(), ids=MATCHINGS)
def test_any_matching_gives_the_plain_sums(matching, lam):
    partner, matched = matching
    found, plain = both(lam, Matching(jnp.array(partner), jnp.array(matched)))
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ROUNDING)
