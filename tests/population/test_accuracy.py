"""How many digits are right, against references at 60 digits; eps is the rounding unit 2^-52.

A sum rounded term by term errs by a few eps of its largest term: then its relative error is below 1e-13
wherever it is larger than 1 % of that term. Near student = teacher far more holds, and is tested below.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from tests.helpers.cases import EPS, LOSSES, NEAR, PAIRS, STEPS, TRIPLES, near, padded
from tests.helpers.reference import Problem, combine

CASES = PAIRS | TRIPLES
# One rounding of each factor of the largest term and of the sum, and as much again for the smaller terms.
FEW = 4 * EPS

each_case = pytest.mark.parametrize("name", CASES)
each_loss = pytest.mark.parametrize("lam", LOSSES.values(), ids=LOSSES)


@cache
def reference(name: str) -> Problem:
    return Problem(*CASES[name])


@cache
def by_order(name: str, quantity: str, order: int):
    return getattr(reference(name), quantity)(order)


def expected(name: str, quantity: str, lam) -> np.ndarray:
    return combine(lam, lambda m: by_order(name, quantity, m))


def direction_error(sine: float) -> float:
    """Of the unit vector e of two neurons: 2 eps / sin(theta), its condition number times the rounding of the
    two directions; and |e| = 1 below 8 eps, where the library leaves e out as at the kink."""
    return 2 * EPS / sine if sine > 8 * EPS else 1.0


@each_loss
@each_case
def test_loss_errs_by_a_few_eps_of_its_largest_term(name, lam):
    value = st.population_loss(*CASES[name].networks, st.SobolevLoss(lam))
    exact = float(expected(name, "loss", lam))
    # Of the sum itself where its terms add up to more: it is rounded too.
    assert abs(float(value) - exact) <= FEW * max(reference(name).largest_term(), exact)


@each_loss
@each_case
def test_population_gradient_errs_by_a_few_eps_of_its_largest_term(name, lam):
    value = st.population_gradient(*CASES[name].networks, st.SobolevLoss(lam))
    error = row_sizes(value.weights - expected(name, "population_gradient", lam))
    assert np.all(error <= FEW * reference(name).largest_terms_of_rows())


@each_loss
@each_case
def test_output_gradient_errs_by_a_few_eps_of_its_largest_term(name, lam):
    value = st.population_gradient(*CASES[name].networks, st.SobolevLoss(lam)).output_weights
    error = np.abs(value - expected(name, "output_gradient", lam))
    assert np.all(error <= FEW * reference(name).largest_terms_of_outputs())


@each_loss
@each_case
def test_loss_gradient_errs_by_a_few_eps_over_theta_of_its_largest_term(name, lam):
    value = st.loss_gradient(*CASES[name].networks, st.SobolevLoss(lam))
    error = row_sizes(value.weights - expected(name, "loss_gradient", lam))
    in_e = lam[1] / (2 * np.pi) * np.array([direction_error(s) for s in reference(name).smallest_sines_of_rows()])
    # Each neuron has one direction e in its closest pair; a few more of comparable size at most.
    assert np.all(error <= (FEW + 2 * in_e) * reference(name).largest_terms_of_rows())


@each_loss
@pytest.mark.parametrize("name", [name for name in TRIPLES if "student is teacher" in name])
def test_student_equal_to_teacher_has_loss_and_gradients_exactly_zero(name, lam):
    problem = (*CASES[name].networks, st.SobolevLoss(lam))
    assert float(st.population_loss(*problem)) == 0.0
    for gradient in (st.population_gradient(*problem), st.loss_gradient(*problem)):
        assert not np.any(gradient.weights)
        assert not np.any(gradient.output_weights)


@pytest.mark.parametrize(("size", "expected"), [(1e-200, 0.0), (1e200, np.inf)])
def test_loss_beyond_the_range_of_the_dtype_is_zero_or_infinite(size, expected):
    """The loss is of size 1e-400 or 1e400: no difference of infinities may make it NaN. Gradients are in range."""
    weights, output, teacher, teacher_output = TRIPLES["generic"]
    networks = st.Network(size * weights, output), st.Network(size * teacher, teacher_output)
    assert float(st.population_loss(*networks)) == expected
    assert np.all(np.isfinite(st.loss_gradient(*networks).weights))


# Jacobians. Between 0 and pi: at the kinks themselves nothing is left to compare with a difference quotient.

JACOBIANS = [
    name
    for name in PAIRS
    if name.startswith("angle") and 1e-13 < float(name.split()[1].strip(",")) < 3.14159265358975
]


@each_loss
@pytest.mark.parametrize("function", ["population_jacobian", "loss_hessian"])
@pytest.mark.parametrize("name", [*JACOBIANS, "tangent 1e-06 on the axes"])
def test_jacobian_errs_by_a_few_eps_over_theta_of_its_largest_entry(name, function, lam):
    value = getattr(st, function)(*CASES[name].networks, st.SobolevLoss(lam))
    exact = expected(name, function, lam)
    (sine,) = reference(name).smallest_sines_of_rows()
    # The terms in e and e / sin exist for lambda_1 only.
    assert np.max(np.abs(value - exact)) <= (FEW + lam[1] * direction_error(sine)) * np.max(np.abs(exact))


@pytest.mark.parametrize("function", ["population_jacobian", "loss_hessian"])
@pytest.mark.parametrize("name", ["generic", "signed output weights", "zero output weight"])
def test_jacobian_of_a_network_errs_by_a_few_eps(name, function):
    value = getattr(st, function)(*CASES[name].networks, st.H1)
    exact = expected(name, function, LOSSES["H1"])
    # No two of these neurons are parallel within 0.3: 1/sin is at most 4.
    assert np.max(np.abs(value - exact)) <= 4 * FEW * np.max(np.abs(exact))


@pytest.mark.parametrize("function", ["population_jacobian", "loss_hessian"])
@pytest.mark.parametrize("side", ["", ", opposite"])
def test_jacobian_at_an_angle_of_1e_minus_200_is_that_of_the_kink(function, side):
    nearly = PAIRS[f"tangent 1e-200 on the axes{side}"]
    exactly = nearly._replace(weights=np.sign(nearly.weights) * [[1.0, 0.0, 0.0, 0.0]])
    values = [getattr(st, function)(*case.networks, st.H1) for case in (nearly, exactly)]
    np.testing.assert_allclose(*values, rtol=0, atol=FEW)  # entries of size 1, one rounding each


# Near the optimum: student = teacher + step. Every difference keeps its relative accuracy, so the sums do,
# up to the cancellation among them: a factor of tens for these networks.

TENS = 64 * EPS


@pytest.fixture(scope="module", params=STEPS, ids="step {:g}".format)
def step(request) -> float:
    return request.param


@pytest.fixture(scope="module", params=NEAR)
def optimum(request, step) -> tuple[tuple, Problem, dict]:
    case = near(request.param, step)
    problem = Problem(*case)
    quantities = ("loss", "population_gradient", "loss_gradient", "output_gradient")
    return case.networks, problem, {q: [getattr(problem, q)(m) for m in (0, 1)] for q in quantities}


def relative_error(value, exact: np.ndarray) -> float:
    return float(np.max(row_sizes(np.asarray(value) - exact) / row_sizes(exact)))


def teacher_condition(problem: Problem) -> float:
    """Two teacher neurons at a small angle amplify the rounding of their students' displacements by 1 / sin."""
    return TENS + FEW / problem.smallest_sine_among(problem.teacher)


