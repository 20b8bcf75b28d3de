"""The pieces of a gradient flow between events, each by diffrax, and what joins them.

A piece ends where a neuron reaches a ray or meets an opposite one, gets short, vanishes or is let go, or where the
errors have to be measured against another size; `kinks` says how the flow goes on from there.
"""

from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..geometry.angles import direction, polar
from ..model.activations import Activation
from . import kinks
from .kinks import FREE, WeightLoss, distance_to_teacher

try:
    import diffrax
    import optimistix
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"gradient_flow and online_sgd need {error.name}, not installed: pip install 'sobolev-theory[flows]'",
        name=error.name,
    ) from error

SOLVERS: dict[str, type] = {"tsit5": diffrax.Tsit5, "dopri8": diffrax.Dopri8, "kvaerno5": diffrax.Kvaerno5}
EVENT = 1e-2  # relative error of the size at which an event is taken: far above rounding at distances of 1e-12
FALLING_TO_ZERO: Any = optimistix.Bisection(rtol=0.0, atol=EVENT, flip=True)  # type: ignore[call-arg]
FIRST_STEP = 1e-2  # which the controller changes at once
NEAR = 1e-2  # of the teacher's norm: from here on the error is measured against the distance from it
SHORT = 0.25  # of its distance from its teacher neuron: a shorter neuron's error is measured against its norm
ENDS = ("distance", "vanished", "meeting")  # of a flow, the others only of a piece
VANISHED = 1e-10  # of the teacher's norm: a shorter neuron has no direction to rely on


class Outcome(Enum):
    """How a flow, or SGD in order parameters, ended."""

    TIME = "reached t1"
    DISTANCE = "reached until_distance"
    VANISHED = "a neuron vanished: its direction is undefined"
    MEETING = "student neurons of opposite output weights met: what follows is not implemented"
    NOT_UNIQUE = "the flow has several continuations from a kink"
    KINKS = "more than max_kinks kinks"
    STEPS = "the solver needed more than max_steps steps"
    FAILED = "the solver failed"
    DIVERGED = "the neurons grew beyond all bounds: the learning rate is too large"


class Integrator(NamedTuple):
    """What a piece of the flow is compiled for."""

    activation: Activation
    has_kinks: bool
    solver: str
    max_steps: int


class Tolerances(NamedTuple):
    """What it is not compiled for; until_distance is negative for none."""

    rtol: Float[Array, ""]
    atol: Float[Array, ""]
    until_distance: Float[Array, ""]

    @property
    def snap(self) -> Float[Array, ""]:
        """The angle at which a kink is taken as reached: some local errors, so that no step gets across it."""
        return jnp.clip(32 * self.rtol, 1e-10, 1e-3)


class Path(NamedTuple):
    """Where B flows are: `saved` is filled up to `time`."""

    time: np.ndarray
    w: jax.Array
    ray: jax.Array
    saved: np.ndarray
    arrival: np.ndarray
    steps: np.ndarray
    outcome: list[Outcome | None]


def follow(
    integrator: Integrator, tolerances: Tolerances, losses: WeightLoss, scale, w, times, t1: float, max_kinks: int
) -> Path:
    """Piece by piece to t1, all flows at once; those that have ended stand still."""
    count, neurons, _ = w.shape
    there = np.asarray(jax.vmap(distance_to_teacher)(w, losses.teacher[0])) <= float(tolerances.until_distance)
    path = Path(
        np.zeros(count),
        w,
        jnp.full((count, neurons), FREE, jnp.int32),
        np.where(np.asarray(times)[:, None, None] == 0, np.asarray(w)[:, None], np.nan),
        np.full((count, neurons), np.inf),
        np.zeros(count, int),
        [Outcome.DISTANCE if here else None for here in there],
    )
    near, last = jnp.zeros(count, bool), jnp.asarray(t1, times.dtype)
    if integrator.has_kinks:
        path = _settled(integrator, tolerances, losses, path)
    for _ in range(max_kinks + 1):
        active = np.array([outcome is None for outcome in path.outcome])
        if not active.any():
            break
        start = jnp.asarray(np.where(active, np.minimum(path.time, t1), t1), last.dtype)
        piece = _piece(integrator, tolerances, losses, scale, start, path.w, path.ray, near, times, last)
        path, near = _joined(path, piece, active, near, np.asarray(times))
        if integrator.has_kinks:
            path = _settled(integrator, tolerances, losses, path)
    return path._replace(outcome=[outcome or Outcome.KINKS for outcome in path.outcome])


