"""Losses, gradients and Hessians of networks of every kind of activation, with biases, covariance and mean."""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import sobolev_theory as st
from sobolev_theory.population.engine import by_quadrature
from sobolev_theory.population.problem import problem
from tests.helpers import kernel_references as ref
from tests.helpers.cases import EPS

ROWS, TEACHER_ROWS = np.array([[1.0, 0.3], [-0.4, 0.8]]), np.array([[0.6, -0.9]])
OUTPUT, TEACHER_OUTPUT = np.array([1.0, -0.7]), np.array([1.3])
BIASES, TEACHER_BIASES = np.array([0.3, -0.5]), np.array([0.2])
COVARIANCE, MEAN = np.array([[1.3, 0.4], [0.4, 0.7]]), np.array([0.2, -0.3])

EUCLIDEAN = st.GaussianInput(COVARIANCE, MEAN)
MAHALANOBIS = st.GaussianInput(COVARIANCE, MEAN, "mahalanobis")
# Terms of size below 20, a few dozen roundings.
ROUNDING = 20 * 32 * EPS


SQUARE = st.Polynomial((0.0, 0.5, 1.0))


def elu(t):
    return jnp.where(t > 0, t, jnp.expm1(jnp.minimum(t, 0.0)))


CASES = {  # activations of student and teacher, loss, input
    "ReLU": (st.ReLU(), st.ReLU(), st.H1, EUCLIDEAN),
    "ReLU, Mahalanobis": (st.ReLU(), st.ReLU(), st.H1, MAHALANOBIS),
    "RePU(2), H2": (st.RePU(2), st.RePU(2), st.H2, EUCLIDEAN),
    "leaky beside ReLU": (st.LeakyReLU(0.2), st.ReLU(), st.H1, EUCLIDEAN),
}
DIFFERENTIATED = "ReLU", "RePU(2), H2"  # by JAX too
each_case = pytest.mark.parametrize("name", CASES)


def networks(name: str):
    activation, activation_, loss, inputs = CASES[name]
    student = st.Network(ROWS, OUTPUT, BIASES, activation)
    return student, st.Network(TEACHER_ROWS, TEACHER_OUTPUT, TEACHER_BIASES, activation_), loss, inputs


def gap(one, other) -> float:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(float(np.max(np.abs(np.asarray(x) - np.asarray(y)))) for x, y in pairs)


class Found(NamedTuple):
    value: jax.Array
    by_autodiff: st.Network | None
    loss_gradient: st.Network
    population_gradient: st.Network
    boundary: jax.Array


@cache
def compiled(name: str):
    """All first-order functions of a case's networks, in one program."""
    *_, loss, inputs = networks(name)

    @jax.jit
    def evaluate(student, teacher):
        rest = teacher, loss, inputs
        if name in DIFFERENTIATED:
            of_loss = jax.value_and_grad(lambda s: st.population_loss(s, *rest))(student)
        else:
            of_loss = st.population_loss(student, *rest), None
        others = (f(student, *rest) for f in (st.loss_gradient, st.population_gradient, st.boundary_term))
        return Found(*of_loss, *others)

    return evaluate


@cache
def found(name: str) -> Found:
    return compiled(name)(*networks(name)[:2])


