"""Gradient flows W' = -G(W) of the weights on exact gradients, by diffrax, in the span of student and teacher.

The loss flow of H1 is one of a function with kinks, which neurons reach in finite time: the flow is integrated
piece by piece between them, and continues along them as subgradients of least norm do (`kinks`).
"""

from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from . import kinks
from ._validation import real_array
from .activations import Activation
from .angles import direction, polar
from .kinks import FREE, Problem, distance_to_teacher
from .losses import H1, SobolevLoss
from .networks import Network
from .population import isotropic_problem
from .reduction import reduction
from .spectrum import Of, check_choice

try:
    import diffrax
    import optimistix
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"gradient_flow needs {error.name}, which is not installed: pip install 'sobolev-theory[flows]'",
        name=error.name,
    ) from error

Solver = Literal["auto", "tsit5", "dopri8", "kvaerno5"]
SOLVERS: dict[str, type] = {"tsit5": diffrax.Tsit5, "dopri8": diffrax.Dopri8, "kvaerno5": diffrax.Kvaerno5}
EVENT = 1e-2  # relative error of the size at which an event is taken: far above rounding at distances of 1e-12
FALLING_TO_ZERO: Any = optimistix.Bisection(rtol=0.0, atol=EVENT, flip=True)  # type: ignore[call-arg]
FIRST_STEP = 1e-2  # which the controller changes at once
NEAR = 1e-2  # of the teacher's norm: from here on the error is measured against the distance from it
SHORT = 0.25  # of its distance from its teacher neuron: a shorter neuron's error is measured against its norm
VANISHED = 1e-10  # of the teacher's norm: a shorter neuron has no direction to rely on


class Outcome(Enum):
    """How a flow ended."""

    TIME = "reached t1"
    DISTANCE = "reached until_distance"
    VANISHED = "a neuron vanished: its direction is undefined"
    MEETING = "student neurons of opposite output weights met: what follows is not implemented"
    NOT_UNIQUE = "the flow has several continuations from a kink"
    KINKS = "more than max_kinks kinks"
    STEPS = "the solver needed more than max_steps steps"
    FAILED = "the solver failed"


class Flow(eqx.Module):
    """A gradient flow at times t, or several of them as leading axes B of every array but `time`.

    Attributes:
        time: [T].
        loss: [B T], the population loss; NaN at times after the end.
        distance: [B T], from the teacher as a set of neurons: near a permutation P it is |W - P W*|.
        reduced: [B T K n], weights in coordinates of `basis`; see `weights` and `student`.
        basis: [B d n].
        end_time, end_loss, end_distance, end: where the flow ended, `end` [B K n] in coordinates of `basis`.
        ray: [B K], the teacher neuron on whose line a student neuron ended, -1 for none; kinks of a loss flow.
        arrival: [B K], when it got there last; infinite for none.
        energy_rise: [B], the largest increase of the loss between two successive times, start and end included,
            over the loss at the start: rounding and tolerance for every loss flow.
        steps: [B], accepted and rejected steps of the solver.
        outcome: Outcome, or a list of them.
    """

    time: Float[Array, " T"]
    loss: Float[Array, "*B T"]
    distance: Float[Array, "*B T"]
    reduced: Float[Array, "*B T K n"]
    basis: Float[Array, "*B d n"]
    end_time: Float[Array, "*B"]
    end_loss: Float[Array, "*B"]
    end_distance: Float[Array, "*B"]
    end: Float[Array, "*B K n"]
    ray: Int[Array, "*B K"]
    arrival: Float[Array, "*B K"]
    energy_rise: Float[Array, "*B"]
    steps: Int[Array, "*B"]
    outcome: Any = eqx.field(static=True)

    @property
    def weights(self) -> Float[Array, "*B T K d"]:
        """The weights at all times, lifted: as large as that is."""
        return jnp.einsum("...tkn,...dn->...tkd", self.reduced, self.basis)

    @property
    def end_weights(self) -> Float[Array, "*B K d"]:
        return jnp.einsum("...kn,...dn->...kd", self.end, self.basis)


