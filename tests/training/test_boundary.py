"""The boundary term of a batch: unbiased for the exact one, on every kind of input, and told from none."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import training

# Compiled once, not operation by operation.
boundary_term, loss_with_boundary, sobolev_loss = map(
    eqx.filter_jit, (training.boundary_term, training.loss_with_boundary, training.sobolev_loss)
)
BATCHES, BATCH = 1500, 32
STANDARD_ERRORS = 5  # of about a hundred entries in all: a chance of 1e-4 to see it once
LOSS = st.SobolevLoss((0.5, 2.0))
_rng = np.random.default_rng(0)
W, V = _rng.normal(size=(3, 4)), _rng.normal(size=(3, 4))
STUDENT = st.Network(W, [1.0, -0.7, 0.5], [0.2, -0.3, 0.1])
TEACHER = st.Network(V, [1.0, 0.5, 0.3], [-0.1, 0.2, 0.0])
INPUTS = st.GaussianInput(0.3 * np.ones((4, 4)) + np.diag([1.7, 0.7, 0.7, 0.5]), mean=[0.1, -0.2, 0.3, 0.0])
OTHER = st.GaussianInput(np.eye(4), mean=[-0.6, 0.3, 0.0, 0.2])


def exact(f, student=STUDENT, teacher=TEACHER, inputs=INPUTS):
    return jax.tree.map(np.asarray, f(student, teacher, LOSS, inputs))


def exact_boundary(*args):
    return jax.tree.map(np.subtract, exact(st.loss_gradient, *args), exact(st.population_gradient, *args))


def batches(inputs, seed: int = 1):
    z = jax.random.normal(jax.random.key(seed), (BATCHES * BATCH, 4))
    return inputs.coloured(z).reshape(BATCHES, BATCH, 4)


def z_scores(found, expected):
    """Of the means over batches, all entries; those that never vary must be exact."""
    scores = []
    for values, mean in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        values = np.asarray(values)
        error = values.std(axis=0, ddof=1) / np.sqrt(BATCHES)
        still = error == 0
        np.testing.assert_allclose(values.mean(axis=0)[still], mean[still], atol=1e-15)
        scores.append(((values.mean(axis=0) - mean)[~still] / error[~still]).ravel())
    return np.abs(np.concatenate(scores))


@pytest.fixture(scope="module")
def gradients():
    """By autodiff, and with the boundary, of many batches."""

    def of_batch(x):
        autodiff = jax.grad(training.sobolev_loss)(STUDENT, x, TEACHER, LOSS)
        whole = jax.grad(training.loss_with_boundary)(STUDENT, x, TEACHER, LOSS, INPUTS)
        return autodiff, whole, training.boundary_term(STUDENT, x, TEACHER, LOSS, INPUTS)

    return jax.jit(jax.vmap(of_batch))(batches(INPUTS))


def test_each_gradient_has_its_own_expectation_and_not_the_others(gradients):
    autodiff, whole, _ = gradients
    population, loss = exact(st.population_gradient), exact(st.loss_gradient)
    assert z_scores(autodiff, population).max() < STANDARD_ERRORS
    assert z_scores(whole, loss).max() < STANDARD_ERRORS
    assert z_scores(autodiff, loss).max() > 10 * STANDARD_ERRORS
    assert z_scores(whole, population).max() > 10 * STANDARD_ERRORS


def test_the_loss_with_boundary_is_the_sample_loss_with_the_boundary_term_in_its_gradient(gradients):
    autodiff, whole, boundary = gradients
    for a, b, c in zip(*map(jax.tree.leaves, (autodiff, boundary, whole)), strict=True):
        np.testing.assert_allclose(np.asarray(a) + np.asarray(b), c, rtol=1e-13, atol=1e-13)
    x = batches(INPUTS)[0]
    assert loss_with_boundary(STUDENT, x, TEACHER, LOSS) == sobolev_loss(STUDENT, x, TEACHER, LOSS)


@pytest.mark.parametrize("wrong", ["sign", "factor", "one side"])
def test_an_error_in_the_term_would_be_seen(gradients, wrong):
    """`one side`: the slope above the kink, and not the mean of both, has a_k |w_k|^2 / 2 too much in its jump."""
    *_, boundary = gradients
    twins = {"sign": lambda t: -t, "factor": lambda t: 1.02 * t, "one side": lambda t: t}
    expected = jax.tree.map(twins[wrong], exact_boundary())
    if wrong == "one side":
        deviation = np.sqrt(np.einsum("kd,de,ke->k", W, np.asarray(INPUTS.covariance), W))
        offset = (np.asarray(STUDENT.biases) + W @ np.asarray(INPUTS.mean)) / deviation
        density = np.exp(-(offset**2) / 2) / np.sqrt(2 * np.pi) / deviation
        more = LOSS.lambdas[1] * np.asarray(STUDENT.output_weights) ** 2 * np.sum(W**2, axis=1) / 2
        expected = st.Network(expected.weights, expected.output_weights, expected.biases + density * more)
        expected = jax.tree.map(np.asarray, expected)
    assert z_scores(boundary, expected).max() > STANDARD_ERRORS


def test_of_another_density_it_is_unbiased_by_its_weights():
    """A mixture of two Gaussians, whose exact term is the mean of theirs; the teacher is a function."""
    first, second = (batches(inputs, seed) for seed, inputs in ((2, INPUTS), (3, OTHER)))
    x = jnp.where(jax.random.bernoulli(jax.random.key(4), 0.5, (BATCHES, BATCH, 1)), first, second)

    def log_density(x):
        each = [jax.scipy.stats.multivariate_normal.logpdf(x, i.mean, i.covariance) for i in (INPUTS, OTHER)]
        return jnp.logaddexp(*each)

    def of_batch(x):
        return tuple(
            training.boundary_term(STUDENT, x, lambda x: TEACHER(x), LOSS, OTHER, log_density=density)
            for density in (log_density, None)
        )

    right, wrong = jax.jit(jax.vmap(of_batch))(x)
    means = [exact_boundary(STUDENT, TEACHER, inputs) for inputs in (INPUTS, OTHER)]
    expected = jax.tree.map(lambda a, b: (a + b) / 2, *means)
    assert z_scores(right, expected).max() < STANDARD_ERRORS
    assert z_scores(wrong, expected).max() > 4 * STANDARD_ERRORS


def test_neurons_on_one_hyperplane_have_the_mean_of_both_sides_and_a_zero_neuron_nothing():
    student = st.Network(np.stack([2 * V[0], -V[1], 0 * V[2]]), [1.0, 0.5, 1.0], np.zeros(3))
    teacher = st.Network(V, TEACHER.output_weights, np.zeros(3))
    inputs = st.GaussianInput(INPUTS.covariance, mean=np.zeros(4))
    term = jax.jit(jax.vmap(lambda x: training.boundary_term(student, x, teacher, LOSS, inputs)))
    found = term(batches(inputs))
    assert z_scores(found, exact_boundary(student, teacher, inputs)).max() < STANDARD_ERRORS
    assert not np.asarray(found.weights[:, 2]).any()
    # Beside the kink the teacher's own neuron pulls at full strength, however small the angle.
    turned = np.stack([2 * V[0] + 1e-9 * V[1], -V[1], V[2]])
    beside = st.Network(turned, student.output_weights, np.zeros(3))
    beside = boundary_term(beside, batches(inputs)[0], teacher, LOSS, inputs)
    assert np.linalg.norm(beside.weights[0] - found.weights[0, 0]) > 0.1


def test_other_kinks_jump_by_their_own_slopes():
    """One neuron at a time before a linear teacher: its jump is the square of its slopes' difference, less a line."""
    x, a = batches(st.GaussianInput())[0], jnp.array([0.5, -1.0, 0.2, 0.3])

    def jump(activation, below, above):
        """The part of the loss above the kink less that below, over the term of the biases."""
        student = st.Network(W[:1], [0.8], [0.2], activation)
        found = boundary_term(student, x, lambda x: a @ x, st.H1).biases[0]
        norm = np.linalg.norm(W[0])
        sides = [np.sum((0.8 * slope * W[0] - np.asarray(a)) ** 2) / 2 for slope in (below, above)]
        expected = (sides[1] - sides[0]) * np.exp(-((0.2 / norm) ** 2) / 2) / np.sqrt(2 * np.pi) / norm
        np.testing.assert_allclose(found, expected, rtol=1e-13)

    jump(st.ReLU(), 0.0, 1.0)
    jump(st.LeakyReLU(0.3), 0.3, 1.0)
    jump(st.AbsoluteValue(), -1.0, 1.0)
    mixed = st.Network(W, activation=[st.ReLU(), st.Sine(), st.AbsoluteValue()])
    assert np.asarray(boundary_term(mixed, x, TEACHER).weights).any(axis=1).tolist() == [True, False, True]


