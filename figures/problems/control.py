"""Control problems whose value function V is known with its gradient: a chain of masses and a pendulum.

Minimise the integral of q(x) + u.R u along x' = f(x) + B u. The optimal control is u = -R^-1 B^T grad V / 2, and V
solves q + grad V.f - grad V.B R^-1 B^T grad V / 4 = 0 (Hamilton, Jacobi and Bellman); along an optimal trajectory the
costate of Pontryagin's principle is grad V.
"""

from collections.abc import Callable
from typing import NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg import solve_continuous_are

BALL = 1e-3  # radius of the ball, in units of sqrt(V), where V is taken as that of the linearised problem
RTOL, ATOL = 1e-8, 1e-12  # of extremals, which start with |x| near BALL


class Problem(NamedTuple):
    """The equilibrium is x = 0 with u = 0: f(0) = 0, q(0) = 0, and q is of second order there."""

    drift: Callable[[Float[Array, " n"]], Float[Array, " n"]]  # f
    actuation: Float[np.ndarray, "n m"]  # B
    cost: Callable[[Float[Array, " n"]], Float[Array, ""]]  # q
    effort: Float[np.ndarray, "m m"]  # R


class Values(NamedTuple):
    """V and its gradient at states."""

    state: np.ndarray  # [..., n]
    value: np.ndarray  # [...]
    gradient: np.ndarray  # [..., n]


def chain(masses: int = 4) -> Problem:
    """Unit masses between walls, joined by unit springs, with a force on the first and on the last; q = |x|^2, R = I.

    The state is [positions, velocities]: n = 2 masses.

    Raises:
        ValueError: fewer than 2 masses.
    """
    if masses < 2:
        raise ValueError(f"masses: got {masses}; needs at least 2, a first and a last one")
    springs = 2 * np.eye(masses) - np.eye(masses, k=1) - np.eye(masses, k=-1)
    zero, one = np.zeros((masses, masses)), np.eye(masses)
    motion = jnp.asarray(np.block([[zero, one], [-springs, zero]]))
    actuation = np.zeros((2 * masses, 2))
    actuation[masses, 0] = actuation[-1, 1] = 1.0
    return Problem(lambda x: motion @ x, actuation, lambda x: x @ x, np.eye(2))


def pendulum() -> Problem:
    """angle'' = sin(angle) + u, upright at 0, time in units of sqrt(length / gravity); q = 2 (1 - cos(angle)), R = 1.

    The state is [angle, angular velocity]. The linearised closed loop has the eigenvalues -1.10 +- 0.46i: being
    complex, they keep trajectories apart that leave the equilibrium backward in time.
    """
    return Problem(_falling, np.array([[0.0], [1.0]]), _tilt, np.eye(1))


def feedback(problem: Problem, gradient: Float[Array, " n"]) -> Float[Array, " m"]:
    """u = -R^-1 B^T grad V / 2, which minimises the Hamiltonian."""
    return jnp.linalg.solve(problem.effort, -problem.actuation.T @ gradient / 2)


def hamiltonian(problem: Problem, x: Float[Array, " n"], p: Float[Array, " n"]) -> Float[Array, ""]:
    """min_u [ q + u.R u + p.(f + B u) ]: the residual of Hamilton, Jacobi and Bellman for p = grad V."""
    u = feedback(problem, p)
    return _running(problem, x, u) + p @ (problem.drift(x) + problem.actuation @ u)


def riccati(problem: Problem) -> Float[np.ndarray, "n n"]:
    """P of V = x.P x for the problem linearised at 0: the value itself where f is linear and q quadratic.

    Raises:
        numpy.linalg.LinAlgError: the linearised problem cannot be stabilised.
    """
    with jax.ensure_compile_time_eval():  # P is a constant of the problem, under jit too
        zero = jnp.zeros(problem.actuation.shape[0])
        motion = np.asarray(jax.jacobian(problem.drift)(zero))
        curvature = np.asarray(jax.hessian(problem.cost)(zero)) / 2
    return solve_continuous_are(motion, problem.actuation, curvature, problem.effort)


def quadratic_values(problem: Problem, state: Float[np.ndarray, "M n"]) -> Values:
    """x.P x and 2 P x: exact for `chain`."""
    P = riccati(problem)
    return Values(state, np.einsum("mi,ij,mj->m", state, P, state), 2 * state @ P)


