"""Proofs on one neuron: chains of identities without a gap, which a wrong constant breaks."""

import pytest
import sympy as sp

from sobolev_theory.symbolic import Proof, Step, conditioning, descent, single_neuron, theta, vanishes
from sobolev_theory.symbolic.single_neuron import eigenvalues

PROOFS = (
    descent.acceleration,
    descent.loss_acceleration,
    descent.least_local_rate,
    descent.collapse,
    conditioning.l2_order,
    conditioning.h1_population_order,
    conditioning.h1_loss_order,
    conditioning.h1_population_is_better,
)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.__name__)
def test_proof_has_no_gap(proof):
    assert proof().gaps == []
    assert proof().facts


def test_a_wrong_or_undecided_step_is_a_gap():
    steps = (Step("wrong", theta - 1), Step("open", sp.exp(theta) - 1), Step("right", theta - theta))
    assert Proof(steps, ()).gaps == ["wrong", "open"]


def test_acceleration_vanishes_at_the_teacher_alone():
    """2 (w - w*).G_J / |w*|^2 at theta = 0 is (a - 1)^2."""
    a = sp.Symbol("a", positive=True)
    norm = descent.r_star
    at_zero = descent.seminorm_descent().subs({theta: 0, descent.r: a * norm})
    assert sp.expand(2 * at_zero / norm**2 - (a - 1) ** 2) == 0


def test_the_loss_gradient_near_the_teacher_has_no_rate():
    """(w - w*).grad H is of first order: |w*|^2 sin cos / (2 pi) is what the kink adds."""
    kink = descent.descent(single_neuron.seminorm_boundary().as_immutable())
    assert vanishes(kink - descent.r_star**2 * sp.sin(theta) * sp.cos(theta) / (2 * sp.pi))


def test_collapse_takes_the_time_of_a_straight_fall_for_small_angles():
    """T / (2 pi r theta / r*) -> 1."""
    ratio = descent.collapse_time() / (2 * sp.pi * descent.r * theta / descent.r_star)
    assert sp.limit(ratio.subs({descent.r: 2, descent.r_star: 3}), theta, 0) == 1


def test_a_matrix_that_couples_the_directions_has_no_eigenvalues_on_its_diagonal():
    with pytest.raises(ValueError, match="needs zeros"):
        eigenvalues(sp.Matrix([[1, 0, 0], [theta, 2, 0], [0, 0, 3]]))
