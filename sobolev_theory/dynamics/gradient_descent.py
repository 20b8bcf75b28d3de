"""Discrete time: gradient descent on exact gradients, SGD on fresh samples, and any optimiser of optax.

The exact population loss is the yardstick of all of them, so that curves of L2 and H1 can be compared without noise.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..geometry.angles import direction, parallel_below, polar
from ..geometry.line_angles import line_angles
from ..kernels.activation_pairs import has_jumps
from ..model.arguments import check_choice, real_array, whole
from ..model.inputs import GaussianInput
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network, with_parameters
from ..montecarlo import integrands
from ..population.gradients import loss_gradient, population_gradient, population_loss
from ..population.posing import posed
from .spectra import spectrum
from .trained import TRAINED, Train, checked_train, distance_of_networks, rescaling_power
from .zero_eigenvalues import is_zero

try:
    import optax
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"descend needs {error.name}, which is not installed: pip install 'sobolev-theory[descent]'", name=error.name
    ) from error

Steps = Literal["loss", "population", "sample"]
Optimiser = Callable[..., optax.GradientTransformation]  # of a learning rate


class Descent(eqx.Module):
    """Runs of one optimiser from one start, one for each of the rates [R].

    Attributes:
        rates: [R], learning rates.
        step: [T], numbers of steps taken, from 0.
        loss: [R T], exact population loss; infinite once a run has overflowed.
        distance: [R T], from the teacher as a set of neurons; infinite likewise.
        weights, output_weights, biases: [R K d] and [R K], after the last step; biases None for a student without.
    """

    rates: Float[Array, " R"]
    step: Int[Array, " T"]
    loss: Float[Array, "R T"]
    distance: Float[Array, "R T"]
    weights: Float[Array, "R K d"]
    output_weights: Float[Array, "R K"]
    biases: Float[Array, "R K"] | None

    @property
    def best(self) -> int:
        """Index of the rate with the least loss after the last step."""
        return int(jnp.argmin(self.loss[:, -1]))


def descend(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    *,
    of: Steps = "population",
    train: Train = "weights",
    rates: float | Sequence[float] | Float[Array, " R"],
    steps: int,
    optimiser: Optimiser = optax.sgd,
    every: int = 1,
    batch: int | None = None,
    key: jax.Array | None = None,
    measure: SobolevLoss | None = None,
) -> Descent:
    """`steps` steps of an optimiser on the student's weights, or what else is to `train`, at each rate, vmapped.

    In the coordinates given, whatever d is, since optimisers such as Adam are not invariant under rotations.

    Args:
        of: "population" and "loss" step along -`population_gradient` and -`loss_gradient`; "sample" along the mean
            gradient of `batch` fresh samples, the same ones at every rate: unbiased for the first.
        train: "weights", "output_weights" or "biases", or several of them; the others stay as they are.
        rates: learning rates, positive.
        optimiser: from a learning rate to a transformation of optax: optax.sgd, optax.adam, or with momentum
            functools.partial(optax.sgd, momentum=0.9).
        every: steps from one entry of the result to the next; divides `steps`.
        batch, key: number of samples per step and PRNG key, for "sample" only.
        measure: whose population loss is recorded, if not that of `loss`: a common yardstick.

    Returns:
        Descent: losses and distances [R, T] at the T = steps / every + 1 numbers of steps, and the last parameters.

    Raises:
        ModuleNotFoundError: optax is not installed (the extra `descent`).
        TypeError, ValueError: numbers that are not positive, `every` that does not divide `steps`, an unknown `of`;
            `batch` or `key` missing for "sample" or given otherwise; networks that do not fit each other; `train` of
            what the student does not have.

    Example:
        >>> import sobolev_theory as st
        >>> start, teacher = st.Network([0.0, 1.0]), st.Network([1.0, 0.0])
        >>> runs = st.descend(start, teacher, st.L2, rates=[0.5, 2.0], steps=20)
        >>> runs.loss.shape, runs.best
        ((2, 21), 1)
    """
    posed(student, teacher, loss, GaussianInput())
    check_choice("of", of, Steps)
    trained = checked_train(train, student)
    rates = jnp.atleast_1d(real_array("rates", rates))
    if rates.ndim != 1 or not jnp.all(rates > 0):
        raise ValueError(f"rates: got {rates.tolist()}; needs positive numbers [R]")
    steps, every = whole("steps", steps, 1), whole("every", every, 1)
    if steps % every:
        raise ValueError(f"every: got {every}; needs a divisor of steps = {steps}")
    if {batch is not None, key is not None} != {of == "sample"}:
        raise ValueError(f"batch, key: got {batch}, {key}; needs both for of='sample', and neither for of={of!r}")
    batch = None if batch is None else whole("batch", batch, 1)
    key = jax.random.key(0) if key is None else key
    dtype = jnp.result_type(student.weights, teacher.weights)
    student, teacher, rates = jax.tree.map(lambda x: x.astype(dtype), (student, teacher, rates))
    return _descended(
        optimiser, of, trained, steps // every, every, batch, (student, teacher), loss, measure or loss, rates, key
    )


@eqx.filter_jit
def _descended(optimiser, of, train, entries: int, every: int, batch, networks, loss, measure, rates, key) -> Descent:
    student, teacher = networks
    power = rescaling_power(student, train)

    def moved(state: tuple[Array, ...]) -> Network:
        steps = dict(zip(train, state, strict=True))
        return with_parameters(student, *(steps.get(name, getattr(student, name)) for name in TRAINED))

    def direction(state, number):
        if of == "sample":
            problem = integrands.SampledProblem(loss.lambdas, moved(state), teacher)
            samples = integrands.draw(problem, jax.random.fold_in(key, number), batch)
            found = integrands.population_gradient(problem, samples)
        else:
            found = (loss_gradient if of == "loss" else population_gradient)(moved(state), teacher, loss)
        return tuple(getattr(found, name) for name in train)

    def recorded(state):
        found = (
            population_loss(moved(state), teacher, measure),
            distance_of_networks(moved(state), teacher, train, power),
        )
        return tuple(jnp.where(jnp.isfinite(x), x, jnp.inf) for x in found)

    def run(rate):
        rule = optimiser(rate)

        def step(number, carried):
            state, memory = carried
            update, memory = rule.update(direction(state, number), memory, state)
            return optax.apply_updates(state, update), memory

        def entry(carried, first):
            carried = jax.lax.fori_loop(first, first + every, step, carried)
            return carried, recorded(carried[0])

        start = tuple(getattr(student, name) for name in train)
        (end, _), path = jax.lax.scan(entry, (start, rule.init(start)), every * jnp.arange(entries))
        runs = (jnp.concatenate([first[None], x]) for first, x in zip(recorded(start), path, strict=True))
        last = moved(end)
        return *runs, (last.weights, last.output_weights, last.biases)

    values, distances, ends = jax.vmap(run)(rates)
    return Descent(rates, every * jnp.arange(entries + 1), values, distances, *ends)


def largest_stable_step(
    critical: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    *,
    of: Of = "population",
    train: Train = "weights",
) -> float:
    """The learning rate up to which a critical point attracts gradient descent: 2/lambda_max where that is real.

    In general the least 2 Re(lambda)/|lambda|^2 over the eigenvalues of `population_jacobian` or `loss_hessian`,
    since the linearised step is 1 - rate lambda. Flat directions, whose eigenvalue is 0 to rounding, do not count: a
    step does not move along them. It is 0 where no rate is small enough: at a saddle, and on a kink of the loss of H1
    (a neuron on the line of a teacher neuron, or of another student neuron), where descent steps to and fro at the
    size of the rate.

    Args:
        of, train: as for `spectrum`.

    Returns:
        A float: 0 where no rate is small enough, infinity where every direction is flat.

    Raises:
        ValueError: an unknown `of`; networks that do not fit each other.

    Example:
        >>> import sobolev_theory as st
        >>> teacher = st.Network([1.0, 0.0])
        >>> [st.largest_stable_step(teacher, teacher, loss) for loss in (st.L2, st.H1)]
        [4.0, 2.0]
    """
    values = np.asarray(spectrum(critical, teacher, loss, of=of, train=train).values)
    moves = set(checked_train(train, critical)) != {"output_weights"}
    if of == "loss" and moves and _on_a_kink(critical, teacher, loss.order):
        return 0.0
    # A flat critical point is known to half the digits, and so are its eigenvalues.
    values = values[~np.asarray(is_zero(jnp.asarray(values), values.size, np.inf))]
    return float(max(0.0, np.min(2 * values.real / np.abs(values) ** 2, initial=np.inf)))


def _on_a_kink(student: Network, teacher: Network, order: int) -> bool:
    """Whether a hyperplane on which the highest derivative of a student neuron jumps is one of another neuron too."""
    ours, theirs = _hyperplanes(student, order), _hyperplanes(teacher, order)
    sin = np.asarray(line_angles(ours, jnp.concatenate([ours, theirs])).sin)
    others = np.eye(*sin.shape) == 0
    turns = np.asarray(ours[:, -1] != 0)[:, None] | (student.dimension > 1)  # in one input 0 stays where it is
    return bool(np.any((sin <= parallel_below(sin.dtype)) & others & turns))


def _hyperplanes(network: Network, order: int) -> Float[Array, "m n"]:
    """Unit vectors along (w, b - kink), of neurons that are alive and seen."""
    each = getattr(network.activation, "activations", (network.activation,) * network.neurons)
    biases = np.zeros(network.neurons) if network.biases is None else np.asarray(network.biases)
    rows = [
        [*w, bias - kink]
        for w, a, bias, sigma in zip(
            np.asarray(network.weights), np.asarray(network.output_weights), biases, each, strict=True
        )
        if a != 0 and np.any(w != 0) and has_jumps(sigma, order)
        for kink in sigma.kinks
    ]
    return direction(polar(jnp.asarray(rows, network.weights.dtype).reshape(-1, network.dimension + 1)))
