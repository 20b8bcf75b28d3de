"""The values and gradients that control problems are learnt from: optimal, and one at each state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_bvp

from figures.problems import control

PROBLEMS = {"chain": control.chain(2), "pendulum": control.pendulum()}


@pytest.fixture(scope="module")
def region():
    return control.pendulum_values(directions=64, levels=48)


@pytest.fixture(scope="module")
def pendulum(region):
    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), region.values)


@pytest.fixture(scope="module")
def chain():
    directions = np.random.default_rng(0).normal(size=(8, 4))
    return control.extremals(PROBLEMS["chain"], directions, np.array([0.1, 1.0, 10.0]))


def test_extremals_of_a_linear_problem_have_the_value_and_gradient_of_its_riccati_equation(chain):
    exact = control.quadratic_values(PROBLEMS["chain"], chain.state.reshape(-1, 4))
    # Steps of relative error 1e-8, of which there are some 50; V is quadratic in the state.
    np.testing.assert_allclose(chain.value.ravel(), exact.value, rtol=1e-6)
    np.testing.assert_allclose(
        chain.gradient.reshape(-1, 4), exact.gradient, atol=1e-6 * np.abs(exact.gradient).max()
    )


def test_the_pendulum_solves_hamilton_jacobi_bellman(pendulum):
    residual = jax.vmap(lambda x, p: control.hamiltonian(PROBLEMS["pendulum"], x, p))(
        pendulum.state, pendulum.gradient
    )
    # Its terms are of the size of V's, up to 3; the integrator's tolerance is 1e-8 a step.
    assert np.abs(residual).max() < 1e-6


def test_costates_are_the_differences_of_the_value(region):
    x, V, p = region.values
    ahead, behind = np.roll(x, -1, axis=0), np.roll(x, 1, axis=0)  # on the same level
    size = np.linalg.norm(p, axis=-1) * np.linalg.norm(ahead - behind, axis=-1)
    # Central differences over 1/64 of a turn: (2 pi / 64)^2 / 6 times a ratio of third to first derivatives below 10.
    assert np.abs(np.sum(p * (ahead - behind), axis=-1) / size).max() < 2e-2
    outward = x[:, 2:] - x[:, :-2]
    # From V = 3 * 5/48 on the spacing is at most a fifth of V, and V near quadratic: (1/5)^2 / 8 relative.
    np.testing.assert_allclose(np.sum(p[:, 1:-1] * outward, axis=-1)[:, 4:], V[:, 6:] - V[:, 4:-2], rtol=6e-3)


def test_a_boundary_value_solver_finds_the_same_value_and_costate(pendulum):
    """The Hamiltonian system from a state to the equilibrium in a time long enough, solved by collocation."""
    at = int(np.argmax(pendulum.state[:, 0]))
    problem, start = PROBLEMS["pendulum"], pendulum.state[at]
    P = control.riccati(problem)

    def velocity(_, y):
        angle, speed, p, q, _ = y
        running = 2 - 2 * np.cos(angle) + q**2 / 4
        return np.stack([speed, np.sin(angle) - q / 2, -2 * np.sin(angle) - q * np.cos(angle), -p, running])

    def ends(a, b):
        return np.concatenate([a[:2] - start, [a[4]], b[2:4] - 2 * P @ b[:2]])

    time = np.linspace(0, 12, 200)
    guess = np.concatenate(
        [np.outer(pendulum.state[at], np.exp(-time)), np.outer(pendulum.gradient[at], np.exp(-time)), [time * 0]]
    )
    solution = solve_bvp(velocity, ends, time, guess, tol=1e-8, max_nodes=20_000)
    assert solution.success
    # Of the infinite time e^-(2.2 * 12) of the cost is left out; both solvers are right to 1e-7 or so.
    np.testing.assert_allclose(solution.y[4, -1], pendulum.value[at], rtol=1e-5)
    np.testing.assert_allclose(solution.y[2:4, 0], pendulum.gradient[at], rtol=1e-5)


@pytest.mark.parametrize("height", [5.0, 9.0])
def test_where_extremals_meet_is_refused(height):
    with pytest.raises(ValueError, match=f"height: got {height}"):
        control.pendulum_values(height=height, directions=64, levels=48)


def test_shares_are_those_of_the_area(region):
    x = region.values.state[:, -1]
    area = np.abs(np.sum(x[:, 0] * np.roll(x[:, 1], -1) - x[:, 1] * np.roll(x[:, 0], -1))) / 2
    second = np.sum(region.share[..., None] * region.values.state**2, axis=(0, 1))
    inside = _uniform_in(x, 200_000)
    assert region.share.sum() == pytest.approx(1.0)
    assert area > 0
    # Sampling to 0.3 per cent; the outermost level is half outside of the region, 1/48 of the area.
    np.testing.assert_allclose(second, np.mean(inside**2, axis=0), rtol=0.04)


def _uniform_in(polygon, count):
    from matplotlib.path import Path

    low, high = polygon.min(axis=0), polygon.max(axis=0)
    points = np.random.default_rng(0).uniform(low, high, size=(count, 2))
    return points[Path(polygon).contains_points(points)]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_optimal_feedback_costs_the_value_and_another_one_more(name):
    problem = PROBLEMS[name]
    P = control.riccati(problem)
    start = 0.02 * jnp.ones(len(P))  # where the pendulum is linear to (0.02)^2

    def cost(gain):
        return control.closed_loop_cost(problem, lambda x: gain * control.feedback(problem, 2 * P @ x), start, 5.0)

    # Steps of 0.05 with an error of 0.05^4 times constants of order 1, and what the pendulum has beyond the linear.
    np.testing.assert_allclose(cost(1.0), start @ P @ start, rtol=1e-4)
    assert cost(1.2) > 1.001 * cost(1.0)
    assert cost(0.8) > 1.001 * cost(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: control.chain(1), "masses: got 1"),
        (lambda: control.pendulum_values(directions=4), "directions, levels: got 4, 64"),
        (lambda: control.extremals(control.pendulum(), np.eye(2), np.array([1.0, 0.5])), "levels: got"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
