"""Monte-Carlo estimates against the exact functions, by statistics with a stated false-alarm probability.

All seeds are fixed, so that a test either always passes or never. Each comparison has two statistics, Student's t per
component with Bonferroni's correction and Hotelling's T^2 for all together, and fails at a p-value below FALSE_ALARM.
"""

import functools
import io
import itertools
import sys
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy import integrate, stats

import sobolev_theory as st
from sobolev_theory.montecarlo import batches, estimands, integrands, stream
from sobolev_theory.montecarlo.normal_points import INDEPENDENT
from sobolev_theory.montecarlo.plan import Plan, plan_of

# Per comparison; about 40 of them: a correct estimator with fresh seeds would fail somewhere once in 25 000 runs.
FALSE_ALARM = 1e-6
CERTAIN = 1e-12
FUNCTIONS = ("population_loss", "population_gradient", "boundary_term", "loss_gradient", "population_jacobian")
# Nets, in four batches: standard errors of at most 2e-3 of the result, so that an error of 1 % is 5 of them or more.
PRECISE = {"samples": 2**17, "batch": 2**15, "group": 2**10, "covariance": True}
# What the tests of streams share, as they do the program of one batch or the other.
SMALL, LARGE = ({"batch": batch, "group": 2**5} for batch in (2**7, 2**10))

_rng = np.random.default_rng(3)
W, V = _rng.normal(size=(2, 4)), _rng.normal(size=(1, 4))
OUTPUT, TEACHER_OUTPUT = [1.0, -0.7], [1.2]


def networks(rows=W, teacher_rows=V):
    return st.Network(rows, OUTPUT), st.Network(teacher_rows, TEACHER_OUTPUT)


def turned(w: np.ndarray, angle: float) -> np.ndarray:
    """At that angle from w, of the same norm."""
    across = V[0] - (V[0] @ w) / (w @ w) * w
    return np.cos(angle) * w + np.sin(angle) * np.linalg.norm(w) / np.linalg.norm(across) * across


def flat(tree) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0])


def p_value(estimate, expected, rounding: float = 1e-12) -> float:
    """Of |t| per component (times their number) and of T^2, the smaller, doubled for there being two.

    In directions without scatter the mean is exact to `rounding`, relative, or else the p-value is 0. There are such:
    boundary terms are orthogonal to w_k, gradients of homogeneous activations have w_k.G_k = a_k dL/da_k.
    """
    step, errors, n = flat(estimate.mean) - flat(expected), flat(estimate.standard_error), estimate.groups
    size = np.linalg.norm(flat(expected))
    variances, axes = np.linalg.eigh(np.asarray(estimate.covariance).reshape(step.size, step.size))
    free = variances > 1e-12 * variances[-1]
    if np.any(np.abs(step @ axes[:, ~free]) > rounding * size):
        return 0.0
    scattered = errors > rounding * size
    t = np.abs(step[scattered]) / errors[scattered]
    singly = step.size * np.min(2 * stats.t.sf(t, n - 1))
    together = hotelling(np.sum((step @ axes[:, free]) ** 2 / variances[free]), np.sum(free), n)
    return float(min(1.0, 2 * min(singly, together)))


def hotelling(t_squared, components: int, n: int):
    """P(T^2 > t_squared) for the mean of n normal vectors and their own covariance."""
    return stats.f.sf(t_squared * (n - components) / (components * (n - 1)), components, n - components)


# The estimators and the exact functions.


@functools.cache
def generic(name: str, sampling: str = "ambient"):
    return getattr(st.montecarlo, name)(*networks(), key=jax.random.key(1), sampling=sampling, **PRECISE)