def gradient_flow(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    *,
    of: Of = "loss",
    t1: float,
    saveat: Sequence[float] | Float[Array, " T"] | None = None,
    until_distance: float | None = None,
    solver: Solver = "auto",
    rtol: float | None = None,
    atol: float = 1e-15,
    max_steps: int = 20_000,
    max_kinks: int = 200,
) -> Flow:
    """The flow W' = -gradient of the student's weights from time 0 to t1; output weights stay as they are.

    In the span of student and teacher, whatever d is. Of the H1 loss, neurons reach the direction of a teacher
    neuron in finite time; the event is located, and they slide along it until other forces take them off.
    Not for jit; for many starts see `gradient_flows`.

    Args:
        of: "loss" follows -`loss_gradient`, "population" follows -`population_gradient` (they agree for L2).
        t1: where it ends, in units of gradient-flow time.
        saveat: increasing times in [0, t1]; default 101 equidistant ones.
        until_distance: end as soon as `distance` falls to it, to one per cent.
        solver: "tsit5" or "dopri8" (explicit), "kvaerno5" (stiff); "auto" is dopri8 below rtol 1e-7, else tsit5.
        rtol: local errors relative to the weights, and near the teacher to the distance from it; default 1e-9, or
            1e-5 in single precision. A kink is taken as reached at an angle of 32 rtol.
        atol: absolute local errors, in units of the teacher's largest norm.
        max_steps: between two kinks.

    Raises:
        ModuleNotFoundError: diffrax is not installed (the extra `flows`).
        ValueError: a start with a zero neuron, whose direction is undefined; times that do not increase from 0 or
            exceed t1; unknown names; tolerances below what the dtype holds.
        What stops the integration is not raised: it is in `outcome`.

    Example:
        >>> import sobolev_theory as st
        >>> flow = st.gradient_flow(st.Network([0.0, 1.0]), st.Network([1.0, 0.0]), t1=60.0, until_distance=1e-3)
        >>> flow.outcome.name, flow.ray.tolist()
        ('DISTANCE', [0])
    """
    if not isinstance(student, Network):
        raise TypeError(f"student: got {type(student).__name__}; needs a Network")
    flow = gradient_flows(
        student.weights[None],
        teacher,
        loss,
        of=of,
        t1=t1,
        saveat=saveat,
        until_distance=until_distance,
        solver=solver,
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        max_kinks=max_kinks,
        output_weights=student.output_weights,
    )
    arrays, outcome = eqx.filter(flow, eqx.is_array), flow.outcome[0]
    first = jax.tree.map(lambda x: x[0], eqx.tree_at(lambda f: f.time, arrays, arrays.time[None]))
    return Flow(**{name: getattr(first, name) for name in _ARRAYS}, outcome=outcome)


