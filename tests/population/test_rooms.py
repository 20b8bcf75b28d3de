"""Small problems filled up with zeros: what they say of the neurons that are there, and how few programs they are."""

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from benchmarks import first_call
from sobolev_theory.population import gradients, jacobians
from sobolev_theory.population.problem import problem
from sobolev_theory.population.rooms import filled, size_for
from tests.helpers.cases import EPS

SEVERAL = (6, 5, 6), (5, 8, 7), (8, 7, 5)  # K, K*, d
H1 = st.SobolevLoss((0.7, 1.3))
plain_loss, plain_gradient, plain_matrix = (  # of the problem as it is
    function.__wrapped__ for function in (gradients._loss, gradients.gradient, jacobians._dense)
)
TANH = st.Elementwise(jnp.tanh)


def networks(k: int, k_star: int, d: int, biased: bool = False):
    generator = np.random.default_rng(k + 2 * k_star)
    for n in (k, k_star):
        yield st.Network(
            generator.normal(size=(n, d)), generator.normal(size=n), generator.normal(size=n) if biased else None
        )


def largest(x) -> float:
    return max(float(np.max(np.abs(leaf))) for leaf in jax.tree.leaves(x))


def assert_close(found, plain, few: int = 64):
    """Sums of the same terms, rounded in another order."""
    assert jax.tree.structure(found) == jax.tree.structure(plain)
    size = largest(plain)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=few * EPS * size), found, plain)


def test_values_are_those_without_zeros():
    student, teacher = networks(*SEVERAL[0])
    p = problem(student, teacher, H1, st.GaussianInput())
    assert_close(st.population_loss(student, teacher, H1), plain_loss(p))
    assert_close(st.loss_gradient(student, teacher, H1), plain_gradient(p, "loss"))
    assert_close(st.boundary_term(student, teacher, H1), plain_gradient(p, "boundary").weights)
    assert_close(st.population_jacobian(student, teacher, H1), plain_matrix(p, "population"), 256)


def test_values_with_biases_are_those_without_zeros():
    student, teacher = networks(*SEVERAL[0], biased=True)
    p = problem(student, teacher, H1, st.GaussianInput())
    assert_close(st.population_gradient(student, teacher, H1), plain_gradient(p, "population"))


def test_digits_near_an_optimum_stay():
    """Zero neurons match nobody."""
    _, teacher = networks(*SEVERAL[0])
    step = np.random.default_rng(3).normal(size=teacher.weights.shape)
    student = st.Network(teacher.weights + 1e-9 * step, teacher.output_weights)
    p = problem(student, teacher, H1, st.GaussianInput())
    assert filled(p).student.weights.shape == (8, 8)
    np.testing.assert_allclose(st.population_loss(student, teacher, H1), float(plain_loss(p)), rtol=1e-6)


def test_neurons_that_coincide_and_zero_neurons_of_the_users_own_are_cut_right():
    student, teacher = networks(*SEVERAL[0])
    rows = np.array(student.weights)
    rows[1], rows[2], rows[3] = rows[0], 0.0, -rows[0]
    student = st.Network(rows, student.output_weights)
    found = st.loss_gradient(student, teacher, H1)
    assert_close(found, plain_gradient(problem(student, teacher, H1, st.GaussianInput()), "loss"))


def test_networks_of_several_sizes_are_one_program():
    problems = [tuple(networks(*sizes)) for sizes in SEVERAL]
    assert first_call.programs(lambda: [st.population_gradient(*networks, H1) for networks in problems]) == 1


def test_a_network_of_numbers_is_made_without_a_program():
    assert first_call.programs(lambda: st.Network([[1.0, 2.0], [0.5, 1.0]], biases=[0.0, 1.0])) == 0


def test_what_is_not_filled_keeps_its_sizes():
    student, teacher = (st.Network(np.eye(n + 1)[:n]) for n in (17, 17))
    cases = {
        "large": (student, teacher, st.GaussianInput()),
        "another input": (st.Network([1.0, 0.0]), st.Network([0.0, 1.0]), st.GaussianInput([2.0, 1.0])),
        "quadrature": (*(st.Network([1.0, 0.0], activation=TANH) for _ in range(2)), st.GaussianInput()),
    }
    for one, other, inputs in cases.values():
        p = problem(one, other, st.H1, inputs)
        assert filled(p) is p
    assert [size_for(n) for n in (1, 4, 5, 16, 17)] == [1, 4, 8, 16, 0]

    @jax.jit
    def under_jit(network):
        p = problem(network, network, st.H1, st.GaussianInput())
        assert filled(p) is p
        return network.weights

    under_jit(st.Network([1.0, 0.0]))