@pytest.mark.parametrize(
    ("metric", "gradient_of"), [("euclidean", st.population_gradient), ("mahalanobis", st.loss_gradient)]
)
def test_smooth_networks_are_those_of_quadrature(metric, gradient_of):
    """H2 with biases, covariance and mean: the definition, integrated on a grid and differentiated by JAX."""
    lam, inputs = (1.0, 0.5, 0.25), st.GaussianInput(COVARIANCE, MEAN, metric)
    axis = np.linspace(-9, 9, 145)  # the trapezoidal rule, exact to rounding; exp(-81/2) is left out
    mass = np.exp(-(axis**2) / 2) * (axis[1] - axis[0]) / np.sqrt(2 * np.pi)
    z = jnp.asarray(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    root = np.linalg.cholesky(COVARIANCE)
    stretch = root if metric == "mahalanobis" else np.eye(2)
    teacher = st.Network(TEACHER_ROWS, TEACHER_OUTPUT, TEACHER_BIASES, st.Polynomial((0.3, 1.0, 0.5)))

    def by_definition(student):
        def at(x):
            total, derivative = 0.0, lambda y: student(x + stretch @ y) - teacher(x + stretch @ y)
            for weight in lam:
                total = total + weight * jnp.sum(derivative(jnp.zeros(2)) ** 2) / 2
                derivative = jax.jacfwd(derivative)
            return total

        return np.outer(mass, mass).ravel() @ jax.vmap(at)(z @ root.T + MEAN)

    student = st.Network(ROWS, OUTPUT, BIASES, st.Cosine(0.8, 0.3))
    value, gradient = jax.jit(jax.value_and_grad(by_definition))(student)
    problem = student, teacher, st.SobolevLoss(lam), inputs
    few = 20 * 64 * EPS + 1e-13  # sums of 20,000 terms of both signs, of size below 20
    assert gap(st.population_loss(*problem), value) <= few
    assert gap(gradient_of(*problem), gradient) <= few


@pytest.mark.parametrize("name", ["ReLU", "ReLU, Mahalanobis", "RePU(2), H2"])
def test_kinked_losses_are_sums_of_references_over_pairs(name):
    *_, loss, inputs = networks(name)
    power = 2 if name.startswith("RePU") else 1
    rows, signed = np.concatenate([ROWS, TEACHER_ROWS]), np.concatenate([OUTPUT, -TEACHER_OUTPUT])
    means = rows @ MEAN + np.concatenate([BIASES, TEACHER_BIASES])
    covariance = rows @ COVARIANCE @ rows.T
    products = covariance if inputs.metric == "mahalanobis" else rows @ rows.T
    deviation = np.sqrt(np.diag(covariance))
    total = 0.0
    for m, weight in enumerate(loss.lambdas):
        f = ref.scaled(ref.falling(power, m), ref.truncated(power - m))
        for i, j in np.ndindex(3, 3):
            if i == j:
                z = (deviation[i], deviation[i]), 0.0, (means[i], means[i])
            else:
                cos = covariance[i, j] / (deviation[i] * deviation[j])
                z = (deviation[i], deviation[j]), np.arccos(cos), (means[i], means[j])
            kernel = float(ref.expectation(f, f, *z))
            total += weight * signed[i] * signed[j] * products[i, j] ** m * kernel / 2
    # Nine terms an order, of size below 100; their angles are 0.4 and more from 0 and pi, or exactly 0.
    assert gap(found(name).value, total) <= 100 * 32 * EPS


@each_case
def test_loss_gradient_is_autodiff_and_differences_of_the_loss(name):
    student, teacher, *_ = networks(name)
    gradient = found(name).loss_gradient
    if name in DIFFERENTIATED:
        assert gap(gradient, found(name).by_autodiff) <= ROUNDING
    leaves, structure = jax.tree.flatten(student)
    for k, leaf in enumerate(leaves):
        for index in np.ndindex(leaf.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [np.array(x) for x in leaves]
                moved[k][index] += step
                ends.append(float(compiled(name)(jax.tree.unflatten(structure, moved), teacher).value))
            # Third derivatives below 100 times h^2 / 6, and rounding of a loss below 20 over h.
            assert abs((ends[0] - ends[1]) / 2e-5 - jax.tree.leaves(gradient)[k][index]) <= 1e-8


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("ReLU", "loss_gradient"),
        ("ReLU, Mahalanobis", "population_gradient"),
        ("ReLU, Mahalanobis", "loss_gradient"),
        ("RePU(2), H2", "loss_gradient"),
        ("leaky beside ReLU", "population_gradient"),
    ],
)
def test_all_estimates_by_sampling_agree(name, quantity):
    """They know networks as functions alone. Within 5 standard errors."""
    estimate = getattr(st.montecarlo, quantity)(*networks(name), key=jax.random.key(3), samples=2**17)
    triples = zip(
        *map(jax.tree.leaves, (estimate.mean, estimate.standard_error, getattr(found(name), quantity))), strict=True
    )
    for mean, error, value in triples:
        assert np.all(np.abs(mean - value) <= 5 * error)
        assert np.all(error <= 0.02 * max(1.0, float(np.max(np.abs(value)))))


