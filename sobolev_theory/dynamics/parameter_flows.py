"""Gradient flows of any parameters, with any activation and Gaussian input, with no kinks of the loss in their way.

The state of a neuron is the row (w, a, b), b = 0 for a network without biases; what does not train has velocity 0.
One loop steps all flows by the solvers of `trials`. A flow ends at t1, near the teacher, or where a neuron of an
activation with a kink vanishes.
"""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..kernels.activation_pairs import Part
from ..model.networks import Network, with_parameters
from ..model.precision import full_products
from ..population import engine
from ..population.problem import Problem
from .flow_events import Outcome, Tolerances
from .flow_turns import CODES, FIRST_STEP, Limits
from .kinks import Present
from .trained import distance_of_points, points
from .trials import Trial, tried, untried, within

BISECTIONS = 50
GOING = -1
EVENTS = (Outcome.DISTANCE, Outcome.VANISHED)


class Course(NamedTuple):
    """What all flows have in common.

    Attributes:
        trains: 1 for what moves of the states, else 0; `entries` of them are 1.
        counts: 1 for the columns of a state that the distance is of, else 0.
        root: 1/p for neurons that may be rescaled, which `trained` explains; else 0.
        scale: the size of weights, which atol is in units of.
    """

    problem: Problem
    present: Present
    trains: Float[Array, "K m"]
    counts: Float[Array, " m"]
    root: Float[Array, ""]
    entries: Float[Array, ""]
    scale: Float[Array, ""]


class Own(NamedTuple):
    """What each flow has of its own, since its basis is.

    Attributes:
        teacher: states of its neurons.
        vanished: the length of (w, b) at which a neuron is gone, 0 for one that may pass through 0.
    """

    teacher: Float[Array, "*B K_star m"]
    vanished: Float[Array, "*B K"]


class End(NamedTuple):
    """Where flows went: `saved` is NaN after their ends."""

    time: Float[Array, " B"]
    y: Float[Array, "B K m"]
    saved: Float[Array, "B T K m"]
    steps: Int[Array, " B"]
    code: Int[Array, " B"]


class _State(NamedTuple):
    end: End
    step: Float[Array, " B"]
    memory: tuple[Array, Array]  # of the solver
    jumped: Bool[Array, " B"]
    saves: Int[Array, " B"]


@partial(jax.jit, static_argnums=(0, 1))
@full_products
def follow(
    part: Part,
    solver: str,
    to: Tolerances,
    course: Course,
    own: Own,
    starts: Float[Array, "B K m"],
    begins: Bool[Array, " B"],
    times: Float[Array, " T"],
    limits: Limits,
) -> End:
    """All flows that begin, to t1.

    Args:
        times: to save at, infinite for none.
    """
    values = jax.vmap(partial(_events, to, course))
    step = jax.vmap(partial(_tried, part, solver, to, course))
    inside = jax.vmap(partial(within, solver))

    def body(s: _State) -> _State:
        now = s.end
        going = now.code == GOING
        last = s.step >= limits.t1 - now.time
        end = jnp.where(last, limits.t1, now.time + s.step)
        trial = step(own, now.y, now.time, end, s.memory, s.jumped)
        keep = trial.keep & going
        crossing = keep & jnp.any(values(own, trial.end) <= 0, axis=1)

        def sought() -> Float[Array, " B"]:
            def halved(_, bracket):
                low, high = bracket
                middle = (low + high) / 2
                over = jnp.any(values(own, inside(trial, middle)) <= 0, axis=1)
                return jnp.where(over, low, middle), jnp.where(over, middle, high)

            return jax.lax.fori_loop(0, BISECTIONS, halved, (jnp.zeros_like(end), jnp.ones_like(end)))[1]

        fraction = jax.lax.cond(jnp.any(crossing), sought, lambda: jnp.ones_like(end))
        reached = inside(trial, fraction)
        time = jnp.where(crossing, now.time + fraction * (end - now.time), jnp.where(keep, end, now.time))
        y = _where(crossing, reached, _where(keep, trial.end, now.y))
        saved, saves = _saved(solver, times, now, end, trial, jnp.where(keep, time, -jnp.inf), s.saves)

        steps = now.steps + going.astype(now.steps.dtype)
        event = jnp.array([CODES[outcome] for outcome in EVENTS], jnp.int32)[jnp.argmin(values(own, reached), axis=1)]
        stuck = ~keep & (now.time + trial.next_step == now.time)
        code = now.code
        for outcome, here in (
            (CODES[Outcome.STEPS], steps >= limits.max_steps),
            (CODES[Outcome.FAILED], stuck),
            (CODES[Outcome.TIME], keep & last),
            (event, crossing),
        ):
            code = jnp.where(going & here, outcome, code)
        memory = jax.tree.map(partial(_where, keep), trial.memory, s.memory)
        return _State(End(time, y, saved, steps, code), trial.next_step, memory, s.jumped & ~keep, saves)

    zeros, number = jnp.zeros(len(starts), starts.dtype), jnp.zeros(len(starts), jnp.int32)
    first = values(own, starts)
    there = jnp.where(begins, jnp.where(first[:, 0] <= 0, CODES[Outcome.DISTANCE], GOING), CODES[Outcome.TIME])
    blank = jnp.full((len(starts), len(times), *starts.shape[1:]), jnp.nan, starts.dtype)
    saved = jnp.where((times == 0)[None, :, None, None], starts[:, None], blank)
    state = _State(
        End(zeros, starts, saved, number, there.astype(jnp.int32)),
        jnp.full_like(zeros, FIRST_STEP),
        jax.vmap(partial(untried, solver))(starts).memory,
        jnp.ones(len(starts), bool),
        number,
    )
    return jax.lax.while_loop(lambda s: jnp.any(s.end.code == GOING), body, state).end


