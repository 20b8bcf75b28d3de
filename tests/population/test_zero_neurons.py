"""Zero neurons, whom no sample activates: the same in every function, however the network is written."""

import jax
import numpy as np
import pytest

import sobolev_theory as st

ROWS, TEACHER_ROWS = [[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.5], [0.0, 0.0]]
WRITTEN = {
    "ReLU": {},
    "LeakyReLU(0)": {"activation": st.LeakyReLU(0.0)},
    "RePU(1)": {"activation": st.RePU(1)},
    "biases of 0": {"biases": [0.0, 0.0]},
}
SMOOTH = {
    "sine": {"activation": st.Sine(0.7)},
    "erf": {"activation": st.Erf()},
    "leaky": {"activation": st.LeakyReLU(0.3)},
}
STANDARD = st.GaussianInput()
UNIT = st.GaussianInput([1.0, 1.0])  # N(0, I), by the sums of any covariance

each_loss = pytest.mark.parametrize("loss", [st.L2, st.H1], ids=["L2", "H1"])


def networks(name: str):
    return (st.Network(rows, [1.0, -0.5], **(WRITTEN | SMOOTH)[name]) for rows in (ROWS, TEACHER_ROWS))


def matrices(name: str, loss, inputs=STANDARD):
    both = st.loss_hessian, st.population_jacobian
    return [np.asarray(f(*networks(name), loss, inputs)).reshape(4, 4) for f in both]


@each_loss
@pytest.mark.parametrize("name", WRITTEN)
def test_row_and_column_of_a_zero_neuron_are_zero(name, loss):
    for matrix in matrices(name, loss):
        assert not np.any(matrix[2:])
        assert not np.any(matrix[:, 2:])


@each_loss
@pytest.mark.parametrize("name", WRITTEN)
def test_equal_functions_have_equal_matrices(name, loss):
    for inputs in (STANDARD, UNIT):
        for found, expected in zip(matrices(name, loss, inputs), matrices("ReLU", loss), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@each_loss
@pytest.mark.parametrize("name", [*WRITTEN, *SMOOTH])
def test_hessian_is_symmetric_and_its_products_are_its_columns(name, loss):
    hessian, _ = matrices(name, loss)
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-14)
    student, teacher = networks(name)
    tangent = st.Network(np.arange(4.0).reshape(2, 2), [0.0, 0.0], student.biases, student.activation)
    tangent = jax.tree.map(lambda x, y: x * (y.ndim > 1), tangent, student)
    product = st.loss_hessian_product(student, teacher, tangent, loss).weights
    np.testing.assert_allclose(np.ravel(product), hessian @ np.arange(4.0), rtol=0, atol=1e-14)


def test_the_reported_spectrum():
    hessian = st.loss_hessian(st.Network(ROWS), st.Network([1.0, 0.0]), st.L2).reshape(4, 4)
    np.testing.assert_array_equal(np.linalg.eigvalsh(hessian), [0.0, 0.0, 0.5, 0.5])


def test_a_neuron_orthogonal_to_a_singular_covariance_is_a_zero_neuron():
    """w = (3, -1) sees nothing of x = (z, 3z); the metric sees it, but its derivative is 0 with probability 1."""
    line = st.GaussianInput([[1.0, 3.0], [3.0, 9.0]])
    for networks_ in ({}, {"activation": st.LeakyReLU(0.0)}, {"biases": [0.0]}):
        unseen, other = st.Network([3.0, -1.0], **networks_), st.Network([1.0, 1.0], **networks_)
        alone = st.population_loss(st.Network([1.0, 1.0], [0.0], **{**networks_}), other, st.H1, line)
        np.testing.assert_allclose(st.population_loss(unseen, other, st.H1, line), alone, rtol=1e-14)
        assert not np.any(st.population_gradient(unseen, other, st.H1, line).weights)