@each_case
def test_boundary_term_is_what_the_gradients_differ_by(name):
    this = found(name)
    assert gap(this.loss_gradient.weights - this.population_gradient.weights, this.boundary) <= ROUNDING
    assert float(jnp.max(jnp.abs(this.boundary))) > 0.03


def test_below_the_highest_order_there_is_no_boundary_term():
    problem = (*plain(st.RePU(2)), st.H1)
    assert not np.any(st.boundary_term(*problem))
    assert gap(*(f(*problem) for f in (st.loss_gradient, st.population_gradient))) == 0.0


@pytest.mark.parametrize("name", ["ReLU", "RePU(2), H2"])
def test_hessian_is_symmetric_and_the_derivative_of_the_loss_gradient(name):
    student, teacher, *loss = networks(name)
    hessian = np.reshape(jax.jit(lambda *both: st.loss_hessian(*both, *loss))(student, teacher), (4, 4))
    assert gap(hessian, hessian.T) <= 8 * ROUNDING  # terms in 1 / sin(theta), here below 8
    assert gap(np.ravel(difference_along(name, 0.0).weights), hessian @ ROWS[::-1].ravel()) <= DIFFERENCE


DIFFERENCE = 1e-6  # third derivatives below 10^4 times h^2, by 1 / sin^2


def difference_along(name: str, others: float) -> st.Network:
    """The derivative of the loss gradient along a tangent; `others` multiplies output weights and biases in it."""
    student, teacher, *_ = networks(name)
    tangent, step = tangent_of(student, others), 1e-5
    moved = [jax.tree.map(lambda x, t, h=h: np.asarray(x + h * t), student, tangent) for h in (step, -step)]
    ends = [compiled(name)(one, teacher).loss_gradient for one in moved]
    return jax.tree.map(lambda x, y: (x - y) / (2 * step), *ends)


def tangent_of(student: st.Network, others: float) -> st.Network:
    return st.Network(ROWS[::-1], others * OUTPUT, others * BIASES[::-1], student.activation)


def test_product_of_the_hessian_is_the_derivative_of_the_loss_gradient():
    student, teacher, *loss = networks("ReLU")
    product = jax.jit(lambda *three: st.loss_hessian_product(*three, *loss))
    for others in (0.0, 1.0):
        found = product(student, teacher, tangent_of(student, others))
        assert gap(found, difference_along("ReLU", others)) <= DIFFERENCE


# What must be the same.


def plain(activation, biases=None, dtype=float):
    student = st.Network(ROWS.astype(dtype), OUTPUT.astype(dtype), biases, activation)
    return student, st.Network(TEACHER_ROWS.astype(dtype), TEACHER_OUTPUT.astype(dtype), activation=activation)


def of_everything(student, teacher, loss=st.H1, inputs=st.GaussianInput()):  # noqa: B008
    gradient = st.loss_gradient(student, teacher, loss, inputs)
    return st.population_loss(student, teacher, loss, inputs), gradient.weights, gradient.output_weights


def test_repu_of_power_1_is_relu():
    assert gap(of_everything(*plain(st.RePU(1))), of_everything(*plain(st.ReLU()))) <= ROUNDING


def test_biases_that_undo_the_mean_leave_the_plain_loss_of_whitened_networks():
    """General sums, of means that are 0, against those of ReLU without means."""
    root = np.linalg.cholesky(COVARIANCE)
    sides = (ROWS, OUTPUT), (TEACHER_ROWS, TEACHER_OUTPUT)
    white = of_everything(*(st.Network(rows @ root, output) for rows, output in sides))
    this = compiled("ReLU, Mahalanobis")(*(st.Network(rows, output, -rows @ MEAN) for rows, output in sides))
    gradient = this.loss_gradient
    of_the_covariance = gradient.weights - np.outer(gradient.biases, MEAN)
    assert gap((this.value, of_the_covariance, gradient.output_weights), (white[0], white[1] @ root.T, white[2])) <= (
        ROUNDING
    )


