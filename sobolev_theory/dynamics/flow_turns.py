"""What one flow does between two steps: it accepts a step or not, seeks the event within it, settles on kinks."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..model.activations import Activation
from . import kinks, meetings
from .clusters import FREE, frame, unfolded
from .flow_events import ENDS, NAMES, Course, Outcome, Piece, Tolerances, centre, piece, sizes
from .kinks import Motion, packed
from .trials import Bracket, Trial, within

EVENT = 1e-2  # relative error of the size at which an event is taken: far above rounding at distances of 1e-12
FIRST_STEP = 1e-2  # which the controller changes at once
CODES = {outcome: code for code, outcome in enumerate(Outcome)}
STEPPING, SEEKING, KINKED, SETTLING, STARTING, ENDED = range(6)  # what a flow is doing


class Integrator(NamedTuple):
    """What a flow is compiled for."""

    activation: Activation
    has_kinks: bool
    solver: str


class Limits(NamedTuple):
    """What it is not compiled for: the last time, steps between two kinks, and kinks."""

    t1: Float[Array, ""]
    max_steps: Int[Array, ""]
    max_kinks: Int[Array, ""]


class Lane(NamedTuple):
    """One flow. The state of a neuron is the row (w, a) [m], m = n + 1.

    Attributes:
        doing: what its next evaluation of the motion is for; from ENDED on, how it ended.
        time, step: the beginning of a step, and its length.
        centre, offset: the states there are their sum; the first is a constant of a piece, and 0 for a.
        frame: of neurons on lines of students, whose sum is to be unfolded (`clusters`); 0 until a piece begins.
        aim, aim_ray: where the motion is evaluated next, less the centre, and with which neurons on rays.
        near: whether the flow has been near the teacher.
        armed: the events that had not come when the piece began.
        bracket: of the step while an event is sought; else from the step's beginning on.
        fraction: of the step, where the event is sought.
        steps, all_steps, pieces: how many, of the piece and since time 0.
    """

    doing: Int[Array, ""]
    time: Float[Array, ""]
    step: Float[Array, ""]
    centre: Float[Array, "K m"]
    offset: Float[Array, "K m"]
    frame: Float[Array, "K n"]
    ray: Int[Array, " K"]
    aim: Float[Array, "K m"]
    aim_ray: Int[Array, " K"]
    piece: Piece
    near: Bool[Array, ""]
    armed: Bool[Array, " E"]
    bracket: Bracket
    fraction: Float[Array, ""]
    steps: Int[Array, ""]
    all_steps: Int[Array, ""]
    pieces: Int[Array, ""]
    arrival: Float[Array, " K"]

    @property
    def outcome(self) -> Int[Array, ""]:
        """Its number in `Outcome`."""
        return self.doing - ENDED


class Turn(NamedTuple):
    """What a flow has to keep after it has looked: solutions up to a time, and whether its solver goes on.

    Attributes:
        until: solutions up to here are known: from the step's interpolant, or `stays` if it `stands` there.
        accepted: the solver goes on from the step; `starts`: it begins anew.
    """

    until: Float[Array, ""]
    stands: Bool[Array, ""]
    stays: Float[Array, "K m"]
    accepted: Bool[Array, ""]
    starts: Bool[Array, ""]


def first(integrator: Integrator, y: np.ndarray, begins: np.ndarray) -> Lane:
    """All flows at time 0, by NumPy; those that do not begin have ended."""
    nothing: Any = np.zeros(len(y), y.dtype)
    zeros: Any = np.zeros(y.shape[:2], y.dtype)
    number = np.zeros(len(y), np.int32)
    ray = np.full(y.shape[:2], FREE, np.int32)
    found: dict[str, Any] = dict(
        doing=np.where(begins, KINKED if integrator.has_kinks else STARTING, ENDED).astype(np.int32),
        time=nothing,
        step=nothing,
        centre=np.zeros_like(y),
        offset=y,
        frame=np.zeros_like(y[..., :-1]),
        ray=ray,
        aim=y,
        aim_ray=ray,
        piece=Piece(zeros, zeros),
        near=np.zeros(len(y), bool),
        armed=np.zeros((len(y), len(NAMES)), bool),
        bracket=Bracket(nothing, nothing, nothing, nothing),
        fraction=nothing,
        steps=number,
        all_steps=number,
        pieces=number,
        arrival=np.full(y.shape[:2], np.inf, y.dtype),
    )
    return Lane(**found)


def placed(integrator: Integrator, course: Course, lane: Lane, place: Float[Array, "K m"]) -> Float[Array, "K m"]:
    """The state at a place of a flow, such as its offset or its aim."""
    y = lane.centre + place
    if not integrator.has_kinks:
        return y
    return packed(unfolded(lane.frame, y[:, :-1], lane.ray, len(course.loss.teacher[1])), y[:, -1])


def choose(when, one, other):
    return jax.tree.map(lambda x, y: jnp.where(when, x, y), one, other)


def looked(
    integrator: Integrator,
    to: Tolerances,
    limits: Limits,
    course: Course,
    lane: Lane,
    trial: Trial,
    found: Motion,
    fresh,
) -> tuple[Lane, Turn]:
    """What follows from the motion at the flow's aim, the end of a `fresh` step or what it was looking for."""
    doing, ray, y = lane.doing, lane.aim_ray, placed(integrator, course, lane, lane.aim)
    w, a = y[:, :-1], y[:, -1]
    unit = jnp.ones_like(course.scale)
    if course.trains is not None:
        unit = kinks.unit_of_force(course.loss, course.scale, course.trains, a)
    course = course.of(a)
    judged = (doing == STEPPING) & fresh
    seeking, kinked, settling, starting = (doing == each for each in (SEEKING, KINKED, SETTLING, STARTING))
    begins = starting | kinked

    begun = choose(begins, piece(course, w, ray), lane.piece)
    centre_ = jnp.where(begins, packed(centre(course, w, ray), jnp.zeros_like(a)), lane.centre)
    values = sizes(course, to, begun, lane.near, centre_[:, :-1], w, ray, found)
    armed = jnp.where(begins, values > 0, lane.armed)
    reached = jnp.where(armed, values, jnp.inf)
    value = jnp.minimum(jnp.min(reached), found.weakest.slack / (unit * meetings.release(to.snap)) + 1)

    keep, step = trial.keep, trial.next_step
    crossing = judged & keep & (value <= 0)
    bracket = choose(seeking, lane.bracket.narrowed(lane.fraction, value), lane.bracket)
    bracket = choose(crossing, bracket._replace(high=jnp.ones_like(value), high_value=value), bracket)
    event = (crossing | seeking) & ((jnp.abs(value) <= EVENT) | bracket.is_point)
    seeks, accepted = (crossing | seeking) & ~event, judged & keep & ~crossing
    at_end = lane.step >= limits.t1 - lane.time
    part = jnp.where(judged, 1.0, lane.fraction)
    after = jnp.where(at_end & (part == 1), limits.t1, lane.time + part * lane.step)
    time = jnp.where(accepted | event, after, lane.time)
    until = jnp.where(accepted | event | settling | begins, time, -jnp.inf)

    # No other at its size: neurons that their lines cannot hold any longer. They are let go by `settled`.
    caused = jnp.where(begins, ~armed, event & (reached == value) & (reached < 2 * EVENT))
    near = lane.near | (caused[NAMES.index("near")] & event)
    ends = {name: caused[NAMES.index(name)] for name in ENDS}
    over = jnp.any(jnp.stack(list(ends.values())))
    steps = jnp.where(judged, lane.steps + 1, lane.steps)
    too_many = judged & ~crossing & ~(accepted & at_end) & (steps >= limits.max_steps)
    done = {
        Outcome.STEPS: too_many,
        Outcome.TIME: (accepted & at_end) | (starting & (time >= limits.t1)),
        Outcome.FAILED: judged & ~keep & (lane.time + step == lane.time),
        **{Outcome[name.upper()]: is_over for name, is_over in ends.items()},
        Outcome.KINKS: starting & (lane.pieces > limits.max_kinks),
    }

    # On from an event: to the kink, or to the next piece. Centres are 0 until a piece begins.
    again = starting & meetings.met(found, to.snap) if integrator.has_kinks else jnp.asarray(False)
    kinked = (event | kinked | again) & ~over
    doing = jnp.where(seeks, SEEKING, jnp.where(starting, STEPPING, doing))
    doing = jnp.where(kinked, SETTLING if integrator.has_kinks else STARTING, jnp.where(settling, STARTING, doing))
    next_centre = jnp.where(event, 0.0, jnp.where(starting & ~again, centre_, lane.centre))
    next_frame = jnp.where(event, 0.0, lane.frame)
    aim, next_ray, aim_ray = jnp.where(kinked, y, lane.aim), lane.ray, ray
    stays, arrival = y, lane.arrival
    if integrator.has_kinks:
        arrived = meetings.arrived(course.loss, found, time, w, ray, to.snap, unit, course.scale / unit)
        settled = meetings.settled(course.loss, found, w, ray, to.snap, unit)
        new = settling & (settled.ray != lane.ray)
        arrival = jnp.where(new, jnp.where(settled.ray == FREE, jnp.inf, time), arrival)
        time = jnp.where(kinked, time + arrived.left, time)
        next_ray = jnp.where(settling, settled.ray, lane.ray)
        aim_ray = jnp.where(kinked, arrived.ray, jnp.where(settling, settled.ray, ray))
        moved_on, let_go = packed(arrived.w, a + arrived.left * found.growth), packed(settled.w, a)
        stays = jnp.where(settling, let_go, stays)
        aim = jnp.where(kinked, moved_on, jnp.where(settling, let_go, aim))
        done[Outcome.NOT_UNIQUE] = settling & ~settled.unique
        doing = jnp.where(settling & settled.parted, SETTLING, doing)
        begun_frame = frame(w, ray, len(course.loss.teacher[1]))
        next_frame = jnp.where(starting & ~again, begun_frame, next_frame)
    offset = jnp.where(event, y, jnp.where(accepted | settling, aim, lane.offset))
    offset = jnp.where(starting & ~again, y - centre_, offset)
    for outcome, here in done.items():
        doing = jnp.where(here, ENDED + CODES[outcome], doing)

    time = jnp.minimum(time, limits.t1)
    goes = (judged & ~crossing) | starting
    chosen = jnp.minimum(jnp.where(starting, FIRST_STEP, step), limits.t1 - time)
    next_fraction = bracket.next(lane.bracket, lane.fraction)
    beginning = Bracket(jnp.zeros_like(value), value, jnp.ones_like(value), value)
    moved = Lane(
        doing=doing,
        time=time,
        step=jnp.where(goes, chosen, lane.step),
        centre=next_centre,
        frame=next_frame,
        offset=offset,
        ray=next_ray,
        aim=jnp.where(seeks, within(integrator.solver, trial, next_fraction), aim),
        aim_ray=aim_ray,
        piece=begun,
        near=near,
        armed=armed,
        bracket=choose(accepted | starting, beginning, bracket),
        fraction=next_fraction,
        steps=jnp.where(starting, 0, steps),
        all_steps=jnp.where(judged, lane.all_steps + 1, lane.all_steps),
        pieces=jnp.where(starting, lane.pieces + 1, lane.pieces),
        arrival=arrival,
    )
    return moved, Turn(until, settling | begins, stays, accepted, starting & (doing == STEPPING))
