"""The paper's closed forms of one neuron: as written, as the general engine has them, and as autodiff does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import single_neuron as one
from tests.helpers.cases import EPS, PAIRS

random = np.random.default_rng(6)
W, W_STAR = jnp.array(random.normal(size=4)), jnp.array(random.normal(size=4))
R, R_STAR = float(jnp.linalg.norm(W)), float(jnp.linalg.norm(W_STAR))
V, U = W / R, W_STAR / R_STAR
COS = float(V @ U)
THETA, SIN, RHO = float(np.arccos(COS)), float(np.sqrt(1 - COS**2)), R_STAR / R
ALPHA = RHO / (2 * np.pi * SIN)
I = np.eye(4)  # noqa: E741
E = (U - COS * V) / SIN

# Vectors of norm below 4, products below 16, a few roundings each; 1 / sin is below 2 for this pair.
ROUNDING = 16 * 4 * EPS
SEMINORM = st.SobolevLoss((0.0, 1.0))


def close(a, b, tolerance=ROUNDING):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


# As the paper writes them.


def test_losses_as_written():
    j1 = SIN + (np.pi - THETA) * COS
    l2 = R**2 / 4 + R_STAR**2 / 4 - R * R_STAR * j1 / (2 * np.pi)
    seminorm = R**2 / 4 + R_STAR**2 / 4 - (W @ W_STAR) * (np.pi - THETA) / (2 * np.pi)
    close(one.l2_loss(W, W_STAR), l2)
    close(one.seminorm_loss(W, W_STAR), seminorm)
    close(one.h1_loss(W, W_STAR), l2 + seminorm)


def test_gradients_as_written():
    l2 = W / 2 - ((np.pi - THETA) * W_STAR + R_STAR * SIN * V) / (2 * np.pi)
    seminorm = W / 2 - (np.pi - THETA) * W_STAR / (2 * np.pi)
    boundary = -R_STAR * COS * E / (2 * np.pi)
    close(one.l2_gradient(W, W_STAR), l2)
    close(one.seminorm_population_gradient(W, W_STAR), seminorm)
    close(one.seminorm_boundary(W, W_STAR), boundary)
    close(one.h1_population_gradient(W, W_STAR), l2 + seminorm)
    close(one.h1_loss_gradient(W, W_STAR), l2 + seminorm + boundary)


def test_jacobians_as_written():
    """With alpha and the projector on the complement of v, as in the paper."""
    u_u, v_u, across = np.outer(U, U), np.outer(V, U), I - np.outer(V, V)
    l2 = I / 2 - ALPHA * (u_u - COS * v_u + SIN**2 * I) @ across
    seminorm = I / 2 - ALPHA * u_u @ across
    h1 = I - ALPHA * (2 * u_u - COS * v_u + SIN**2 * I) @ across
    close(one.l2_jacobian(W, W_STAR), l2)
    close(one.seminorm_population_jacobian(W, W_STAR), seminorm)
    close(one.h1_population_jacobian(W, W_STAR), h1)


# As the engine and autodiff have them.

STUDENT, TEACHER = st.Network(W), st.Network(W_STAR)
FORMS = {
    "L2": (st.L2, one.l2_loss, one.l2_gradient, one.l2_jacobian),
    "J": (SEMINORM, one.seminorm_loss, one.seminorm_population_gradient, one.seminorm_population_jacobian),
    "H1": (st.H1, one.h1_loss, one.h1_population_gradient, one.h1_population_jacobian),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_closed_forms_are_those_of_a_network_of_one_neuron(form):
    loss, value, gradient, jacobian = form
    close(value(W, W_STAR), st.population_loss(STUDENT, TEACHER, loss))
    close(gradient(W, W_STAR), st.population_gradient(STUDENT, TEACHER, loss).weights[0])
    close(jacobian(W, W_STAR), st.population_jacobian(STUDENT, TEACHER, loss)[0, :, 0, :])


def test_boundary_and_hessian_are_those_of_a_network_of_one_neuron():
    close(one.seminorm_boundary(W, W_STAR), st.boundary_term(STUDENT, TEACHER)[0])
    close(one.h1_loss_gradient(W, W_STAR), st.loss_gradient(STUDENT, TEACHER).weights[0])
    close(one.h1_loss_hessian(W, W_STAR), st.loss_hessian(STUDENT, TEACHER)[0, :, 0, :])


def test_loss_gradients_are_the_gradients_of_the_losses():
    close(jax.jit(jax.grad(one.l2_loss))(W, W_STAR), one.l2_gradient(W, W_STAR))
    close(jax.jit(jax.grad(one.h1_loss))(W, W_STAR), one.h1_loss_gradient(W, W_STAR))


def test_jacobians_are_the_derivatives_of_the_gradients():
    close(jax.jit(jax.jacfwd(one.l2_gradient))(W, W_STAR), one.l2_jacobian(W, W_STAR))
    close(jax.jit(jax.jacfwd(one.h1_population_gradient))(W, W_STAR), one.h1_population_jacobian(W, W_STAR))
    close(jax.jit(jax.jacfwd(one.h1_loss_gradient))(W, W_STAR), one.h1_loss_hessian(W, W_STAR))


# Eigenvalues.

SPECTRA = {
    "L2": (one.l2_eigenvalues, one.l2_jacobian),
    "H1 population": (one.h1_population_eigenvalues, one.h1_population_jacobian),
    "H1 loss": (one.h1_loss_hessian_eigenvalues, one.h1_loss_hessian),
}


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_eigenvalues_are_those_of_the_matrix_with_the_orthogonal_one_twice(spectrum):
    eigenvalues, matrix = spectrum
    radial, in_plane, orthogonal = eigenvalues(RHO, THETA)
    numerical = np.sort(np.linalg.eigvals(np.asarray(matrix(W, W_STAR))).real)
    # Of a matrix that is not normal, with eigenvectors of condition below 10.
    close(np.sort([radial, in_plane, orthogonal, orthogonal]), numerical, 10 * ROUNDING)


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_v_and_the_orthogonal_directions_are_eigenvectors(spectrum):
    eigenvalues, matrix = spectrum
    radial, _, orthogonal = eigenvalues(RHO, THETA)
    full, _ = np.linalg.qr(np.stack([V, E, *random.normal(size=(2, 4))], axis=1))
    close(matrix(W, W_STAR) @ V, radial * V)
    close(matrix(W, W_STAR) @ full[:, 2:], orthogonal * full[:, 2:])


@pytest.mark.parametrize("name", ["L2", "H1 loss"])
def test_e_is_an_eigenvector_of_the_symmetric_matrices(name):
    eigenvalues, matrix = SPECTRA[name]
    close(matrix(W, W_STAR) @ E, eigenvalues(RHO, THETA).in_plane * E)


def test_e_is_no_eigenvector_of_the_h1_population_jacobian():
    """Its image has the component -(rho / (2 pi)) cos along v: the matrix is not normal."""
    image = one.h1_population_jacobian(W, W_STAR) @ E
    close(E @ image, one.h1_population_eigenvalues(RHO, THETA).in_plane)
    close(V @ image, -RHO * COS / (2 * np.pi))


def test_the_hessian_of_the_h1_loss_has_an_infinite_eigenvalue_at_the_kink():
    assert one.h1_loss_hessian_eigenvalues(jnp.array(1.0), jnp.array(0.0)).orthogonal == np.inf


# Flows.

FLOWS = {
    "L2": (one.l2_flow, one.l2_gradient),
    "H1 population": (one.h1_population_flow, one.h1_population_gradient),
    "H1 loss": (one.h1_loss_flow, one.h1_loss_gradient),
}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_flow_is_minus_the_gradient_in_norm_and_angle(flow):
    """r' = v.w', and theta' = -e.w' / r since w turning towards w* lowers theta."""
    velocity, gradient = flow
    step = -gradient(W, W_STAR)
    found = velocity(jnp.array(R), jnp.array(THETA), jnp.array(R_STAR))
    close(found.norm, V @ step)
    close(found.angle, -E @ step / R)


@pytest.mark.parametrize("boundary", [False, True], ids=["population", "loss"])
def test_flow_of_any_weights_is_that_of_the_network(boundary):
    loss = st.SobolevLoss((0.3, 1.7))
    gradient = st.loss_gradient if boundary else st.population_gradient
    step = -gradient(STUDENT, TEACHER, loss).weights[0]
    found = one.flow(loss.lambdas, R, THETA, R_STAR, boundary=boundary)
    close(found.norm, V @ step)
    close(found.angle, -E @ step / R)


@pytest.mark.parametrize("boundary", [False, True], ids=["population", "loss"])
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.3, 1.7)])
def test_rates_are_those_of_the_network_and_of_its_spectrum(weights, boundary):
    loss, of = st.SobolevLoss(weights), "loss" if boundary else "population"
    gradient = (st.loss_gradient if boundary else st.population_gradient)(STUDENT, TEACHER, loss).weights[0]
    away = W - W_STAR
    raw = away @ gradient / (away @ away)
    found = one.rate(weights, R, THETA, R_STAR, boundary=boundary)
    close(found.raw, raw)
    close(found.per_curvature, raw / st.spectrum(STUDENT, TEACHER, loss, of=of).values.real.max())


def test_on_the_kink_the_rate_per_curvature_of_the_h1_loss_is_0_and_that_of_l2_is_not():
    assert tuple(one.rate((1, 1), 2.0, 0.0, boundary=True)) == (1.0, 0.0)
    for boundary in (False, True):
        assert tuple(one.rate((1, 0), 2.0, 0.0, boundary=boundary)) == (0.5, 1.0)


def test_the_rate_at_the_teacher_is_0():
    assert tuple(one.rate((1, 1), 1.0, 0.0)) == (0.0, 0.0)


# Degenerate points.

VECTOR_FUNCTIONS = (
    one.l2_loss,
    one.seminorm_loss,
    one.h1_loss_gradient,
    one.h1_population_gradient,
    one.h1_population_jacobian,
    one.h1_loss_hessian,
)
all_values = jax.jit(jax.vmap(lambda w, v: [f(w, v) for f in VECTOR_FUNCTIONS]))


def test_every_function_is_finite_at_every_pair():
    pairs = [(c.weights[0], c.teacher_weights[0]) for c in PAIRS.values()]
    for leaf in all_values(*map(jnp.array, zip(*pairs, strict=True))):
        bad = np.flatnonzero(~np.all(np.isfinite(leaf.reshape(len(pairs), -1)), axis=1))
        assert not bad.size, [list(PAIRS)[i] for i in bad]


def test_gradients_are_zero_at_a_zero_neuron():
    zero = jnp.zeros(4)
    assert not np.any(one.h1_population_gradient(zero, W_STAR))
    assert not np.any(one.h1_loss_gradient(zero, W_STAR))


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9])
def test_losses_and_gradients_keep_their_digits_near_the_teacher(step):
    """As the engine does, against which they stand independently there: a few eps of the result."""
    w = W_STAR + step * V
    for loss, value, gradient, _ in FORMS.values():
        student = st.Network(w)
        np.testing.assert_allclose(value(w, W_STAR), st.population_loss(student, TEACHER, loss), rtol=64 * EPS)
        expected = st.population_gradient(student, TEACHER, loss).weights[0]
        np.testing.assert_allclose(gradient(w, W_STAR), expected, rtol=0, atol=64 * EPS * step)


def test_eigenvalues_of_other_lambdas_and_of_a_neuron_with_mass():
    """H1's are those of the lambdas (1, 1); a mass multiplies the part of the neuron itself."""
    population = one.population_eigenvalues((1.0, 1.0), RHO, SIN)
    assert population == pytest.approx(one.h1_population_eigenvalues(RHO, THETA))
    assert one.population_eigenvalues((1.0, 1.0), RHO, SIN, 2.0) == pytest.approx([x + 1 for x in population])
    loss = one.loss_hessian_eigenvalues((1.0, 1.0), RHO, SIN, COS**2 / SIN)
    assert loss == pytest.approx(one.h1_loss_hessian_eigenvalues(RHO, THETA))
