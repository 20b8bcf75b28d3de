"""Gradient flows against the planar equations, subgradient descent, and the derivative of the loss at its kinks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import sobolev_theory as st
from sobolev_theory import single_neuron
from sobolev_theory.dynamics import flow_events, kinks, trials
from sobolev_theory.dynamics.clusters import FREE
from sobolev_theory.dynamics.flow_events import Outcome
from tests.helpers import plain_h1

TEACHER = st.Network([1.0, 0.0])
RIGHT_ANGLE = st.Network([0.0, 1.0])
PLANAR = {
    "L2": (st.L2, "loss", single_neuron.l2_flow),
    "H1 population": (st.H1, "population", single_neuron.h1_population_flow),
    "H1 loss": (st.H1, "loss", single_neuron.h1_loss_flow),
}
RTOL = 1e-9  # of every flow here: solutions are good to some tens of it

# Compiling is most of the time of these tests: they run in one process, and share arrays' shapes and options.
pytestmark = pytest.mark.xdist_group("flows")
SHARED = {"t1": 100.0, "saveat": [0.5, 2.0], "until_distance": 1e-12}


def planar(flow, times, event=None):
    """Norm and angle from a right angle and norm 1, by another solver on other equations."""
    velocity = jax.jit(lambda y: jnp.stack(flow(y[0], y[1])))
    return solve_ivp(
        lambda t, y: np.asarray(velocity(y)),
        (0.0, times[-1]),
        [1.0, np.pi / 2],
        method="DOP853",
        t_eval=times,
        rtol=1e-13,
        atol=1e-14,
        events=event,
    )


@pytest.mark.parametrize("name", PLANAR)
def test_one_neuron_follows_the_planar_equations_and_converges(name):
    loss, of, flow = PLANAR[name]
    found = st.gradient_flow(RIGHT_ANGLE, TEACHER, loss, of=of, **SHARED)
    norm, angle = planar(flow, [0.5, 2.0]).y
    w = found.weights[:, 0]
    np.testing.assert_allclose(w, np.stack([norm * np.cos(angle), norm * np.sin(angle)], axis=1), atol=100 * RTOL)
    assert found.outcome is Outcome.DISTANCE
    np.testing.assert_allclose(found.end_distance, 1e-12, rtol=2e-2)
    np.testing.assert_allclose(found.end_weights[0], [1.0, 0.0], atol=1.02e-12)


def test_the_angle_closes_when_the_planar_equations_say():
    def closed(t, y):
        return y[1] - 1e-13

    closed.terminal = True
    reference = planar(single_neuron.h1_loss_flow, [10.0], closed)
    found = st.gradient_flow(RIGHT_ANGLE, TEACHER, st.H1, **SHARED)
    np.testing.assert_allclose(found.arrival[0], reference.t_events[0][0], atol=10 * RTOL)
    assert found.ray.tolist() == [0]


def test_on_the_ray_only_the_norm_moves_and_relaxes_at_rate_one():
    """r' = -r + |w*| at theta = 0."""
    found = st.gradient_flow(RIGHT_ANGLE, TEACHER, st.H1, **{**SHARED, "saveat": [4.0, 6.0]})
    first, second = found.weights[0, 0], found.weights[1, 0]
    np.testing.assert_allclose(second[0] - 1, (first[0] - 1) * np.exp(-2.0), atol=10 * RTOL)
    np.testing.assert_allclose([first[1], second[1]], 0.0, atol=1e-16)


def test_a_neuron_that_turns_away_vanishes_and_the_result_says_so():
    found = st.gradient_flow(st.Network([-1.0, 0.1]), TEACHER, st.H1, **SHARED | {"saveat": [0.5, 100.0]})
    assert found.outcome is Outcome.VANISHED
    assert np.isfinite(found.loss[0])
    assert np.isnan(found.loss[1])
    assert float(jnp.linalg.norm(found.end)) < 2e-10


def test_a_neuron_that_slides_to_zero_is_not_carried_across_it():
    """From angles above 2.489 the neuron turns to -w* and shrinks along it; steps reach over 0 from some norms."""
    starts = np.array([0.2739, 0.3162, 0.5623, 4.87])[:, None, None] * np.array(
        [[[np.cos(2.607787), np.sin(2.607787)]]]
    )
    # One after another: the program of the other tests, where four at once would be compiled for them alone.
    found = [st.gradient_flow(st.Network(start), TEACHER, st.H1, **SHARED) for start in starts]
    assert [flow.outcome for flow in found] == [Outcome.VANISHED] * 4
    assert all(float(jnp.linalg.norm(flow.end)) < 2e-10 for flow in found)
    # There r' = -r, down to where it counts as vanished, to one per cent: no short neuron loses its digits.
    slides = [float(flow.arrival[0]) < 2.0 for flow in found]
    assert all(slides[:2])
    for flow in (flow for flow, slid in zip(found, slides, strict=True) if slid):
        expected = 2.0 + np.log(np.linalg.norm(flow.weights[1, 0]) / flow_events.VANISHED)
        np.testing.assert_allclose(flow.end_time, expected, atol=0.02)


