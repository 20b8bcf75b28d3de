"""Gradient flows W' = -G(W) on exact gradients, by diffrax, in the span of student and teacher.

The loss flow of H1 is one of a function with kinks, which neurons reach in finite time: the flow is integrated
piece by piece between them, and continues along them as subgradients of least norm do (`kinks`). Where other
parameters than weights move and there are no kinks, and for all that has biases or other inputs, it is that of
`parameter_flows`.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..kernels.activation_pairs import has_jumps
from ..model.activations import ReLU
from ..model.arguments import check_choice, common_dtype, finite, real_array, whole
from ..model.inputs import GaussianInput, check_dimension
from ..model.losses import H1, Of, SobolevLoss
from ..model.mixed import Mixed
from ..model.networks import Network, check_same_inputs, parameters
from ..model.precision import full_products
from ..population.problem import isotropic_problem
from .flow_events import Tolerances
from .flow_measures import measured
from .flow_pieces import AXES, followed
from .flow_results import Ends, Flow, Run, check_no_zero_neuron, filled_run, flow, found
from .flow_turns import Integrator, Limits
from .kinks import known
from .parameter_states import Starts, flows_of_parameters
from .rooms import NEURONS, bases, room
from .trained import Train, checked_train, rescaling_power

Solver = Literal["auto", "tsit5", "dopri8", "kvaerno5"]
MOST = 2**31 - 1


def gradient_flow(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    of: Of = "loss",
    train: Train = "weights",
    t1: float,
    saveat: Sequence[float] | Float[Array, " T"] | None = None,
    until_distance: float | None = None,
    solver: Solver = "auto",
    rtol: float | None = None,
    atol: float = 1e-15,
    max_steps: int = 20_000,
    max_kinks: int = 200,
) -> Flow:
    """The flow W' = -gradient of the student's weights from time 0 to t1, or of what else is to `train`.

    For N(0, I) in the span of student and teacher, whatever d is. Of the H1 loss of ReLU, leaky ReLU and |t|, neurons
    reach the line of a teacher neuron, or of a student neuron of opposite output weight, in finite time; the event is
    located, and they share it until other forces take them off. Not for jit; for many starts see `gradient_flows`.

    Args:
        inputs: the distribution of x, as in `population_loss`.
        of: "loss" follows -`loss_gradient`, "population" follows -`population_gradient` (they agree for L2).
        train: "weights", "output_weights" or "biases", or several of them; the others stay as they are.
        t1: where it ends, in units of gradient-flow time; finite, > 0.
        saveat: increasing times in [0, t1], which `Flow.time` repeats, t1 only if it is among them; default 101
            equidistant ones from 0 to t1.
        until_distance: end as soon as `distance` falls to it, to one per cent; at time 0 if it is there already. If
            more than weights train, distances below rtol of the parameters are none that the solver can tell.
        solver: "tsit5" or "dopri8" (explicit), "kvaerno5" (stiff); "auto" is dopri8 below rtol 1e-7, else tsit5, and
            where that takes 2,000 steps between two kinks, a stabilised one: beside them flows are stiff.
        rtol: local errors relative to the weights, and near the teacher, if they alone train, to the distance from
            it; default 1e-9, or 1e-5 in single precision. A kink is taken as reached at an angle of 32 rtol.
        atol: absolute local errors, in units of the teacher's largest norm.
        max_steps: between two kinks.

    Returns:
        Flow: its arrays without the axis B.

    Raises:
        ModuleNotFoundError: diffrax is not installed (the extra `flows`).
        NotImplementedError: kinks of the loss, if not those of order 1 of an activation whose slope jumps at 0 alone,
            without biases, for N(0, I).
        TypeError, ValueError: a start with a zero neuron of ReLU, whose direction is undefined; `train` of what the
            student does not have; times that do not increase from 0 or exceed t1; unknown names; tolerances below
            what the dtype holds.
        What stops the integration is not raised: it is in `outcome`.

    Example:
        >>> import sobolev_theory as st
        >>> flow = st.gradient_flow(st.Network([0.0, 1.0]), st.Network([1.0, 0.0]), t1=60.0, until_distance=1e-3)
        >>> flow.outcome.name, flow.ray.tolist()
        ('DISTANCE', [0])
    """
    if not isinstance(student, Network):
        raise TypeError(f"student: got {type(student).__name__}; needs a Network")
    options = _Options(of, train, t1, saveat, until_distance, solver, rtol, atol, max_steps, max_kinks)
    each: list[Any] = [None if x is None else np.asarray(x, float)[None] for x in parameters(student)]
    starts = Starts(*each)
    found = _flows("gradient_flow", student, starts, teacher, loss, inputs, options)
    return flow({name: x if name == "time" or x is None else x[0] for name, x in found.items()})


def gradient_flows(
    starts: Float[Array, "B K d"],
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    of: Of = "loss",
    train: Train = "weights",
    t1: float,
    saveat: Sequence[float] | Float[Array, " T"] | None = None,
    until_distance: float | None = None,
    solver: Solver = "auto",
    rtol: float | None = None,
    atol: float = 1e-15,
    max_steps: int = 20_000,
    max_kinks: int = 200,
    output_weights: Float[Array, "*B K"] | None = None,
    biases: Float[Array, "*B K"] | None = None,
) -> Flow:
    """`gradient_flow` from many starts at once, vmapped.

    Args:
        starts: weights [B, K, d] of B students.
        output_weights: [K], of all of them, or [B, K]; default ones.
        biases: [K] or [B, K]; default none.

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
    outputs = _per_start("output_weights", output_weights, starts.shape[:2])
    offsets = _per_start("biases", biases, starts.shape[:2])
    one = [None if x is None else x[0] for x in (outputs, offsets)]
    student = Network(np.asarray(starts)[0], one[0], one[1], activation=getattr(teacher, "activation", None))
    options = _Options(of, train, t1, saveat, until_distance, solver, rtol, atol, max_steps, max_kinks)
    begin = Starts(np.asarray(starts, float), np.ones(starts.shape[:2]) if outputs is None else outputs, offsets)
    return flow(_flows("gradient_flows", student, begin, teacher, loss, inputs, options))


