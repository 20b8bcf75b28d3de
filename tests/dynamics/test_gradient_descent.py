"""Optimisers on exact gradients and on samples: step by step, at the edge of stability, and on average."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import sobolev_theory as st

GENERATOR = np.random.default_rng(2)
TEACHER = st.Network(np.eye(2, 3))
START = st.Network(TEACHER.weights + 0.3 * GENERATOR.standard_normal((2, 3)))
FOUR_HUNDRED = {"steps": 400, "every": 100}
pytestmark = pytest.mark.xdist_group("descent")  # compilation is their cost: they share it
RULES = {momentum: partial(optax.sgd, momentum=momentum) for momentum in (0.0, 0.6)}  # one object, one compilation
GRADIENTS = {"population": st.population_gradient, "loss": st.loss_gradient}


# Runs that share their programs with other tests here.
RUNS = {
    "population": (st.L2, {"rates": [0.1, 0.4], "optimiser": RULES[0.0], **FOUR_HUNDRED}),
    "loss": (st.H1, {"rates": [4e-2, 2e-2, 1e-2], "steps": 1500, "every": 10}),
}


@cache
def run(of):
    loss, options = RUNS[of]
    return st.descend(START, TEACHER, loss, of=of, **options)


@pytest.mark.parametrize("of", RUNS)
def test_gradient_descent_is_the_recursion(of):
    """Up to the first entry; the weights after it are compared with other rules below."""
    (loss, options), runs = RUNS[of], run(of)
    every = options["every"]
    assert runs.step.tolist() == list(range(0, options["steps"] + 1, every))
    for lane, rate in enumerate(options["rates"]):
        w = np.asarray(START.weights)
        for _ in range(every):
            w = w - rate * np.asarray(GRADIENTS[of](st.Network(w), TEACHER, loss).weights)
        np.testing.assert_allclose(runs.loss[lane, 1], st.population_loss(st.Network(w), TEACHER, loss), rtol=1e-11)
        np.testing.assert_allclose(runs.distance[lane, 1], np.linalg.norm(w - TEACHER.weights), rtol=1e-11)
    np.testing.assert_allclose(runs.loss[:, 0], st.population_loss(START, TEACHER, loss), rtol=1e-12)
    np.testing.assert_allclose(runs.distance[:, 0], np.linalg.norm(START.weights - TEACHER.weights), rtol=1e-12)


def test_adam_is_that_of_optax_and_another_loss_may_be_the_measure():
    runs = st.descend(START, TEACHER, st.H1, rates=0.05, steps=4, optimiser=optax.adam, measure=st.L2)
    rule, w = optax.adam(0.05), START.weights
    state = rule.init(w)
    for _ in range(4):
        update, state = rule.update(st.population_gradient(st.Network(w), TEACHER, st.H1).weights, state)
        w = w + update
    np.testing.assert_allclose(runs.weights[0], w, atol=1e-14)
    np.testing.assert_allclose(runs.loss[0, -1], st.population_loss(st.Network(w), TEACHER, st.L2), rtol=1e-12)


@pytest.mark.parametrize(("loss", "momentum"), [(st.L2, 0.0), (st.H1, 0.6)])
def test_the_largest_stable_step_is_where_descent_stops_to_converge(loss, momentum):
    """With momentum m the edge is (1 + m) times as far, as the eigenvalues here are real."""
    edge = st.largest_stable_step(TEACHER, TEACHER, loss) * (1 + momentum)
    near = st.Network(TEACHER.weights + 1e-6 * GENERATOR.standard_normal((2, 3)))
    rates = [0.97 * edge, 1.03 * edge]
    runs = st.descend(near, TEACHER, loss, rates=rates, optimiser=RULES[momentum], **FOUR_HUNDRED)
    assert runs.distance[0, -1] < 1e-3 * runs.distance[0, 0]
    assert runs.distance[1, -1] > 1e2 * runs.distance[1, 0]


def test_for_orthonormal_teachers_the_edge_is_that_of_the_largest_eigenvalue():
    for loss in (st.L2, st.H1):
        largest = st.spectrum(TEACHER, TEACHER, loss, of="population").values.real.max()
        np.testing.assert_allclose(st.largest_stable_step(TEACHER, TEACHER, loss), 2 / largest, rtol=1e-12)


def test_on_the_kink_of_the_h1_loss_no_step_is_small_enough():
    """It ends at a distance of the order of the rate."""
    assert st.largest_stable_step(TEACHER, TEACHER, st.H1, of="loss") == 0.0
    runs = run("loss")
    around = np.asarray(runs.distance[:, -50:]).mean(1) / runs.rates
    assert np.all((around > 0.01) & (around < 1.0))
    assert around.max() / around.min() < 2


def test_a_saddle_has_no_stable_step():
    point = st.orthonormal.fixed_points(2, st.L2)[-1]
    saddle = np.pad(st.orthonormal.student(point.x, point.y, 2).weights, ((0, 0), (0, 1)))
    assert st.largest_stable_step(st.Network(saddle), TEACHER, st.L2) == 0.0


def test_a_run_that_overflows_says_infinity():
    runs = st.descend(START, TEACHER, st.L2, rates=[1e200, 0.1], optimiser=RULES[0.0], **FOUR_HUNDRED)
    assert runs.loss[0, -1] == np.inf
    assert runs.distance[0, -1] == np.inf
    assert np.isfinite(runs.loss[1]).all()


def test_steps_on_samples_average_to_the_population_gradient():
    """A mean over 400 runs of one step, by its z-score; a family of 6 at 1e-6."""
    rate, count = 0.1, 400
    keys = jax.random.split(jax.random.key(5), count)
    options = {"of": "sample", "rates": [rate, rate], "steps": 1, "batch": 64}
    ends = [st.descend(START, TEACHER, st.H1, key=key, **options) for key in keys]
    steps = (START.weights - np.stack([run.weights[0] for run in ends])) / rate
    exact = st.population_gradient(START, TEACHER, st.H1).weights
    z = (steps.mean(0) - exact) / (steps.std(0, ddof=1) / np.sqrt(count))
    assert np.abs(z).max() < 5.3
    boundary = st.boundary_term(START, TEACHER, st.H1)
    assert np.abs((steps.mean(0) - exact - boundary) / (steps.std(0, ddof=1) / np.sqrt(count))).max() > 10


def test_samples_are_fresh_at_every_step_and_the_same_for_all_rates():
    """Where the loss vanishes every sample has a zero gradient: the teacher stays; elsewhere steps differ."""
    options = {"of": "sample", "batch": 64, "key": jax.random.key(1)}
    stays = st.descend(TEACHER, TEACHER, st.H1, rates=[0.1, 0.2], steps=2, **options)
    np.testing.assert_array_equal(stays.weights[0], TEACHER.weights)
    one, two = (st.descend(START, TEACHER, st.H1, rates=[1e-9, 1e-9], steps=n, **options).weights for n in (1, 2))
    np.testing.assert_array_equal(one[0], one[1])
    first, second = np.asarray(START.weights - one[0]), np.asarray(one[0] - two[0])
    assert np.abs(first - second).max() > 0.05 * np.abs(first).max()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": [0.1, -0.1]}, "rates: got"),
        ({"steps": 0}, "steps: got 0"),
        ({"every": 3}, "every: got 3; needs a divisor of steps = 4"),
        ({"of": "batch"}, "of: got 'batch'"),
        ({"of": "sample"}, "batch, key: got None, None; needs both"),
        ({"of": "sample", "batch": 8}, "batch, key: got 8, None; needs both"),
        ({"batch": 8}, "neither for of='population'"),
        ({"loss": st.H2}, "order"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        st.descend(START, TEACHER, **{"loss": st.L2, "rates": 0.1, "steps": 4, **arguments})


def test_rates_work_under_float32():
    small = [st.Network(jnp.asarray(network.weights, jnp.float32)) for network in (START, TEACHER)]
    for rates in (np.float32([0.1]), 0.1):
        runs = st.descend(*small, st.H1, rates=rates, steps=2)
        assert runs.weights.dtype == jnp.float32


def test_descent_in_all_parameters_takes_steps_along_the_gradient_of_all():
    """One step of each rate, and what does not train stays; the distance knows no scale between a and w."""
    student = st.Network(np.asarray(START.weights) / [[2.0], [0.5]], [2.0, 0.5])
    found = st.descend(student, TEACHER, st.H1, train=("weights", "output_weights"), rates=[0.1, 0.2], steps=1)
    gradient = st.population_gradient(student, TEACHER, st.H1)
    for name in ("weights", "output_weights"):
        for rate, end in zip((0.1, 0.2), getattr(found, name), strict=True):
            np.testing.assert_allclose(end, getattr(student, name) - rate * getattr(gradient, name), atol=1e-14)
    np.testing.assert_allclose(found.distance[:, 0], np.linalg.norm(START.weights - TEACHER.weights), rtol=1e-13)
    assert found.biases is None
    with pytest.raises(ValueError, match="train: got 'biases'"):
        st.descend(student, TEACHER, st.H1, train="biases", rates=0.1, steps=1)