# Many neurons: three in a plane, where some arrive on rays and some leave them.

NEURONS = 3
GENERATOR = np.random.default_rng(1)
CROWD = st.Network(GENERATOR.standard_normal((NEURONS, 2)))
STARTS = GENERATOR.standard_normal((8, NEURONS, 2))


@jax.jit
def descended(starts, step, steps):
    """Plain subgradient descent: it crosses the kinks to and fro, and is a step away from the sliding flow."""

    def gradient(w):
        return st.loss_gradient(st.Network(w), CROWD).weights

    return jax.lax.fori_loop(0, steps, lambda _, w: w - step * jax.vmap(gradient)(w), starts)


CROWDED = {"t1": 8.0, "saveat": np.linspace(0.5, 8.0, 16), "max_steps": 1000}


@pytest.fixture(scope="module")
def crowd():
    return st.gradient_flows(STARTS, CROWD, st.H1, **CROWDED)


def test_the_sliding_flow_is_the_limit_of_subgradient_descent(crowd):
    end = crowd.weights[:, 3]
    errors = [np.abs(np.asarray(end - descended(STARTS, 2.0 / steps, steps))).mean() for steps in (500, 2000)]
    assert errors[1] < 2e-3
    assert 2 < errors[0] / errors[1] < 8  # of first order: 4


def test_most_neurons_of_the_crowd_end_on_a_ray(crowd):
    assert np.sum(np.asarray(crowd.ray) >= 0) > NEURONS * len(STARTS) / 2
    assert crowd.outcome == [Outcome.TIME] * len(STARTS)


def test_a_neuron_takes_the_place_of_another_on_a_ray(crowd):
    """Start 3: a line that student and teacher share repels a student; a plane forces it across, and it stays."""
    assert crowd.ray[3].tolist() == [1, -1, 0]
    np.testing.assert_allclose(crowd.weights[3, 3], descended(STARTS, 2.0 / 8000, 8000)[3], atol=5e-4)


def test_the_loss_never_rises_along_a_loss_flow(crowd):
    assert np.all(np.asarray(crowd.energy_rise) < 1e-12)
    assert np.all(np.isfinite(crowd.loss))


def test_a_flow_in_many_dimensions_is_that_in_the_span():
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((500, 2)))[0].T
    plane = st.gradient_flow(RIGHT_ANGLE, TEACHER, st.H1, **SHARED)
    found = st.gradient_flow(st.Network(RIGHT_ANGLE.weights @ turn), st.Network(TEACHER.weights @ turn), **SHARED)
    assert found.reduced.shape == (2, 1, 2)
    assert found.weights.shape == (2, 1, 500)
    np.testing.assert_allclose(found.loss, plane.loss, rtol=1e-8)
    np.testing.assert_allclose(found.weights, plane.weights @ turn, atol=1e-8)
    np.testing.assert_allclose(found.end_weights, plane.end_weights @ turn, atol=1e-8)


# The velocity at and off the kinks.

motion = jax.jit(lambda p, w, ray: kinks.motion(st.ReLU(), p, w, ray))


def setting(generator, signs: bool = False):
    w, rows = generator.standard_normal((4, 3)), generator.standard_normal((3, 3))
    w[2:], rows[2] = 0.4 * w[2:], 0.4 * rows[2]  # so that the first teacher neurons hold some students and not others
    output = generator.standard_normal(4) if signs else np.ones(4)
    teacher_output = generator.standard_normal(3) if signs else np.ones(3)
    return jnp.asarray(w), jnp.asarray(output), (jnp.asarray(rows), jnp.asarray(teacher_output))


