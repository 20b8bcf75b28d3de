"""Students of opposite output weights that meet: they go on as one, as subgradient descent and smoothed losses do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import sobolev_theory as st
from sobolev_theory import Outcome
from sobolev_theory.dynamics import chebyshev_steps, clusters, kinks
from sobolev_theory.dynamics.clusters import FREE
from tests.helpers import plain_h1

pytestmark = pytest.mark.xdist_group("flows")  # the program of test_flows
GENERATOR = np.random.default_rng(5)
ROWS, TEACHER_OUTPUT, OUTPUT = GENERATOR.standard_normal((2, 3)), np.array([1.0, -0.7]), np.array([1.0, -1.0, 1.0])
# Those where students meet, are two on a teacher's line, or change places.
STARTS = GENERATOR.standard_normal((30, 3, 3))[[3, 10, 12, 15, 20, 23, 24, 25]]
T1 = 4.0
OPTIONS = {"t1": T1, "saveat": np.linspace(0.25, T1, 16), "max_steps": 1000}
CLOSE = 1e-6  # a thousand local errors, of flows that differ by rounding


def flows(starts=STARTS, rows=ROWS, teacher_output=TEACHER_OUTPUT, output=OUTPUT, **options):
    return st.gradient_flows(
        starts, st.Network(rows, teacher_output), st.H1, output_weights=output, **OPTIONS | options
    )


@pytest.fixture(scope="module")
def mixed():
    return flows()


def test_all_flows_go_on_to_the_end_and_some_end_with_students_on_one_line(mixed):
    assert mixed.outcome == [Outcome.TIME] * len(STARTS)
    assert np.any(np.asarray(mixed.leader) >= 0)
    assert np.any(np.asarray(mixed.ray) >= 0)
    assert np.all(np.asarray(mixed.energy_rise) < 1e-12)


def test_from_when_they_meet_their_directions_are_one_to_rounding(mixed):
    seen = 0
    for index, follower in np.argwhere(np.asarray(mixed.leader) >= 0):
        after = mixed.time > mixed.arrival[index, follower]
        u = np.asarray(mixed.weights[index][after])
        u = u / np.linalg.norm(u, axis=2, keepdims=True)
        one, two = u[:, follower], u[:, int(mixed.leader[index, follower])]
        cos = np.sum(one * two, axis=1, keepdims=True)
        assert np.linalg.norm(one - np.sign(cos) * two, axis=1).max() < 1e-14
        turned = np.sum(two[0] * two[-1])
        seen += turned < 1 - 1e-6
    assert seen  # and the line turns


def test_the_flow_is_the_limit_of_subgradient_descent(mixed):
    ends = [plain_h1.descended(STARTS, OUTPUT, ROWS, TEACHER_OUTPUT, T1, steps) for steps in (500, 2000)]
    errors = [np.abs(np.asarray(mixed.weights[:, -1]) - end).max(axis=(1, 2)) for end in ends]
    assert errors[1].max() < 2e-3
    assert 2 < errors[0].mean() / errors[1].mean() < 8  # of first order: 4


@pytest.mark.parametrize("index", [3, 6])
def test_the_flow_is_the_limit_of_losses_with_blunt_cones(mixed, index):
    """Held neurons are then apart by an angle of the width: of first order."""

    def velocity(t, y, width):
        w = y.reshape(1, *STARTS.shape[1:])
        return -plain_h1.gradient(w, OUTPUT, ROWS, TEACHER_OUTPUT, width).ravel()

    errors = []
    for width in (1e-2, 1e-3):
        found = solve_ivp(velocity, (0.0, T1), STARTS[index].ravel(), "LSODA", args=(width,), rtol=1e-7, atol=1e-9)
        errors.append(np.abs(found.y[:, -1] - np.asarray(mixed.weights[index, -1]).ravel()).max())
    assert errors[1] < 1e-2
    assert 5 < errors[0] / errors[1] < 20


def test_neurons_in_another_order_do_the_same(mixed):
    order = np.array([2, 0, 1])
    found = flows(STARTS[:, order], ROWS[::-1], TEACHER_OUTPUT[::-1], OUTPUT[order])
    assert found.outcome == mixed.outcome
    ray = np.asarray(mixed.ray)[:, order]
    np.testing.assert_array_equal(found.ray, np.where(ray >= 0, 1 - ray, -1))
    np.testing.assert_allclose(found.weights, np.asarray(mixed.weights)[:, :, order], atol=CLOSE)


def test_in_turned_space_they_do_the_same(mixed):
    turn = np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0]
    found = flows(STARTS @ turn, ROWS @ turn)
    assert found.outcome == mixed.outcome
    np.testing.assert_array_equal(found.ray, mixed.ray)
    np.testing.assert_array_equal(found.leader, mixed.leader)
    np.testing.assert_allclose(found.weights, np.asarray(mixed.weights) @ turn, atol=CLOSE)


@pytest.mark.parametrize(("size", "strength"), [(1e-3, 1.0), (1e4, 1.0), (1.0, 10.0)])
def test_scaled_they_do_the_same(mixed, size, strength):
    """Weights scale with the teacher's; time is that of the squares of output weights."""
    squared = strength**2
    times = {"t1": T1 / squared, "saveat": OPTIONS["saveat"] / squared}
    found = flows(STARTS * size, ROWS * size, TEACHER_OUTPUT * strength, OUTPUT * strength, atol=1e-15, **times)
    assert found.outcome == mixed.outcome
    np.testing.assert_array_equal(found.ray, mixed.ray)
    np.testing.assert_array_equal(found.leader, mixed.leader)
    np.testing.assert_allclose(np.asarray(found.weights) / size, mixed.weights, atol=CLOSE)
    np.testing.assert_allclose(np.asarray(found.arrival) * squared, mixed.arrival, atol=CLOSE)


