"""Gaussian inputs of any covariance, singular ones too: as matrix, diagonal or low rank, traced, differentiated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.model.covariance_root import root_of
from tests.helpers.cases import EPS

random = np.random.default_rng(2)
STUDENT, TEACHER = st.Network(random.normal(size=(2, 3))), st.Network(random.normal(size=(2, 3)), [1.0, -0.5])
ROUNDING = 1e3 * EPS  # terms of size 20; the root of a singular matrix has a factor of its norm

FACTOR = random.normal(size=(3, 2))
SINGULAR = {
    "a plane": FACTOR @ FACTOR.T,
    "a line": np.outer([1.0, 3.0, -2.0], [1.0, 3.0, -2.0]),
    "a variance of 0": np.diag([2.0, 0.0, 1.0]),
    "graded": np.diag([1e-20, 1.0, 0.0]) + 1e-11 * np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]) / 2,
    "all zero": np.zeros((3, 3)),
}


@pytest.mark.parametrize("matrix", SINGULAR.values(), ids=SINGULAR)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_root_is_one_of_any_rank_in_both_precisions(matrix, dtype):
    matrix = matrix.astype(dtype)
    root = np.asarray(jax.jit(root_of)(matrix))
    size = np.sqrt(np.outer(np.diagonal(matrix), np.diagonal(matrix)))
    assert root.dtype == dtype
    assert np.all(np.abs(root @ root.T - matrix) <= 32 * np.finfo(dtype).eps * size)


def loss(inputs, of=st.H1):
    return st.population_loss(STUDENT, TEACHER, of, inputs)


def test_inputs_on_a_line_have_the_loss_of_one_input():
    """x = (z, 3z): w.x = (w_1 + 3 w_2) z. The case that was NaN: E[(z_+ - (3z)_+)^2] / 2 = 1."""
    line = st.GaussianInput([[1.0, 3.0], [3.0, 9.0]])
    assert float(st.population_loss(st.Network([1.0, 0.0]), st.Network([0.0, 1.0]), st.L2, line)) == pytest.approx(
        1.0
    )
    along, line = np.array([1.0, 3.0, -2.0]), st.GaussianInput(SINGULAR["a line"], metric="mahalanobis")
    one, other = (st.Network(n.weights @ along[:, None], n.output_weights) for n in (STUDENT, TEACHER))
    np.testing.assert_allclose(loss(line), st.population_loss(one, other), rtol=ROUNDING)


@pytest.mark.parametrize("metric", ["euclidean", "mahalanobis"])
@pytest.mark.parametrize("name", SINGULAR)
def test_a_singular_covariance_has_the_loss_of_the_next_regular_ones(name, metric):
    """Everything is continuous in the covariance: like its root where a neuron is orthogonal to the subspace."""
    matrix = jnp.asarray(SINGULAR[name])
    found = [loss(st.GaussianInput(matrix + t * jnp.eye(3), metric=metric), st.L2) for t in (0.0, 1e-12)]
    np.testing.assert_allclose(*found, rtol=0, atol=1e-4)


def test_matrix_diagonal_and_low_rank_are_one_covariance():
    diagonal, factor = jnp.array([0.5, 0.0, 2.0]), jnp.array([[0.0], [0.0], [1.0]])
    low = st.LowRank(diagonal, factor)
    same = st.GaussianInput(low), st.GaussianInput(low.matrix), st.GaussianInput(diagonal + factor[:, 0] ** 2)
    np.testing.assert_allclose([loss(x) for x in same], loss(same[0]), rtol=ROUNDING)


@pytest.mark.parametrize("metric", ["euclidean", "mahalanobis"])
@pytest.mark.parametrize("name", ["regular", "a plane"])
def test_the_gradient_in_a_covariance_is_that_of_differences_within_its_rank(name, metric):
    base, step = random.normal(size=(2, 3, 2 if name == "a plane" else 3))

    def along(t):
        factor = base + t * step
        return loss(st.GaussianInput(factor @ factor.T, metric=metric))

    difference = (along(1e-5) - along(-1e-5)) / 2e-5
    np.testing.assert_allclose(jax.jit(jax.grad(along))(0.0), difference, rtol=1e-7)


def test_derivatives_in_a_variance_of_zero_are_finite():
    for inputs in (lambda v: st.GaussianInput(v), lambda v: st.GaussianInput(st.LowRank(v, FACTOR))):
        assert np.all(np.isfinite(jax.grad(lambda v, x=inputs: loss(x(v)))(jnp.array([1.0, 0.0, 2.0]))))


def test_covariances_may_be_mapped_ranks_side_by_side():
    matrices = jnp.stack([*map(jnp.asarray, SINGULAR.values()), jnp.eye(3)])
    mapped = jax.vmap(lambda matrix: loss(st.GaussianInput(matrix)))(matrices)
    alone = [loss(st.GaussianInput(matrix)) for matrix in matrices]
    np.testing.assert_allclose(mapped, alone, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], "smallest eigenvalue -1"),
        ([[1e-20, 2e-10], [2e-10, 1.0]], "smallest eigenvalue -3"),
        ([[0.0, 1.0], [1.0, 4.0]], "smallest eigenvalue -0.236"),
        ([[1.0, 0.5], [0.0, 1.0]], "differs from its transpose by 0.5"),
        ([1.0, -1e-3], "smallest entry -0.001"),
        ([[1.0, np.nan], [np.nan, 1.0]], "nan at"),
        (np.eye(2, 3), "shape"),
    ],
)
def test_what_is_no_covariance_is_refused(bad, message):
    with pytest.raises(ValueError, match=f"covariance: got .*{message}"):
        st.GaussianInput(bad)


def test_indefinite_by_rounding_is_singular():
    rows = random.normal(size=(40, 3))
    st.GaussianInput(rows @ rows.T)  # 37 eigenvalues of either sign at rounding


@pytest.mark.parametrize("place", ["covariance", "mean", "diagonal"])
def test_complex_numbers_are_refused_by_name(place):
    build = {
        "covariance": st.GaussianInput,
        "mean": lambda x: st.GaussianInput(mean=x),
        "diagonal": lambda x: st.LowRank(x, [[1.0], [1.0]]),
    }[place]
    with pytest.raises(TypeError, match=f"{place}: got dtype complex128; needs real"):
        build([1.0, 1j])