def gradient_flows(
    starts: Float[Array, "B K d"],
    teacher: Network,
    loss: SobolevLoss = H1,
    *,
    of: Of = "loss",
    t1: float,
    saveat: Sequence[float] | Float[Array, " T"] | None = None,
    until_distance: float | None = None,
    solver: Solver = "auto",
    rtol: float | None = None,
    atol: float = 1e-15,
    max_steps: int = 20_000,
    max_kinks: int = 200,
    output_weights: Float[Array, " K"] | None = None,
) -> Flow:
    """`gradient_flow` from many starts at once, vmapped.

    Args:
        starts: weights [B, K, d] of B students.
        output_weights: [K], of all of them; default ones.

    Example:
        >>> import jax.numpy as jnp, sobolev_theory as st
        >>> flows = st.gradient_flows(jnp.eye(2)[:, None, :], st.Network([1.0, 0.0]), st.L2, t1=1.0)
        >>> flows.distance.shape
        (2, 101)
    """
    starts = real_array("starts", starts)
    if starts.ndim != 3 or 0 in starts.shape:
        raise ValueError(f"starts: got shape {starts.shape}; needs [B, K, d]")
    students = [
        Network(start, output_weights, activation=getattr(teacher, "activation", None)) for start in starts[:1]
    ]
    activation, weights, _, (rows, output) = isotropic_problem("gradient_flows", students[0], teacher, loss)
    check_choice("of", of, Of)
    check_choice("solver", solver, Solver)
    dtype = jnp.result_type(starts, rows)
    starts = starts.astype(dtype)
    times = _times(saveat, t1, dtype)
    if rtol is None:
        rtol = 1e-9 if dtype == jnp.float64 else 1e-5
    _check_tolerances(rtol, atol, until_distance, dtype)
    _check_no_zero_neuron(starts)

    basis = jax.vmap(lambda start: reduction(Network(start, output_weights), teacher).basis)(starts).astype(dtype)
    w = jnp.einsum("bkd,bdn->bkn", starts, basis)
    teachers = jnp.einsum("kd,bdn->bkn", rows.astype(dtype), basis)
    scale = jnp.max(jnp.linalg.norm(rows, axis=1)).astype(dtype)
    name = ("dopri8" if rtol < 1e-7 else "tsit5") if solver == "auto" else solver
    integrator = _Integrator(activation, of == "loss" and loss.order > 0, name, max_steps)
    tolerances = _Tolerances(*(jnp.asarray(x, dtype) for x in (rtol, atol, until_distance or 0.0)))
    problems = jax.vmap(lambda t: kinks.problem(weights, students[0].output_weights.astype(dtype), (t, output)))(
        teachers
    )
    path = _follow(integrator, tolerances, problems, scale, w, times, max_kinks)
    return _summary(integrator, problems, times, basis, w, path)


_ARRAYS = tuple(name for name in Flow.__dataclass_fields__ if name != "outcome")


class _Integrator(NamedTuple):
    """What a piece of the flow is compiled for."""

    activation: Activation
    has_kinks: bool
    solver: str
    max_steps: int


class _Tolerances(NamedTuple):
    """What it is not compiled for; until_distance is 0 for none."""

    rtol: Float[Array, ""]
    atol: Float[Array, ""]
    until_distance: Float[Array, ""]

    @property
    def snap(self) -> Float[Array, ""]:
        """The angle at which a kink is taken as reached: some local errors, so that no step gets across it."""
        return jnp.clip(32 * self.rtol, 1e-10, 1e-3)


class _Path(NamedTuple):
    """Where B flows are: `saved` is filled up to `time`."""

    time: np.ndarray
    w: jax.Array
    ray: jax.Array
    saved: np.ndarray
    arrival: np.ndarray
    steps: np.ndarray
    outcome: list[Outcome | None]


def _follow(
    integrator: _Integrator, tolerances: _Tolerances, problems: Problem, scale, w, times, max_kinks: int
) -> _Path:
    """Piece by piece, all flows at once; those that have ended stand still."""
    count, neurons, _ = w.shape
    path = _Path(
        np.zeros(count),
        w,
        jnp.full((count, neurons), FREE, jnp.int32),
        np.full((count, len(times), *w.shape[1:]), np.nan),
        np.full((count, neurons), np.inf),
        np.zeros(count, int),
        [None] * count,
    )
    near = jnp.zeros(count, bool)
    t1 = float(times[-1])
    if integrator.has_kinks:
        path = _settled(integrator, tolerances, problems, path)
    for _ in range(max_kinks + 1):
        active = np.array([outcome is None for outcome in path.outcome])
        if not active.any():
            break
        start = jnp.where(active, jnp.minimum(path.time, t1), t1)
        piece = _piece(integrator, tolerances, problems, scale, start, path.w, path.ray, near, jnp.asarray(times))
        path, near = _joined(path, piece, active, near, np.asarray(times))
        if integrator.has_kinks:
            path = _settled(integrator, tolerances, problems, path)
    return path._replace(outcome=[outcome or Outcome.KINKS for outcome in path.outcome])


