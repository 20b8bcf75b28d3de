"""Rotating into the span of the neurons and back; that it changes no quantity is in test_invariance.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st

EPS = float(np.finfo(float).eps)


def networks(seed: int, neurons: int = 2, teachers: int = 2, dimension: int = 7) -> tuple[st.Network, st.Network]:
    random = np.random.default_rng(seed)
    student = st.Network(random.normal(size=(neurons, dimension)), random.normal(size=neurons))
    return student, st.Network(random.normal(size=(teachers, dimension)), random.normal(size=teachers))


def test_lift_inverts_reduce_on_the_span_and_projects_off_it():
    student, teacher = networks(5)
    rotation = st.reduction(student, teacher)
    np.testing.assert_allclose(
        rotation.lift(rotation.reduce(student)).weights, student.weights, rtol=0, atol=20 * EPS
    )
    outside, _ = networks(6)
    left = outside.weights - rotation.lift(rotation.reduce(outside)).weights
    np.testing.assert_allclose(left @ rotation.basis, 0, rtol=0, atol=20 * EPS)
    assert jnp.linalg.norm(left) > 0.1


@pytest.mark.parametrize(
    ("rows", "teacher_rows", "rank"),
    [
        ([[1, 0, 0, 0], [2, 0, 0, 0]], [[0, 0, 3, 0]], 2),
        ([[0, 0, 0, 0], [1, 2, 0, 0]], [[0, 0, 0, 0]], 1),
        ([[1e-150, 0, 0, 0], [0, 1e150, 0, 0]], [[1, 1, 0, 0]], 2),
        ([[1, 0, 0, 0]], [[1, 1e-9, 0, 0]], 2),
        ([[0, 0, 0, 0]], [[0, 0, 0, 0]], 1),
    ],
    ids=["parallel", "zero neurons", "wild norms", "an angle of 1e-9", "nothing"],
)
def test_rank_is_revealed_whatever_the_norms(rows, teacher_rows, rank):
    student, teacher = (st.Network(np.array(x, float)) for x in (rows, teacher_rows))
    rotation = st.reduction(student, teacher, revealing_rank=True)
    assert rotation.dimension == rank
    np.testing.assert_allclose(rotation.basis.T @ rotation.basis, np.eye(rank), rtol=0, atol=20 * EPS)
    for network in (student, teacher):
        lifted = rotation.lift(rotation.reduce(network)).weights
        norms = jnp.max(jnp.abs(network.weights), axis=1, keepdims=True)
        assert jnp.all(jnp.abs(lifted - network.weights) <= 20 * EPS * norms)


def test_dependent_neurons_need_no_rank_decision():
    student, teacher = st.Network(np.array([[1.0, 2, 3, 4, 5], [2.0, 4, 6, 8, 10]])), st.Network(np.zeros((1, 5)))
    rotation = st.reduction(student, teacher)
    assert rotation.dimension == 3
    small = st.population_loss(rotation.reduce(student), rotation.reduce(teacher))
    np.testing.assert_allclose(small, st.population_loss(student, teacher), rtol=20 * EPS)


def test_first_derivatives_through_a_reduction_are_exact():
    student, teacher = networks(8)

    def reduced_loss(student):
        rotation = st.reduction(student, teacher)
        return st.population_loss(rotation.reduce(student), rotation.reduce(teacher))

    through = jax.jit(jax.grad(reduced_loss))(student)
    np.testing.assert_allclose(through.weights, st.loss_gradient(student, teacher).weights, rtol=0, atol=1e3 * EPS)


def test_bad_input_is_named():
    student, teacher = networks(0)
    rotation = st.reduction(student, teacher)
    with pytest.raises(ValueError, match=r"network: got weights of shape \(2, 4\); needs \[K, d\] = \[K, 7\]"):
        rotation.reduce(rotation.reduce(student))
    with pytest.raises(ValueError, match=r"network: got weights of shape \(2, 7\); needs \[K, n\] = \[K, 4\]"):
        rotation.lift(student)
    with pytest.raises(TypeError, match="network: got list; needs a Network"):
        rotation.reduce([1.0])
    with pytest.raises(ValueError, match="revealing_rank: got True under jit"):
        jax.jit(lambda s: st.reduction(s, teacher, revealing_rank=True).basis)(student)
    with pytest.raises(ValueError, match="teacher: got weights of shape"):
        st.reduction(student, st.Network([1.0]))