def test_a_multiple_of_the_identity_scales_the_neurons():
    student, teacher = plain(st.ReLU())
    wide, wide_teacher = st.Network(2 * ROWS, OUTPUT), st.Network(2 * TEACHER_ROWS, TEACHER_OUTPUT)
    value = st.population_loss(student, teacher, st.L2, st.GaussianInput(4 * np.eye(2)))
    assert gap(value, st.population_loss(wide, wide_teacher, st.L2)) <= ROUNDING


def test_mahalanobis_is_the_euclidean_loss_of_whitened_networks():
    root = np.linalg.cholesky(COVARIANCE)
    student, teacher = plain(st.ReLU())
    value, weights, output = of_everything(
        student, teacher, st.H1, st.GaussianInput(COVARIANCE, metric="mahalanobis")
    )
    white = of_everything(st.Network(ROWS @ root, OUTPUT), st.Network(TEACHER_ROWS @ root, TEACHER_OUTPUT))
    assert gap((value, weights, output), (white[0], white[1] @ root.T, white[2])) <= ROUNDING


def test_metrics_differ_for_a_covariance_that_is_not_the_identity():
    assert gap(found("ReLU").value, found("ReLU, Mahalanobis").value) > 0.05


@pytest.mark.parametrize("metric", ["euclidean", "mahalanobis"])
def test_low_rank_and_diagonal_are_their_matrices(metric):
    student, teacher = plain(st.Cosine())
    low = st.LowRank([0.5, 1.0], [[0.8], [-0.3]])
    for short, matrix in ((low, low.matrix), (np.array([0.5, 2.0]), np.diag([0.5, 2.0]))):
        inputs = [st.GaussianInput(c, MEAN, metric) for c in (short, matrix)]
        assert gap(*(st.loss_gradient(student, teacher, st.H1, one) for one in inputs)) <= ROUNDING


def test_a_mean_is_a_bias():
    inputs = st.GaussianInput(mean=MEAN)
    student, teacher = plain(st.Sine())
    shifted = st.Network(ROWS, OUTPUT, ROWS @ MEAN, st.Sine())
    shifted_teacher = st.Network(TEACHER_ROWS, TEACHER_OUTPUT, TEACHER_ROWS @ MEAN, st.Sine())
    value = st.population_loss(student, teacher, st.H1, inputs)
    assert gap(value, st.population_loss(shifted, shifted_teacher, st.H1)) <= ROUNDING


def test_a_mixed_network_is_the_sum_of_its_parts_in_any_order():
    teacher = st.Network(TEACHER_ROWS, TEACHER_OUTPUT, activation=st.Cosine())
    student = st.Network(ROWS, OUTPUT, BIASES, [st.Cosine(), SQUARE])
    turned = st.Network(ROWS[::-1], OUTPUT[::-1], BIASES[::-1], [SQUARE, st.Cosine()])
    one, other = (st.loss_gradient(network, teacher) for network in (student, turned))
    assert gap(one.weights, other.weights[::-1]) <= ROUNDING
    assert gap(one.biases, other.biases[::-1]) <= ROUNDING
    assert st.Network(ROWS, activation=[st.ReLU(), st.ReLU()]).activation == st.ReLU()


def test_relu_written_as_a_mixture_of_leaky_and_absolute_values():
    """|t| = 2 t_+ - t and leaky(t) = t_+ + s (t - t_+): relu = (|t| + t) / 2."""
    parts = st.Network(np.repeat(ROWS[:1], 2, 0), [0.5, 0.5], activation=[st.AbsoluteValue(), st.Identity()])
    teacher = st.Network(TEACHER_ROWS)
    assert gap(st.population_loss(parts, teacher), st.population_loss(st.Network(ROWS[:1]), teacher)) <= ROUNDING


