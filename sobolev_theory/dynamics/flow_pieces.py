"""Gradient flows from start to end as one program: steps, what ends a smooth piece, and kinks between pieces.

All flows take their steps together. After a step a flow may have to look elsewhere: for where an event lies within
it, or for the motion on and off a kink. Until it is ready for another step, the others wait. So the velocity stands
in the program at one place for steps, and at another for all that flows of kinks look for.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..geometry.line_angles import LineAngles
from ..model.losses import OrderWeights
from ..model.networks import Neurons
from . import kinks
from .clusters import FREE, Clusters, Weakest, folded
from .flow_events import Course, Outcome, Tolerances
from .flow_turns import CODES, ENDED, STEPPING, Integrator, Lane, Limits, Turn, first, looked, placed
from .kinks import Motion, Moving, Present, packed
from .trials import STABILISED, Trial, tried, untried, within

STIFF = 2000  # steps of a piece; others take tens to hundreds
FEW = 2**14  # differences of unit vectors: up to it all pairs of neurons have them


class Path(NamedTuple):
    """Where flows went: `saved` is NaN after their ends, `ray` and `leader` are the lines that neurons are on."""

    time: Float[Array, " B"]
    y: Float[Array, "B K m"]
    ray: Int[Array, "B K"]
    leader: Int[Array, "B K"]
    saved: Float[Array, "B T K m"]
    arrival: Float[Array, "B K"]
    steps: Int[Array, " B"]
    code: Int[Array, " B"]


AXES = ("B", "BKm", "BK", "BK", "BTKm", "BK", "B", "B")  # of a Path


class Pause(NamedTuple):
    """All flows at some time, with what they have saved, and how many times."""

    lanes: Lane
    saved: Float[Array, "B T K m"] | Float[np.ndarray, "B T K m"]
    saves: Int[Array, " B"] | Int[np.ndarray, " B"]


class _State(NamedTuple):
    fresh: Bool[Array, ""]  # whether all flows take a step
    lanes: Lane
    trial: Trial
    memory: tuple[Array, Array]  # of the solver
    jumped: Bool[Array, " B"]
    saved: Float[Array, "B T K m"]
    saves: Int[Array, " B"]


def followed(
    integrator: Integrator,
    switches: bool,
    starts: tuple[Float[np.ndarray, "B K m"], Bool[np.ndarray, " B"]],
    limits: Limits,
    *setting,
) -> Path:
    """`follow` from states (w, a), of those flows that begin.

    Two lines that have just come apart, slowly, turn about each other at a rate of one over their angle: if the
    flow `switches`, those for which a solver of high order takes STIFF steps go on with a stabilised one.
    """
    y, begins = starts
    saved = np.full((len(y), len(setting[-1]), *y.shape[1:]), np.nan, y.dtype)
    begin = Pause(first(integrator, y, begins), saved, np.zeros(len(y), np.int32))
    if not switches or int(limits.max_steps) <= STIFF:
        return follow(integrator, *setting, begin, limits)[0]
    few: Any = np.asarray(STIFF, np.int32)
    path, pause = follow(integrator, *setting, begin, limits._replace(max_steps=few))
    lanes = pause.lanes
    stiff = begins & (np.asarray(path.code) == CODES[Outcome.STEPS])
    if not stiff.any():
        return path
    lanes = lanes._replace(doing=np.where(stiff, STEPPING, lanes.doing), steps=np.zeros_like(lanes.steps))
    return follow(integrator._replace(solver=STABILISED), *setting, pause._replace(lanes=lanes), limits)[0]


@partial(jax.jit, static_argnums=0)
def follow(
    integrator: Integrator,
    to: Tolerances,
    lambdas: OrderWeights,
    trains: tuple[Float[Array, ""], Float[Array, ""]],
    teachers: tuple[Float[Array, "B K_star n"], Float[Array, " K_star"]],
    scales: tuple[Float[Array, " B"], Float[Array, ""]],
    present: Present,
    times: Float[Array, " T"],
    begin: Pause,
    limits: Limits,
) -> tuple[Path, Pause]:
    """All flows at once to t1; those that have ended stand still.

    Args:
        trains: 1 if output weights train too, which they do only where there are kinks, else 0; and the root of a
            Course.
        scales: of the weights, and how many entries of states there are that train.
        times: to save at, infinite for none.
        begin: at time 0, or where another solver stopped.
    """
    lanes = begin.lanes
    starts = jnp.asarray(lanes.offset)
    course = jax.vmap(partial(_course, integrator, lambdas, trains, present), in_axes=(0, 0, None, 0, None))
    courses = course(starts[..., -1], *teachers, *scales)
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
        return _State(ready(moved), moved, trial, memory, jumped, saved, saves)

    def ready(lanes: Lane) -> Bool[Array, ""]:
        return jnp.all((lanes.doing == STEPPING) | (lanes.doing >= ENDED))

    nothing = _nothing(starts[..., :-1])
    trial = jax.vmap(partial(untried, integrator.solver))(starts)
    everybody = jnp.ones(len(starts), bool)
    state = _State(
        ready(lanes), lanes, trial, trial.memory, everybody, jnp.asarray(begin.saved), jnp.asarray(begin.saves)
    )
    end = jax.lax.while_loop(lambda s: jnp.any(s.lanes.doing < ENDED), body, state)
    lanes = end.lanes
    led = lanes.ray >= teachers[1].size
    path = Path(
        lanes.time,
        place(courses, lanes, lanes.offset),
        jnp.where(led, FREE, lanes.ray),
        jnp.where(led, lanes.ray - teachers[1].size, FREE),
        end.saved,
        lanes.arrival,
        lanes.all_steps,
        lanes.outcome,
    )
    return path, Pause(lanes, end.saved, end.saves)


def _nothing(w: Float[Array, "B K n"]) -> Motion:
    """Where there are no kinks."""
    far, some = jnp.full(len(w), jnp.inf, w.dtype), jnp.zeros(w.shape[:2], w.dtype)
    none = Clusters(some > 0, some, some, some > 0)
    cut = Weakest(far, some > 0, w[:, 0], far)
    return Motion(Moving(w, some, w, some, w, none), some, cut, far, jnp.zeros((len(w), 2), jnp.int32))


def _where(when: Bool[Array, " B"], one, other):
    return jnp.where(when.reshape(-1, *[1] * (one.ndim - 1)), one, other)


def _course(
    integrator: Integrator, lambdas: OrderWeights, trains, present: Present, a, rows, output, scale, entries
) -> Course:
    posed = kinks.posed(integrator.activation, integrator.has_kinks, lambdas, a, (rows, output))
    return Course(posed, scale, entries, present, *(trains if integrator.has_kinks else (None, None)))


def _velocity(integrator: Integrator, course: Course, w: Float[Array, "K n"]) -> tuple[Neurons, LineAngles | None]:
    """Without the cones of kinks, and the angles from which it comes."""
    f = course.loss
    few = w.size * (len(w) + len(f.teacher[1])) <= FEW
    lines = kinks.lines_of(f, w) if few or integrator.has_kinks else None
    lines_here = lines if few else None
    found, growth = kinks.rounded_velocity(integrator.activation, f, w, lines_here, integrator.has_kinks)
    if course.trains is None:
        return (found, jnp.zeros_like(growth)), lines
    return kinks.smooth_velocity(integrator.activation, f, w, (found, course.trains * growth)), lines


def _motion(integrator: Integrator, course: Course, y: Float[Array, "K m"], ray) -> Motion:
    course, w = course.of(y[:, -1]), y[:, :-1]
    smooth, lines = _velocity(integrator, course, w)
    assert lines is not None
    return kinks.along_rays(course.loss, w, ray, smooth, lines)


def _tried(
    integrator: Integrator, to: Tolerances, limits: Limits, course: Course, lane: Lane, memory, jumped
) -> Trial:
    def velocity(offset):
        y = placed(integrator, course, lane, offset)
        here, w = course.of(y[:, -1]), y[:, :-1]
        smooth, lines = _velocity(integrator, here, w)
        if not integrator.has_kinks:
            return packed(*smooth)
        assert lines is not None
        moving = kinks.moved_along(here.loss, w, lane.ray, smooth[0], lines).velocity
        return packed(folded(lane.frame, w, moving, lane.ray, len(here.loss.teacher[1])), smooth[1])

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