class _Piece(NamedTuple):
    time: Float[Array, ""]
    w: Float[Array, "K n"]
    saved: Float[Array, "T K n"]
    steps: Int[Array, ""]
    code: Int[Array, ""]
    triggered: dict[str, Bool[Array, ""]]


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, None, 0, None, 0, 0, 0, 0, None))
def _piece(integrator: _Integrator, to: _Tolerances, p: Problem, scale, start, w, ray, near, times) -> _Piece:
    """From `start` to the next event, or to the last time.

    The state is W - C with the nearest teacher neurons as C, or 0 where that is nearer, so that errors relative to it
    are errors relative to the distance from the teacher, and those of a short neuron's direction are no larger.
    """
    teacher = p.teacher[0]
    centres = jnp.concatenate([teacher, jnp.zeros_like(teacher[:1])])
    nearest = jnp.argmin(jnp.sum((w[:, None] - centres) ** 2, axis=-1), axis=1)
    centre = centres[nearest]
    shrinks = nearest < len(teacher)

    def velocity(t, y, args):
        if integrator.has_kinks:
            return kinks.field(integrator.activation, p, centre + y, ray).velocity
        return kinks.smooth_field(integrator.activation, p, centre + y)

    # On its ray a neuron meets 0 in general, and would step across it: what falls there is its length with a sign.
    line = direction(polar(teacher))[ray]
    side = jnp.sign(jnp.sum(w * line, axis=1))

    def length(w):
        return jnp.where(ray == FREE, jnp.linalg.norm(w, axis=1), side * jnp.sum(w * line, axis=1))

    # Quantities over the size at which they end a piece: events are where they fall to 1.
    sizes = {
        "near": lambda w: jnp.where(near, jnp.inf, distance_to_teacher(w, teacher) / (NEAR * scale)),
        "short": lambda w: jnp.min(
            jnp.where(shrinks, length(w) / (SHORT * jnp.linalg.norm(w - centre, axis=1)), jnp.inf)
        ),
        "vanished": lambda w: jnp.min(length(w)) / (VANISHED * scale),
        "distance": lambda w: jnp.where(
            to.until_distance > 0,
            distance_to_teacher(w, teacher) / jnp.where(to.until_distance > 0, to.until_distance, 1.0),
            jnp.inf,
        ),
    }
    if integrator.has_kinks:
        sizes["ray"] = lambda w: jnp.min(kinks.to_a_ray(p, w, ray)) / to.snap
        sizes["meeting"] = lambda w: kinks.to_an_opposite_student(p, w) / to.snap

    def values(w):
        return jnp.stack([size(w) - 1 for size in sizes.values()])

    armed = values(w) > 0

    def first(t, y, args, **_):
        value = jnp.min(jnp.where(armed, values(centre + y), jnp.inf))
        if not integrator.has_kinks:
            return value
        slack = jnp.min(kinks.field(integrator.activation, p, centre + y, ray).slack)
        return jnp.minimum(value, slack / kinks.release(to.snap) + 1)

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity),
        SOLVERS[integrator.solver](),
        start,
        times[-1],
        FIRST_STEP,
        w - centre,
        saveat=diffrax.SaveAt(
            subs=(diffrax.SubSaveAt(ts=jnp.clip(times, start, times[-1])), diffrax.SubSaveAt(t1=True))
        ),
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
    code = jnp.where(solution.event_mask, 1, code)
    end = solution.ys[1][-1] + centre
    reached = jnp.where(armed, values(end), jnp.inf)
    # No other at its size: a neuron that its ray cannot hold any longer. It is let go by `settle`.
    caused = (code == 1) & (reached == jnp.min(reached)) & (reached < 2 * EVENT)
    triggered = dict(zip(sizes, caused, strict=True))
    return _Piece(solution.ts[1][-1], end, solution.ys[0] + centre, solution.stats["num_steps"], code, triggered)


def _joined(path: _Path, piece: _Piece, active: np.ndarray, near, times: np.ndarray) -> tuple[_Path, Any]:
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
        for name in ("distance", "vanished", "meeting"):
            if name in triggered and triggered[name][index]:
                outcome[index] = Outcome[name.upper()]
    w = jnp.where(active[:, None, None], piece.w, path.w)
    steps = path.steps + np.where(active, np.asarray(piece.steps), 0)
    return path._replace(time=end, w=w, saved=saved, steps=steps, outcome=outcome), near | triggered["near"]


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, None, 0, 0, 0, 0))
def _settle(activation: Activation, to: _Tolerances, p: Problem, time, w, ray) -> kinks.Settled:
    return kinks.settle(activation, p, time, w, ray, to.snap)