@pytest.mark.parametrize("seed", range(5))
def test_off_the_kinks_the_velocity_is_minus_the_loss_gradient(seed):
    w, output, teacher = setting(np.random.default_rng(seed), signs=True)
    p = kinks.weight_loss((1.0, 0.7), output, teacher)
    found = motion(p, w, jnp.full(4, FREE)).velocity
    exact = st.loss_gradient(st.Network(w, output), st.Network(*teacher), st.SobolevLoss((1.0, 0.7))).weights
    np.testing.assert_allclose(found, -exact, atol=1e-14)


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("seed", range(6))
def test_on_a_ray_the_velocity_is_that_of_steepest_descent(seed, side):
    """The one-sided derivative of the loss along -g is -|g|^2, and nowhere less than -|g| on the unit sphere.

    Of two students on one ray, which each takes off the other's slope, and of teachers on one line, too.
    """
    generator = np.random.default_rng(seed)
    w, output, (rows, _) = setting(generator)
    rows = rows.at[1].set(-0.6 * rows[0])
    w = w.at[0].set(side * 0.3 * rows[0]).at[1].set(0.2 * rows[0])
    weights, ray = (1.0, 0.8), jnp.array([0, 0, FREE, FREE])
    p = kinks.weight_loss(weights, output, (rows, jnp.ones(3)))
    here = motion(p, w, ray)
    loss, teacher = st.SobolevLoss(weights), st.Network(rows)

    def slope(step):
        """Along the step, by the difference to both sides of nothing: 1e-6 for curvature."""
        near = [st.population_loss(st.Network(w + h * step), teacher, loss) for h in (0.0, 1e-6)]
        return float(near[1] - near[0]) / 1e-6

    velocity = np.asarray(here.velocity)
    if here.weakest.slack > 0:
        np.testing.assert_allclose(slope(velocity), -np.sum(velocity**2), rtol=1e-4, atol=1e-5)
        for _ in range(50):
            step = generator.standard_normal(w.shape)
            step /= np.linalg.norm(step)
            assert slope(step) >= -np.linalg.norm(velocity) - 1e-5
    else:  # some leave: turning their line by the force across goes down, by the force less the slope
        arm = np.where(here.weakest.part, here.moving.side * jnp.linalg.norm(w, axis=1), 0.0)
        step = (arm / np.linalg.norm(arm))[:, None] * np.asarray(here.weakest.away)
        np.testing.assert_allclose(slope(step), float(here.weakest.slack), rtol=1e-4, atol=1e-5)


def test_both_cases_of_a_ray_were_seen():
    slacks = []
    for seed in range(6):
        w, output, (rows, _) = setting(np.random.default_rng(seed))
        rows = rows.at[1].set(-0.6 * rows[0])
        w = w.at[0].set(0.3 * rows[0]).at[1].set(0.2 * rows[0])
        p = kinks.weight_loss((1.0, 0.8), output, (rows, jnp.ones(3)))
        slacks.append(float(motion(p, w, jnp.array([0, 0, -1, -1])).weakest.slack))
    assert min(slacks) < 0 < max(slacks)


# What ends a flow early, and what does not begin.


def test_students_of_opposite_output_weights_that_meet_in_a_plane_go_on():
    """Two that begin close together, and a third: what compilers round may not decide what follows."""
    start = np.broadcast_to([[0.0, 1.0], [0.1, 1.0], [0.5, 0.0]], STARTS.shape)
    output = np.array([1.0, -1.0, 1.0])
    found = st.gradient_flows(start, CROWD, st.H1, output_weights=output, **CROWDED)
    assert found.outcome == [Outcome.TIME] * len(STARTS)
    assert found.leader.tolist() == [[-1, 2, -1]] * len(STARTS)
    rows = np.asarray(CROWD.weights)
    expected = plain_h1.descended(start[:1], output, rows, np.ones(len(rows)), 2.0, 4000)
    np.testing.assert_allclose(found.weights[0, 3], expected[0], atol=5e-4)


def test_a_solver_out_of_steps_says_so():
    found = st.gradient_flow(RIGHT_ANGLE, TEACHER, st.L2, t1=8.0, max_steps=2)
    assert found.outcome is Outcome.STEPS
    assert np.all(np.isfinite(found.end))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t1": -1.0}, "t1: got -1.0; needs a finite number > 0"),
        ({"t1": np.inf}, "t1: got inf"),
        ({"saveat": [1.0, 0.5]}, "saveat: got"),
        ({"saveat": [0.0, 9.0]}, r"needs increasing times in \[0, 8.0\]"),
        ({"solver": "euler"}, "solver: got 'euler'"),
        ({"of": "sample"}, "of: got 'sample'"),
        ({"rtol": 1e-17}, "rtol: got 1e-17; needs a number from 3.6e-15, what float64 holds"),
        ({"atol": 0.0}, "atol: got 0.0"),
        ({"until_distance": 0.0}, "until_distance: got 0.0"),
        ({"student": st.Network([0.0, 0.0])}, "neuron 0 of start 0 is 0"),
        ({"loss": st.H2}, "needs order at most 1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        st.gradient_flow(**{"student": RIGHT_ANGLE, "teacher": TEACHER, "loss": st.H1, "t1": 8.0, **arguments})


def test_starts_need_three_axes():
    with pytest.raises(ValueError, match=r"starts: got shape \(1, 2\); needs \[B, K, d\]"):
        st.gradient_flows(RIGHT_ANGLE.weights, TEACHER, t1=1.0)


@pytest.mark.parametrize("solver", trials.SOLVERS)
def test_every_solver_gives_the_same_flow(solver):
    found = st.gradient_flow(RIGHT_ANGLE, TEACHER, st.L2, solver=solver, **SHARED)
    norm, angle = planar(single_neuron.l2_flow, [2.0]).y[:, 0]
    np.testing.assert_allclose(found.weights[1, 0], [norm * np.cos(angle), norm * np.sin(angle)], atol=1000 * RTOL)