def test_single_precision_stays_and_l2_and_smooth_activations_have_none():
    x = batches(INPUTS)[0]
    student, teacher, inputs = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (STUDENT, TEACHER, INPUTS))
    found = boundary_term(student, x.astype(jnp.float32), teacher, LOSS, inputs)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {np.dtype("f4")}
    double = boundary_term(STUDENT, x, TEACHER, LOSS, INPUTS)
    np.testing.assert_allclose(found.weights, double.weights, atol=1e-5)  # rounding of sums of 32 numbers
    for none in (
        boundary_term(STUDENT, x, TEACHER, st.L2),
        boundary_term(st.Network(W, activation=st.GELU()), x, TEACHER),
    ):
        assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(none))


X = jnp.zeros((3, 4))
WRONG = {
    "student": ((3, X, TEACHER), {}, TypeError, "student: got int; needs a Network"),
    "teacher": ((STUDENT, X, jnp.ones(3)), {}, TypeError, "teacher: got .*; needs a Network or a function"),
    "its output": ((STUDENT, X, lambda x: x), {}, ValueError, r"teacher: got a function to shape \(4,\); needs a sc"),
    "one point": ((STUDENT, X[:1], TEACHER), {}, ValueError, r"x: got shape \(1, 4\); needs \[n, 4\], of two points"),
    "dimension": ((STUDENT, X[:, :3], TEACHER), {}, ValueError, r"x: got shape \(3, 3\); needs \[n, 4\]"),
    "loss": ((STUDENT, X, TEACHER, "H1"), {}, TypeError, "loss: got 'H1'"),
    "infinite loss": ((STUDENT, X, TEACHER, st.H2), {}, ValueError, "loss: got .*order 2; needs order at most 1"),
    "metric": (
        (STUDENT, X, TEACHER, st.H1, st.GaussianInput(np.eye(4), metric="mahalanobis")),
        {},
        ValueError,
        "inputs: got the metric 'mahalanobis'",
    ),
    "order": (
        (st.Network(W, activation=st.RePU(2)), X, lambda x: x[0], st.H2),
        {},
        NotImplementedError,
        "loss: got a derivative of order 2, which jumps",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    arguments, keywords, error, message = WRONG[name]
    for f in (training.boundary_term, training.loss_with_boundary):
        with pytest.raises(error, match=message):
            f(*arguments, **keywords)