class _Piece(NamedTuple):
    time: Float[Array, ""]
    w: Float[Array, "K n"]
    saved: Float[Array, "T K n"]
    steps: Int[Array, ""]
    code: Int[Array, ""]
    triggered: dict[str, Bool[Array, ""]]


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, None, 0, 0, 0, 0, 0, 0, None, None))
def _piece(integrator: Integrator, to: Tolerances, f: WeightLoss, scale, start, w, ray, near, times, t1) -> _Piece:
    """From `start` to the next event, or to t1; nowhere if what ends a flow holds at the start.

    The state is W - C with the nearest teacher neurons as C, or 0 where that is nearer, so that errors relative to it
    are errors relative to the distance from the teacher, and those of a short neuron's direction are no larger.
    """
    teacher = f.teacher[0]
    centres = jnp.concatenate([teacher, jnp.zeros_like(teacher[:1])])
    nearest = jnp.argmin(jnp.sum((w[:, None] - centres[None]) ** 2, axis=-1), axis=1)
    centre = centres[nearest]
    shrinks = nearest < len(teacher)

    def velocity(t, y, args):
        if integrator.has_kinks:
            return kinks.motion(integrator.activation, f, centre + y, ray).velocity
        return kinks.population_velocity(integrator.activation, f, centre + y)

    # On its ray a neuron meets 0 in general, and would step across it: what falls there is its length with a sign.
    line = direction(polar(teacher))[ray]
    side = jnp.sign(jnp.sum(w * line, axis=1))

    def length(w):
        return jnp.where(ray == FREE, jnp.linalg.norm(w, axis=1), side * jnp.sum(w * line, axis=1))

    # A neuron that starts as short as that has a direction still.
    vanished = VANISHED * jnp.where(length(w) > VANISHED * scale, scale, length(w))
    # Quantities over the size at which they end a piece: events are where they fall to 1.
    sizes = {
        "near": lambda w: jnp.where(near, jnp.inf, distance_to_teacher(w, teacher) / (NEAR * scale)),
        "short": lambda w: jnp.min(
            jnp.where(shrinks, length(w) / (SHORT * jnp.linalg.norm(w - centre, axis=1)), jnp.inf)
        ),
        "vanished": lambda w: jnp.min(length(w) / vanished),
        "distance": lambda w: jnp.where(
            to.until_distance > 0,
            distance_to_teacher(w, teacher) / jnp.where(to.until_distance > 0, to.until_distance, 1.0),
            jnp.inf,
        ),
    }
    if integrator.has_kinks:
        sizes["ray"] = lambda w: jnp.min(kinks.to_a_ray(f, w, ray)) / to.snap
        sizes["meeting"] = lambda w: kinks.to_an_opposite_student(f, w) / to.snap

    def values(w):
        return jnp.stack([size(w) - 1 for size in sizes.values()])

    armed = values(w) > 0
    over = ~armed & jnp.array([name in ENDS for name in sizes])
    begin = jnp.where(jnp.any(over), t1, start)

    def first(t, y, args, **_):
        value = jnp.min(jnp.where(armed, values(centre + y), jnp.inf))
        if not integrator.has_kinks:
            return value
        slack = jnp.min(kinks.motion(integrator.activation, f, centre + y, ray).slack)
        return jnp.minimum(value, slack / kinks.release(to.snap) + 1)

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity),
        SOLVERS[integrator.solver](),
        begin,
        t1,
        FIRST_STEP,
        w - centre,
        saveat=diffrax.SaveAt(subs=(diffrax.SubSaveAt(ts=jnp.clip(times, begin, t1)), diffrax.SubSaveAt(t1=True))),
        stepsize_controller=diffrax.PIDController(rtol=to.rtol, atol=to.atol * scale),
        event=diffrax.Event(first, FALLING_TO_ZERO),
        max_steps=integrator.max_steps,
        adjoint=diffrax.ForwardMode(),
        throw=False,
    )
    assert solution.ts is not None
    assert solution.ys is not None
    result, names = solution.result, diffrax.RESULTS
    code = jnp.where(result == names.successful, 0, jnp.where(result == names.max_steps_reached, 2, 3))
    code = jnp.where(solution.event_mask | jnp.any(over), 1, code)
    end = solution.ys[1][-1] + centre
    reached = jnp.where(armed, values(end), jnp.inf)
    # No other at its size: a neuron that its ray cannot hold any longer. It is let go by `settle`.
    caused = over | ((code == 1) & (reached == jnp.min(reached)) & (reached < 2 * EVENT))
    triggered = dict(zip(sizes, caused, strict=True))
    time = jnp.where(jnp.any(over), start, solution.ts[1][-1])
    return _Piece(time, end, solution.ys[0] + centre[None], solution.stats["num_steps"], code, triggered)


