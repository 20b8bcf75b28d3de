"""SGD in order parameters: its equation against the exact moments, and against SGD itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import sobolev_theory as st
from sobolev_theory.dynamics import order_parameters
from sobolev_theory.population.noise.gradient_noise import posed_noise

START = st.Overlaps(0.3 * np.eye(2) + 0.05, np.array([[0.15, 0.02], [0.05, 0.1]]), np.eye(2))
OUTPUTS = np.array([1.0, 1.3])
TIMES = np.linspace(0.0, 2.0, 3)
LOSS = st.SobolevLoss((1.0, 0.4))


def networks(activation=None, dimension=None):
    return st.networks_from_overlaps(START, OUTPUTS, dimension=dimension, activation=activation)


def run(loss=LOSS, *, learning_rate=0.5, t1=2.0, saveat=TIMES, **options) -> st.OnlineSGD:
    """One program for all."""
    return st.online_sgd(*networks(), loss, learning_rate=learning_rate, t1=t1, saveat=saveat, **options)


def test_the_equation_of_erf_is_the_mean_of_a_step_of_sgd():
    """At d = 4, with all terms: samples of the first step, divided by d."""
    eta, d, noise = 0.7, 4, 0.3
    student, teacher = networks(st.Erf())
    p = posed_noise("online_sgd", student, teacher, LOSS, st.GaussianInput(), noise)
    rule, start = order_parameters._Rule(True, 1), (*START[:2], p.student.output_weights)
    velocity = jax.jit(lambda p, options: order_parameters.velocity(rule, p, options, start, START.T))
    found = velocity(p, order_parameters._Options(*map(jnp.asarray, (eta, 1.0, 1 / d, 1e-6, 1e-6))))

    w, v = np.asarray(student.weights), np.asarray(teacher.weights)
    x, errors = np.random.default_rng(2).normal(size=(400_000, d)), np.random.default_rng(3).normal(size=400_000)
    u, u_star = x @ w.T, x @ v.T
    first, first_star = (2 / np.sqrt(np.pi) * np.exp(-(t**2)) for t in (u, u_star))
    difference = special.erf(u) @ OUTPUTS - special.erf(u_star).sum(1) - noise * errors
    slope = (first * OUTPUTS) @ w - first_star @ v
    along = difference[:, None] * first - LOSS.lambdas[1] * 2 * u * first * (slope @ w.T)
    g = along[:, :, None] * x[:, None, :] + LOSS.lambdas[1] * first[:, :, None] * slope[:, None, :]
    g = g * OUTPUTS[:, None]
    of_outputs = difference[:, None] * special.erf(u) + LOSS.lambdas[1] * first * (slope @ w.T)
    step = -(eta / d) * g
    after = w + step
    steps = (
        np.einsum("nkd,nld->nkl", after, after) - START.Q,
        np.einsum("nkd,ld->nkl", step, v),
        -(eta / d) * of_outputs,
    )
    for sampled, exact in zip(steps, found, strict=True):
        error = d * sampled.std(axis=0) / np.sqrt(len(sampled))
        assert np.all(np.abs(d * sampled.mean(axis=0) - exact) < 4.5 * error)


def test_sgd_follows_the_equation():
    """24 runs of plain SGD at d = 400: their mean, and the size of their scatter, d^(-1/2)."""
    d, eta, runs = 400, 0.5, 24
    rng = np.random.default_rng(1)
    student, teacher = networks(dimension=d)
    w = np.repeat(np.asarray(student.weights)[None], runs, axis=0)
    v, lambdas = np.asarray(teacher.weights), LOSS.lambdas
    for _ in range(2 * d):
        x = rng.normal(size=(runs, d))
        u, u_star = np.einsum("rkd,rd->rk", w, x), x @ v.T
        on, on_star = (u > 0) * 1.0, (u_star > 0) * 1.0
        difference = (u * on) @ OUTPUTS - (u_star * on_star).sum(1)
        slope = np.einsum("rk,rkd->rd", on * OUTPUTS, w) - on_star @ v
        step = lambdas[0] * difference[:, None] * x + lambdas[1] * slope
        w = w - (eta / d) * (on * OUTPUTS)[:, :, None] * step[:, None, :]
    found = run(dimension=d)
    for samples, exact in (
        (np.einsum("rkd,rld->rkl", w, w), found.Q[-1]),
        (np.einsum("rkd,ld->rkl", w, v), found.R[-1]),
    ):
        error = samples.std(axis=0, ddof=1) / np.sqrt(runs)
        assert np.all(np.abs(samples.mean(axis=0) - exact) < 4 * error + 3 / d)  # means move by O(1/d)
        assert np.all(samples.std(axis=0) < 4 / np.sqrt(d))


def test_the_limit_has_no_noise_of_derivatives():
    """Of ReLU: the limit of many dimensions, without a trace of lambda_1 in what noise does."""
    limit, many = run(), run(dimension=10**9)
    assert np.allclose(limit.Q, many.Q, rtol=1e-6)
    few = run(dimension=10)
    assert np.abs(few.Q[-1] - limit.Q[-1]).max() > 1e-3


def gradient_of_relu(w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The population gradient in the weights, from the pair formulas."""
    rows, c = np.concatenate([w, v]), np.array([*OUTPUTS, -1.0, -1.0])
    norms = np.linalg.norm(rows, axis=1)
    cos = np.clip((w @ rows.T) / np.outer(norms[:2], norms), -1, 1)
    theta = np.arccos(cos)
    own = (LOSS.lambdas[0] * (np.sin(theta) * norms) @ c)[:, None] * w / norms[:2, None]
    both = sum(LOSS.lambdas) * ((np.pi - theta) * c) @ rows
    return OUTPUTS[:, None] * (own + both) / (2 * np.pi)