def test_quadrature_of_a_kinked_function_is_the_closed_form():
    numerical = st.Elementwise(lambda t: jnp.maximum(t, 0.0) ** 2, kinks=(0.0,), nodes=192)
    closed, found = (of_everything(*plain(sigma), st.L2) for sigma in (st.RePU(2), numerical))
    assert gap(closed, found) <= 20 * 1e-9  # what quadrature is held to, of terms of size 20


def test_a_pair_without_a_closed_form_in_a_low_order_is_noticed():
    """Two derivatives of GELU are Gaussians, whose products with a wave are in closed form; GELU's are not."""
    sides = st.Network(ROWS, activation=st.GELU()), st.Network(TEACHER_ROWS, activation=st.Sine())
    for student, teacher in (sides, sides[::-1]):
        assert by_quadrature(problem(student, teacher, st.H2, st.GaussianInput()))
        assert not by_quadrature(problem(student, student, st.H2, st.GaussianInput()))


def test_the_order_of_a_function_is_that_of_its_first_jump():
    squared = st.Elementwise(lambda t: jnp.maximum(t, 0.0) ** 2, kinks=(0.0,))
    assert (squared.highest_order, st.Elementwise(elu, kinks=(0.0,)).highest_order) == (2, 2)


@pytest.mark.parametrize("norm", [1e-160, 1e152])
def test_norms_that_leave_the_precision_are_named(norm):
    far = st.Network([[norm, 0.0]], activation=st.AbsoluteValue())
    with pytest.raises(ValueError, match="student: got a neuron of norm 1e"):
        st.population_loss(far, far)


def test_single_precision_is_kept():
    single, double = (
        st.loss_gradient(
            st.Network(ROWS.astype(dtype), OUTPUT.astype(dtype), BIASES.astype(dtype)),
            st.Network(TEACHER_ROWS.astype(dtype), TEACHER_OUTPUT.astype(dtype)),
        )
        for dtype in (np.float32, np.float64)
    )
    assert {x.dtype for x in jax.tree.leaves(single)} == {jnp.dtype("float32")}
    assert gap(single, double) <= 20 * 32 * float(jnp.finfo(jnp.float32).eps)


def test_jit_and_vmap():
    _, teacher = plain(st.Sine())
    biases = np.stack([BIASES, 2 * BIASES])

    def value(b):
        return st.population_loss(st.Network(ROWS, OUTPUT, b, st.Sine()), teacher, st.H2)

    mapped = jax.jit(jax.vmap(value))(biases)
    assert gap(mapped, jnp.stack([value(b) for b in biases])) <= ROUNDING


def test_networks_that_are_known_stay_so_in_a_function_that_is_compiled():
    """Their norms are checked there too, which takes their covariance."""
    problem = (*plain(st.Sine()), st.L2, EUCLIDEAN)
    assert gap(jax.jit(lambda: st.population_loss(*problem))(), st.population_loss(*problem)) <= ROUNDING
    far = st.Network([[1e-160, 0.0]], activation=st.AbsoluteValue())
    with pytest.raises(ValueError, match="student: got a neuron of norm"):
        jax.jit(lambda: st.population_loss(far, far, st.L2, EUCLIDEAN))()


# What is refused.


def test_a_step_between_the_points_of_quadrature_is_an_error():
    """From a public report: 0.99999999999987, right 0.998005293724791."""
    steep = st.Elementwise(jnp.tanh)
    student, teacher = st.Network([[400.0, 0.0]], activation=steep), st.Network([[0.0, 400.0]], activation=steep)
    with pytest.raises(RuntimeError, match="student: the quadrature of its activation has not converged"):
        st.population_loss(student, teacher, st.L2)


