"""Zero neurons, whom no sample activates: the same in every function, however the network is written."""

from functools import cache

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
INPUTS = {  # the same, N(0, I); the second by the sums of any covariance
    "standard": st.GaussianInput(),
    "covariance": st.GaussianInput([1.0, 1.0]),
}
LOSSES = {"L2": 0.0, "H1": 1.0}  # the weight of derivatives, a number of the program
each_loss = pytest.mark.parametrize("slopes", LOSSES.values(), ids=LOSSES)


def networks(name: str):
    return tuple(st.Network(rows, [1.0, -0.5], **(WRITTEN | SMOOTH)[name]) for rows in (ROWS, TEACHER_ROWS))


@cache
def program(functions: tuple[str, ...], inputs: str):
    def evaluate(slopes, *networks):
        return [getattr(st, f)(*networks, st.SobolevLoss((1.0, slopes)), INPUTS[inputs]) for f in functions]

    return jax.jit(evaluate)


@cache
def matrices(name: str, slopes: float, inputs: str = "standard") -> list[np.ndarray]:
    """The Hessian, and where something is said of it the Jacobian."""
    functions = ("loss_hessian", "population_jacobian")[: 2 if name in WRITTEN else 1]
    return [np.reshape(x, (4, 4)) for x in program(functions, inputs)(slopes, *networks(name))]


@each_loss
@pytest.mark.parametrize("name", WRITTEN)
def test_row_and_column_of_a_zero_neuron_are_zero(name, slopes):
    for matrix in matrices(name, slopes):
        assert not np.any(matrix[2:])
        assert not np.any(matrix[:, 2:])


@each_loss
@pytest.mark.parametrize(("name", "inputs"), [*((name, "standard") for name in WRITTEN), ("ReLU", "covariance")])
def test_equal_functions_have_equal_matrices(name, slopes, inputs):
    for one, expected in zip(matrices(name, slopes, inputs), matrices("ReLU", slopes), strict=True):
        np.testing.assert_allclose(one, expected, rtol=0, atol=1e-14)


@each_loss
@pytest.mark.parametrize("name", [*WRITTEN, *SMOOTH])
def test_hessian_is_symmetric(name, slopes):
    hessian = matrices(name, slopes)[0]
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-14)


@each_loss
@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU(0)", "sine"])
def test_products_of_the_hessian_are_its_columns(name, slopes):
    student, teacher = networks(name)
    tangent = st.Network(np.arange(4.0).reshape(2, 2), [0.0, 0.0], activation=student.activation)
    (product,) = program(("loss_hessian_product",), "standard")(slopes, student, teacher, tangent)
    expected = matrices(name, slopes)[0] @ np.arange(4.0)
    np.testing.assert_allclose(np.ravel(product.weights), expected, rtol=0, atol=1e-14)


def test_the_reported_spectrum():
    hessian = st.loss_hessian(st.Network(ROWS), st.Network([1.0, 0.0]), st.L2).reshape(4, 4)
    np.testing.assert_array_equal(np.linalg.eigvalsh(hessian), [0.0, 0.0, 0.5, 0.5])


def test_a_neuron_orthogonal_to_a_singular_covariance_is_a_zero_neuron():
    """w = (3, -1) sees nothing of x = (z, 3z); the metric sees it, but its derivative is 0 with probability 1."""
    line = st.GaussianInput([[1.0, 3.0], [3.0, 9.0]])
    for networks_ in ({}, {"biases": [0.0]}):
        unseen, other = st.Network([3.0, -1.0], **networks_), st.Network([1.0, 1.0], **networks_)
        alone = st.population_loss(st.Network([1.0, 1.0], [0.0], **{**networks_}), other, st.H1, line)
        np.testing.assert_allclose(st.population_loss(unseen, other, st.H1, line), alone, rtol=1e-14)
        assert not np.any(st.population_gradient(unseen, other, st.H1, line).weights)
