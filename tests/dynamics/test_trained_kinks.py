"""Flows of the H1 loss in weights and output weights, and of kinked activations other than ReLU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import Outcome
from sobolev_theory.dynamics import kinks
from sobolev_theory.dynamics.clusters import FREE
from sobolev_theory.model.activations import jump_of_slope
from tests.helpers import plain_h1
from tests.helpers.bent import Bent

pytestmark = pytest.mark.xdist_group("flows")  # the program of test_flows and test_clusters
GENERATOR = np.random.default_rng(5)
ROWS, TEACHER_OUTPUT, OUTPUT = GENERATOR.standard_normal((2, 3)), np.array([1.0, -0.7]), np.array([1.0, -1.0, 1.0])
STARTS = GENERATOR.standard_normal((30, 3, 3))[[3, 10, 12, 13, 20, 23, 24, 25]]
T1 = 4.0
BOTH = ("weights", "output_weights")
CLOSE = 1e-6  # a thousand local errors, of flows that differ by rounding
OPTIONS = {"t1": T1, "saveat": np.linspace(0.25, T1, 16), "max_steps": 2500, "train": BOTH}


def flows(starts=STARTS, rows=ROWS, teacher_output=TEACHER_OUTPUT, output=OUTPUT, activation=None, **options):
    teacher = st.Network(rows, teacher_output, activation=activation or st.ReLU())
    return st.gradient_flows(starts, teacher, st.H1, output_weights=output, **OPTIONS | options)


@pytest.fixture(scope="module")
def mixed():
    return flows()


def errors(found, steps, **kind):
    w, a = plain_h1.descended_in_both(STARTS, OUTPUT, ROWS, TEACHER_OUTPUT, found.time[-1], steps, **kind)
    both = (
        np.abs(np.asarray(found.weights[:, -1]) - w),
        np.abs(np.asarray(found.output_weights[:, -1]) - a)[..., None],
    )
    return np.concatenate(both, axis=2).max(axis=(1, 2))


def test_the_flow_is_the_limit_of_subgradient_descent_in_both(mixed):
    assert mixed.outcome == [Outcome.TIME] * len(STARTS)
    assert np.any(np.asarray(mixed.ray) >= 0)
    assert np.any(np.sign(mixed.end_output_weights) != np.sign(OUTPUT))  # some masses change their sign
    assert np.all(np.asarray(mixed.energy_rise) < 1e-12)
    coarse, fine = errors(mixed, 250), errors(mixed, 1000)
    assert fine.max() < 1e-2
    assert 3 < np.median(coarse / fine) < 5  # of first order: 4


def test_the_balance_stays_through_kinks(mixed):
    now = np.asarray(mixed.output_weights) ** 2 - np.sum(np.asarray(mixed.weights) ** 2, axis=3)
    np.testing.assert_allclose(now[:, -1], OUTPUT**2 - np.sum(STARTS**2, axis=2), atol=1e-7)
    assert np.all(np.asarray(mixed.balance_drift) < 1e-7)


def test_losses_and_distances_are_those_of_the_networks(mixed):
    teacher = st.Network(ROWS, TEACHER_OUTPUT)
    ends = [st.Network(w, a) for w, a in zip(mixed.end_weights, mixed.end_output_weights, strict=True)]
    losses = [float(st.population_loss(end, teacher)) for end in ends]
    np.testing.assert_allclose(mixed.end_loss, losses, rtol=1e-10)
    for end, distance in zip(ends, np.asarray(mixed.end_distance), strict=True):
        scaled = np.abs(end.output_weights)[:, None] * np.asarray(end.weights)
        theirs = np.abs(TEACHER_OUTPUT)[:, None] * ROWS
        ways = [np.sum(scaled**2, axis=1)]  # those at 0 do not count
        for row, sign in zip(theirs, np.sign(TEACHER_OUTPUT), strict=True):
            other = np.sum(scaled**2, axis=1) + np.sum(row**2)
            ways.append(np.where(np.sign(end.output_weights) == sign, np.sum((scaled - row) ** 2, axis=1), other))
        ways = np.stack(ways)
        away = [min(np.sum(row**2), way.min()) for row, way in zip(theirs, ways[1:], strict=True)]
        np.testing.assert_allclose(distance**2, max(ways.min(axis=0).sum(), sum(away)), rtol=1e-10)


def test_in_another_order_turned_and_scaled_they_do_the_same(mixed):
    """Weights and output weights times c, the teacher's too, in time by 1 / c^2."""
    order, c = np.array([2, 0, 1]), 3.0
    turn = np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0]
    times = {"t1": T1 / c**2, "saveat": np.asarray(OPTIONS["saveat"]) / c**2}
    found = flows(c * STARTS[:, order] @ turn, c * ROWS @ turn, c * TEACHER_OUTPUT, c * OUTPUT[order], **times)
    assert found.outcome == mixed.outcome
    np.testing.assert_array_equal(found.ray, np.asarray(mixed.ray)[:, order])
    np.testing.assert_allclose(found.weights / c, (mixed.weights @ turn)[:, :, order], atol=CLOSE)
    np.testing.assert_allclose(found.output_weights / c, mixed.output_weights[:, :, order], atol=CLOSE)


