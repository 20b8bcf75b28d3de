"""Gradient flows from start to end as one program: steps, what ends a smooth piece, and kinks between pieces.

All flows take their steps together. After a step a flow may have to look elsewhere: for where an event lies within
it, or for the motion on and off a kink. Until it is ready for another step, the others wait. So the velocity stands
in the program at one place for steps, and at another for all that flows of kinks look for.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..geometry.line_angles import LineAngles
from ..model.losses import OrderWeights
from . import kinks
from .clusters import Weakest, folded
from .flow_events import Course, Tolerances
from .flow_turns import ENDED, STEPPING, Integrator, Lane, Limits, Turn, looked, placed
from .kinks import Motion, Present
from .trials import Trial, tried, untried, within

FEW = 2**14  # differences of unit vectors: up to it all pairs of neurons have them


class Path(NamedTuple):
    """Where flows went: `saved` is NaN after their ends."""

    time: Float[Array, " B"]
    w: Float[Array, "B K n"]
    ray: Int[Array, "B K"]
    saved: Float[Array, "B T K n"]
    arrival: Float[Array, "B K"]
    steps: Int[Array, " B"]
    code: Int[Array, " B"]


AXES = ("B", "BKn", "BK", "BTKn", "BK", "B", "B")  # of a Path


class _State(NamedTuple):
    fresh: Bool[Array, ""]  # whether all flows take a step
    lanes: Lane
    trial: Trial
    memory: tuple[Array, Array]  # of the solver
    jumped: Bool[Array, " B"]
    saved: Float[Array, "B T K n"]
    saves: Int[Array, " B"]


@partial(jax.jit, static_argnums=0)
def follow(
    integrator: Integrator,
    to: Tolerances,
    lambdas: OrderWeights,
    output_weights: Float[Array, " K"],
    teachers: tuple[Float[Array, "B K_star n"], Float[Array, " K_star"]],
    scales: tuple[Float[Array, " B"], Float[Array, ""]],
    present: Present,
    lanes: Lane,
    times: Float[Array, " T"],
    limits: Limits,
) -> Path:
    """All flows at once to t1; those that have ended stand still.

    Args:
        scales: of the weights, and how many weights of students there are.
        lanes: at time 0.
        times: to save at, infinite for none.
    """
    starts = jnp.asarray(lanes.offset)
    courses = jax.vmap(partial(_course, integrator, lambdas, output_weights, present), in_axes=(0, None, 0, None))(
        *teachers, *scales
    )
    look = jax.vmap(partial(looked, integrator, to, limits), in_axes=(0, 0, 0, 0, None))
    move = jax.vmap(partial(_motion, integrator))
    place = jax.vmap(partial(placed, integrator))
    step = jax.vmap(partial(_tried, integrator, to, limits))

    def body(s: _State) -> _State:
        trial = jax.lax.cond(s.fresh, lambda: step(courses, s.lanes, s.memory, s.jumped), lambda: s.trial)
        stepping = ((s.lanes.doing == STEPPING) & s.fresh)[:, None, None]
        lanes = s.lanes._replace(aim=jnp.where(stepping, trial.end, s.lanes.aim))
        found = move(courses, place(courses, lanes, lanes.aim), lanes.aim_ray) if integrator.has_kinks else nothing
        moved, turn = look(courses, lanes, trial, found, s.fresh)
        saved, saves = _saved(integrator, times, courses, lanes, trial, turn, s.saved, s.saves)
        memory = jax.tree.map(partial(_where, turn.accepted), trial.memory, s.memory)
        jumped = turn.starts | (s.jumped & ~turn.accepted)
        ready = jnp.all((moved.doing == STEPPING) | (moved.doing >= ENDED))
        return _State(ready, moved, trial, memory, jumped, saved, saves)

    nothing = _nothing(starts)
    saved = jnp.full((len(starts), len(times), *starts.shape[1:]), jnp.nan, starts.dtype)
    trial = jax.vmap(partial(untried, integrator.solver))(starts)
    nobody, saves = jnp.zeros(len(starts), bool), jnp.zeros(len(starts), jnp.int32)
    state = _State(jnp.asarray(False), lanes, trial, trial.memory, nobody, saved, saves)
    end = jax.lax.while_loop(lambda s: jnp.any(s.lanes.doing < ENDED), body, state)
    lanes = end.lanes
    return Path(
        lanes.time,
        place(courses, lanes, lanes.offset),
        lanes.ray,
        end.saved,
        lanes.arrival,
        lanes.all_steps,
        lanes.outcome,
    )


def _nothing(w: Float[Array, "B K n"]) -> Motion:
    """Where there are no kinks."""
    far, some = jnp.full(len(w), jnp.inf, w.dtype), jnp.zeros(w.shape[:2], w.dtype)
    cut = Weakest(far, some > 0, w[:, 0], far)
    return Motion(w, some, w, cut, far, jnp.zeros((len(w), 2), jnp.int32))


def _where(when: Bool[Array, " B"], one, other):
    return jnp.where(when.reshape(-1, *[1] * (one.ndim - 1)), one, other)


def _course(
    integrator: Integrator, lambdas: OrderWeights, output_weights, present: Present, rows, output, scale, entries
) -> Course:
    posed = kinks.posed(integrator.has_kinks, lambdas, output_weights, (rows, output))
    return Course(posed, scale, entries, present)


def _velocity(integrator: Integrator, course: Course, w: Float[Array, "K n"]) -> tuple[Array, LineAngles | None]:
    """Without kinks, and the angles from which it comes."""
    f = course.loss
    few = w.size * (len(w) + len(f.teacher[1])) <= FEW
    lines = kinks.lines_of(f, w) if few or integrator.has_kinks else None
    return kinks.rounded_velocity(integrator.activation, f, w, lines if few else None), lines


def _motion(integrator: Integrator, course: Course, w: Float[Array, "K n"], ray) -> Motion:
    smooth, lines = _velocity(integrator, course, w)
    assert lines is not None
    return kinks.along_rays(course.loss, w, ray, smooth, lines)


def _tried(
    integrator: Integrator, to: Tolerances, limits: Limits, course: Course, lane: Lane, memory, jumped
) -> Trial:
    def velocity(offset):
        w = placed(integrator, course, lane, offset)
        if not integrator.has_kinks:
            return _velocity(integrator, course, w)[0]
        moving = _motion(integrator, course, w, lane.ray).velocity
        return folded(lane.frame, w, moving, lane.ray, len(course.loss.teacher[1]))

    end = jnp.where(lane.step >= limits.t1 - lane.time, limits.t1, lane.time + lane.step)
    atol = to.atol * course.scale
    return tried(
        integrator.solver, velocity, to.rtol, atol, course.entries, lane.offset, lane.time, end, memory, jumped
    )


def _saved(integrator: Integrator, times, courses: Course, lanes: Lane, trial: Trial, turn: Turn, saved, saves):
    """The solutions at all times that have been passed."""
    flows, padded = jnp.arange(len(saved)), jnp.append(times, jnp.inf)

    def pending(saves):
        return padded[saves] <= turn.until

    def one(state):
        saved, saves = state
        here = pending(saves)
        fraction = (padded[saves] - lanes.time) / lanes.step
        inside = jax.vmap(partial(within, integrator.solver))(trial, fraction)
        inside = jax.vmap(partial(placed, integrator))(courses, lanes, inside)
        value = jnp.where(turn.stands[:, None, None], turn.stays, inside)
        index = jnp.where(here, saves, len(times))
        return saved.at[flows, index].set(value, mode="drop"), saves + here.astype(saves.dtype)

    return jax.lax.while_loop(lambda state: jnp.any(pending(state[1])), one, (saved, saves))
