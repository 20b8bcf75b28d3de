"""Where gradient flows end: critical points, polished to rounding by a second-order method, and their kind."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..closed_forms.kinds import Kind
from ..geometry.angles import direction, polar
from ..model.activations import Activation, ReLU
from ..model.arguments import check_choice, finite, whole
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network, with_parameters
from ..population.problem import isotropic_problem
from . import kinks
from .clusters import FREE
from .flow_measures import measured
from .kinks import WeightLoss, packed
from .rooms import bases, room
from .trained import Train, checked_train, rescaling_power
from .zero_eigenvalues import is_zero

FILLED = 8  # neurons up to which arrays are filled up: a Jacobian costs their number squared
ROUNDING = 1e-16  # relative changes at which the iteration stops
SILENT = 1e-8  # of the teacher's own loss: a smaller one is 0. Next to copies of a teacher neuron the gradient falls
# like angle^2 and the H1 loss like the angle: 1e-10 when the gradient is at rounding.


class CriticalPoint(eqx.Module):
    """A zero of the gradient, or of the subgradient of least norm where neurons are on kinks.

    Attributes:
        student: the network there.
        ray: [K], the teacher neurons on whose lines neurons were held, -1 for none.
        residual: norm of the gradient in what trains.
        moved: |W - W_start|, Frobenius, with output weights beside the weights if they train.
        loss: the population loss.
        smallest: least real part of the eigenvalues of the gradient's Jacobian; 0 where they are known no better
            than to its sign: at a degenerate point that is half the digits. Directions that leave a kink do not
            count, where the loss rises at a positive slope; nor those that only change the scale of a neuron.
        kind: Kind.
    """

    student: Network
    ray: Int[Array, " K"]
    residual: float
    moved: float
    loss: float
    smallest: float
    kind: Kind = eqx.field(static=True)


def critical_point(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    *,
    of: Of = "loss",
    train: Train = "weights",
    ray: Sequence[int] | Int[Array, " K"] | np.ndarray | None = None,
    tolerance: float | None = None,
    max_steps: int = 100,
) -> CriticalPoint:
    """The critical point next to a student, by Levenberg and Marquardt's method (MINPACK) on exact Jacobians.

    In the span of student and teacher, with one direction orthogonal to it for the eigenvalues; dense matrices of
    size K (n + 2). Where neurons may be rescaled it is the one with the start's a^2 - |w|^2 / p, which flows keep.

    Args:
        of: "loss" or "population", as in `gradient_flow`.
        train: "weights", "output_weights" or both; what does not train stays as it is.
        ray: [K], teacher neurons on whose lines neurons stay, -1 for free ones, as in `Flow.ray`; default all free.
        tolerance: of the gradient's norm, in units of the teacher's largest norm; default 1e-13, or 1e-5 in single
            precision.
        max_steps: evaluations of the gradient. Some 5 do near a regular point, some 30 where eigenvalues are 0.

    Returns:
        CriticalPoint: the network, how good it is, and its kind.

    Raises:
        TypeError, ValueError: arguments that do not fit each other, as in `population_loss`; a ray out of range.
        NotImplementedError: biases, different activations, and kinks of a loss that `gradient_flow` does not know.

    Example:
        >>> import sobolev_theory as st
        >>> near = st.Network([[1.0, 1e-3], [2e-3, 1.0]])
        >>> st.critical_point(near, st.Network([[1.0, 0.0], [0.0, 1.0]]), st.L2).kind.name
        'GLOBAL'
    """
    activation, lambdas, _, _ = isotropic_problem("critical_point", student, teacher, loss)
    check_choice("of", of, Of)
    max_steps = whole("max_steps", max_steps, 1)
    dtype = jnp.result_type(student.weights, teacher.weights)
    if tolerance is None:
        tolerance = 1e-13 if dtype == jnp.float64 else 1e-5
    tolerance = finite("tolerance", tolerance, 0.0)
    ray, names = _checked_ray(ray, student, teacher), checked_train(train, student)
    begin, rows = np.asarray(student.weights, float)[None], np.asarray(teacher.weights, float)
    basis = bases(begin, rows)[0].astype(dtype)
    extra = [(0, 0), (0, int(student.dimension > basis.shape[1]))]  # a direction orthogonal to the span
    w, rows = (np.pad(x @ basis, extra).astype(dtype) for x in (begin[0], rows))
    outputs = np.asarray(student.output_weights, float), np.asarray(teacher.output_weights, float)
    space = room((1, *w.shape), len(rows), 1, FILLED if isinstance(activation, ReLU) else 0)
    ours, theirs = (space.output_weights(a, axis, dtype) for a, axis in zip(outputs, (1, 3), strict=True))
    numbers: Any = [np.asarray(x, dtype) for x in lambdas]
    networks: Any = ours, (space.teachers(rows[None], dtype)[0], theirs)
    kinked = kinks.has_kinks("critical_point", activation, loss, of)
    f = kinks.posed(activation, kinked, tuple(numbers), *networks)
    system = (activation, kinked, f, np.pad(ray, (0, ours.size - ray.size), constant_values=FREE))
    begins = np.concatenate([w, outputs[0][:, None]], axis=1)
    full, exists = space.starts(begins[None, :, :-1], begins[None, :, -1], dtype)[0], space.states
    trains = exists & np.append(np.full(full.shape[1] - 1, "weights" in names), "output_weights" in names)
    moves = trains[exists].reshape(begins.shape)

    def placed(x: np.ndarray) -> np.ndarray:
        """Among what does not train, and the entries of neurons that are not there."""
        y = full.copy()
        y[trains] = x
        return y

    def gradient(x: np.ndarray) -> np.ndarray:
        return np.asarray(_gradient(*system, placed(x)))[trains]

    def jacobian(x: np.ndarray) -> np.ndarray:
        return np.asarray(_jacobian(*system, placed(x)))[trains][:, trains]

    power = rescaling_power(student, names)

    def equations(x: np.ndarray) -> np.ndarray:
        """The gradient and, where neurons may be rescaled, the balances: without them steps are not determined."""
        if power is None:
            return gradient(x).astype(float)
        y = placed(x)[exists].reshape(begins.shape)
        return np.concatenate([gradient(x), _balances(y, power) - _balances(begins, power)]).astype(float)

    def their_jacobian(x: np.ndarray) -> np.ndarray:
        if power is None:
            return jacobian(x).astype(float)
        y = placed(x)[exists].reshape(begins.shape)
        return np.concatenate([jacobian(x), -2 / power * _gauge(y, power)]).astype(float)

    from scipy import optimize  # here, so that importing the library stays quick

    found = optimize.root(
        equations,
        full[trains],
        jac=their_jacobian,
        method="lm",
        options={"xtol": ROUNDING, "ftol": ROUNDING, "maxiter": max_steps},
    )
    x = found.x.astype(dtype)
    end = placed(x)[exists].reshape(begins.shape)
    residual, matrix = float(np.linalg.norm(gradient(x))), jacobian(x)
    sides = _allowed(begins.shape, ray, rows, names)
    if power is not None:  # without what the Jacobian takes to 0, also from the left (`trained`)
        gauge = _gauge(end, power)
        gauge = gauge[np.any(gauge != 0, axis=1)] @ sides
        sides = sides @ np.linalg.qr(gauge.T, mode="complete")[0][:, len(gauge) :]
    matrix = sides.T @ matrix @ sides
    eigenvalues = np.linalg.eigvals(matrix)
    flat = np.asarray(is_zero(eigenvalues, eigenvalues.size, np.inf))
    smallest = float(np.where(flat, 0.0, eigenvalues.real).min())
    run = np.stack([end, 0 * end])[None]
    measures = measured(activation, space, lambdas, run[..., :-1], run[..., -1], rows[None], outputs[1])
    value, scale = measures[0][0]
    if residual > tolerance * np.max(np.linalg.norm(rows, axis=1)):
        kind = Kind.NONE
    elif value <= SILENT * scale:
        kind = Kind.GLOBAL
    else:
        kind = Kind.FLAT if smallest == 0 else Kind.MINIMUM if smallest > 0 else Kind.SADDLE
    lifted = jax.device_put(end[:, : basis.shape[1]] @ basis.T) if "weights" in names else student.weights
    output_weights = jax.device_put(end[:, -1]) if "output_weights" in names else student.output_weights
    return CriticalPoint(
        with_parameters(student, lifted, output_weights),
        jax.device_put(ray),
        residual,
        float(np.linalg.norm((end - begins)[moves])),
        float(value),
        smallest,
        kind,
    )


@partial(jax.jit, static_argnums=(0, 1))
def _gradient(
    activation: Activation, kinked: bool, f: WeightLoss, ray, y: Float[Array, "K m"]
) -> Float[Array, "K m"]:
    """What is 0 at a critical point (w, a): minus the velocity, and of neurons on rays the way back to the line."""
    w, f = y[:, :-1], f._replace(output_weights=y[:, -1])
    if not kinked:
        return -packed(*kinks.population_velocity(activation, f, w))
    line = direction(polar(f.teacher[0]))[ray]
    off = w - jnp.sum(w * line, axis=1, keepdims=True) * line
    held = (ray != FREE)[:, None]
    found = kinks.motion(activation, f, w, ray)
    return packed(jnp.where(held, off, 0.0) - found.velocity, -found.growth)


@partial(jax.jit, static_argnums=(0, 1))
def _jacobian(
    activation: Activation, kinked: bool, f: WeightLoss, ray, y: Float[Array, "K m"]
) -> Float[Array, "K m K m"]:
    return jax.jacfwd(partial(_gradient, activation, kinked, f, ray))(y)


def _allowed(shape: tuple[int, ...], ray: np.ndarray, rows: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Orthonormal columns of what trains [K m], without the directions in which neurons leave their lines."""
    columns = []
    for k, line in enumerate(ray):
        sides = []
        if "weights" in names:
            along = np.eye(shape[1] - 1) if line == FREE else rows[line][:, None] / np.linalg.norm(rows[line])
            sides.append(np.pad(along, [(0, 1), (0, 0)]))
        if "output_weights" in names:
            sides.append(np.eye(shape[1])[:, -1:])
        block = np.zeros((*shape, sum(side.shape[1] for side in sides)))
        block[k] = np.concatenate(sides, axis=1)
        columns.append(block.reshape(-1, block.shape[2]))
    trains = np.append(np.full(shape[1] - 1, "weights" in names), "output_weights" in names)
    return np.concatenate(columns, axis=1)[np.tile(trains, shape[0])]


