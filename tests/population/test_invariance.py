"""Properties over generated networks: the span is enough, rotations turn, permutations permute.

Weights are small whole numbers, so that zero, coincident, opposite, parallel and dependent neurons are common; the
quantities that have a kink there are held to networks of normal weights, which have none.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

import sobolev_theory as st

EPS = float(np.finfo(float).eps)
K, K_STAR, D = 3, 2, 8  # the span of 5 neurons takes programs of 8 inputs, as does the whole space
GRADIENTS = {"population": st.population_gradient, "loss": st.loss_gradient}
MATRICES = {"population": st.population_jacobian, "loss": st.loss_hessian}
PRODUCTS = {"population": st.population_jacobian_product, "loss": st.loss_hessian_product}
SEEDS = some.integers(0, 2**31)
whole = arrays(int, (K + K_STAR, D + 1), elements=some.integers(-2, 2))
# Entries are of order 10, sums of some 10 terms, rotations of 8 terms each.
CLOSE = 1e4 * EPS
# The direction e of two neurons has an error of eps over the sine of their angle, which is above 1e-2 here, and a
# derivative of it twice that.
KINKED = 1e2 * CLOSE


def of_rows(rows: np.ndarray) -> tuple[st.Network, st.Network]:
    """Student and teacher, their output weights in the last column."""
    rows = np.asarray(rows, float)
    student, teacher = rows[:K], rows[K:]
    return st.Network(student[:, :-1], student[:, -1]), st.Network(teacher[:, :-1], teacher[:, -1])


def normal(seed: int) -> tuple[st.Network, st.Network]:
    return of_rows(np.random.default_rng(seed).normal(size=(K + K_STAR, D + 1)))


def turned(network: st.Network, rotation: np.ndarray) -> st.Network:
    return st.Network(network.weights @ rotation, network.output_weights)


def a_rotation(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(D, D)))[0]


def gap(one: st.Network, other: st.Network) -> float:
    return max(
        float(jnp.max(jnp.abs(a - b))) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


def flat(matrix) -> np.ndarray:
    return np.asarray(matrix).reshape(K * matrix.shape[1], K * matrix.shape[1])


# The span is enough.


@given(whole)
def test_loss_and_population_gradient_of_any_networks_are_those_in_their_span(rows):
    student, teacher = of_rows(rows)
    span = st.reduction(student, teacher)
    small = span.reduce(student), span.reduce(teacher)
    assert abs(st.population_loss(*small) - st.population_loss(student, teacher)) <= CLOSE
    lifted = span.lift(st.population_gradient(*small))
    assert gap(lifted, st.population_gradient(student, teacher)) <= CLOSE


@pytest.mark.parametrize("of", MATRICES)
@given(seed=SEEDS)
def test_gradients_and_matrices_are_those_in_the_span_and_one_block_off_it(of, seed):
    student, teacher = normal(seed)
    span = st.reduction(student, teacher)
    small = span.reduce(student), span.reduce(teacher)
    assert gap(span.lift(GRADIENTS[of](*small)), GRADIENTS[of](student, teacher)) <= KINKED
    basis = np.asarray(span.basis)
    complement = np.linalg.svd(basis)[0][:, span.dimension :]
    ambient = np.asarray(MATRICES[of](student, teacher))
    within = np.einsum("kinj,ia,jb->kanb", ambient, basis, basis)
    off = np.einsum("kinj,ia,jb->kanb", ambient, complement, complement)
    across = np.einsum("kinj,ia,jb->kanb", ambient, complement, basis)
    size = np.abs(ambient).max()
    assert np.abs(within - np.asarray(MATRICES[of](*small))).max() <= KINKED * size
    block = np.asarray(st.spectrum(student, teacher, of=of).blocks.orthogonal)
    assert np.abs(off - np.einsum("kn,ab->kanb", block, np.eye(D - span.dimension))).max() <= KINKED * size
    assert np.abs(across).max() <= KINKED * size


@pytest.mark.parametrize("of", PRODUCTS)
@given(seed=SEEDS)
def test_products_with_any_vector_split_into_span_and_complement(of, seed):
    student, teacher = normal(seed)
    span = st.reduction(student, teacher)
    tangent = normal(seed + 1)[0]
    inside = span.lift(span.reduce(tangent))
    outside = tangent.weights - inside.weights
    block = st.spectrum(student, teacher, of=of).blocks.orthogonal
    small = PRODUCTS[of](span.reduce(student), span.reduce(teacher), span.reduce(tangent))
    ambient = PRODUCTS[of](student, teacher, tangent)
    expected = st.Network(span.lift(small).weights + block @ outside, small.output_weights)
    assert gap(expected, ambient) <= KINKED * (1 + float(jnp.abs(ambient.weights).max()))


@given(whole)
def test_multiplicities_sum_to_the_number_of_weights_for_any_networks(rows):
    student, teacher = of_rows(rows)
    for of in MATRICES:
        spectrum = st.spectrum(student, teacher, of=of)
        assert int(spectrum.multiplicities.sum()) == K * D
        assert bool(jnp.all(jnp.isfinite(spectrum.values)))


# Rotations and permutations.


@given(whole, SEEDS)
def test_rotated_networks_have_the_same_loss_and_turned_population_gradients(rows, seed):
    student, teacher = of_rows(rows)
    rotation = a_rotation(seed)
    there = turned(student, rotation), turned(teacher, rotation)
    assert abs(st.population_loss(*there) - st.population_loss(student, teacher)) <= CLOSE
    expected = turned(st.population_gradient(student, teacher), rotation)
    assert gap(st.population_gradient(*there), expected) <= CLOSE


@pytest.mark.parametrize("of", MATRICES)
@given(seed=SEEDS)
def test_gradients_and_matrices_turn_with_the_networks(of, seed):
    student, teacher = normal(seed)
    rotation = a_rotation(seed + 1)
    there = turned(student, rotation), turned(teacher, rotation)
    assert gap(GRADIENTS[of](*there), turned(GRADIENTS[of](student, teacher), rotation)) <= KINKED
    matrix = np.asarray(MATRICES[of](student, teacher))
    expected = np.einsum("kinj,ia,jb->kanb", matrix, rotation, rotation)
    assert np.abs(np.asarray(MATRICES[of](*there)) - expected).max() <= KINKED * np.abs(matrix).max()


@pytest.mark.parametrize("of", MATRICES)
@given(seed=SEEDS, order=some.permutations(range(K)), teacher_order=some.permutations(range(K_STAR)))
def test_permuted_neurons_have_permuted_gradients_and_matrices(of, seed, order, teacher_order):
    student, teacher = normal(seed)
    order, teacher_order = np.array(order), np.array(teacher_order)
    there = permuted(student, order), permuted(teacher, teacher_order)
    assert abs(st.population_loss(*there) - st.population_loss(student, teacher)) <= CLOSE
    assert gap(GRADIENTS[of](*there), permuted(GRADIENTS[of](student, teacher), order)) <= KINKED
    matrix = np.asarray(MATRICES[of](student, teacher))
    moved = np.asarray(MATRICES[of](*there))
    assert np.abs(moved - matrix[order][:, :, order]).max() <= KINKED * np.abs(matrix).max()


def permuted(network: st.Network, order: np.ndarray) -> st.Network:
    return st.Network(network.weights[order], network.output_weights[order])


@given(seed=SEEDS)
def test_condition_numbers_are_invariant(seed):
    student, teacher = normal(seed)
    rotation = a_rotation(seed + 1)
    there = permuted(turned(student, rotation), np.array([1, 2, 0])), turned(teacher, rotation)
    for definition in ("eigenvalue_ratio", "two_norm", "symmetric_part"):
        value = st.condition_number(student, teacher, of="population", definition=definition)
        moved = st.condition_number(*there, of="population", definition=definition)
        # A condition number c of a matrix with relative error KINKED has one of c times that.
        assert moved == value or abs(moved - value) <= KINKED * value**2
