"""Population gradient and loss gradient: two objects, what each is, and how they differ."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import sobolev_theory as st
from sobolev_theory import pair
from tests.helpers.cases import EPS, LOSSES, TRIPLES
from tests.helpers.reference import Problem, combine

CASE = TRIPLES["signed output weights"]
STUDENT, TEACHER = CASE.networks

# Sums of 6 terms of size at most 20, each rounded a few times.
ROUNDING = 6 * 20 * EPS

each_loss = pytest.mark.parametrize("loss", [st.SobolevLoss(lam) for lam in LOSSES.values()], ids=LOSSES)


def close(a, b, tolerance=ROUNDING):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def in_the_weights(function, loss, wrap=lambda x: x):
    """A function of the student as a function of its weights [K, d]."""
    return lambda rows: wrap(function(st.Network(rows, STUDENT.output_weights), TEACHER, loss))


# The two gradients.


def test_population_and_loss_gradient_agree_for_l2():
    sampled, true = (f(STUDENT, TEACHER, st.L2) for f in (st.population_gradient, st.loss_gradient))
    close(sampled.weights, true.weights)
    close(sampled.output_weights, true.output_weights, 0.0)


def test_population_and_loss_gradient_differ_for_h1():
    gap = st.loss_gradient(STUDENT, TEACHER).weights - st.population_gradient(STUDENT, TEACHER).weights
    assert np.min(np.max(np.abs(gap), axis=1)) > 0.01  # in every neuron; the gradients are of size 1


def test_output_weights_have_no_boundary_term():
    sampled, true = st.population_gradient(STUDENT, TEACHER), st.loss_gradient(STUDENT, TEACHER)
    close(sampled.output_weights, true.output_weights, 0.0)


@each_loss
def test_boundary_term_is_the_gap_of_the_two_gradients(loss):
    gap = st.loss_gradient(STUDENT, TEACHER, loss).weights - st.population_gradient(STUDENT, TEACHER, loss).weights
    close(st.boundary_term(STUDENT, TEACHER, loss), gap)


def test_boundary_term_is_the_sum_of_the_jumps_of_all_pairs():
    """a_k sum_j c_j (w_k.v_j) e / (2 pi r_k), e made here from its definition."""
    neurons = [*zip(*CASE[:2], strict=True), *zip(CASE[2], -CASE[3], strict=True)]
    expected = np.zeros_like(CASE.weights)
    for k, (w, a) in enumerate(neurons[:3]):
        for j, (v, c) in enumerate(neurons):
            if j != k:
                across = v - (w @ v) / (w @ w) * w
                expected[k] += a * c * (w @ v) * across / np.linalg.norm(across) / (2 * np.pi * np.linalg.norm(w))
    close(st.boundary_term(STUDENT, TEACHER), expected)


def test_boundary_term_vanishes_between_orthogonal_neurons():
    student, _ = TRIPLES["orthonormal"].networks
    twice_the_fourth_axis = st.Network([[0.0, 0.0, 0.0, 2.0]] * 3)
    assert not np.any(st.boundary_term(student, twice_the_fourth_axis))


def test_boundary_term_is_linear_in_the_weight_of_order_one():
    half = st.boundary_term(STUDENT, TEACHER, st.SobolevLoss((3.0, 0.5)))
    close(2 * half, st.boundary_term(STUDENT, TEACHER, st.H1))


@each_loss
def test_loss_gradient_is_the_gradient_of_the_population_loss(loss):
    by_autodiff = jax.grad(lambda student: st.population_loss(student, TEACHER, loss))(STUDENT)
    true = st.loss_gradient(STUDENT, TEACHER, loss)
    close(by_autodiff.weights, true.weights)
    close(by_autodiff.output_weights, true.output_weights)


@each_loss
def test_gradient_in_the_teacher_is_the_loss_gradient_with_roles_exchanged(loss):
    """The loss is symmetric in student and teacher: d/d teacher of L(s, t) = d/d first of L(t, s)."""
    by_autodiff = jax.grad(lambda teacher: st.population_loss(STUDENT, teacher, loss))(TEACHER)
    exchanged = st.loss_gradient(TEACHER, STUDENT, loss)
    close(by_autodiff.weights, exchanged.weights)
    close(by_autodiff.output_weights, exchanged.output_weights)


# Jacobians.


def transposed(jacobian):
    return jnp.transpose(jacobian, (2, 3, 0, 1))


def test_h1_population_jacobian_is_not_symmetric():
    jacobian = st.population_jacobian(STUDENT, TEACHER)
    assert np.max(np.abs(jacobian - transposed(jacobian))) > 0.1


@each_loss
def test_loss_hessian_is_symmetric(loss):
    hessian = st.loss_hessian(STUDENT, TEACHER, loss)
    close(hessian, transposed(hessian))


def test_l2_population_jacobian_is_the_loss_hessian():
    close(st.population_jacobian(STUDENT, TEACHER, st.L2), st.loss_hessian(STUDENT, TEACHER, st.L2))


@pytest.mark.parametrize(
    ("matrix", "gradient"), [("population_jacobian", "population_gradient"), ("loss_hessian", "loss_gradient")]
)
def test_matrix_is_the_jacobian_of_its_gradient(matrix, gradient):
    """Gradient entry first, as jax.jacobian lays it out."""
    by_autodiff = jax.jacfwd(in_the_weights(getattr(st, gradient), st.H1, lambda g: g.weights))(STUDENT.weights)
    close(getattr(st, matrix)(STUDENT, TEACHER), by_autodiff)


@pytest.mark.parametrize("matrix", ["population_jacobian", "loss_hessian"])
def test_matrix_is_the_central_difference_of_its_gradient(matrix):
    """At 60 digits, where a difference has no rounding."""
    expected = combine(LOSSES["H1"], getattr(Problem(*CASE), matrix))
    close(getattr(st, matrix)(STUDENT, TEACHER), expected)


@each_loss
@pytest.mark.parametrize("matrix", ["population_jacobian", "loss_hessian"])
def test_product_is_the_dense_matrix_times_the_tangent(matrix, loss):
    rows = np.random.default_rng(3).normal(size=(3, 4))
    tangent = st.Network(rows, np.zeros(3))
    product = getattr(st, f"{matrix}_product")(STUDENT, TEACHER, tangent, loss)
    close(product.weights, np.einsum("kdle,le->kd", getattr(st, matrix)(STUDENT, TEACHER, loss), rows))


@pytest.mark.parametrize(
    ("product", "gradient"),
    [("population_jacobian_product", "population_gradient"), ("loss_hessian_product", "loss_gradient")],
)
def test_product_includes_the_output_weights(product, gradient):
    """All gradients are quadratic in the output weights at most, so a central difference of step 1 is exact."""
    tangent = st.Network(np.zeros((3, 4)), [0.3, 1.0, -2.0])

    def moved(sign):
        network = st.Network(STUDENT.weights, STUDENT.output_weights + sign * tangent.output_weights)
        return getattr(st, gradient)(network, TEACHER)

    value, forth, back = getattr(st, product)(STUDENT, TEACHER, tangent), moved(1), moved(-1)
    close(value.weights, (forth.weights - back.weights) / 2, 4 * ROUNDING)  # larger terms cancel
    close(value.output_weights, (forth.output_weights - back.output_weights) / 2, 4 * ROUNDING)


def test_jacobian_blocks_are_sums_of_pair_closed_forms():
    """Block (k, l): a_k c_l times the mixed derivatives, and on the diagonal the sum of the others besides."""
    vectors = jnp.concatenate([STUDENT.weights, TEACHER.weights])
    signed = jnp.concatenate([STUDENT.output_weights, -TEACHER.output_weights])
    over = lambda f: jax.vmap(jax.vmap(f, (None, 0)), (0, None))(STUDENT.weights, vectors)  # noqa: E731
    first = over(pair.value_hessian) + over(pair.slope_jacobian)  # [K, K + K*, d, d]
    mixed = over(pair.value_mixed_hessian) + over(pair.slope_mixed_jacobian)
    expected = np.zeros((3, 4, 3, 4))
    for k in range(3):
        others = [j for j in range(6) if j != k]
        expected[k, :, k] = signed[k] * sum(signed[j] * first[k, j] for j in others)
        for j in range(3):
            # A neuron with itself: kappa_0 + kappa_1 = |w|^2, whose gradient a_k^2 w has the Jacobian a_k^2 I.
            expected[k, :, j] += signed[k] * signed[j] * (np.eye(4) if j == k else mixed[k, j])
    close(st.population_jacobian(STUDENT, TEACHER), expected, 2 * ROUNDING)


# Invariances.

seeds = some.integers(0, 2**32 - 1)


@given(seeds)
def test_losses_do_not_change_and_gradients_turn_when_all_neurons_are_rotated(seed):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))
    student = st.Network(STUDENT.weights @ turn, STUDENT.output_weights)
    teacher = st.Network(TEACHER.weights @ turn, TEACHER.output_weights)
    # The rotation itself rounds the neurons by a few eps.
    close(st.population_loss(student, teacher), st.population_loss(STUDENT, TEACHER), 8 * ROUNDING)
    close(st.loss_gradient(student, teacher).weights, st.loss_gradient(STUDENT, TEACHER).weights @ turn, 8 * ROUNDING)


@given(some.permutations(range(3)), some.permutations(range(3)))
def test_the_order_of_the_neurons_does_not_matter(order, teacher_order):
    order, teacher_order = np.array(order), np.array(teacher_order)
    student = st.Network(STUDENT.weights[order], STUDENT.output_weights[order])
    teacher = st.Network(TEACHER.weights[teacher_order], TEACHER.output_weights[teacher_order])
    close(st.population_loss(student, teacher), st.population_loss(STUDENT, TEACHER))
    close(st.loss_gradient(student, teacher).weights, st.loss_gradient(STUDENT, TEACHER).weights[order])


@given(some.lists(some.floats(-20, 20), min_size=3, max_size=3))
def test_a_neuron_may_carry_its_size_in_either_weight(exponents):
    """a (w.x)_+ = (a / s) (s w.x)_+ for s > 0: the loss does not change, the gradients scale by 1/s and s."""
    s = jnp.exp2(jnp.round(jnp.array(exponents)))  # powers of two, so that nothing is rounded
    student = st.Network(STUDENT.weights * s[:, None], STUDENT.output_weights / s)
    close(st.population_loss(student, TEACHER), st.population_loss(STUDENT, TEACHER))
    one, other = st.loss_gradient(student, TEACHER), st.loss_gradient(STUDENT, TEACHER)
    close(one.weights * s[:, None], other.weights)
    close(one.output_weights / s, other.output_weights)


@given(seeds)
def test_euler_relation_of_a_homogeneous_network(seed):
    """L is homogeneous of degree 1 in each neuron's own pair terms: w_k . grad_k L = a_k dL/da_k."""
    random = np.random.default_rng(seed)
    student = st.Network(random.normal(size=(3, 4)), random.normal(size=3))
    gradient = st.loss_gradient(student, TEACHER)
    radial = jnp.sum(student.weights * gradient.weights, axis=1)
    # Neurons of norm up to 4: terms of size up to 100.
    close(radial, student.output_weights * gradient.output_weights, 6 * 100 * EPS)


