"""Second moments of the sample gradient: against samples, an exact integral over the circle, and what theory says."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import sobolev_theory as st
from sobolev_theory.population.noise import erf, relu
from sobolev_theory.population.noise.gradient_noise import posed_noise

RNG = np.random.default_rng(1)
OUTPUTS, OUTPUTS_STAR = np.array([1.0, -0.7, 1.3]), np.array([0.8, 1.2])
LOSSES = {"L2": (1.0, 0.0), "J": (0.0, 1.0), "weighted": (0.7, 0.4)}
NOISE = 0.5
CUBIC = np.polynomial.Polynomial([0.3, -0.5, 0.4, 0.2])
ACTIVATIONS = {
    "ReLU": (st.ReLU(), lambda t: np.maximum(t, 0), lambda t: (t > 0).astype(float), np.zeros_like),
    "Erf": (
        st.Erf(),
        special.erf,
        lambda t: 2 / np.sqrt(np.pi) * np.exp(-t * t),
        lambda t: -4 / np.sqrt(np.pi) * t * np.exp(-t * t),
    ),
    "Polynomial": (st.Polynomial(CUBIC.coef.tolist()), CUBIC, CUBIC.deriv(), CUBIC.deriv(2)),
}


def networks(w, v, activation: st.Activation | None = None) -> tuple[st.Network, st.Network]:
    return st.Network(w, OUTPUTS, activation=activation), st.Network(v, OUTPUTS_STAR, activation=activation)


def noise(w, v, lambdas, activation=None, label_noise=0.0) -> st.GradientNoise:
    lambdas = tuple(jnp.asarray(x) for x in lambdas)  # traced: one program for all losses
    return st.gradient_noise(*networks(w, v, activation), st.SobolevLoss(lambdas), label_noise=label_noise)


def gradients(name: str, w, v, lambdas, x, errors):
    """g_k of samples x [n, d], by the definition: [n, K, d]."""
    _, s, s1, s2 = ACTIVATIONS[name]
    u, u_star = x @ w.T, x @ v.T
    difference = s(u) @ OUTPUTS - s(u_star) @ OUTPUTS_STAR - errors
    slope = (s1(u) * OUTPUTS) @ w - (s1(u_star) * OUTPUTS_STAR) @ v
    along = lambdas[0] * difference[:, None] * s1(u) + lambdas[1] * s2(u) * (slope @ w.T)
    g = along[:, :, None] * x[:, None, :] + lambdas[1] * s1(u)[:, :, None] * slope[:, None, :]
    return OUTPUTS[None, :, None] * g


SAMPLES = np.random.default_rng(2).normal(size=(300_000, 5))


def special_rows(case: str) -> tuple[np.ndarray, np.ndarray]:
    w, v = RNG.normal(size=(3, 4)), RNG.normal(size=(2, 4))
    if case == "coincident and opposite":
        w[1], w[2], v[1] = 2 * v[0], -w[0], w[0] + w[1]
    if case == "a zero neuron":
        w[1] = 0.0
    return w, v


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("ReLU", "at large"),
        ("ReLU", "coincident and opposite"),
        ("ReLU", "a zero neuron"),
        ("Erf", "at large"),
        ("Polynomial", "at large"),
    ],
)
def test_second_moments_are_those_of_samples(name, case, loss):
    w, v = special_rows(case)
    if name != "ReLU":
        w, v = 0.7 * w, 0.7 * v
    found = noise(w, v, LOSSES[loss], ACTIVATIONS[name][0], NOISE)
    g = gradients(name, w, v, LOSSES[loss], SAMPLES[:, :4], NOISE * SAMPLES[:, 4])
    for k, l in itertools.combinations_with_replacement(range(3), 2):  # noqa: E741
        products = np.sum(g[:, k] * g[:, l], axis=1)
        error = products.std() / np.sqrt(len(products)) + 1e-12
        assert abs(products.mean() - float(found.second_moments[k, l])) < 4.5 * error  # 90 comparisons
    assert np.allclose(np.diagonal(found.second_moments), found.squares, rtol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_in_a_plane_second_moments_are_an_integral_over_the_circle(loss):
    """Of the plane in d = 4: E[|x|^2 D^2 1 1] = (d + 2) E[D^2 1 1], by homogeneity."""
    flat, flat_star = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 2))
    flat[1] = 2 * flat_star[0]
    rotation = np.linalg.qr(RNG.normal(size=(4, 4)))[0][:2]
    found = noise(flat @ rotation, flat_star @ rotation, LOSSES[loss])
    kinks = np.arctan2(*np.concatenate([flat, flat_star]).T[::-1])
    cuts = np.sort(np.concatenate([kinks + np.pi / 2, kinks - np.pi / 2]) % (2 * np.pi))
    nodes, weights = np.polynomial.legendre.leggauss(30)
    expected = 0.0
    for a, b in itertools.pairwise([*cuts, cuts[0] + 2 * np.pi]):
        angle = (a + b) / 2 + (b - a) / 2 * nodes
        x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        value, slope = (gradients("ReLU", flat, flat_star, only, x, 0.0) for only in ((1.0, 0.0), (0.0, 1.0)))
        parts = [np.einsum("nki,nli->nkl", g, h) for g, h in ((value, value), (value, slope), (slope, slope))]
        squares = np.array([2 * 6.0, 2.0, 1.0])  # E[r^2] (d + 2), E[r^2], 1
        lambdas = LOSSES[loss]
        factors = np.array([lambdas[0] ** 2, 2 * lambdas[0] * lambdas[1], lambdas[1] ** 2]) * squares
        density = sum(f * (p + p.transpose(0, 2, 1)) / 2 for f, p in zip(factors, parts, strict=True))
        expected = expected + (b - a) / 2 * np.einsum("n,nkl->kl", weights, density) / (2 * np.pi)
    assert np.allclose(found.second_moments, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.fixture(scope="module")
def in_dimensions():
    """The same neurons in d = 4 and 1000: the noise of L2 and of J."""
    w, v = special_rows("at large")
    return {
        d: [noise(*(np.pad(x, ((0, 0), (0, d - 4))) for x in (w, v)), LOSSES[loss]) for loss in ("L2", "J")]
        for d in (4, 1000)
    }


def test_the_noise_of_values_grows_like_d_plus_2(in_dimensions):
    few, many = (in_dimensions[d][0].squares / (d + 2) for d in (4, 1000))
    assert np.allclose(few, many, rtol=1e-13)


def test_the_noise_of_derivatives_does_not_depend_on_d(in_dimensions):
    few, many = (in_dimensions[d][1].trace for d in (4, 1000))
    assert float(few) == pytest.approx(float(many), rel=1e-13)


def test_the_diagonal_keeps_its_digits_near_an_optimum():
    """Second moments are of degree 2 in a small distance, to first order in it."""
    v, along = RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4))
    teacher = st.Network(v)

    def scaled(h):
        student = st.Network(np.concatenate([v + h * along, np.eye(4)[:1]]), [1.0, 1.0, 0.0])
        return np.asarray(st.gradient_noise(student, teacher, st.L2).squares[:2]) / h**2

    assert np.allclose(scaled(1e-7), scaled(1e-9), rtol=1e-5)


def test_without_a_difference_there_is_no_noise_but_that_of_labels():
    w, v = special_rows("at large")
    student, teacher = st.Network(w), st.Network(v, [0.0, 0.0])
    silent = st.Network(w, [0.0, 0.0, 0.0])
    assert float(st.gradient_noise(silent, teacher, st.L2).noise_scale) == 0.0
    quiet, loud = (st.gradient_noise(student, teacher, st.L2, label_noise=x) for x in (0.0, 2.0))
    assert np.allclose(loud.squares - quiet.squares, 4 * 2.0**2 / 2, rtol=1e-13)  # d sigma^2 P(u > 0)
    v[1], pair = w[1], np.array([1.0, 1.0, 0.0])
    v[0] = w[0]
    at_optimum = st.gradient_noise(st.Network(w, pair), st.Network(v), st.L2)
    assert float(at_optimum.trace) < 1e-29


def test_what_follows_from_the_moments():
    found = noise(*special_rows("at large"), LOSSES["weighted"])
    scale = float(found.noise_scale)
    assert float(jnp.trace(found.covariances)) == pytest.approx(float(found.trace), rel=1e-13)
    assert scale == pytest.approx(float(found.trace / found.gradient_square))
    assert float(found.critical_batch) == np.ceil(scale)
    assert float(found.mean_square_error(10)) == pytest.approx(float(found.trace) / 10)
    n = int(found.samples_needed(0.1))
    assert float(found.mean_square_error(n)) <= 0.01 < float(found.mean_square_error(n - 1))


def test_the_integral_of_four_is_saad_and_solla_s():
    """Their g(u) = erf(u / sqrt 2): s(t) = g(sqrt(2) t) and s' = sqrt(2) g'; fields 1 ... 4 are k, l, i, j."""
    factor = RNG.normal(size=(4, 4))
    ours = factor @ factor.T
    c = {(a + 1, b + 1): 2 * ours[a, b] for a in range(4) for b in range(4)}
    one, two = 1 + c[1, 1], 1 + c[2, 2]
    four = one * two - c[1, 2] ** 2

    def given(a, b):
        both = c[1, 2] * (c[1, a] * c[2, b] + c[1, b] * c[2, a])
        return four * (c[a, b] + (a == b)) - c[2, a] * c[2, b] * one - c[1, a] * c[1, b] * two + both

    theirs = 4 / np.pi**2 / np.sqrt(four) * np.arcsin(given(3, 4) / np.sqrt(given(3, 3) * given(4, 4)))
    entries = [
        ours[a, b] for a, b in ((0, 0), (0, 1), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))
    ]
    assert float(erf.of_four(*entries)) == pytest.approx(2 * theirs, rel=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_moments_of_components_are_those_of_samples_and_add_up(loss):
    w, v = special_rows("coincident and opposite")
    found = noise(w, v, LOSSES[loss], label_noise=NOISE)
    g = gradients("ReLU", w, v, LOSSES[loss], SAMPLES[:, :4], NOISE * SAMPLES[:, 4])
    error = (g**2).std(axis=0) / np.sqrt(len(g))
    exact = np.asarray(found.component_variances + found.gradient**2)
    assert np.all(np.abs((g**2).mean(axis=0) - exact) < 4.5 * error)  # 36 comparisons
    assert np.allclose(exact.sum(axis=1), found.squares, rtol=1e-13)
    assert float(jnp.sum(found.component_variances)) == pytest.approx(float(found.trace), rel=1e-13)
    assert np.allclose(found.standard_error(100), np.sqrt(found.component_variances) / 10)


def test_a_linear_network_has_the_moments_of_isserlis():
    """D = m . x with m = sum_k a_k w_k - sum_k a*_k v_k: E[D^2 |x|^2] = (d + 2) |m|^2, and the derivatives are m."""
    w, v = special_rows("at large")
    w[2], v[1] = 2 * w[0], 0.0  # fields that depend on each other
    m = OUTPUTS @ w - OUTPUTS_STAR @ v
    value, slope = LOSSES["weighted"]
    found = noise(w, v, LOSSES["weighted"], st.Identity(), NOISE)
    expected = (value**2 * 6 + 2 * value * slope + slope**2) * (m @ m) + 4 * value**2 * NOISE**2
    assert np.allclose(found.second_moments, expected * np.outer(OUTPUTS, OUTPUTS), rtol=1e-13)


def test_derivatives_are_numbers_where_neurons_coincide_and_right_elsewhere():
    def value(w, v):
        p = posed_noise("value", *networks(w, v), st.H1, st.GaussianInput(), NOISE)
        return jnp.sum(relu.block(p).total(4))

    both = jax.jit(jax.value_and_grad(value))
    w, v = special_rows("at large")
    along, step = RNG.normal(size=w.shape), 1e-5
    difference = (both(w + step * along, v)[0] - both(w - step * along, v)[0]) / (2 * step)
    assert float(np.sum(np.asarray(both(w, v)[1]) * along)) == pytest.approx(float(difference), rel=1e-7)
    w, v = special_rows("coincident and opposite")
    assert np.all(np.isfinite(np.asarray(both(w, v)[1])))


def test_single_precision_stays_in_it():
    """Its accuracy is that of `four_signs`, whose tests have it, and of the losses."""
    w, v = special_rows("at large")
    single = jax.tree.map(lambda x: x.astype(jnp.float32), networks(w, v))
    found = jax.eval_shape(lambda: st.gradient_noise(*single, st.H1, label_noise=NOISE))
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype(jnp.float32)}


ONE = np.ones((1, 2))
REFUSED = {
    "components of erf": (
        lambda: st.gradient_noise(*(st.Network(ONE, activation=st.Erf()) for _ in range(2))).component_variances,
        "student: got activation Erf.*component_variances needs ReLU",
    ),
    "biases": (lambda: st.gradient_noise(st.Network(ONE, biases=[1.0]), st.Network(ONE)), "biases"),
    "activation": (
        lambda: st.gradient_noise(*(st.Network(ONE, activation=st.Sine()) for _ in range(2))),
        "student: got activation Sine.*needs ReLU",
    ),
    "input": (
        lambda: st.gradient_noise(st.Network(ONE), st.Network(ONE), inputs=st.GaussianInput([2.0, 1.0])),
        "inputs: got .*needs N",
    ),
    "order": (
        lambda: st.gradient_noise(*(st.Network(ONE, activation=st.Erf()) for _ in range(2)), st.H2),
        "loss: got .*needs orders 0 and 1",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_known_is_named(what):
    call, message = REFUSED[what]
    with pytest.raises(NotImplementedError, match=message):
        call()


def test_numbers_out_of_range_are_named():
    with pytest.raises(ValueError, match="label_noise: got -1"):
        st.gradient_noise(st.Network(ONE), st.Network(ONE), label_noise=-1.0)