@pytest.mark.parametrize("sampling", ["ambient", "span"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_estimates_agree_with_the_exact_function(name, sampling):
    assert p_value(generic(name, sampling), getattr(st, name)(*networks())) > FALSE_ALARM


DEGENERATE = {
    "two students coincide": (np.stack([W[0], W[0]]), V),
    "two students are parallel": (np.stack([W[0], 2 * W[0]]), V),
    "two students are opposite": (np.stack([W[0], -W[0]]), V),
    "a student is the teacher": (W, W[:1]),
    "a student is opposite to the teacher": (W, -W[:1]),
}


@pytest.mark.parametrize("name", ["loss_gradient", "boundary_term", "population_jacobian"])
@pytest.mark.parametrize("case", DEGENERATE)
def test_estimates_at_coincident_neurons_have_the_documented_value(name, case):
    problem = networks(*DEGENERATE[case])
    estimate = getattr(st.montecarlo, name)(*problem, key=jax.random.key(2), **PRECISE)
    assert p_value(estimate, getattr(st, name)(*problem)) > FALSE_ALARM


@pytest.mark.parametrize("case", ["two students coincide", "a student is the teacher"])
def test_the_span_may_have_fewer_dimensions_than_neurons(case):
    problem = networks(*DEGENERATE[case])
    estimate = st.montecarlo.population_jacobian(*problem, key=jax.random.key(3), sampling="span", **PRECISE)
    assert p_value(estimate, st.population_jacobian(*problem)) > FALSE_ALARM


@pytest.mark.parametrize("angle", [1e-6, np.pi - 1e-6])
def test_the_boundary_term_is_seen_at_an_angle_that_plain_samples_never_hit(angle):
    problem = networks(W, turned(W[0], angle)[None])
    estimate = st.montecarlo.boundary_term(*problem, key=jax.random.key(4), **PRECISE)
    # The exact value's direction e, computed from rounded neurons, is known to eps / 1e-6 = 2e-10.
    assert p_value(estimate, st.boundary_term(*problem), rounding=1e-9) > FALSE_ALARM


@pytest.mark.parametrize("angle", [1e-6, np.pi - 1e-6])
def test_the_jumps_in_the_jacobian_are_seen_at_an_angle_that_plain_samples_never_hit(angle):
    problem = networks(W, turned(W[0], angle)[None])
    estimate = st.montecarlo.population_jacobian(*problem, key=jax.random.key(4), **PRECISE)
    # The smooth part between the two hyperplanes has the probability 1e-6 / pi: no sample meets it.
    assert p_value(estimate, st.population_jacobian(*problem), rounding=1e-6 / np.pi) > FALSE_ALARM


def test_the_boundary_term_in_two_dimensions_is_not_biased_by_the_side_that_rounding_chooses():
    # For d = 2 the hyperplane is a line: the rounding error of w.x on it has a sign that depends on the half.
    rows, teacher_rows = np.stack([W[0, :2], W[0, :2]]), np.array([[0.3, -1.1]])
    estimate = st.montecarlo.boundary_term(*networks(rows, teacher_rows), key=jax.random.key(5), **PRECISE)
    wide = networks(*(np.pad(x, ((0, 0), (0, 2))) for x in (rows, teacher_rows)))  # of the other tests' shape
    assert p_value(estimate, st.boundary_term(*wide)[:, :2]) > FALSE_ALARM


def test_the_population_gradient_of_h1_is_told_from_the_loss_gradient():
    assert p_value(generic("population_gradient"), st.loss_gradient(*networks())) < CERTAIN


def test_the_loss_gradient_of_h1_is_told_from_the_population_gradient():
    assert p_value(generic("loss_gradient"), st.population_gradient(*networks())) < CERTAIN


@pytest.mark.parametrize("factor", [0.99, 1.01])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_percent_is_noticed(name, factor):
    expected = jax.tree.map(lambda x: factor * x, getattr(st, name)(*networks()))
    assert p_value(generic(name), expected) < FALSE_ALARM


def test_weighted_losses_weigh_values_and_derivatives():
    loss = st.SobolevLoss((0.3, 2.5))
    estimate = st.montecarlo.loss_gradient(*networks(), loss=loss, key=jax.random.key(7), **PRECISE)
    assert p_value(estimate, st.loss_gradient(*networks(), loss=loss)) > FALSE_ALARM


def test_the_boundary_term_of_l2_is_exactly_zero():
    estimate = st.montecarlo.boundary_term(*networks(), loss=st.L2, key=jax.random.key(8), samples=64)
    assert not np.any(estimate.mean)


def test_equal_networks_have_no_loss_and_no_gradient():
    student, _ = networks()
    for name in ("population_loss", "population_gradient"):
        estimate = getattr(st.montecarlo, name)(student, student, key=jax.random.key(9), samples=64)
        assert not np.any(flat(estimate.mean))


def test_a_zero_student_neuron_gets_no_gradient():
    student, teacher = networks(np.stack([W[0], 0 * W[0]]))
    estimate = st.montecarlo.population_gradient(student, teacher, key=jax.random.key(10), samples=64)
    assert not np.any(estimate.mean.weights[1])


def test_sampling_in_the_span_serves_ten_thousand_dimensions():
    student, teacher = (st.Network(np.random.default_rng(i).normal(size=(1, 10**4)) / 100) for i in range(2))
    estimate = st.montecarlo.loss_gradient(student, teacher, key=jax.random.key(11), sampling="span", samples=2**16)
    z = (flat(estimate.mean) - flat(st.loss_gradient(student, teacher))) / flat(estimate.standard_error)
    assert len(z) * 2 * stats.t.sf(np.max(np.abs(z)), estimate.groups - 1) > FALSE_ALARM


# One input, where the loss is an integral over the line: biases, other activations, other kinks, higher orders.


class Sine(st.Activation):
    def __call__(self, t):
        return jnp.sin(t)

    def dual(self, order, variance, covariance, variance_):
        raise NotImplementedError


class SquaredReLU(Sine):
    highest_order = 2
    kinks = (0.0,)

    def __call__(self, t):
        return jnp.where(t > 0, t**2, 0.0)


class ShiftedReLU(Sine):
    highest_order = 1
    kinks = (1.0,)

    def __call__(self, t):
        return jnp.where(t > 1, t - 1, 0.0)


DERIVATIVES = {
    st.ReLU: (lambda t: max(t, 0.0), lambda t: float(t > 0)),
    Sine: (np.sin, np.cos, lambda t: -np.sin(t)),
    SquaredReLU: (lambda t: max(t, 0.0) ** 2, lambda t: 2 * max(t, 0.0), lambda t: 2.0 * (t > 0)),
    ShiftedReLU: (lambda t: max(t - 1, 0.0), lambda t: float(t > 1)),
}


def integral(loss, student, teacher, parameters) -> float:
    """The population loss of one neuron with parameters (bias, output weight, weight), by quadrature."""
    b, a, w = parameters
    b_, a_, w_ = (float(leaf[0]) for leaf in (teacher.biases, teacher.output_weights, teacher.weights[0]))
    ours, theirs = DERIVATIVES[type(student.activation)], DERIVATIVES[type(teacher.activation)]

    def density(x):
        terms = (
            (a * w**m * ours[m](w * x + b) - a_ * w_**m * theirs[m](w_ * x + b_)) ** 2 / 2
            for m in range(loss.order + 1)
        )
        return sum(weight * term for weight, term in zip(loss.lambdas, terms, strict=True)) * stats.norm.pdf(x)

    kinks = [(t - b) / w for t in student.activation.kinks] + [(t - b_) / w_ for t in teacher.activation.kinks]
    # 12 standard deviations: the rest is below 1e-30.
    ends = [-12.0, *sorted(kinks), 12.0]
    return sum(integrate.quad(density, *piece, epsabs=1e-13, epsrel=1e-13)[0] for piece in itertools.pairwise(ends))


ONE_INPUT = {
    "biases": (st.ReLU(), st.ReLU(), st.H1),
    "shifted kink": (ShiftedReLU(), st.ReLU(), st.H1),
    "smooth student, kinked teacher": (Sine(), st.ReLU(), st.H1),
    "smooth, second order": (Sine(), Sine(), st.SobolevLoss((1.0, 0.5, 2.0))),
    "second order with kinks": (SquaredReLU(), SquaredReLU(), st.H2),
}


@pytest.mark.parametrize("case", ONE_INPUT)
def test_the_loss_gradient_is_the_derivative_of_the_integral(case):
    activation, teacher_activation, loss = ONE_INPUT[case]
    student = st.Network([[1.3]], [0.8], [0.4], activation)
    teacher = st.Network([[-0.9]], [1.1], [0.6], teacher_activation)
    estimate = st.montecarlo.loss_gradient(student, teacher, loss=loss, key=jax.random.key(12), **PRECISE)
    at, step = np.array([0.4, 0.8, 1.3]), 1e-4
    moves = step * np.eye(3)
    # Central differences of fourth order: an error of step^4 = 1e-16 times a derivative, and 1e-13 / step = 1e-9.
    near, far = (
        np.array(
            [(integral(loss, student, teacher, at + m) - integral(loss, student, teacher, at - m)) for m in moves * k]
        )
        / (2 * k * step)
        for k in (1, 2)
    )
    b, a, w = (4 * near - far) / 3
    expected = st.Network([[w]], [a], [b], activation)
    assert p_value(estimate, expected, rounding=1e-9) > FALSE_ALARM


def test_the_boundary_term_of_one_input_has_no_scatter():
    # The hyperplane is the point x = -b/w; the slope w 1[x > x0] meets the teacher's there: w* = -0.9 is active.
    student, teacher = st.Network([[1.3]], [0.8], [0.4]), st.Network([[-0.9]], [1.1], [0.6])
    estimate = st.montecarlo.boundary_term(student, teacher, key=jax.random.key(13), samples=64)
    x = -0.4 / 1.3
    slope, slope_ = 0.8 * 1.3, 1.1 * -0.9
    jump = ((slope - slope_) ** 2 - slope_**2) / 2
    # Rounding of a dozen operations.
    np.testing.assert_allclose(estimate.mean, stats.norm.pdf(x) / 1.3 * jump * x, rtol=1e-14)


def test_the_boundary_term_of_a_smooth_activation_is_zero():
    student = st.Network(W, activation=Sine())
    estimate = st.montecarlo.boundary_term(student, st.Network(V), key=jax.random.key(14), samples=64)
    assert not np.any(estimate.mean)


def test_the_sample_loss_of_h1_is_half_the_squared_value_and_slope():
    student, teacher = networks()
    x = np.random.default_rng(0).normal(size=4)
    on, on_ = (W @ x > 0) * OUTPUT, (V @ x > 0) * TEACHER_OUTPUT
    slope = on @ W - on_ @ V
    problem = integrands.SampledProblem((1.0, 1.0), student, teacher)
    got = integrands.sample_loss(problem, lambda y: student(y) - teacher(y), jnp.asarray(x))
    # Rounding of a dozen operations; the value is slope.x for ReLU without biases.
    np.testing.assert_allclose(got, ((slope @ x) ** 2 + slope @ slope) / 2, rtol=1e-13)


# Standard errors.


def test_stream_is_the_mean_and_covariance_of_the_group_means():
    key, groups = jax.random.key(15), 60
    vectors = np.stack([_correlated(None, jax.random.fold_in(key, g), 5) for g in range(groups)])
    got = stream.estimate(_correlated, None, jnp.zeros(3), Plan(5, 12, 5, None, True, False), key)
    assert (got.samples, got.groups) == (300, 60)
    # Rounding of 60 additions of numbers near 1000: 60 * 1000 eps = 1e-11, against entries near 1.
    np.testing.assert_allclose(got.mean, vectors.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(got.covariance, np.cov(vectors.T) / groups, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got.standard_error, vectors.std(axis=0, ddof=1) / np.sqrt(groups), rtol=1e-10)


def _correlated(_, key, size):
    a, b, c = jax.random.normal(key, (3,))
    return jnp.array([1000.0 + a, a + 0.5 * b, c - b])


def test_standard_errors_cover_the_exact_value_as_often_as_they_should():
    student, teacher = st.Network([[1.0, 0.3]]), st.Network([[0.2, -1.1]], [0.7])
    exact, runs, n = flat(st.population_gradient(student, teacher).weights), 300, 32
    options = {"samples": n * 128, "batch": n * 128, "group": 128, "covariance": True}
    hits, statistics = 0, []
    for key in jax.random.split(jax.random.key(16), runs):
        estimate = st.montecarlo.population_gradient(student, teacher, key=key, **options)
        step = np.asarray(estimate.mean.weights)[0] - exact
        hits += np.sum(np.abs(step) <= stats.t.ppf(0.975, n - 1) * np.asarray(estimate.standard_error.weights)[0])
        statistics.append(step @ np.linalg.solve(np.asarray(estimate.covariance)[:2, :2], step))
    # 2 components a run, correlated: the deviation of their hits is at most that of independent pairs of equals.
    deviation = 2 * np.sqrt(runs * 0.95 * 0.05)
    assert abs(hits - 2 * runs * 0.95) < stats.norm.isf(FALSE_ALARM / 2) * deviation
    # T^2 of 2 components has the mean 2 (n - 1) / (n - 4); the deviation of its mean over runs is measured.
    scatter = np.std(statistics) / np.sqrt(runs)
    assert abs(np.mean(statistics) - 2 * (n - 1) / (n - 4)) < stats.norm.isf(FALSE_ALARM / 2) * scatter


def test_the_covariance_is_in_the_order_of_the_raveled_mean():
    estimate = generic("loss_gradient")
    # Both come from the same sums, squared once by hypot and once directly: rounding of 2000 terms.
    np.testing.assert_allclose(np.sqrt(np.diag(estimate.covariance)), flat(estimate.standard_error), rtol=1e-12)


def test_no_covariance_unless_asked_for():
    assert st.montecarlo.population_loss(*networks(), key=jax.random.key(18), samples=64).covariance is None


@pytest.mark.parametrize("size", [1.0, 1e-12])
def test_single_precision_estimates_single_precision_networks(size):
    # At 1e-12 a gradient is near 1e-12, and its square is 0 in single precision: its standard error must not be.
    student, teacher = (
        st.Network((size * rows).astype(np.float32), np.float32(output))
        for rows, output in ((W, OUTPUT), (V, TEACHER_OUTPUT))
    )
    loss = st.SobolevLoss((0.0, 1.0))
    estimate = st.montecarlo.loss_gradient(student, teacher, loss=loss, key=jax.random.key(19), samples=2**18)
    assert estimate.mean.weights.dtype == np.float32
    double = (st.Network(np.float64(n.weights), np.float64(n.output_weights)) for n in (student, teacher))
    step = flat(estimate.mean) - flat(st.loss_gradient(*double, loss=loss))
    p = 2 * stats.t.sf(np.abs(step / flat(estimate.standard_error)), estimate.groups - 1)
    assert len(p) * np.min(p) > FALSE_ALARM


# The stream.


def test_equal_keys_give_equal_estimates():
    again = st.montecarlo.loss_gradient(*networks(), key=jax.random.key(1), **PRECISE)
    np.testing.assert_array_equal(flat(again), flat(generic("loss_gradient")))


def test_old_and_new_keys_are_the_same():
    keys = jax.random.key(21), jax.random.PRNGKey(21), np.asarray(jax.random.PRNGKey(21))
    means = {float(st.montecarlo.population_loss(*networks(), key=key, samples=64).mean) for key in keys}
    assert len(means) == 1


def test_other_keys_give_other_estimates():
    first, second = (
        st.montecarlo.population_loss(*networks(), key=jax.random.key(i), samples=64).mean for i in (22, 23)
    )
    assert first != second


def test_the_batch_does_not_change_the_estimate():
    options = {"key": jax.random.key(24), "samples": 2**13}
    small, large = (st.montecarlo.population_loss(*networks(), **each, **options) for each in (SMALL, LARGE))
    assert small.groups == large.groups == 2**8
    # The same group means in another order of addition: rounding of 256 terms.
    np.testing.assert_allclose(flat(small.mean), flat(large.mean), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(flat(small.standard_error), flat(large.standard_error), rtol=1e-12)


def test_samples_are_rounded_up_to_whole_batches():
    estimate = st.montecarlo.population_loss(*networks(), key=jax.random.key(25), samples=2**10 + 1, **SMALL)
    assert (estimate.samples, estimate.groups) == (9 * 2**7, 36)


@pytest.mark.parametrize("samples", [2, 3, 31, 100])
def test_few_samples_still_make_groups(samples):
    plan, _ = plan_of({"samples": samples}, 4)
    assert samples <= plan.batch * plan.batches <= samples + plan.group
    assert plan.groups * plan.batches >= min(samples, 32)


def test_two_samples_have_a_standard_error():
    estimate = st.montecarlo.population_loss(*networks(), key=jax.random.key(26), samples=2)
    assert (estimate.samples, estimate.groups) == (2, 2)
    assert np.isfinite(estimate.standard_error)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_first_batch_of_one_group_has_no_spread_yet(batch):
    estimate = st.montecarlo.population_loss(*networks(), key=jax.random.key(27), samples=4, batch=batch, group=1)
    assert estimate.groups == 4
    assert np.isfinite(estimate.standard_error)


def test_the_stream_stops_at_the_target():
    options = {"key": jax.random.key(28), **LARGE}
    estimate = st.montecarlo.population_loss(*networks(), standard_error=0.05, samples=2**20, **options)
    assert estimate.standard_error <= 0.05
    assert estimate.samples < 2**20
    before = st.montecarlo.population_loss(*networks(), samples=estimate.samples - 2**10, **options)
    assert before.standard_error > 0.05


def test_the_stream_does_not_stop_on_fewer_than_32_groups():
    options = {"key": jax.random.key(29), "samples": 2**12, **SMALL}
    estimate = st.montecarlo.population_loss(*networks(), standard_error=1e6, **options)
    assert estimate.groups == 32


def test_the_stream_draws_no_more_than_samples_for_a_target_out_of_reach():
    options = {"key": jax.random.key(30), "samples": 2**12, **LARGE}
    assert st.montecarlo.population_loss(*networks(), standard_error=1e-9, **options).samples == 2**12


def test_memory_of_a_step_is_that_of_a_group():
    problem = integrands.SampledProblem((1.0, 1.0), *networks())

    def temporary(group, groups):
        arguments = (
            estimands.LOSS,
            group,
            groups,
            False,
            estimands.Arguments(problem, None, INDEPENDENT),
            jax.random.key(31),
            np.uint32(0),
        )
        return batches._batch.lower(*arguments).compile().memory_analysis().temp_size_in_bytes

    few, many = temporary(2**8, 2**3), temporary(2**8, 2**9)
    # The index of every group is a uint32; alignment of buffers adds less than 1 KiB.
    assert many - few <= 4 * (2**9 - 2**3) + 1024


def test_memory_does_not_grow_with_the_number_of_samples():
    options = {"key": jax.random.key(32), "batch": 2**12, "group": 2**8}

    def peak(samples):
        tracemalloc.start()
        st.montecarlo.population_loss(*networks(), samples=samples, **options)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(2**13)
    compiled, arrays = batches._batch._cache_size(), len(jax.live_arrays())
    small, large = peak(2**13), peak(2**18)
    # The interpreter keeps free tuples, up to 2000 of each size: about 200 bytes for each of 62 batches. Moments that
    # were kept would be three arrays of more than 190 bytes, and the samples of one batch 128 KiB.
    assert large - small < 2**15
    assert batches._batch._cache_size() == compiled
    assert len(jax.live_arrays()) == arrays


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("ci", "progress", "shown"), [("1", None, False), ("", None, True), ("1", True, True), ("", False, False)]
)
def test_progress_is_shown_on_a_terminal_outside_ci_or_on_demand(monkeypatch, ci, progress, shown):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys, "stderr", Terminal())
    st.montecarlo.population_loss(*networks(), key=jax.random.key(33), samples=64, progress=progress)
    assert ("samples" in sys.stderr.getvalue()) == shown


def test_progress_is_quiet_in_a_pipe(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    st.montecarlo.population_loss(*networks(), key=jax.random.key(33), samples=64)
    assert sys.stderr.getvalue() == ""


# Bad input.


def test_a_zero_student_neuron_has_no_hyperplane():
    student, teacher = networks(np.stack([W[0], 0 * W[0]]))
    for name in ("loss_gradient", "boundary_term", "population_jacobian"):
        with pytest.raises(ValueError, match=r"student: got the zero vector as weights\[1\]"):
            getattr(st.montecarlo, name)(student, teacher, key=jax.random.key(34))


def test_a_hyperplane_beyond_the_reach_of_the_input_adds_nothing():
    student = st.Network([[1e-200, 0.0]], biases=[1.0])
    estimate = st.montecarlo.boundary_term(student, st.Network([[1.0, 0.5]]), key=jax.random.key(35), samples=64)
    assert not np.any(estimate.mean)


def test_a_loss_that_exceeds_the_dtype_is_an_error_and_not_nan():
    with pytest.raises(OverflowError, match="exceeds float64"):
        st.montecarlo.population_loss(st.Network(1e200 * W), st.Network(V), key=jax.random.key(36), samples=64)


def test_traced_networks_are_refused():
    with pytest.raises(TypeError, match="student: got traced values"):
        jax.jit(lambda rows: st.montecarlo.population_loss(st.Network(rows), st.Network(V), key=jax.random.key(37)))(
            W
        )


BAD = {
    "samples: got 1; needs": (ValueError, {"samples": 1}),
    "samples: got 1000.0; needs": (TypeError, {"samples": 1e3}),
    "samples: got True; needs": (TypeError, {"samples": True}),
    "batch: got 0; needs": (ValueError, {"batch": 0}),
    "group: got 0; needs": (ValueError, {"group": 0}),
    "group: got 64; needs at most batch = 32": (ValueError, {"batch": 32, "group": 64}),
    "standard_error: got 0; needs": (ValueError, {"standard_error": 0}),
    "standard_error: got -1.0; needs": (ValueError, {"standard_error": -1.0}),
    "standard_error: got nan; needs": (ValueError, {"standard_error": float("nan")}),
    "standard_error: got 'small'; needs": (TypeError, {"standard_error": "small"}),
    "sampling: got 'plane'; needs one of 'ambient', 'span'": (ValueError, {"sampling": "plane"}),
    "covariance: got 1; needs": (TypeError, {"covariance": 1}),
    "progress: got 'yes'; needs": (TypeError, {"progress": "yes"}),
    "sample: got an unknown option; needs one of samples": (TypeError, {"sample": 100}),
    "key: got 0; needs": (TypeError, {"key": 0}),
    "key: got an array of float64": (TypeError, {"key": np.zeros(2)}),
    r"key: got an array of uint32 of shape \(3,\)": (TypeError, {"key": np.zeros(3, np.uint32)}),
    "key: got 2 keys": (ValueError, {"key": jax.random.split(jax.random.key(0))}),
    "student: got list; needs a Network": (TypeError, {"student": [[1.0]]}),
    "teacher: got ndarray; needs a Network": (TypeError, {"teacher": V}),
    "teacher: got weights of shape": (ValueError, {"teacher": st.Network([1.0, 2.0])}),
    "loss: got 1; needs a SobolevLoss": (TypeError, {"loss": 1}),
    "the H2 loss of a ReLU network is infinite": (ValueError, {"loss": st.H2}),
    "inputs: got None; needs": (TypeError, {"inputs": None}),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    error, change = BAD[message]
    arguments = dict(zip(("student", "teacher"), networks(), strict=True)) | {"key": jax.random.key(0)} | change
    with pytest.raises(error, match=message):
        st.montecarlo.population_loss(**arguments)


# Inputs that stay in a subspace.

SINGULAR = {
    "matrix": lambda metric: st.GaussianInput([[1.0, 3.0], [3.0, 9.0]], [0.3, -0.2], metric),
    "diagonal": lambda metric: st.GaussianInput([2.0, 0.0], [0.3, -0.2], metric),
    "low rank": lambda metric: st.GaussianInput(st.LowRank([0.0, 0.0], [[1.0], [3.0]]), None, metric),
}
WRITTEN_OUT = {
    "matrix": ([[1.0, 3.0], [3.0, 9.0]], [0.3, -0.2]),
    "diagonal": ([[2.0, 0.0], [0.0, 0.0]], [0.3, -0.2]),
    "low rank": ([[1.0, 3.0], [3.0, 9.0]], [0.0, 0.0]),
}
IN_THE_PLANE = st.Network(W[:, :2], OUTPUT, [0.1, -0.2]), st.Network(V[:, :2], TEACHER_OUTPUT, [0.3])


# The kind of the covariance and the metric meet nowhere but in the input's own methods.
@pytest.mark.parametrize(
    ("case", "metric", "name"),
    [(case, "mahalanobis", "loss_gradient") for case in SINGULAR] + [("matrix", "euclidean", "population_jacobian")],
)
def test_inputs_of_a_singular_covariance_are_those_of_the_exact_functions(case, name, metric):
    inputs, options = SINGULAR[case](metric), PRECISE | {"samples": 2**16, "batch": 2**14, "group": 2**9}
    estimate = getattr(st.montecarlo, name)(*IN_THE_PLANE, inputs=inputs, key=jax.random.key(38), **options)
    same = st.GaussianInput(*WRITTEN_OUT[case], metric)  # one program for all kinds
    assert p_value(estimate, getattr(st, name)(*IN_THE_PLANE, inputs=same)) > FALSE_ALARM


def test_a_control_of_a_singular_covariance_is_exact_where_it_is_the_loss():
    inputs = SINGULAR["matrix"]("mahalanobis")
    options = {"key": jax.random.key(39), "samples": 2**10, "control": st.H1}
    estimate = st.montecarlo.population_loss(*IN_THE_PLANE, inputs=inputs, **options)
    # Rounding of 32 groups.
    np.testing.assert_allclose(estimate.mean, st.population_loss(*IN_THE_PLANE, inputs=inputs), rtol=1e-13)


@pytest.mark.parametrize("case", SINGULAR)
def test_a_neuron_across_all_inputs_has_no_hyperplane(case):
    across = st.Network([[0.0, 1.7]] if case == "diagonal" else [[3.3, -1.1]])
    inputs = SINGULAR[case]("euclidean")
    for name in ("loss_gradient", "boundary_term", "population_jacobian"):
        with pytest.raises(ValueError, match=r"student: got a vector across all inputs as weights\[0\]; needs"):
            getattr(st.montecarlo, name)(across, IN_THE_PLANE[1], inputs=inputs, key=jax.random.key(40), samples=64)