def extremals(problem: Problem, directions: Float[np.ndarray, "D n"], levels: Float[np.ndarray, " L"]) -> Values:
    """Where optimal trajectories that end in 0 cross the levels of V: states [D, L, n] by direction of their end.

    Pontryagin's equations x' = dH/dp, p' = -dH/dx are integrated backward from the ball V = BALL^2, with log V as the
    independent variable instead of time: V' = -(q + u.R u). What the linearised problem has wrong in the ball, of
    relative size BALL^2, shrinks on the way, as states off the stable manifold approach it backward in time.

    Every extremal of these is an optimal trajectory where they do not meet one another: see `pendulum_values`.

    Args:
        directions: in coordinates in which the linearised V is |x|^2; only their direction matters.
        levels: increasing values of V above BALL^2.

    Raises:
        ValueError: levels that do not increase from BALL^2.
    """
    levels = np.asarray(levels, dtype=float)
    if levels.ndim != 1 or np.any(np.diff(levels, prepend=BALL**2) <= 0):
        raise ValueError(f"levels: got {levels}; needs increasing values above {BALL**2}")
    P = riccati(problem)
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    starts = jnp.asarray(BALL * np.linalg.solve(np.linalg.cholesky(P).T, units.T).T)
    state, costate = _backward(problem, starts, 2 * starts @ P, jnp.log(jnp.asarray(levels)))
    return Values(np.asarray(state), np.broadcast_to(levels, state.shape[:2]), np.asarray(costate))


@eqx.filter_jit
def _backward(problem: Problem, starts, costates, log_levels):
    def velocity(log_value, xp, _):
        x, p = xp
        per_time = jnp.exp(log_value) / _running(problem, x, feedback(problem, p))
        along_p, along_x = (jax.grad(hamiltonian, argument)(problem, x, p) for argument in (2, 1))
        return -per_time * along_p, per_time * along_x

    def extremal(start, costate):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(velocity),
            diffrax.Dopri8(),
            2 * jnp.log(BALL),
            log_levels[-1],
            1e-2,
            (start, costate),
            saveat=diffrax.SaveAt(ts=log_levels),
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
        )
        return solution.ys

    return jax.vmap(extremal)(starts, costates)


class Region(NamedTuple):
    """Values on a grid of extremals and levels, and the share of the area that each point stands for."""

    values: Values  # [D, L], states [D, L, 2]
    share: np.ndarray  # [D, L]


def pendulum_values(height: float = 3.0, directions: int = 256, levels: int = 64) -> Region:
    """The pendulum's V where V <= height: one extremal through every state.

    Further out extremals meet: those that end in 0 each other, and those that end a turn of 2 pi away. Up to the
    default height none do, which is checked: the map from (direction, level) to states keeps its orientation, the
    boundary goes round once and nowhere back in polar angle, and all angles are within pi. An optimal trajectory is
    an extremal, so that the only one of cost up to `height` through a state is optimal.

    Raises:
        ValueError: fewer than 16 directions or 4 levels; a height up to which extremals meet.
    """
    if directions < 16 or levels < 4:
        raise ValueError(f"directions, levels: got {directions}, {levels}; needs at least 16 and 4")
    turn = 2 * np.pi * np.arange(directions) / directions
    grid = height * np.arange(1, levels + 1) / levels
    values = extremals(pendulum(), np.stack([np.cos(turn), np.sin(turn)], axis=1), grid)
    x = values.state
    along = np.roll(x, -1, axis=0) - np.roll(x, 1, axis=0)
    area = _cross(along, np.gradient(x, axis=1))
    round_once = _cross(x[:, -1], along[:, -1])
    if not (_one_sign(area) and _one_sign(round_once) and np.abs(x[..., 0]).max() < np.pi):
        raise ValueError(f"height: got {height}; needs a level of V below which extremals do not meet, such as 3")
    return Region(values, np.abs(area) / np.abs(area).sum())


def closed_loop_cost(
    problem: Problem,
    policy: Callable[[Float[Array, " n"]], Float[Array, " m"]],
    start: Float[Array, " n"],
    duration: float,
    spacing: float = 0.05,
) -> Float[Array, ""]:
    """The integral of q + u.R u from `start` under u = policy(x) up to `duration`, and x.P x for what is left then.

    By the classical Runge-Kutta method. P is that of `riccati`: exact for `chain`, and near 0 for `pendulum`.
    """
    P = riccati(problem)
    steps = round(duration / spacing)
    h = duration / steps

    def velocity(y):
        x, u = y[:-1], policy(y[:-1])
        return jnp.append(problem.drift(x) + problem.actuation @ u, _running(problem, x, u))

    def step(y, _):
        k1 = velocity(y)
        k2 = velocity(y + h / 2 * k1)
        k3 = velocity(y + h / 2 * k2)
        k4 = velocity(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

    end, _ = jax.lax.scan(step, jnp.append(start, 0.0), length=steps)
    return end[-1] + end[:-1] @ P @ end[:-1]


def _falling(x):
    return jnp.stack([x[1], jnp.sin(x[0])])


def _tilt(x):
    return 2 * (1 - jnp.cos(x[0]))


def _running(problem: Problem, x, u):
    return problem.cost(x) + u @ (problem.effort @ u)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _one_sign(a: np.ndarray) -> bool:
    return bool(np.all(a > 0) or np.all(a < 0))
