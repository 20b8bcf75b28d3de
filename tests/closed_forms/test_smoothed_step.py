"""The theory of the smoothed step: against quadrature, autodiff and samples of `training.smoothed_relu`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import sobolev_theory as st
from sobolev_theory import smoothed_step, training

LOSS = st.SobolevLoss((0.5, 2.0))
J = st.SobolevLoss((0.0, 1.0))
_rng = np.random.default_rng(0)
W, V = _rng.normal(size=(3, 4)), _rng.normal(size=(3, 4))
A, A_STAR = np.array([1.0, -0.7, 0.5]), np.array([1.0, 0.5, 0.3])
STUDENT, TEACHER = st.Network(W, A), st.Network(V, A_STAR)
WIDTH = 0.1


def integral(f):
    return scipy.integrate.quad(lambda t: scipy.stats.norm.pdf(t) * f(t), -9, 9, epsabs=1e-13, limit=200)[0]


@pytest.mark.parametrize("width", [0.05, 1.0])
def test_the_loss_of_one_neuron_is_its_integrals(width):
    w, v = W[0], V[0]
    r, r_star = np.linalg.norm(w), np.linalg.norm(v)
    cot = w @ v / np.sqrt((r * r_star) ** 2 - (w @ v) ** 2)
    cdf = scipy.stats.norm.cdf
    own = integral(lambda t: cdf(r * t / width) ** 2)
    across = integral(lambda t: cdf(r * t / width) * cdf(t * cot))
    found = smoothed_step.population_loss(st.Network(w), st.Network(v), width, J)
    np.testing.assert_allclose(found, r**2 * own / 2 - w @ v * across + r_star**2 / 4, rtol=1e-11)


@pytest.fixture(scope="module")
def sampled():
    """Losses and gradients of many batches, by autodiff of a network with smoothed ReLUs."""

    def loss(w, x):
        return training.sobolev_loss(lambda x: A @ training.smoothed_relu(w @ x, WIDTH), x, TEACHER, LOSS)

    x = jax.random.normal(jax.random.key(0), (1000, 128, 4))
    values, slopes = jax.jit(lambda x: jax.lax.map(lambda x: jax.value_and_grad(loss)(jnp.asarray(W), x), x))(x)
    return np.asarray(values), np.asarray(slopes)


def z_scores(samples, mean):
    return np.abs(samples.mean(axis=0) - mean) / (samples.std(axis=0, ddof=1) / np.sqrt(len(samples)))


def test_autodiff_with_smoothed_relu_follows_the_smoothed_gradient(sampled):
    values, slopes = sampled
    expected = smoothed_step.population_gradient(STUDENT, TEACHER, WIDTH, LOSS)
    assert z_scores(values, smoothed_step.population_loss(STUDENT, TEACHER, WIDTH, LOSS)) < 5
    assert z_scores(slopes, expected).max() < 5
    boundary = smoothed_step.boundary_term(STUDENT, TEACHER, WIDTH, LOSS)
    for twin in (expected - boundary, expected + boundary, 1.2 * expected, expected - 0.3 * boundary):
        assert z_scores(slopes, twin).max() > 6


def test_it_is_told_from_the_population_gradient_and_near_the_loss_gradient(sampled):
    slopes = sampled[1].mean(axis=0)
    loss, population = (f(STUDENT, TEACHER, LOSS).weights for f in (st.loss_gradient, st.population_gradient))
    assert z_scores(sampled[1], population).max() > 50
    assert np.linalg.norm(slopes - loss) < 0.15 * np.linalg.norm(slopes - population)


def test_the_slopes_part_is_a_gradient_and_of_the_whole_what_is_left_is_of_second_order():
    def rest(width, loss):
        gradient = jax.grad(lambda w: smoothed_step.population_loss(st.Network(w, A), TEACHER, width, loss))
        return np.abs(
            gradient(jnp.asarray(W)) - smoothed_step.population_gradient(STUDENT, TEACHER, width, loss)
        ).max()

    assert rest(0.4, J) < 1e-14
    np.testing.assert_allclose(rest(0.01, LOSS) / rest(0.005, LOSS), 4, rtol=0.05)


def test_it_tends_to_the_loss_gradient_with_the_stated_bias():
    exact = np.asarray(st.loss_gradient(STUDENT, TEACHER, LOSS).weights)

    def left(width, bias):
        found = smoothed_step.population_gradient(STUDENT, TEACHER, width, LOSS)
        return np.abs(found - exact - width * np.asarray(bias)).max()

    bias = smoothed_step.bias(STUDENT, LOSS)
    np.testing.assert_allclose(left(1e-2, bias) / left(1e-3, bias), 100, rtol=0.05)  # of order h^2
    for twin in (-bias, 2 * bias, 0.9 * bias):
        assert left(1e-2, twin) / left(1e-3, twin) < 50
    exact_boundary = st.boundary_term(STUDENT, TEACHER, LOSS)
    boundary = [smoothed_step.boundary_term(STUDENT, TEACHER, h, LOSS) for h in (1e-3, 1e-4)]
    errors = [np.abs(b - exact_boundary).max() for b in boundary]
    np.testing.assert_allclose(errors[0] / errors[1], 10, rtol=0.05)


def test_the_variance_is_that_of_samples_drawn_where_the_density_is():
    """u_k = h s with s standard normal, reweighed; what does not grow as the width falls is left out."""
    h, count = 1e-4, 400_000
    rng = np.random.default_rng(2)
    rows, c = np.concatenate([W, V]), np.concatenate([A, -A_STAR])
    for k, stated in enumerate(np.asarray(smoothed_step.variance(STUDENT, TEACHER, LOSS))):
        norm, unit = np.linalg.norm(W[k]), W[k] / np.linalg.norm(W[k])
        s, x = rng.normal(size=count), rng.normal(size=(count, 4))
        x += np.outer(h * s / norm - x @ unit, unit)
        u = x @ rows.T
        steps = np.where(np.arange(6) < 3, scipy.stats.norm.cdf(u / h), u > 0)
        jump = 2.0 * A[k] * (steps * (c * (rows @ W[k]))).sum(axis=1)
        density = scipy.stats.norm.pdf(h * s, scale=norm) * h  # over that of s, which the square below cancels
        squares = density * scipy.stats.norm.pdf(s) / h**2 * jump**2 * np.sum(x**2, axis=1) * h
        assert abs(squares.mean() - stated) < 5 * squares.std() / np.sqrt(count)
        assert squares.std() / np.sqrt(count) < 0.004 * stated
    one = smoothed_step.variance(STUDENT, TEACHER, st.H1)
    np.testing.assert_allclose(smoothed_step.variance(STUDENT, TEACHER, LOSS), 4 * one, rtol=1e-14)


def test_the_best_width_balances_bias_and_variance():
    samples = 500
    best = float(smoothed_step.best_width(STUDENT, TEACHER, samples, LOSS))
    bias = np.sum(np.asarray(smoothed_step.bias(STUDENT, LOSS)) ** 2)
    total = float(smoothed_step.variance(STUDENT, TEACHER, LOSS).sum())
    error = [(h * h * bias + total / (samples * h)) for h in (0.99 * best, best, 1.01 * best)]
    assert error[1] < min(error[0], error[2])


def test_degenerate_neurons_give_numbers():
    """Coincident, opposite and zero ones, and a student on its teacher; single precision stays."""
    student = st.Network(np.stack([V[0], -V[1], 0 * V[2]]), A)
    teacher = st.Network(np.stack([V[0], V[1], 0 * V[2]]), A_STAR)
    for found in (
        smoothed_step.population_loss(student, teacher, WIDTH, LOSS),
        smoothed_step.population_gradient(student, teacher, WIDTH, LOSS),
        smoothed_step.variance(student, teacher, LOSS),
        smoothed_step.bias(student, LOSS),
    ):
        assert np.isfinite(found).all()
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (STUDENT, TEACHER))
    found = smoothed_step.population_gradient(*single, WIDTH, LOSS)
    assert found.dtype == jnp.float32
    exact = smoothed_step.population_gradient(STUDENT, TEACHER, WIDTH, LOSS)
    np.testing.assert_allclose(found, exact, atol=2e-6)  # ten roundings of numbers of order 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((st.Network(W, activation=st.GELU()), TEACHER, 0.1), "student: got .*; needs ReLU without biases"),
        ((STUDENT, st.Network(V, biases=A), 0.1), "teacher: got .*; needs ReLU without biases"),
        ((STUDENT, TEACHER, 0.0), "width: got 0.0; needs a finite number > 0"),
        ((STUDENT, TEACHER, 0.1, st.H2), "loss: got .*order 2"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        smoothed_step.population_gradient(*arguments)