# At one moment.


def _clusters(masses, teachers):
    """Students on the line of the first teacher, or of the first student where there is none with a mass."""
    ray = np.full(len(masses), 0 if teachers[0] else len(teachers) + 0)
    if not teachers[0]:
        ray[0] = FREE
    parallel = np.eye(len(teachers), dtype=bool)
    return jax.jit(clusters.clusters)(parallel, ray, np.array([*masses, *teachers]))


@pytest.mark.parametrize("teacher", [0.0, -2.0, 3.0])
def test_the_weakest_cut_is_that_of_all_cuts(teacher):
    """Of four students, and with a teacher five neurons: by enumeration."""
    generator = np.random.default_rng(7)
    norm = generator.uniform(0.5, 2.0, 4)
    masses = norm * np.array([1.0, -1.0, 1.0, -1.0])
    on = _clusters(masses, [teacher])
    torque = 0.05 * generator.standard_normal((4, 2))
    excess = torque - (norm**2)[:, None] * np.asarray(jax.jit(clusters.turns)(on, norm, torque))
    slopes = []
    for bits in range(1, 16):
        part = np.array([bits >> k & 1 for k in range(4)], bool)
        if teacher == 0 and part.all():
            continue
        inside, outside = np.sum(norm[part] ** 2), np.sum(norm[~part] ** 2)
        inertia = inside if teacher else inside * outside / (inside + outside)
        mass, total = masses[part].sum(), masses.sum() + teacher
        capacity = -0.8 * mass * (total - mass) / (2 * np.pi)
        slopes.append((capacity - np.linalg.norm(excess[part].sum(axis=0))) / np.sqrt(inertia))
    found = jax.jit(clusters.weakest)(0.8, on, norm, excess, 1e-14)
    np.testing.assert_allclose(found.slack, min(slopes), rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.away), 1.0, rtol=1e-14)