@each_loss
def test_loss_keeps_its_digits_near_the_optimum(optimum, lam):
    networks, problem, exact = optimum
    value = st.population_loss(*networks, st.SobolevLoss(lam))
    assert relative_error(value, combine(lam, exact["loss"].__getitem__)) <= teacher_condition(problem)


@each_loss
def test_population_gradient_keeps_its_digits_near_the_optimum(optimum, lam):
    networks, problem, exact = optimum
    value = st.population_gradient(*networks, st.SobolevLoss(lam))
    rows = combine(lam, exact["population_gradient"].__getitem__)
    output = combine(lam, exact["output_gradient"].__getitem__)
    assert relative_error(value.weights, rows) <= teacher_condition(problem)
    assert relative_error(value.output_weights, output) <= teacher_condition(problem)


@each_loss
def test_loss_gradient_keeps_its_digits_near_the_optimum(optimum, lam):
    networks, problem, exact = optimum
    value = st.loss_gradient(*networks, st.SobolevLoss(lam))
    rows = combine(lam, exact["loss_gradient"].__getitem__)
    in_e = FEW / problem.smallest_sine_among(problem.student)
    assert relative_error(value.weights, rows) <= teacher_condition(problem) + in_e


def row_sizes(array) -> np.ndarray:
    """Euclidean norms over the last axis of a matrix, absolute values otherwise; no overflow at 1e150."""
    array = np.atleast_1d(np.asarray(array))
    if array.ndim == 1:
        return np.abs(array)
    largest = np.max(np.abs(array), axis=-1, keepdims=True)
    safe = np.where(largest > 0, largest, 1.0)
    return largest[..., 0] * np.linalg.norm(array / safe, axis=-1)


