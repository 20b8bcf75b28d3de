"""Gradient flows W' = -G(W) of the weights on exact gradients, by diffrax, in the span of student and teacher.

The loss flow of H1 is one of a function with kinks, which neurons reach in finite time: the flow is integrated
piece by piece between them, and continues along them as subgradients of least norm do (`kinks`).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..geometry.span import reduction
from ..kernels.activation_pairs import has_jumps
from ..model.activations import Activation
from ..model.arguments import check_choice, real_array
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network
from ..population.engine import sums_of
from ..population.problem import isotropic_problem
from . import kinks
from .flow_pieces import Integrator, Path, Tolerances, follow
from .kinks import Problem, distance_to_teacher

Solver = Literal["auto", "tsit5", "dopri8", "kvaerno5"]


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
    activation, lambdas, _, (rows, output) = isotropic_problem("gradient_flows", students[0], teacher, loss)
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
    integrator = Integrator(activation, of == "loss" and has_jumps(activation, loss.order), name, max_steps)
    tolerances = Tolerances(*(jnp.asarray(x, dtype) for x in (rtol, atol, until_distance or 0.0)))
    problems = jax.vmap(lambda t: kinks.problem(lambdas, students[0].output_weights.astype(dtype), (t, output)))(
        teachers
    )
    path = follow(integrator, tolerances, problems, scale, w, times, max_kinks)
    return _summary(integrator, problems, times, basis, w, path)


_ARRAYS = tuple(name for name in Flow.__dataclass_fields__ if name != "outcome")


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, 0, 0))
def _measured(activation: Activation, p: Problem, saved):
    """Loss and distance of weights [T, K, n]."""

    def one(w):
        loss = sums_of(activation).loss(p.lambdas, (w, p.output_weights), p.teacher, None)
        return loss, distance_to_teacher(w, p.teacher[0])

    return jax.lax.map(one, saved)


def _summary(integrator: Integrator, problems: Problem, times, basis, start, path: Path) -> Flow:
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