def test_where_students_share_a_line_the_velocity_is_that_of_steepest_descent():
    """One of one sign and two of the other: the one-sided derivative is -|v|^2, and nowhere less than -|v|."""
    generator = np.random.default_rng(8)
    w = generator.standard_normal((4, 3))
    w[1], w[2] = -0.6 * w[0], 0.7 * w[0]
    w[0], w[3] = 1.5 * w[0], 0.2 * w[3]
    output, ray = np.array([1.0, -1.0, -1.0, 1.0]), np.array([FREE, 3, 3, FREE])
    rows, teacher_output = generator.standard_normal((3, 3)), np.array([0.2, -0.15, 0.1])
    p = kinks.weight_loss((1.0, 2.0), jnp.asarray(output), (jnp.asarray(rows), jnp.asarray(teacher_output)))
    here = jax.jit(lambda w: kinks.motion(st.ReLU(), p, w, jnp.asarray(ray)))(jnp.asarray(w))
    assert here.weakest.slack > 0
    velocity = np.asarray(here.velocity)

    def slope(step):
        both = plain_h1.loss(np.stack([w, w + 1e-6 * step]), output, rows, teacher_output, slopes=2.0)
        return (both[1] - both[0]) / 1e-6

    np.testing.assert_allclose(slope(velocity), -np.sum(velocity**2), rtol=1e-4)
    for _ in range(50):
        step = generator.standard_normal(w.shape)
        assert slope(step / np.linalg.norm(step)) >= -np.linalg.norm(velocity) - 1e-5
    # Along the weakest cut, all of it against the rest, the loss rises at the slack.
    inertia = np.sum(w**2, axis=1)
    part = np.asarray(here.weakest.part)
    rest = np.array([True, True, True, False]) & ~part
    inside, outside = inertia[part].sum(), inertia[rest].sum()
    turn = np.where(part, outside, np.where(rest, -inside, 0.0)) / np.sqrt(inside * outside * (inside + outside))
    step = (np.asarray(here.moving.side) * np.sqrt(inertia) * turn)[:, None] * np.asarray(here.weakest.away)
    np.testing.assert_allclose(np.linalg.norm(step), 1.0)
    np.testing.assert_allclose(slope(step) + np.sum(velocity * step), float(here.weakest.slack), atol=2e-5)


COORDINATES = ((clusters.frame, 2), (clusters.unfolded, 3), (clusters.folded, 4))


def test_the_coordinates_of_a_piece_are_those_of_the_weights():
    generator = np.random.default_rng(9)
    w, ray = generator.standard_normal((3, 3)), np.array([FREE, 1, FREE])
    frame, unfolded, folded = (jax.jit(f, static_argnums=n) for f, n in COORDINATES)
    w[1] = -0.4 * w[0]
    c = frame(w, ray, 1)
    np.testing.assert_allclose(unfolded(c, w, ray, 1), w, atol=1e-15)
    lead = generator.standard_normal(3)
    velocity = np.stack([lead, 0.3 * w[0] - 0.4 * lead, lead])  # keeps the line
    rate = np.asarray(folded(c, w, velocity, ray, 1))
    sides = [np.asarray(unfolded(c, w + h * rate, ray, 1)) for h in (-1e-5, 1e-5)]
    np.testing.assert_allclose((sides[1] - sides[0]) / 2e-5, velocity, atol=1e-9)


def test_stabilised_steps_are_of_second_order_far_beyond_the_limit_of_explicit_ones():
    """Steps of a tenth, beside an eigenvalue of -1000."""

    def velocity(y):
        return jnp.stack([-y[0] - 0.3 * y[0] ** 2, 1000.0 * (jnp.sin(y[0]) - y[1])])

    def end(count):
        def step(_, state):
            found = chebyshev_steps.stabilised(velocity, state[0], jnp.asarray(1.0 / count), state[1])
            return found.end, found.direction

        return jax.lax.fori_loop(0, count, step, (y0, jnp.zeros(2)))[0]

    y0 = jnp.array([1.0, jnp.sin(1.0)])
    exact = solve_ivp(lambda t, y: np.asarray(velocity(y)), (0.0, 1.0), y0, "Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    errors = [np.abs(jax.jit(end, static_argnums=0)(count) - exact).max() for count in (10, 40)]
    assert errors[1] < 1e-4
    assert 8 < errors[0] / errors[1] < 32  # of second order: 16
