"""How many digits are right, against references at 60 digits; eps is the rounding unit 2^-52.

A sum rounded term by term errs by a few eps of its largest term: then its relative error is below 1e-13
wherever it is larger than 1 % of that term. Near student = teacher far more holds, and is tested below.
"""

from functools import cache

import jax
import numpy as np
import pytest

import sobolev_theory as st
from tests.helpers.cases import EPS, LOSSES, NEAR, PAIRS, STEPS, TRIPLES, Case, near, padded
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


def evaluated(function: str, case: Case, lam):
    """Of the case filled up with zero neurons, so that all have one program; cut to the neurons that are there."""
    value = jax.tree.map(np.asarray, getattr(st, function)(*padded(case).networks, st.SobolevLoss(lam)))
    rows = slice(len(case.weights))
    if isinstance(value, st.Network):
        return value.weights[rows], value.output_weights[rows]
    return value[rows, :, rows] if value.ndim else float(value)


@cache
def found(function: str, name: str, lam):
    return evaluated(function, CASES[name], lam)


def direction_error(sine: float) -> float:
    """Of the unit vector e of two neurons: 2 eps / sin(theta), its condition number times the rounding of the
    two directions; and |e| = 1 below 8 eps, where the library leaves e out as at the kink."""
    return 2 * EPS / sine if sine > 8 * EPS else 1.0


@each_loss
@each_case
def test_loss_errs_by_a_few_eps_of_its_largest_term(name, lam):
    exact = float(expected(name, "loss", lam))
    # Of the sum itself where its terms add up to more: it is rounded too.
    assert abs(found("population_loss", name, lam) - exact) <= FEW * max(reference(name).largest_term(), exact)


@each_loss
@each_case
def test_population_gradient_errs_by_a_few_eps_of_its_largest_term(name, lam):
    rows, _ = found("population_gradient", name, lam)
    error = row_sizes(rows - expected(name, "population_gradient", lam))
    assert np.all(error <= FEW * reference(name).largest_terms_of_rows())


@each_loss
@each_case
def test_output_gradient_errs_by_a_few_eps_of_its_largest_term(name, lam):
    _, output = found("population_gradient", name, lam)
    error = np.abs(output - expected(name, "output_gradient", lam))
    assert np.all(error <= FEW * reference(name).largest_terms_of_outputs())


@each_loss
@each_case
def test_loss_gradient_errs_by_a_few_eps_over_theta_of_its_largest_term(name, lam):
    rows, _ = found("loss_gradient", name, lam)
    error = row_sizes(rows - expected(name, "loss_gradient", lam))
    in_e = lam[1] / (2 * np.pi) * np.array([direction_error(s) for s in reference(name).smallest_sines_of_rows()])
    # Each neuron has one direction e in its closest pair; a few more of comparable size at most.
    assert np.all(error <= (FEW + 2 * in_e) * reference(name).largest_terms_of_rows())


@each_loss
@pytest.mark.parametrize("name", [name for name in TRIPLES if "student is teacher" in name])
def test_student_equal_to_teacher_has_loss_and_gradients_exactly_zero(name, lam):
    assert found("population_loss", name, lam) == 0.0
    for gradient in ("population_gradient", "loss_gradient"):
        rows, output = found(gradient, name, lam)
        assert not np.any(rows)
        assert not np.any(output)


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
    value, exact = found(function, name, lam), expected(name, function, lam)
    (sine,) = reference(name).smallest_sines_of_rows()
    # The terms in e and e / sin exist for lambda_1 only.
    assert np.max(np.abs(value - exact)) <= (FEW + lam[1] * direction_error(sine)) * np.max(np.abs(exact))


@pytest.mark.parametrize("function", ["population_jacobian", "loss_hessian"])
@pytest.mark.parametrize("name", ["generic", "signed output weights", "zero output weight"])
def test_jacobian_of_a_network_errs_by_a_few_eps(name, function):
    value, exact = found(function, name, LOSSES["H1"]), expected(name, function, LOSSES["H1"])
    # No two of these neurons are parallel within 0.3: 1/sin is at most 4.
    assert np.max(np.abs(value - exact)) <= 4 * FEW * np.max(np.abs(exact))


@pytest.mark.parametrize("function", ["population_jacobian", "loss_hessian"])
@pytest.mark.parametrize("side", ["", ", opposite"])
def test_jacobian_at_an_angle_of_1e_minus_200_is_that_of_the_kink(function, side):
    nearly = PAIRS[f"tangent 1e-200 on the axes{side}"]
    exactly = nearly._replace(weights=np.sign(nearly.weights) * [[1.0, 0.0, 0.0, 0.0]])
    values = [evaluated(function, case, LOSSES["H1"]) for case in (nearly, exactly)]
    np.testing.assert_allclose(*values, rtol=0, atol=FEW)  # entries of size 1, one rounding each


# Near the optimum: student = teacher + step. Every difference keeps its relative accuracy, so the sums do,
# up to the cancellation among them: a factor of tens for these networks.

TENS = 64 * EPS


@pytest.fixture(scope="module", params=STEPS, ids="step {:g}".format)
def step(request) -> float:
    return request.param


@pytest.fixture(scope="module", params=NEAR)
def optimum(request, step) -> tuple[Case, Problem, dict]:
    case = near(request.param, step)
    problem = Problem(*case)
    quantities = ("loss", "population_gradient", "loss_gradient", "output_gradient")
    return case, problem, {q: [getattr(problem, q)(m) for m in (0, 1)] for q in quantities}


def relative_error(value, exact: np.ndarray) -> float:
    return float(np.max(row_sizes(np.asarray(value) - exact) / row_sizes(exact)))


def teacher_condition(problem: Problem) -> float:
    """Two teacher neurons at a small angle amplify the rounding of their students' displacements by 1 / sin."""
    return TENS + FEW / problem.smallest_sine_among(problem.teacher)


@each_loss
def test_loss_keeps_its_digits_near_the_optimum(optimum, lam):
    case, problem, exact = optimum
    value = evaluated("population_loss", case, lam)
    assert relative_error(value, combine(lam, exact["loss"].__getitem__)) <= teacher_condition(problem)


@each_loss
def test_population_gradient_keeps_its_digits_near_the_optimum(optimum, lam):
    case, problem, exact = optimum
    rows, output = evaluated("population_gradient", case, lam)
    for value, quantity in ((rows, "population_gradient"), (output, "output_gradient")):
        assert relative_error(value, combine(lam, exact[quantity].__getitem__)) <= teacher_condition(problem)


@each_loss
def test_loss_gradient_keeps_its_digits_near_the_optimum(optimum, lam):
    case, problem, exact = optimum
    rows, _ = evaluated("loss_gradient", case, lam)
    in_e = FEW / problem.smallest_sine_among(problem.student)
    error = relative_error(rows, combine(lam, exact["loss_gradient"].__getitem__))
    assert error <= teacher_condition(problem) + in_e


def row_sizes(array) -> np.ndarray:
    """Euclidean norms over the last axis of a matrix, absolute values otherwise; no overflow at 1e150."""
    array = np.atleast_1d(np.asarray(array))
    if array.ndim == 1:
        return np.abs(array)
    largest = np.max(np.abs(array), axis=-1, keepdims=True)
    safe = np.where(largest > 0, largest, 1.0)
    return largest[..., 0] * np.linalg.norm(array / safe, axis=-1)