def _joined(path: Path, piece: _Piece, active: np.ndarray, near, times: np.ndarray) -> tuple[Path, Any]:
    """The path with one more piece."""
    end = np.where(active, np.asarray(piece.time), path.time)
    fresh = active[:, None] & (times >= path.time[:, None]) & (times <= end[:, None])
    saved = np.where(fresh[..., None, None], np.asarray(piece.saved), path.saved)
    code = np.asarray(piece.code)
    triggered = {name: np.asarray(mask) & active for name, mask in piece.triggered.items()}
    outcome = list(path.outcome)
    for index in np.flatnonzero(active):
        if code[index] != 1:
            outcome[index] = {0: Outcome.TIME, 2: Outcome.STEPS}.get(int(code[index]), Outcome.FAILED)
        for name in ENDS:
            if name in triggered and triggered[name][index]:
                outcome[index] = Outcome[name.upper()]
    w = jnp.where(active[:, None, None], piece.w, path.w)
    steps = path.steps + np.where(active, np.asarray(piece.steps), 0)
    return path._replace(time=end, w=w, saved=saved, steps=steps, outcome=outcome), near | triggered["near"]


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, None, 0, 0, 0, 0))
def _settle(activation: Activation, to: Tolerances, f: WeightLoss, time, w, ray) -> kinks.Settled:
    return kinks.settle(activation, f, time, w, ray, to.snap)


def _settled(integrator: Integrator, tolerances: Tolerances, losses: WeightLoss, path: Path) -> Path:
    """The path with the neurons put on rays, and taken off them."""
    active = np.array([outcome is None for outcome in path.outcome])
    now = jnp.asarray(path.time, path.w.dtype)
    settled = _settle(integrator.activation, tolerances, losses, now, path.w, path.ray)
    ray, before = np.asarray(settled.ray), np.asarray(path.ray)
    time = np.where(active, np.asarray(settled.time), path.time)
    new = active[:, None] & (ray != before)
    arrival = np.where(new, np.where(ray == FREE, np.inf, time[:, None]), path.arrival)
    unique = np.asarray(settled.unique)
    outcome = [
        Outcome.NOT_UNIQUE if one is None and not sure else one
        for one, sure in zip(path.outcome, unique, strict=True)
    ]
    return path._replace(
        time=time,
        w=jnp.where(active[:, None, None], settled.w, path.w),
        ray=jnp.where(active[:, None], settled.ray, path.ray),
        arrival=arrival,
        outcome=outcome,
    )
