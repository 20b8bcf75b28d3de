"""Flows of any parameters against SciPy's solver on the public gradients, what they conserve, and how they end."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import sobolev_theory as st
from sobolev_theory.dynamics.flow_events import Outcome
from sobolev_theory.dynamics.trained import TRAINED, degree

RTOL = 1e-9  # of every flow here
TIMES = [0.5, 2.0, 5.0]
NO_BIASES = ("weights", "output_weights")

# Compiling is most of the time of these tests: they run in one process, and share arrays' shapes.
pytestmark = pytest.mark.xdist_group("parameter flows")
RNG = np.random.default_rng(24)
ROWS, OUTPUT, BIASES = RNG.normal(size=(3, 3)), np.array([0.8, -0.5, 0.3]), np.array([0.2, -0.3, 0.1])
RELU = st.Network(ROWS, OUTPUT)
OTHER = st.Network(RNG.normal(size=(3, 3)), [1.0, 0.4, -0.6])
RELU_TEACHER = st.Network(RNG.normal(size=(3, 3)), [1.0, -0.7, 0.6])
ERF = st.Network(ROWS, OUTPUT, BIASES, st.Erf())
ERF_TEACHER = st.Network(RELU_TEACHER.weights, RELU_TEACHER.output_weights, activation=st.Erf())
SKEWED = st.GaussianInput([[1.5, 0.4, 0.0], [0.4, 0.8, 0.1], [0.0, 0.1, 0.5]], [0.3, 0.0, -0.2])
GRADIENTS = [(st.L2, st.loss_gradient), (st.H1, st.population_gradient), (st.H1, st.loss_gradient)]


def message(*parts):
    """A pattern of these, in this order."""
    return "(?s)" + ".*".join(map(re.escape, parts))


def reference(student, teacher, gradient, train):
    """Weights, output weights and biases if any, at TIMES, by another solver in the coordinates given."""
    leaves, structure = jax.tree.flatten(student)
    moves = [name in train for name in TRAINED]
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]

    def unpacked(y):
        return [part.reshape(leaf.shape) for part, leaf in zip(np.split(y, ends), leaves, strict=True)]

    def velocity(t, y):
        found = jax.tree.leaves(gradient(jax.tree.unflatten(structure, unpacked(y)), teacher))
        return np.concatenate([-float(here) * np.ravel(leaf) for leaf, here in zip(found, moves, strict=False)])

    begin = np.concatenate([np.ravel(leaf) for leaf in leaves])
    found = solve_ivp(velocity, (0, TIMES[-1]), begin, method="DOP853", t_eval=TIMES, rtol=1e-11, atol=1e-13)
    return [np.stack(parts) for parts in zip(*map(unpacked, found.y.T), strict=True)]


@jax.jit
def skewed_gradient(student, teacher):
    return st.loss_gradient(student, teacher, st.H1, SKEWED)


@pytest.mark.parametrize("train", [TRAINED, ("biases", "output_weights")], ids=" ".join)
def test_all_parameters_follow_the_loss_gradient_under_any_gaussian_input(train):
    expected = reference(ERF, ERF_TEACHER, skewed_gradient, train)
    found = st.gradient_flow(ERF, ERF_TEACHER, st.H1, SKEWED, t1=5.0, saveat=TIMES, train=train)
    for ours, theirs in zip((found.weights, found.output_weights, found.biases), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=100 * RTOL)
    if "weights" not in train:
        np.testing.assert_array_equal(found.weights[-1], ROWS)
    assert found.outcome is Outcome.TIME
    assert found.balance is None
    assert found.energy_rise < 1e-14  # the end is also saved, from an interpolant
    last = st.population_loss(st.Network(*(x[-1] for x in expected), st.Erf()), ERF_TEACHER, st.H1, SKEWED)
    np.testing.assert_allclose(found.loss[-1], last, rtol=1e-7)


def both(students, loss, teacher=RELU_TEACHER, **options):
    """Of two students at once: with room for eight, and so one program for all of these tests."""
    starts, outputs = (np.stack([getattr(one, name) for one in students]) for name in NO_BIASES)
    options = {"t1": 5.0, "saveat": TIMES, "train": NO_BIASES} | options
    return st.gradient_flows(starts, teacher, loss, output_weights=outputs, of="population", **options)


@pytest.mark.parametrize(("loss", "gradient"), GRADIENTS, ids=lambda x: getattr(x, "__name__", str(x)))
def test_gradients_keep_every_balance(loss, gradient):
    """w.G_w = a G_a: the rate of a^2 - |w|^2 is 0, for L2 and both fields of H1."""
    found = gradient(RELU, RELU_TEACHER, loss)
    along = np.sum(np.asarray(RELU.weights * found.weights), axis=1)
    np.testing.assert_allclose(along, RELU.output_weights * found.output_weights, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("loss", [st.L2, st.H1], ids=["L2", "H1"])
def test_flows_of_relu_networks_conserve_the_balance(loss):
    found = both([RELU, OTHER], loss)
    for start, flow in zip((RELU, OTHER), (found[0], found[1]), strict=True):
        before, now = (
            np.asarray(a**2) - np.sum(np.asarray(w) ** 2, axis=-1)
            for w, a in ((start.weights, start.output_weights), (flow.weights, flow.output_weights))
        )
        np.testing.assert_allclose(flow.balance, now, atol=1e-13)
        np.testing.assert_allclose(now, before + 0 * now, atol=100 * RTOL)
        assert 0 < flow.balance_drift < 20 * RTOL
        assert loss is st.H1 or flow.energy_rise < 1e-14


def test_many_starts_are_as_many_flows_each_with_its_own_output_weights():
    found = both([RELU, OTHER], st.H1)
    for start, flow in zip((RELU, OTHER), (found[0], found[1]), strict=True):
        weights, outputs = reference(start, RELU_TEACHER, st.population_gradient, NO_BIASES)
        np.testing.assert_allclose(flow.weights, weights, atol=100 * RTOL)
        np.testing.assert_allclose(flow.output_weights, outputs, atol=100 * RTOL)


def test_a_flow_ends_where_it_is_near_the_teacher_up_to_rescaling():
    c, (w, a) = np.array([2.0, 0.1, 5.0]), (RELU_TEACHER.weights, RELU_TEACHER.output_weights)
    found = both([st.Network(c[:, None] * w, a / c), st.Network(1.05 * w, a)], st.L2, t1=2000.0, until_distance=1e-6)
    assert found.outcome == [Outcome.DISTANCE] * 2
    assert found.end_time[0] == 0.0 < found.end_time[1]
    np.testing.assert_allclose(found.end_loss[0], 0.0, atol=1e-14)
    np.testing.assert_allclose(found.end_distance[1], 1e-6, rtol=1e-2)  # to one per cent, as is said
    assert not np.allclose(found.end_weights[1], w, atol=1e-3)  # but the balance


def test_a_neuron_that_vanishes_ends_the_flow():
    """All on one line, and the teacher's of the other sign: the least is gone while its output weight is not."""
    along = np.array([[1.0, 0.0, 0.0]])
    students = [st.Network(size * np.array([[0.3], [0.4], [0.5]]) * along) for size in (1.0, 0.5)]
    found = both(students, st.L2, st.Network(np.ones((3, 1)) * along, [-0.5, -0.2, -0.1]), t1=100.0)
    assert found.outcome == [Outcome.VANISHED] * 2
    np.testing.assert_allclose(np.abs(found.end_weights[:, 0, 0]), 1e-10, rtol=1e-6)
    np.testing.assert_allclose(found.end_output_weights[:, 0], np.sqrt(1 - np.array([0.3, 0.15]) ** 2), rtol=1e-8)