def test_small_steps_are_the_flow_of_the_population_gradient():
    """The distance to it is of order eta: halved with eta."""
    student, teacher = networks()
    w, v, h = np.asarray(student.weights), np.asarray(teacher.weights), 0.01
    for _ in range(100):  # Runge and Kutta
        k1 = gradient_of_relu(w, v)
        k2 = gradient_of_relu(w - h / 2 * k1, v)
        k3 = gradient_of_relu(w - h / 2 * k2, v)
        k4 = gradient_of_relu(w - h * k3, v)
        w = w - h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    coarse, fine = (
        run(learning_rate=eta, t1=1 / eta, saveat=np.array([0.0, 0.5, 1.0]) / eta, rtol=1e-9, atol=1e-12).Q[-1]
        for eta in (0.02, 0.01)
    )
    far, near = (float(np.linalg.norm(x - w @ w.T)) for x in (coarse, fine))
    assert near < 0.01
    assert far / near == pytest.approx(2.0, abs=0.02)


def test_a_large_learning_rate_diverges_by_name():
    found = run(learning_rate=9.0, t1=50.0, saveat=np.array([0.0, 0.1, 50.0]))
    assert found.outcome is st.Outcome.DIVERGED
    assert float(found.end_time) < 50.0
    assert np.isfinite(found.loss[0])
    assert found.loss[-1] == np.inf
    assert not np.any(np.isnan(found.loss))


def test_noise_on_labels_and_batches():
    """Noise on labels raises the end; a batch of B divides all of what noise does."""
    quiet, loud, averaged = run(), run(label_noise=0.5), run(label_noise=0.5, batch=10**9)
    assert loud.loss[-1] > quiet.loss[-1] > averaged.loss[-1]


def test_networks_of_a_result_have_its_overlaps():
    found = run()
    student, teacher = found.networks(-1, dimension=7)
    assert student.dimension == 7
    assert np.allclose(np.asarray(student.weights) @ np.asarray(teacher.weights).T, found.R[-1], atol=1e-13)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate: got 0.0"),
        ({"trained": "all"}, "trained: got 'all'"),
        ({"saveat": [0.0, 3.0]}, "saveat: got"),
        ({"batch": 0}, "batch: got 0"),
    ],
)
def test_what_is_out_of_range_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        run(**options)