def _settled(integrator: _Integrator, tolerances: _Tolerances, problems: Problem, path: _Path) -> _Path:
    """The path with the neurons put on rays, and taken off them."""
    active = np.array([outcome is None for outcome in path.outcome])
    settled = _settle(integrator.activation, tolerances, problems, jnp.asarray(path.time), path.w, path.ray)
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


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, 0, 0))
def _measured(activation: Activation, p: Problem, saved):
    """Loss and distance of weights [T, K, n]."""

    def one(w):
        loss = activation.sums.loss(p.weights, (w, p.output_weights), p.teacher, None)
        return loss, distance_to_teacher(w, p.teacher[0])

    return jax.lax.map(one, saved)


def _summary(integrator: _Integrator, problems: Problem, times, basis, start, path: _Path) -> Flow:
    known = np.isfinite(path.saved).all(axis=(2, 3))
    saved = np.where(known[..., None, None], path.saved, 1.0)
    every = jnp.concatenate([start[:, None], saved, path.w[:, None]], axis=1)
    losses, distances = (np.asarray(x) for x in _measured(integrator.activation, problems, every))
    run = np.where(np.pad(known, [(0, 0), (1, 1)], constant_values=True), losses, losses[:, -1:])
    rise = np.maximum(np.diff(run, axis=1).max(axis=1), 0.0) / np.where(run[:, 0] > 0, run[:, 0], 1.0)
    return Flow(
        time=times,
        loss=jnp.asarray(np.where(known, losses[:, 1:-1], np.nan)),
        distance=jnp.asarray(np.where(known, distances[:, 1:-1], np.nan)),
        reduced=jnp.asarray(path.saved),
        basis=basis,
        end_time=jnp.asarray(path.time),
        end_loss=jnp.asarray(losses[:, -1]),
        end_distance=jnp.asarray(distances[:, -1]),
        end=path.w,
        ray=path.ray,
        arrival=jnp.asarray(path.arrival),
        energy_rise=jnp.asarray(rise),
        steps=jnp.asarray(path.steps),
        outcome=path.outcome,
    )


# Checks.


def _times(saveat, t1: float, dtype) -> Float[Array, " T"]:
    if not (np.isfinite(t1) and t1 > 0):
        raise ValueError(f"t1: got {t1}; needs a finite time > 0")
    times = np.linspace(0.0, t1, 101) if saveat is None else np.asarray(saveat, dtype=float)
    if times.ndim != 1 or times.size == 0 or np.any(np.diff(times) <= 0) or times[0] < 0 or times[-1] > t1:
        raise ValueError(f"saveat: got {saveat}; needs increasing times in [0, {t1}]")
    return jnp.asarray(times if times[-1] == t1 else np.append(times, t1), dtype)


def _check_tolerances(rtol: float, atol: float, until_distance: float | None, dtype) -> None:
    least = 16 * float(jnp.finfo(dtype).eps)
    if not least <= rtol < 1:
        raise ValueError(f"rtol: got {rtol}; needs a number from {least:.1e}, what {dtype} holds, to 1")
    if not atol > 0:
        raise ValueError(f"atol: got {atol}; needs a number > 0")
    if until_distance is not None and not until_distance > 0:
        raise ValueError(f"until_distance: got {until_distance}; needs a distance > 0, or None")


def _check_no_zero_neuron(starts: Float[Array, "B K d"]) -> None:
    zero = np.argwhere(np.asarray(jnp.all(starts == 0, axis=2)))
    if len(zero):
        start, neuron = zero[0]
        raise ValueError(
            f"student: neuron {neuron} of start {start} is 0; needs neurons that are not: the direction of a zero "
            "neuron is undefined, and no gradient moves it"
        )