def _balances(y: np.ndarray, power: int) -> np.ndarray:
    """Of neurons (w, a): a^2 - |w|^2 / p."""
    return y[:, -1] ** 2 - np.sum(y[:, :-1] ** 2, axis=1) / power


def _gauge(y: np.ndarray, power: int) -> np.ndarray:
    """The changes of scale (w, -p a) of all neurons, a row each: -p/2 times the derivatives of the balances."""
    rows = np.zeros((len(y), *y.shape))
    neurons = np.arange(len(y))
    rows[neurons, neurons] = np.concatenate([y[:, :-1], -power * y[:, -1:]], axis=1)
    return rows.reshape(len(y), -1)


def _checked_ray(ray, student: Network, teacher: Network) -> np.ndarray:
    neurons, teachers = student.output_weights.size, teacher.output_weights.size
    found = np.full(neurons, FREE) if ray is None else np.asarray(ray)
    if found.shape != (neurons,) or not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"ray: got shape {found.shape} of {found.dtype}; needs integers [K] = [{neurons}]")
    if np.any(found < FREE) or np.any(found >= teachers):
        raise ValueError(f"ray: got {found.tolist()}; needs teacher neurons 0 ... {teachers - 1}, or -1 for none")
    zero = ~np.any(np.asarray(teacher.weights), axis=1)
    if np.any(zero[found[found != FREE]]):
        raise ValueError(f"ray: got {found.tolist()}, with a teacher neuron that is 0; needs ones that have a line")
    return found.astype(np.int32)
