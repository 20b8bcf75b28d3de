"""From networks to the states that `parameter_flows` steps, and back to what a Flow holds; by NumPy."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from ..kernels.activation_pairs import has_jumps
from ..model.activations import ReLU
from ..model.inputs import GaussianInput
from ..model.losses import Of, SobolevLoss
from ..model.networks import Network, with_parameters
from ..population.engine import by_quadrature
from ..population.posing import posed
from ..population.problem import Problem
from ..population.rooms import filled
from .clusters import FREE
from .flow_events import VANISHED, Tolerances
from .flow_results import Ends, Run, check_no_zero_neuron, filled_run, found
from .flow_turns import Limits
from .kinks import Present
from .parameter_flows import Course, Own, follow, measured
from .rooms import FLOWS, TIMES, bases
from .trained import Trained, rescaling_power


class Starts(NamedTuple):
    """Of all flows: weights [B, K, d], output weights and biases [B, K], these None without."""

    weights: np.ndarray
    output_weights: np.ndarray
    biases: np.ndarray | None


def flows_of_parameters(
    name: str,
    student: Network,
    starts: Starts,
    teacher: Network,
    loss: SobolevLoss,
    inputs: GaussianInput,
    of: Of,
    train: tuple[Trained, ...],
    checked: tuple[str, Tolerances, np.ndarray, Limits],
) -> dict[str, Any]:
    """The fields of a Flow; `student` is the first of the starts, `checked` are solver, times and limits."""
    solver, tolerances, times, limits = checked
    p = posed(student, teacher, loss, inputs)
    on_a_line = student.dimension == 1 and not p.has_means  # where no angle changes, and no kink comes
    if not on_a_line:
        _check_no_kinks(name, student, teacher, loss, of, train)
    dtype, (w, a, b), power = p.dtype, starts, rescaling_power(student, train)
    rows = np.asarray(teacher.weights, float)
    scale, vanished = _lengths(student, starts, rows, train)

    everything = np.broadcast_to(np.eye(w.shape[2]), (len(w), w.shape[2], w.shape[2]))
    basis = bases(w, rows) if inputs.is_standard else everything
    theirs = [np.broadcast_to(x, (len(w), *np.shape(x))) for x in (teacher.output_weights, _or_zeros(teacher))]
    reduced, reduced_rows = w @ basis, rows @ basis
    both = (
        with_parameters(student, reduced[0], a[0], b if b is None else b[0]),
        with_parameters(teacher, reduced_rows[0], *(x[0] for x in theirs)),
    )
    weighed, orders, jumps = p.loss, p.orders, _jumps(student, loss)
    if all(isinstance(network.activation, ReLU) for network in (student, teacher)):  # one program for L2 and H1
        two = tuple(np.asarray(x, dtype) for x in (*p.loss.lambdas, 0.0)[:2])
        weighed, orders = eqx.tree_at(lambda loss: loss.lambdas, p.loss, two), (0, 1)
    reduced_student, reduced_teacher = jax.tree.map(lambda x: np.asarray(x, dtype), both)
    small = Problem(reduced_student, reduced_teacher, weighed, inputs, orders, None)
    large = filled(small)
    neurons, inside = w.shape[1], basis.shape[2]
    k, m = large.student.weights.shape
    flows = max(FLOWS, 1 << (len(w) - 1).bit_length()) if len(w) > 1 and not by_quadrature(p) else len(w)
    entries = max(TIMES, 1 << (len(times) - 1).bit_length())

    def states(x, output, biases, count: int) -> np.ndarray:
        packed = np.zeros((flows, count, m + 2), dtype)
        here = slice(0, len(x)), slice(0, x.shape[1])
        packed[*here, : x.shape[2]], packed[*here, m] = x, output
        packed[*here, m + 1] = 0.0 if biases is None else biases
        return packed

    begin = states(reduced, a, b, k)
    trains = np.zeros((k, m + 2), dtype)
    trains[:neurons, :inside] = "weights" in train
    trains[:neurons, m], trains[:neurons, m + 1] = "output_weights" in train, "biases" in train
    counts = np.concatenate([np.ones(m), trains[0, m:]]).astype(dtype)
    there: Any = np.arange(k) < neurons, np.arange(large.teacher.neurons) < teacher.neurons
    root = 0.0 if power is None else 1 / power
    numbers: Any = trains, counts, *(np.asarray(x, dtype) for x in (root, trains.sum(), scale))
    course = Course(large, Present(*there), *numbers)
    gone = np.zeros((flows, k), dtype)
    gone[: len(w), :neurons] = vanished
    own: Any = states(reduced_rows, theirs[0], theirs[1], large.teacher.neurons), gone
    own = Own(*own)
    begins: Any = np.arange(flows) < len(w)
    padded: Any = np.append(times, np.full(entries - len(times), np.inf)).astype(dtype)
    part = of if jumps and not on_a_line else "population"
    end = follow(part, solver, tolerances, course, own, begin, begins, padded, limits)

    y, saved = np.asarray(end.y), np.asarray(end.saved)
    run = filled_run(begin, saved, y)
    losses, distances = (np.asarray(x) for x in measured(course, own, run))

    def cut(x: np.ndarray) -> np.ndarray:
        """Of the run: the flows and times that there are."""
        return np.concatenate([x[: len(w), : len(times) + 1], x[: len(w), -1:]], axis=1)

    path = cut(run)[:, :, :neurons]
    parts = Run(path[..., :inside], path[..., m], None if b is None else path[..., m + 1])
    known = np.isfinite(saved[: len(w), : len(times)]).all(axis=(2, 3))
    free, never = np.full((len(w), neurons), FREE, np.int32), np.full((len(w), neurons), np.inf, dtype)
    ended = [np.asarray(x)[: len(w)] for x in (end.time, end.steps, end.code)]
    ends = Ends(ended[0], free, free, never, *ended[1:])
    return found(parts, cut(losses), cut(distances), known, times.astype(dtype), basis.astype(dtype), ends, power)


def _or_zeros(network: Network) -> np.ndarray:
    return np.zeros(network.neurons) if network.biases is None else np.asarray(network.biases)


def _lengths(
    student: Network, starts: Starts, rows: np.ndarray, train: tuple[Trained, ...]
) -> tuple[float, np.ndarray]:
    """The size of weights, and the length of (w, b) at which neurons [B, K] with a kink at 0 vanish; 0 for others."""
    w, _, b = starts
    each = getattr(student.activation, "activations", (student.activation,) * student.neurons)
    kinked = np.array([0.0 in sigma.kinks for sigma in each]) & ("weights" in train)
    lengths = np.sqrt(np.sum(w**2, axis=2) + (0.0 if b is None else b**2))
    check_no_zero_neuron((lengths == 0) & kinked)
    sizes = [float(np.linalg.norm(x, axis=-1).max()) for x in (rows, w)]
    scale = next((size for size in sizes if size > 0), 1.0)
    # A neuron that starts as short as that has a direction still.
    reference = np.where(lengths > VANISHED * scale, scale, lengths)
    return scale, np.where(kinked, VANISHED * reference, 0.0)


def _check_no_kinks(
    name: str, student: Network, teacher: Network, loss: SobolevLoss, of: Of, train: tuple[Trained, ...]
) -> None:
    """Hyperplanes that move coincide with others where the highest derivative jumps on both: there the loss has a
    kink that attracts, as neurons of a positive and a negative sign in the difference do.

    With biases two hyperplanes coincide on a set of codimension d, and the height of the cone is the measure between
    them, E|x + y z| of a normal z for shifts x and turns y: a norm, but not a Euclidean one, whose subgradient of
    least norm has no closed form.
    """
    if of != "loss" or set(train) == {"output_weights"}:
        return
    jumps = _jumps(student, loss)
    if jumps and jumps + _jumps(teacher, loss) > 1:
        raise NotImplementedError(
            f"student: got activation {student.activation} and train={train} for the gradient of a loss of order "
            f"{loss.order}; {name} knows the kinks of such a loss for order 1 and one activation whose slope jumps "
            "at 0 alone, without biases, for N(0, I), and needs these, a lower order, or of='population'"
        )


def _jumps(network: Network, loss: SobolevLoss) -> int:
    """How many neurons have a highest derivative that jumps."""
    each = getattr(network.activation, "activations", (network.activation,) * network.neurons)
    return sum(has_jumps(sigma, loss.order) for sigma in each)
