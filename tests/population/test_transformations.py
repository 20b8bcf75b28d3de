"""Every transformation of JAX, of all cases of accuracy in one batch: finite, and what a loop gives."""

from functools import cache

import jax
import numpy as np
import pytest

import sobolev_theory as st
from tests.helpers.cases import EPS, PAIRS, TRIPLES, padded
from tests.helpers.reference import Problem

CASES = PAIRS | TRIPLES
FEW = 4 * EPS  # as in test_accuracy


@cache
def batch() -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    cases = [padded(case) for case in CASES.values()]
    weights, output, teacher, teacher_output = (np.stack([case[i] for case in cases]) for i in range(4))
    return (weights, output), (teacher, teacher_output)


def losses(student, teacher):
    return st.population_loss(st.Network(*student), st.Network(*teacher))


def gradient_and_hessian(student, teacher):
    """By the derivative of the loss; the gradient in everything, the Hessian in the rows."""

    def of_rows(rows):
        gradients = jax.grad(losses, argnums=(0, 1))((rows, student[1]), teacher)
        return gradients[0][0], gradients

    return jax.jacfwd(of_rows, has_aux=True)(student[0])


def reverse_jacobian(student, teacher):
    gradient = lambda s: jax.tree.leaves(st.population_gradient(st.Network(*s), st.Network(*teacher)))  # noqa: E731
    return jax.jacrev(gradient)(student)


TRANSFORMATIONS = {"grad and hessian": gradient_and_hessian, "jacrev": reverse_jacobian}


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_derivatives_are_finite_everywhere(transformation):
    values = jax.jit(jax.vmap(TRANSFORMATIONS[transformation]))(*batch())
    for leaf in jax.tree.leaves(values):
        bad = np.flatnonzero(~np.all(np.isfinite(np.reshape(leaf, (len(leaf), -1))), axis=1))
        assert not bad.size, [list(CASES)[i] for i in bad]


@pytest.mark.parametrize("function", ["population_loss", "loss_gradient", "loss_hessian"])
def test_vmap_gives_what_a_loop_gives(function):
    evaluate = getattr(st, function)
    mapped = jax.vmap(lambda s, t: evaluate(st.Network(*s), st.Network(*t)))(*batch())
    looped = [evaluate(*padded(case).networks) for case in CASES.values()]
    for leaf, singles in zip(jax.tree.leaves(mapped), zip(*map(jax.tree.leaves, looped), strict=True), strict=True):
        for name, one, other in zip(CASES, *map(np.asarray, (leaf, singles)), strict=True):
            assert np.all(np.isfinite(one)), name
            # The same operations in another order of summation; in the Hessian terms 1/sin^2 leave 1/sin.
            size = float(np.max(np.abs(other)))
            rounding = FEW / Problem(*CASES[name]).smallest_sine if function == "loss_hessian" else FEW
            np.testing.assert_allclose(one, other, rtol=0, atol=rounding * size, err_msg=name)