# Every transformation of JAX, all cases in one batch.


@cache
def batch() -> tuple[tuple[jnp.ndarray, ...], tuple[jnp.ndarray, ...]]:
    cases = [padded(case) for case in CASES.values()]
    weights, output, teacher, teacher_output = (jnp.stack([case[i] for case in cases]) for i in range(4))
    return (weights, output), (teacher, teacher_output)


def losses(student, teacher):
    return st.population_loss(st.Network(*student), st.Network(*teacher))


def hessian(student, teacher):
    return jax.hessian(lambda rows: losses((rows, student[1]), teacher))(student[0])


def reverse_jacobian(student, teacher):
    gradient = lambda s: jax.tree.leaves(st.population_gradient(st.Network(*s), st.Network(*teacher)))  # noqa: E731
    return jax.jacrev(gradient)(student)


TRANSFORMATIONS = {"grad": jax.grad(losses, argnums=(0, 1)), "hessian": hessian, "jacrev": reverse_jacobian}


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_derivatives_are_finite_everywhere(transformation):
    values = jax.jit(jax.vmap(TRANSFORMATIONS[transformation]))(*batch())
    for leaf in jax.tree.leaves(values):
        bad = np.flatnonzero(~np.all(np.isfinite(leaf.reshape(len(leaf), -1)), axis=1))
        assert not bad.size, [list(CASES)[i] for i in bad]


@pytest.mark.parametrize("function", ["population_loss", "loss_gradient", "loss_hessian"])
def test_vmap_gives_what_a_loop_gives(function):
    evaluate = getattr(st, function)
    mapped = jax.vmap(lambda s, t: evaluate(st.Network(*s), st.Network(*t)))(*batch())
    looped = [evaluate(*padded(case).networks) for case in CASES.values()]
    for leaf, singles in zip(jax.tree.leaves(mapped), zip(*map(jax.tree.leaves, looped), strict=True), strict=True):
        for name, one, other in zip(CASES, leaf, singles, strict=True):
            assert np.all(np.isfinite(one)), name
            # The same operations in another order of summation; in the Hessian terms 1/sin^2 leave 1/sin.
            size = float(np.max(np.abs(other)))
            rounding = FEW / reference(name).smallest_sine if function == "loss_hessian" else FEW
            np.testing.assert_allclose(one, other, rtol=0, atol=rounding * size, err_msg=name)