def test_quadrature_that_has_not_converged_is_an_error_with_its_estimate():
    steep = st.Elementwise(lambda t: jnp.tanh(300 * t), nodes=16)
    problem = (*plain(steep), st.L2)
    with pytest.raises(RuntimeError, match=r"has not converged: got an estimated error of \d"):
        st.population_loss(*problem)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: st.RePU(9), ValueError, "power: got 9"),
        (lambda: st.RePU(True), TypeError, "power: got True"),
        (lambda: st.LeakyReLU(float("nan")), ValueError, "slope: got nan"),
        (lambda: st.Sine(float("inf")), ValueError, "frequency: got inf"),
        (lambda: st.Polynomial(()), ValueError, "coefficients: got 0"),
        (lambda: st.Elementwise(3), TypeError, "function: got 3"),
        (lambda: st.Elementwise(jnp.tanh, nodes=2), ValueError, "nodes: got 2"),
        (lambda: st.GaussianInput([[1.0, 2.0], [2.0, 1.0]]), ValueError, "smallest eigenvalue -1"),
        (lambda: st.GaussianInput([[1.0, 0.5], [0.0, 1.0]]), ValueError, "differs from its transpose by 0.5"),
        (lambda: st.GaussianInput([1.0, -2.0]), ValueError, "covariance: got the smallest entry -2"),
        (lambda: st.GaussianInput(np.ones((2, 3))), ValueError, r"covariance: got shape \(2, 3\)"),
        (lambda: st.GaussianInput(metric="l1"), ValueError, "metric: got 'l1'"),
        (lambda: st.GaussianInput(np.eye(2), np.ones(3)), ValueError, r"mean: got shape \(3,\)"),
        (lambda: st.LowRank([1.0, -1.0], [[1.0], [1.0]]), ValueError, "diagonal: got the smallest entry -1"),
        (lambda: st.LowRank([1.0], [[1.0], [1.0]]), ValueError, "factor: got shapes"),
        (lambda: st.Network(ROWS, biases=[np.inf, 0.0]), ValueError, "biases: got inf"),
        (lambda: st.Network(ROWS, activation=[st.ReLU()]), ValueError, "activation: got 1 activations"),
        (lambda: st.Network(ROWS, activation=["relu", "relu"]), TypeError, "activation: got"),
        (lambda: st.population_loss(*plain(st.RePU(2)), st.SobolevLoss((1, 1, 1, 1))), ValueError, "order at most 2"),
        (
            lambda: st.population_loss(*plain(st.ReLU()), st.L2, st.GaussianInput(np.eye(3))),
            ValueError,
            "inputs: got",
        ),
        (lambda: st.population_loss(*plain(st.ReLU()), st.L2, "normal"), TypeError, "inputs: got 'normal'"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("follow", [partial(st.gradient_flow, t1=1.0), st.critical_point])
def test_flows_refuse_what_they_cannot_follow(follow):
    with pytest.raises(NotImplementedError, match="kinks of such a loss for order 1"):
        follow(*plain(st.RePU(2)), st.H2)


@pytest.mark.parametrize("activation", [st.Sine(), st.RePU(2)], ids=repr)
def test_flows_of_smooth_losses_follow_the_loss_gradient(activation):
    """Against SciPy's solver on the public gradient; the H1 loss of these activations has no kinks."""
    student, teacher = (
        st.Network([[0.5, 0.9]], activation=activation),
        st.Network([[1.0, 0.2]], activation=activation),
    )

    @jax.jit
    def velocity(w):
        return -st.loss_gradient(st.Network(w.reshape(1, 2), activation=activation), teacher, st.H1).weights.ravel()

    start = np.asarray(student.weights).ravel()
    options = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}
    expected = scipy.integrate.solve_ivp(lambda t, w: np.asarray(velocity(w)), (0.0, 0.5), start, **options).y[:, -1]
    flow = st.gradient_flow(student, teacher, st.H1, t1=0.5)
    assert gap(flow.end_weights.ravel(), expected) <= 1e-7  # rtol 1e-9 of some tens of steps
    near = st.Network([[0.98, 0.25]], activation=activation)
    assert st.critical_point(near, teacher, st.H1).kind is st.Kind.GLOBAL