@pytest.mark.parametrize(
    ("sigma", "expected"),
    [
        (st.ReLU(), 1),
        (st.LeakyReLU(0.2), 1),
        (st.AbsoluteValue(), 1),
        (st.RePU(3), 3),
        (st.Polynomial((0.0, 0.0, 2.0)), 2),
        (st.Polynomial((0.0, 1.0, 2.0)), None),
        (st.Erf(), None),
        (st.GELU(), None),
        (st.Polynomial((1.0,)), None),
        (st.Elementwise(jnp.sin), None),
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_degree_of_an_activation(sigma, expected):
    assert degree(sigma) == expected
    if expected is not None:
        t = np.array([-1.3, 0.7])
        np.testing.assert_allclose(sigma(3 * t), 3.0**expected * sigma(t), rtol=1e-14)


@pytest.mark.parametrize(
    ("student", "options", "error", "text"),
    [
        (RELU, {"train": "biases"}, ValueError, ("train", "got 'biases'", "student without biases")),
        (RELU, {"train": ()}, ValueError, ("train", "got ()", "needs one or more of 'weights'")),
        (RELU, {"train": "slopes"}, ValueError, ("train", "got 'slopes'", "needs")),
        (RELU, {"train": 3}, TypeError, ("train", "got 3", "needs")),
        (st.Network(ROWS, OUTPUT, BIASES), {}, NotImplementedError, ("student", "ReLU", "without biases")),
        (
            st.Network([[0.0] * 3, *ROWS[:2]]),
            {"train": NO_BIASES, "of": "population"},
            ValueError,
            ("student", "neuron 0", "is 0"),
        ),
    ],
    ids=lambda x: str(x)[:40],
)
def test_bad_input_is_named(student, options, error, text):
    with pytest.raises(error, match=message(*text)):
        st.gradient_flow(student, RELU_TEACHER, st.H1, t1=1.0, **options)


def test_output_weights_of_another_number_are_refused():
    with pytest.raises(ValueError, match=message("biases", "got shape (2,)", "needs [K] = [3], or [B, K] = [1, 3]")):
        st.gradient_flows(ROWS[None], RELU_TEACHER, t1=1.0, biases=np.ones(2))


def test_a_zero_neuron_of_a_smooth_activation_moves_also_from_output_weights_of_its_own():
    starts, outputs = np.stack([ROWS * [[0.0], [1.0], [1.0]], ROWS]), np.stack([OUTPUT, -OUTPUT])
    found = st.gradient_flows(starts, ERF_TEACHER, st.L2, output_weights=outputs, t1=1e-4, saveat=[1e-4])
    assert found.outcome == [Outcome.TIME] * 2
    moved = (
        -1e-4 * st.loss_gradient(st.Network(starts[0], OUTPUT, activation=st.Erf()), ERF_TEACHER, st.L2).weights[0]
    )
    np.testing.assert_allclose(found.end_weights[0, 0], moved, rtol=1e-3)
    np.testing.assert_array_equal(found.end_output_weights, outputs)