def test_a_flow_in_both_ends_near_the_teacher_up_to_rescaling():
    c = np.array([2.0, 0.1])[:, None]
    starts = np.stack([c * ROWS, 1.05 * ROWS] * 4)
    output = np.stack([TEACHER_OUTPUT / c[:, 0], TEACHER_OUTPUT] * 4)
    found = flows(starts, output=output, until_distance=1e-6, t1=100.0)
    assert found.outcome == [Outcome.DISTANCE] * 8
    assert found.end_time[0] == 0.0 < found.end_time[1]
    np.testing.assert_allclose(found.end_distance[1], 1e-6, rtol=2e-2)
    assert np.asarray(found.ray[1]).tolist() == [0, 1]


def test_a_lone_neuron_whose_output_weight_crosses_0_on_the_teachers_line_goes_on():
    """All forces are 0 there, and so is what they are measured by if that is of the student alone."""
    sizes = np.linspace(0.6, 1.4, 8)[:, None, None]
    output = -np.geomspace(1e-8, 0.5, 8)[:, None]
    found = flows(sizes * ROWS[:1], ROWS[:1], TEACHER_OUTPUT[:1], output, t1=20.0, saveat=[5.0, 20.0])
    assert found.outcome == [Outcome.TIME] * 8
    assert np.all(np.asarray(found.energy_rise) < 1e-12)
    assert np.all(np.asarray(found.end_loss) < 1e-10)
    assert np.all(np.asarray(found.balance_drift) < 1e-7)


@pytest.mark.parametrize("train", ["weights", BOTH], ids=str)
def test_in_one_dimension_there_are_no_kinks(train):
    """Neurons of one sign on a line have nowhere to go across it."""
    student, teacher = st.Network([[1.0], [1.0]], [0.5, 0.3]), st.Network([[1.0]], [2.0])
    flow = st.gradient_flow(student, teacher, st.H1, t1=80.0, saveat=[80.0], train=train)
    assert flow.outcome is Outcome.TIME
    np.testing.assert_allclose(flow.end_loss, 0.0, atol=1e-14)


def test_many_starts_have_each_its_own_output_weights_when_weights_train(mixed):
    outputs = np.stack([OUTPUT * (1 + 0.1 * b) for b in range(8)])
    found = flows(output=outputs, train="weights")
    alone = flows(output=outputs[3], train="weights")
    np.testing.assert_allclose(found.weights[3], alone.weights[3], atol=1e-12)
    np.testing.assert_array_equal(found.output_weights[3, -1], outputs[3])


@pytest.mark.parametrize("train", ["weights", BOTH], ids=str)
def test_absolute_values_meet_and_follow_the_limit_of_subgradient_descent(train):
    """|t| = 2 ReLU(t) - t: cones four times as steep."""
    found = flows(activation=st.AbsoluteValue(), t1=1.0, saveat=np.linspace(0.25, 1.0, 4), train=train)
    assert found.outcome == [Outcome.TIME] * len(STARTS)
    assert np.any(np.asarray(found.ray) >= 0)
    assert np.any(np.asarray(found.leader) >= 0)
    assert np.all(np.asarray(found.energy_rise) < 1e-12)
    kind = {"jump": 2.0, "linear": -1.0, "trains": train == BOTH}
    coarse, fine = (errors(found, steps, **kind) for steps in (250, 1000))
    assert fine.max() < 2e-2
    assert 2.5 < np.median(coarse / fine) < 6  # of first order: 4