def _per_start(name: str, values, shape: tuple[int, ...]) -> np.ndarray | None:
    if values is None:
        return None
    values = np.asarray(real_array(name, values), float)
    if values.shape not in (shape, shape[1:]):
        raise ValueError(f"{name}: got shape {values.shape}; needs [K] = [{shape[1]}], or [B, K] = {list(shape)}")
    return np.broadcast_to(values, shape)


class _Options(NamedTuple):
    """As users give them."""

    of: Of
    train: Train
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
    name: str,
    student: Network,
    starts: Starts,
    teacher: Network,
    loss: SobolevLoss,
    inputs: GaussianInput,
    options: _Options,
) -> dict[str, Any]:
    """The fields of a Flow from all starts, of which `student` is the first; by NumPy, unless it is the flow.

    What NumPy does need not be compiled.
    """
    check_same_inputs(student, teacher)
    check_dimension(inputs, student.dimension)
    train, dtype = checked_train(options.train, student), common_dtype(student.weights, teacher.weights)
    checked = _checked(options, dtype)
    (w, a, _), activation = starts, student.activation
    trains, kinked = "output_weights" in train, options.of == "loss" and has_jumps(activation, loss.order)
    kinked = kinked and student.dimension > 1  # in one dimension no angle changes
    others = (
        "weights" not in train or "biases" in train or (not kinked and (trains or np.any(a != a[:1]))),
        student.biases is not None or teacher.biases is not None or not inputs.is_standard,
        teacher.activation != activation or isinstance(activation, Mixed),
        kinked and not known(activation, loss),
    )
    if any(others):
        return flows_of_parameters(name, student, starts, teacher, loss, inputs, options.of, train, checked)

    activation, lambdas, _, (rows, output) = isotropic_problem(name, student, teacher, loss)
    solver, tolerances, times, limits = checked
    integrator = Integrator(activation, kinked, solver)
    teacher_rows, teacher_output = np.asarray(rows, float), np.asarray(output, float)
    check_no_zero_neuron(np.all(w == 0, axis=2))

    basis = bases(w, teacher_rows)
    w, teachers = w @ basis, teacher_rows @ basis
    most = NEURONS[-1] if isinstance(activation, ReLU) else 0
    space = room(w.shape, len(teacher_rows), len(times), most)
    sizes = [np.linalg.norm(x, axis=2).max(axis=1) for x in (teachers, w)]
    scale = np.where(sizes[0] > 0, *sizes)  # of a teacher that is 0, that of the start
    power = rescaling_power(student, train)
    root = 0.0 if power is None else 1 / power
    kinds: Any = np.asarray(trains, dtype), np.asarray(root, dtype)
    path = followed(
        integrator,
        options.solver == "auto" and integrator.has_kinks,
        (space.starts(w, a, dtype), space.flows()),
        limits,
        tolerances,
        tuple(np.asarray(x, dtype) for x in lambdas),
        kinds,
        (space.teachers(teachers, dtype), space.output_weights(teacher_output, 3, dtype)),
        space.scales(scale, w[0].size + trains * len(w[0]), dtype),
        space.present,
        space.times(times, dtype),
    )
    arrays: list[Any] = [space.cut(x, axes) for x, axes in zip(path, AXES, strict=True)]
    time, end, ray, leader, saved, arrival, steps, code = arrays  # a Path
    reached = np.isfinite(saved).all(axis=(2, 3))
    inside = w.shape[2]
    run = filled_run(w.astype(dtype), saved[..., :inside], end[..., :inside])
    output_weights = filled_run(a.astype(dtype), saved[..., -1], end[..., -1])
    measures = measured(activation, space, lambdas, run, output_weights, teachers, teacher_output, trains, root)
    ends = Ends(time, ray, leader, arrival, steps, code)
    parts = Run(run, output_weights, None)
    return found(parts, *measures, reached, times.astype(dtype), basis.astype(dtype), ends, power)


def _checked(options: _Options, dtype) -> tuple[Solver, Tolerances, np.ndarray, Limits]:
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
    counts = whole("max_steps", options.max_steps, 1), whole("max_kinks", options.max_kinks, 0)
    limits: list[Any] = [np.asarray(t1, dtype), *(np.asarray(min(x, MOST), np.int32) for x in counts)]
    return solver, Tolerances(*small), times, Limits(*limits)