@given(seeds)
def test_losses_are_not_negative_and_symmetric_in_student_and_teacher(seed):
    random = np.random.default_rng(seed)
    student = st.Network(random.normal(size=(3, 4)), random.normal(size=3))
    value = st.population_loss(student, TEACHER)
    assert value >= 0
    close(value, st.population_loss(TEACHER, student), 6 * 100 * EPS)


# Other shapes.


def test_one_input_has_the_losses_of_a_piecewise_linear_function():
    """d = 1: g - g* = (2 - 1) x for x > 0 and -3 |x| for x < 0: E[(g - g*)^2] = (1 + 9) / 2, slopes likewise."""
    student, teacher = st.Network([[2.0], [-0.5]], [1.0, -2.0]), st.Network([[1.0], [-2.0]])
    close(st.population_loss(student, teacher, st.L2), 2.5)
    close(st.population_loss(student, teacher, st.H1), 5.0)
    # d/dw of 1/2 (1/2) (w a - 1)^2 at each sign of x, twice for H1; the boundary term is 0 for opposite neurons.
    close(st.loss_gradient(student, teacher).weights, [[1.0], [-2.0 * 3.0]])


def test_student_and_teacher_may_have_different_numbers_of_neurons():
    """Two halves of one neuron and a third with output weight 0 are that neuron."""
    split = st.Network(CASE.weights[[0, 0]], [0.25, 0.75])
    whole = st.Network(np.stack([CASE.weights[0], CASE.weights[1], CASE.weights[2]]), [1.0, 0.0, 0.0])
    close(st.population_loss(split, whole), 0.0)
    close(st.population_gradient(split, whole).weights, np.zeros((2, 4)))