@pytest.mark.parametrize(
    ("sigma", "jump"),
    [
        (st.ReLU(), 1.0),
        (st.LeakyReLU(0.3), 0.7),
        (st.AbsoluteValue(), 2.0),
        (st.RePU(2), None),
        (st.GELU(), None),
        (st.Identity(), None),
        (st.Elementwise(jnp.abs, kinks=(0.0,)), 2.0),
        (st.Elementwise(lambda t: jnp.abs(t - 1), kinks=(1.0,)), None),
    ],
    ids=lambda x: type(x).__name__,
)
def test_jumps_are_those_of_activations_whose_slope_jumps_at_0_alone(sigma, jump):
    assert jump_of_slope(sigma) == (jump if jump is None else pytest.approx(jump, rel=1e-14))


def test_a_slope_that_bends_beside_its_jump_is_part_of_the_other_forces():
    """Off the kinks the velocity is minus the loss gradient; on one the loss falls along it at its square."""
    student, lambdas = st.Network(STARTS[0], OUTPUT, activation=Bent()), (1.0, 0.7)
    teacher, loss = st.Network(ROWS, TEACHER_OUTPUT, activation=Bent()), st.SobolevLoss(lambdas)
    f = kinks.weight_loss(tuple(map(jnp.asarray, lambdas)), *(jnp.asarray(OUTPUT), (ROWS, TEACHER_OUTPUT)), jump=1.0)
    motion = jax.jit(lambda w, ray: kinks.motion(Bent(), f, w, ray))
    exact = st.loss_gradient(student, teacher, loss)
    free = motion(student.weights, jnp.full(3, FREE))
    np.testing.assert_allclose(free.velocity, -exact.weights, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(free.growth, -exact.output_weights, rtol=1e-12, atol=1e-13)

    w = STARTS[0].copy()
    w[0] = 0.4 * ROWS[0]
    velocity = np.asarray(motion(w, jnp.array([0, FREE, FREE])).velocity)
    values = [
        st.population_loss(st.Network(w + h * velocity, OUTPUT, activation=Bent()), teacher, loss) for h in (0, 1e-7)
    ]
    np.testing.assert_allclose((values[1] - values[0]) / 1e-7, -np.sum(velocity**2), rtol=1e-5)


def test_a_flow_of_a_bent_slope_is_the_limit_of_subgradient_descent_and_its_distance_is_of_all_that_trains():
    starts, output, train = 0.7 * STARTS[:1, :2], OUTPUT[:2], {"t1": 0.5, "saveat": [0.5]}
    found = flows(starts, output=output, activation=Bent(), **train)
    teacher = st.Network(ROWS, TEACHER_OUTPUT, activation=Bent())
    gradient = jax.jit(lambda student: st.loss_gradient(student, teacher, st.H1))
    ends = []
    for steps in (100, 400):
        student = st.Network(starts[0], output, activation=Bent())
        for _ in range(steps):
            student = jax.tree.map(lambda x, g, steps=steps: x - 0.5 / steps * g, student, gradient(student))
        both = (student.weights, found.end_weights[0]), (student.output_weights, found.end_output_weights[0])
        ends.append(max(np.abs(x - y).max() for x, y in both))
    assert ends[1] < 1e-2
    assert 3 < ends[0] / ends[1] < 5  # of first order: 4
    own = np.column_stack([found.end_weights[0], found.end_output_weights[0]])
    theirs = np.column_stack([ROWS, TEACHER_OUTPUT])
    squares = np.sum((own[:, None] - theirs[None]) ** 2, axis=2)
    expected = max(squares.min(axis=1).sum(), squares.min(axis=0).sum())
    np.testing.assert_allclose(found.end_distance[0] ** 2, expected, rtol=1e-12)
    assert found.balance is None
