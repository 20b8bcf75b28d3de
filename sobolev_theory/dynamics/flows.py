"""Gradient flows W' = -G(W) of the weights on exact gradients, by diffrax, in the span of student and teacher.

The loss flow of H1 is one of a function with kinks, which neurons reach in finite time: the flow is integrated
piece by piece between them, and continues along them as subgradients of least norm do (`kinks`).
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..kernels.activation_pairs import has_jumps
from ..model.activations import Activation, ReLU
from ..model.arguments import check_choice, finite, real_array, whole
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network
from ..model.precision import full_products
from ..population.problem import isotropic_problem
from .flow_events import Outcome, Tolerances, check_no_zero_neuron
from .flow_measures import measured
from .flow_pieces import AXES, Path, followed
from .flow_turns import Integrator, Limits
from .rooms import NEURONS, bases, room

Solver = Literal["auto", "tsit5", "dopri8", "kvaerno5"]
MOST = 2**31 - 1


class Flow(eqx.Module):
    """A gradient flow at times t, or several of them as leading axes B of every array but `time`.

    Attributes:
        time: [T], those of `saveat` and no others; the end of a flow is in `end_time`, `end` and so on.
        loss: [B T], the population loss; NaN at times after the end.
        distance: [B T], from the teacher as a set of neurons: near a permutation P it is |W - P W*|.
        reduced: [B T K n], weights in coordinates of `basis`; see `weights` and `student`.
        basis: [B d n].
        end_time, end_loss, end_distance, end: where the flow ended, `end` [B K n] in coordinates of `basis`.
        ray: [B K], the teacher neuron on whose line a student neuron ended, -1 for none; kinks of a loss flow.
        leader: [B K], the student neuron on whose line it ended, -1 for none, for that one, and on teachers' lines.
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
    leader: Int[Array, "*B K"]
    arrival: Float[Array, "*B K"]
    energy_rise: Float[Array, "*B"]
    steps: Int[Array, "*B"]
    outcome: Any = eqx.field(static=True)

    def __getitem__(self, index: int) -> "Flow":
        """One of several flows."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("time", "outcome")}
        one = {name: array[index] for name, array in arrays.items()}
        return Flow(time=self.time, outcome=self.outcome[index], **one)

    @property
    @full_products
    def weights(self) -> Float[Array, "*B T K d"]:
        """The weights at all times, lifted: as large as that is."""
        return jnp.einsum("...tkn,...dn->...tkd", self.reduced, self.basis)

    @property
    @full_products
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

    In the span of student and teacher, whatever d is. Of the H1 loss, neurons reach the line of a teacher neuron, or
    of a student neuron of opposite output weight, in finite time; the event is located, and they share it until
    other forces take them off. Not for jit; for many starts see `gradient_flows`.

    Args:
        of: "loss" follows -`loss_gradient`, "population" follows -`population_gradient` (they agree for L2).
        t1: where it ends, in units of gradient-flow time; finite, > 0.
        saveat: increasing times in [0, t1], which `Flow.time` repeats, t1 only if it is among them; default 101
            equidistant ones from 0 to t1.
        until_distance: end as soon as `distance` falls to it, to one per cent; at time 0 if it is there already.
        solver: "tsit5" or "dopri8" (explicit), "kvaerno5" (stiff); "auto" is dopri8 below rtol 1e-7, else tsit5, and
            where that takes 2,000 steps between two kinks, a stabilised one: beside them flows are stiff.
        rtol: local errors relative to the weights, and near the teacher to the distance from it; default 1e-9, or
            1e-5 in single precision. A kink is taken as reached at an angle of 32 rtol.
        atol: absolute local errors, in units of the teacher's largest norm.
        max_steps: between two kinks.

    Returns:
        Flow: its arrays without the axis B.

    Raises:
        ModuleNotFoundError: diffrax is not installed (the extra `flows`).
        NotImplementedError: biases, other activations than the teacher's, kinks of other activations than ReLU.
        TypeError, ValueError: a start with a zero neuron, whose direction is undefined; times that do not increase
            from 0 or exceed t1; unknown names; tolerances below what the dtype holds.
        What stops the integration is not raised: it is in `outcome`.

    Example:
        >>> import sobolev_theory as st
        >>> flow = st.gradient_flow(st.Network([0.0, 1.0]), st.Network([1.0, 0.0]), t1=60.0, until_distance=1e-3)
        >>> flow.outcome.name, flow.ray.tolist()
        ('DISTANCE', [0])
    """
    if not isinstance(student, Network):
        raise TypeError(f"student: got {type(student).__name__}; needs a Network")
    options = _Options(of, t1, saveat, until_distance, solver, rtol, atol, max_steps, max_kinks)
    found = _flows("gradient_flow", student, student.weights[None], teacher, loss, options)
    return _flow({name: x if name == "time" else x[0] for name, x in found.items()})


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

    Returns:
        Flow: with the axis B; `flows[b]` is one of them.

    Raises:
        As `gradient_flow`.

    Example:
        >>> import jax.numpy as jnp, sobolev_theory as st
        >>> flows = st.gradient_flows(jnp.eye(2)[:, None, :], st.Network([1.0, 0.0]), st.L2, t1=1.0)
        >>> flows.distance.shape
        (2, 101)
    """
    starts = real_array("starts", starts)
    if starts.ndim != 3 or 0 in starts.shape:
        raise ValueError(f"starts: got shape {starts.shape}; needs [B, K, d]")
    student = Network(np.asarray(starts)[0], output_weights, activation=getattr(teacher, "activation", None))
    options = _Options(of, t1, saveat, until_distance, solver, rtol, atol, max_steps, max_kinks)
    return _flow(_flows("gradient_flows", student, starts, teacher, loss, options))


class _Options(NamedTuple):
    """As users give them."""

    of: Of
    t1: float
    saveat: Sequence[float] | Float[Array, " T"] | None
    until_distance: float | None
    solver: Solver
    rtol: float | None
    atol: float
    max_steps: int
    max_kinks: int


@full_products
def _flows(
    name: str, student: Network, starts: Float[Array, "B K d"], teacher: Network, loss: SobolevLoss, options: _Options
) -> dict[str, Any]:
    """The fields of a Flow from all starts, with the student's output weights; by NumPy, unless it is the flow.

    What NumPy does need not be compiled.
    """
    activation, lambdas, (_, ours), (rows, output) = isotropic_problem(name, student, teacher, loss)
    dtype = jnp.result_type(starts, rows)
    integrator, tolerances, times, limits = _checked(options, activation, loss, dtype)
    begin, teacher_rows = np.asarray(starts, float), np.asarray(rows, float)
    check_no_zero_neuron(begin)

    basis = bases(begin, teacher_rows)
    w, teachers, outputs = begin @ basis, teacher_rows @ basis, (np.asarray(ours, float), np.asarray(output, float))
    most = NEURONS[-1] if isinstance(activation, ReLU) else 0
    space = room(w.shape, len(teacher_rows), len(times), most)
    mine, theirs = space.output_weights(*outputs, dtype)
    sizes = [np.linalg.norm(x, axis=2).max(axis=1) for x in (teachers, w)]
    scale = np.where(sizes[0] > 0, *sizes)  # of a teacher that is 0, that of the start
    path = followed(
        integrator,
        options.solver == "auto" and integrator.has_kinks,
        (space.starts(w, dtype), space.flows()),
        limits,
        tolerances,
        tuple(np.asarray(x, dtype) for x in lambdas),
        mine,
        (space.teachers(teachers, dtype), theirs),
        space.scales(scale, w[0].size, dtype),
        space.present,
        space.times(times, dtype),
    )
    arrays: list[Any] = [space.cut(x, axes) for x, axes in zip(path, AXES, strict=True)]
    cut = Path(*arrays)
    start = w.astype(dtype)[:, None]
    run = np.concatenate([start, np.where(np.isfinite(cut.saved), cut.saved, start), cut.w[:, None]], axis=1)
    found = measured(activation, space, lambdas, run, outputs[0], teachers, outputs[1])
    return _summary(*found, times.astype(dtype), basis.astype(dtype), cut)


def _summary(losses: np.ndarray, distances: np.ndarray, times, basis, path: Path) -> dict[str, Any]:
    known = np.isfinite(path.saved).all(axis=(2, 3))
    run = np.where(np.pad(known, [(0, 0), (1, 1)], constant_values=True), losses, losses[:, -1:])
    rise = np.maximum(np.diff(run, axis=1).max(axis=1), 0.0) / np.where(run[:, 0] > 0, run[:, 0], 1.0)
    return {
        "time": times,
        "loss": np.where(known, losses[:, 1:-1], np.nan),
        "distance": np.where(known, distances[:, 1:-1], np.nan),
        "reduced": path.saved,
        "basis": basis,
        "end_time": path.time,
        "end_loss": losses[:, -1],
        "end_distance": distances[:, -1],
        "end": path.w,
        "ray": path.ray,
        "leader": path.leader,
        "arrival": path.arrival,
        "energy_rise": rise,
        "steps": path.steps,
        "outcome": [list(Outcome)[code] for code in path.code],
    }


def _flow(found: dict[str, Any]) -> Flow:
    outcome = found.pop("outcome")
    return Flow(**jax.device_put(found), outcome=outcome)


# Checks.


def _checked(options: _Options, activation: Activation, loss: SobolevLoss, dtype):
    check_choice("of", options.of, Of)
    check_choice("solver", options.solver, Solver)
    t1 = finite("t1", options.t1, above=0.0)
    times = np.linspace(0.0, t1, 101) if options.saveat is None else np.asarray(real_array("saveat", options.saveat))
    last = times.dtype.type(t1)  # 0.1 in single precision is more than 0.1
    if times.ndim != 1 or times.size == 0 or np.any(np.diff(times) <= 0) or times[0] < 0 or times[-1] > last:
        raise ValueError(f"saveat: got {options.saveat}; needs increasing times in [0, {t1}]")
    until = -1.0 if options.until_distance is None else finite("until_distance", options.until_distance, above=0.0)
    rtol = options.rtol
    if rtol is None:
        rtol = 1e-9 if dtype == jnp.float64 else 1e-5
    least = 16 * float(jnp.finfo(dtype).eps)
    if not least <= finite("rtol", rtol) < 1:
        raise ValueError(f"rtol: got {rtol}; needs a number from {least:.1e}, what {dtype} holds, to 1")
    small: list[Any] = [np.asarray(x, dtype) for x in (rtol, finite("atol", options.atol, above=0.0), until)]
    solver = options.solver
    if solver == "auto":
        solver = "dopri8" if rtol < 1e-7 else "tsit5"
    kinked = options.of == "loss" and has_jumps(activation, loss.order)
    counts = whole("max_steps", options.max_steps, 1), whole("max_kinks", options.max_kinks, 0)
    limits: list[Any] = [np.asarray(t1, dtype), *(np.asarray(min(x, MOST), np.int32) for x in counts)]
    return Integrator(activation, kinked, solver), Tolerances(*small), times, Limits(*limits)
