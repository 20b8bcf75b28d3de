"""The population Jacobian and the loss Hessian in any dimension d, as matrices in the span and across it.

In the span of the neurons (n <= K + K* dimensions) the matrix in the weights is one of size K n. On each of the d - n
directions orthogonal to it, it acts on the K neurons as one and the same K x K matrix. Output weights and biases do
not see these directions, since a rotation of them changes nothing: their rows and columns belong to the first matrix.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..geometry.span import Reduction, reduction, with_a_zero_input
from ..model.activations import has_jumps
from ..model.arguments import check_choice
from ..model.inputs import GaussianInput
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network, check_same_inputs
from ..model.precision import full_products
from ..population import jacobians
from .trained import Trained, rescaling_power

GAUGE = 1024  # errors of the matrix times a direction, in eps of both and their size: of a critical point, polished


class Blocks(eqx.Module):
    """The matrix as it acts in the span, and on each direction orthogonal to it.

    Attributes:
        in_span: [P, P], the parameters in the order of `train`: weights K n, in the coordinates of `reduction.basis`,
            neuron by neuron, output weights K, biases K; `named` gives its parts.
        orthogonal: [K, K], on every one of the d - n orthogonal directions.
        gauge: how many directions that only change the scale of a neuron the matrix takes to 0: at a critical point
            all of them.
        copies: d - n; 0 if weights do not train.
        symmetric: whether the matrix is symmetric in exact arithmetic.
        reduction: the basis of the span.
        train: the names of the parameters, `sizes` how many of each.
    """

    in_span: Float[Array, "P P"]
    orthogonal: Float[Array, "K K"]
    gauge: Int[Array, ""]
    copies: int = eqx.field(static=True)
    symmetric: bool = eqx.field(static=True)
    reduction: Reduction
    train: tuple[Trained, ...] = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)

    @property
    def parts(self) -> list[tuple[Float[Array, "m m"], int]]:
        """The diagonal blocks with their multiplicities; no orthogonal one where the span is everything."""
        parts = [(self.in_span, 1)]
        return [*parts, (self.orthogonal, self.copies)] if self.copies else parts

    def named(self, row: Trained, column: Trained) -> Float[Array, "p q"]:
        """The derivative of the gradient in `row` by `column`, of those that train."""
        return self.in_span[self._where("row", row), self._where("column", column)]

    def _where(self, argument: str, name: str) -> slice:
        if name not in self.train:
            raise ValueError(f"{argument}: got {name!r}; needs one of {', '.join(map(repr, self.train))}")
        place = self.train.index(name)
        first = sum(self.sizes[:place])
        return slice(first, first + self.sizes[place])


def blocks(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    of: Of = "loss",
    train: tuple[Trained, ...] = ("weights",),
) -> Blocks:
    """The matrix in the span and its K x K action on the complement, from the reduced networks.

    The complement is seen by giving the reduced networks one more coordinate, in which all weights are 0: then one
    matrix, of size K (n + 1), has both blocks on its diagonal, and zeros beside them.
    """
    check_choice("of", of, Of)
    rotation = invariant_span(student, teacher, inputs)
    small, small_teacher = rotation.reduce(student), rotation.reduce(teacher)
    seen = small
    copies = student.dimension - rotation.dimension if "weights" in train else 0
    if copies:
        seen, small_teacher = with_a_zero_input(small), with_a_zero_input(small_teacher)
    if train == ("weights",):
        dense = {"loss": jacobians.loss_hessian, "population": jacobians.population_jacobian}[of]
        matrix = dense(seen, small_teacher, loss, inputs).reshape(seen.weights.size, seen.weights.size)
    else:
        matrix = jacobians.parameter_jacobian(seen, small_teacher, loss, inputs, of, train)

    if copies:
        in_span, orthogonal = _cut(matrix, *_places(seen, train))
    else:
        in_span, orthogonal = matrix, jnp.zeros((student.neurons, student.neurons), matrix.dtype)
    symmetric = of == "loss" or not has_jumps(student.activation, loss.order)
    sizes = tuple(getattr(small, name).size for name in train)
    gauge = _gauge(small, in_span, train)
    return Blocks(in_span, orthogonal, gauge, copies, symmetric, rotation, train, sizes)


def _places(seen: Network, train: tuple[Trained, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Which parameters are those in the span, and which the weights of the last coordinate, which is across it."""
    last = np.arange(seen.dimension) == seen.dimension - 1
    each = [
        np.tile(last, seen.neurons) if name == "weights" else np.zeros(getattr(seen, name).size, bool)
        for name in train
    ]
    is_across = np.concatenate(each)
    return np.flatnonzero(~is_across), np.flatnonzero(is_across)


@jax.jit  # once per shape, also for a caller outside jit
def _cut(matrix: Float[Array, "m m"], inside, across) -> tuple[Float[Array, "P P"], Float[Array, "K K"]]:
    return matrix[inside[:, None], inside[None]], matrix[across[:, None], across[None]]


def _gauge(student: Network, matrix: Float[Array, "P P"], train: tuple[Trained, ...]) -> Int[Array, ""]:
    """How many of the directions (w, b, -p a), one per neuron, the matrix takes to 0.

    It takes them to minus the gradients of that neuron, (G_w, G_b, -p G_a): a gradient of a rescaled neuron is
    rescaled the other way round. So does its transpose, since either gradient is orthogonal to them everywhere: they
    are eigenvectors of the symmetric part, and singular ones, of value 0.
    """
    power = rescaling_power(student, train)
    return jnp.zeros((), int) if power is None else _scales_at_0(student, matrix, power)


@partial(jax.jit, static_argnums=2)
@full_products
def _scales_at_0(student: Network, matrix: Float[Array, "P P"], power: int) -> Int[Array, ""]:
    eye = jnp.eye(student.neurons, dtype=matrix.dtype)
    columns = [eye[:, :, None] * student.weights[None], -power * eye * student.output_weights[None]]
    if student.biases is not None:
        columns.append(eye * student.biases[None])
    directions = jnp.concatenate([x.reshape(student.neurons, -1) for x in columns], axis=1)
    moved, length = jnp.linalg.norm(directions @ matrix.T, axis=1), jnp.linalg.norm(directions, axis=1)
    known = GAUGE * len(matrix) * float(jnp.finfo(matrix.dtype).eps) * jnp.max(jnp.abs(matrix))
    return jnp.sum((length > 0) & (moved <= known * length))


def invariant_span(student: Network, teacher: Network, inputs: GaussianInput) -> Reduction:
    """Outside it the matrix acts as one K x K matrix: the span of the neurons for N(0, I), else everything."""
    if isinstance(inputs, GaussianInput) and inputs.is_standard:
        return reduction(student, teacher)
    check_same_inputs(student, teacher)
    return Reduction(jnp.eye(student.dimension, dtype=student.weights.dtype))
