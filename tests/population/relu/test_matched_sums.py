"""Sums as differences over a matching: an identity, whatever the matching."""

from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sobolev_theory.kernels.activation_pairs import Part
from sobolev_theory.population.relu import sums
from sobolev_theory.population.relu.blocks import geometry
from sobolev_theory.population.relu.matched_sums import matched_energy, matched_gradient, moves
from sobolev_theory.population.relu.matching import Matching
from sobolev_theory.population.relu.plain_sums import plain_gradient
from sobolev_theory.population.row_blocks import EVERY
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
    g, unit = geometry(STUDENT, TEACHER, None, of_teachers=True), 2.0
    moved, block = moves(g, matching), slice(0, g.students)
    students, angles = g.everyone.take(block), g.angles(block)

    def loss(energies, masses):
        return jnp.sum(energies) + sums._of_teachers(lam, masses / unit, g, None)

    matched = loss(matched_energy(lam, g, moved, unit, EVERY), moved.excess)
    plain = loss(sums._plain_energy((lam, unit), g, EVERY), g.rho_star)
    parts = get_args(Part)
    return (
        (matched, [matched_gradient(part, lam, g, moved, EVERY) for part in parts]),
        (plain, [plain_gradient(part, lam, students, g.everyone, angles) for part in parts]),
    )


@pytest.mark.parametrize("lam", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("matching", MATCHINGS.values(), ids=MATCHINGS)
def test_any_matching_gives_the_plain_sums(matching, lam):
    partner, matched = matching
    found, plain = both(lam, Matching(jnp.array(partner), jnp.array(matched)))
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ROUNDING)