def _where(when: Bool[Array, " B"], one, other):
    return jnp.where(when.reshape(-1, *[1] * (one.ndim - 1)), one, other)


def _tried(part: Part, solver: str, to: Tolerances, course: Course, own: Own, y, time, end, memory, jumped) -> Trial:
    velocity = partial(_velocity, part, course, own.teacher)
    return tried(solver, velocity, to.rtol, to.atol * course.scale, course.entries, y, time, end, memory, jumped)


def _velocity(part: Part, course: Course, teacher, y: Float[Array, "K m"]) -> Float[Array, "K m"]:
    found = engine.gradient(_posed(course.problem, teacher, y), part)
    biases = jnp.zeros_like(found.output_weights) if found.biases is None else found.biases
    columns = found.weights, found.output_weights[:, None], biases[:, None]
    return -jnp.where(course.trains > 0, jnp.concatenate(columns, axis=1), 0.0)


def _posed(p: Problem, teacher: Float[Array, "K_star m"], y: Float[Array, "K m"]) -> Problem:
    return eqx.tree_at(lambda p: (p.student, p.teacher), p, (_network(p.student, y), _network(p.teacher, teacher)))


def _network(like: Network, y: Float[Array, "K m"]) -> Network:
    return with_parameters(like, y[:, :-2], y[:, -2], y[:, -1])


def _events(to: Tolerances, course: Course, own: Own, y: Float[Array, "K m"]) -> Float[Array, " E"]:
    """Quantities over the size at which they end a flow, less 1, in the order of EVENTS."""
    wanted, present = to.until_distance > 0, course.present
    distance = _distance(course, own.teacher, y)
    length = jnp.sqrt(jnp.sum(y[:, :-2] ** 2, axis=1) + y[:, -1] ** 2)
    short = (own.vanished > 0) & present.students
    gone = jnp.where(short, length / jnp.where(short, own.vanished, 1.0), jnp.inf)
    near = jnp.where(wanted, distance / jnp.where(wanted, to.until_distance, 1.0), jnp.inf)
    return jnp.stack([near, jnp.min(gone)]) - 1


def _distance(course: Course, teacher, y: Float[Array, "K m"]) -> Float[Array, ""]:
    ours, theirs = (points(course.root, course.counts, x[:, :-2], x[:, -2], x[:, -1]) for x in (y, teacher))
    return distance_of_points(course.root, ours, theirs, course.present)


def _saved(solver: str, times, now: End, end, trial: Trial, until, saves):
    """The solutions at all times up to `until` of the step."""
    flows, padded = jnp.arange(len(saves)), jnp.append(times, jnp.inf)

    def pending(saves):
        return padded[saves] <= until

    def one(state):
        saved, saves = state
        here = pending(saves)
        fraction = (padded[saves] - now.time) / (end - now.time)
        index = jnp.where(here, saves, len(times))
        value = jax.vmap(partial(within, solver))(trial, jnp.where(here, fraction, 0.0))
        return saved.at[flows, index].set(value, mode="drop"), saves + here.astype(saves.dtype)

    return jax.lax.while_loop(lambda state: jnp.any(pending(state[1])), one, (now.saved, saves))


@jax.jit
@full_products
def measured(
    course: Course, own: Own, run: Float[Array, "B T K m"]
) -> tuple[Float[Array, "B T"], Float[Array, "B T"]]:
    """Losses and distances."""

    def one(own: Own, y):
        value = engine.loss(_posed(course.problem, own.teacher, y))
        return value, _distance(course, own.teacher, y)

    return jax.vmap(lambda own, states: jax.lax.map(partial(one, own), states))(own, run)
