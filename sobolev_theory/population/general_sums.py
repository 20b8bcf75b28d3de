"""Population loss and gradients of any activations, as sums over pairs of neurons.

  L = 1/2 sum_ij c_i c_j sum_m lambda_m kappa_m(i, j),   kappa_m = g_ij^m E[sigma_i^(m)(u_i) sigma_j^(m)(u_j)],
u the pre-activations of student and teacher (`fields`) and g their products in the metric of the derivatives: for
isotropic input w.w'. The expectations and their slopes are those of `pairings`; a gradient costs two matrix products
besides, four if the metric is another than the covariance's.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..kernels import activation_pairs
from ..kernels.activation_pairs import Part
from ..kernels.gaussian_pairs import Pairs
from ..kernels.quadrature import coarser
from ..model.losses import OrderWeights
from ..model.networks import Neurons
from .pair_sums import Sums
from .preactivations import Fields, pairs
from .row_blocks import Rows, by_rows

if TYPE_CHECKING:
    from ..model.activations import Activation

Group = tuple["Activation", tuple[int, ...]]


@dataclass(frozen=True)
class Layout:
    """Which neurons of student and teacher have which activation, and the orders of the loss; static under jit."""

    student: tuple[Group, ...]
    teacher: tuple[Group, ...]
    orders: tuple[int, ...]
    coarse: bool = False

    def nodes(self, sigma: "Activation", tau: "Activation") -> int:
        """Of quadrature; fewer if the layout is a coarse one, for an estimate of the error."""
        nodes = max(sigma.nodes, tau.nodes)
        return coarser(nodes) if self.coarse else nodes


def layout(
    student: "Activation", neurons: int, teacher: "Activation", teachers: int, orders: tuple[int, ...]
) -> Layout:
    return Layout(_groups(student, neurons), _groups(teacher, teachers), orders)


def _groups(activation: "Activation", neurons: int) -> tuple[Group, ...]:
    each = getattr(activation, "activations", (activation,) * neurons)
    different = dict.fromkeys(each)
    return tuple((sigma, tuple(k for k, one in enumerate(each) if one == sigma)) for sigma in different)


def loss(
    layout: Layout, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None
) -> Float[Array, ""]:
    sides = _sides(layout, student, teacher)
    total = jnp.zeros((), student.whitened.dtype)
    for side, (_, fields) in enumerate(sides):
        for group, (sigma, indices) in enumerate(sides[side][0]):
            count = len(indices)

            def energy(x, rows: Rows, side=side, group=group, sigma=sigma) -> Float[Array, " B"]:
                lambdas, own, everyone = x
                block = own.take(rows)
                value = jnp.zeros_like(block.output_weights)
                for other, (groups, _) in enumerate(sides):
                    for g, (tau, columns) in enumerate(groups):
                        others = everyone[other].take(np.array(columns))
                        itself = _same(rows, count, len(columns), side == other and group == g)  # noqa: B023
                        kernel = _kernel(layout, lambdas, sigma, tau, block, others, itself)
                        value = value + kernel @ others.output_weights
                return block.output_weights * value / 2

            operands = (lambdas, fields.take(np.array(indices)), tuple(f for _, f in sides))
            columns = sum(len(c) for groups, _ in sides for _, c in groups)
            total = total + jnp.sum(by_rows(energy, operands, count, columns, mesh)[:count])
    return total


def _kernel(layout: Layout, lambdas: OrderWeights, sigma, tau, block: Fields, others: Fields, itself) -> Pairs:
    orders = layout.orders
    found = activation_pairs.values(sigma, tau, orders, pairs(block, others, itself), layout.nodes(sigma, tau))
    product = block.gradients @ others.gradients.T if orders[-1] else jnp.ones_like(found[0])
    return sum((lambdas[m] * product**m * value for m, value in zip(orders, found, strict=True)), 0 * product)


def gradient(
    layout: Layout, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None, part: Part
) -> Fields:
    """In the fields of the student: its part "population", "boundary" or "loss"; output weights have no jumps."""
    sides = _sides(layout, student, teacher)
    columns = sum(len(c) for groups, _ in sides for _, c in groups)
    found = jax.tree.map(jnp.zeros_like, student)
    for group, (sigma, indices) in enumerate(layout.student):
        count = len(indices)
        orders = [m for m in layout.orders if part != "boundary" or activation_pairs.has_jumps(sigma, m)]
        if not orders:
            continue

        def of_block(x, rows: Rows, group=group, sigma=sigma, count=count, orders=orders) -> Fields:
            lambdas, own, everyone = x
            block = own.take(rows)
            pull = jax.tree.map(jnp.zeros_like, block)
            for side, (groups, _) in enumerate(sides):
                for g, (tau, chosen) in enumerate(groups):
                    others = everyone[side].take(np.array(chosen))
                    itself = _same(rows, count, len(chosen), side == 0 and group == g)
                    pull = jax.tree.map(
                        jnp.add,
                        pull,
                        _pull(orders, layout.nodes(sigma, tau), part, lambdas, sigma, tau, block, others, itself),
                    )
            scaled = jax.tree.map(lambda x: (block.output_weights * x.T).T, pull)
            return scaled._replace(output_weights=pull.output_weights)

        operands = (lambdas, student.take(np.array(indices)), tuple(f for _, f in sides))
        rows = by_rows(of_block, operands, count, columns, mesh)
        found = jax.tree.map(lambda x, y: x.at[np.array(indices)].set(y[:count]), found, rows)  # noqa: B023
    return found


def _pull(
    orders, nodes: int, part: Part, lambdas: OrderWeights, sigma, tau, block: Fields, others: Fields, itself
) -> Fields:
    """The derivative of sum_j c_j kappa in the fields of the block; that of its value in the place of the outputs."""
    zero = jnp.zeros((len(block.output_weights), len(others.output_weights)), block.whitened.dtype)
    found = activation_pairs.slopes(sigma, tau, orders, pairs(block, others, itself), part, nodes)
    product = block.gradients @ others.gradients.T if orders[-1] else zero + 1
    value, mean, own, covariance, metric = zero, zero, zero, zero, zero
    for m, slopes in zip(orders, found, strict=True):
        size = lambdas[m] * product**m
        value, mean = value + size * slopes.value, mean + size * slopes.mean
        own, covariance = own + size * slopes.own, covariance + size * slopes.covariance
        if m and part != "boundary":
            metric = metric + lambdas[m] * m * product ** (m - 1) * slopes.value
    c = others.output_weights
    apart = block.metric is not None
    along = (covariance if apart else covariance + metric) * c
    return Fields(
        along @ others.whitened + (own @ c)[:, None] * block.whitened,
        value @ c,
        None if block.means is None else mean @ c,
        (metric * c) @ others.gradients if apart else None,
    )


def _sides(layout: Layout, student: Fields, teacher: Fields) -> tuple[tuple[tuple[Group, ...], Fields], ...]:
    """The teacher's output weights with the sign they have in the difference."""
    minus = teacher._replace(output_weights=-teacher.output_weights)
    return (layout.student, student), (layout.teacher, minus)


def _same(rows: Rows, count: int, columns: int, one_group: bool):
    indices = jnp.arange(count)[rows]
    return (indices[:, None] == jnp.arange(columns)) & one_group


# Without biases and for N(0, I): what flows and critical points are followed with.


def sums(activation: "Activation") -> Sums:
    """For networks of one activation, from weights and output weights."""
    return Sums(
        partial(_isotropic_loss, activation),
        partial(_isotropic_gradient, activation, "population"),
        partial(_isotropic_boundary, activation),
        partial(_isotropic_gradient, activation, "loss"),
    )


def _isotropic(activation, lambdas, student: Neurons, teacher: Neurons) -> tuple[Layout, Fields, Fields]:
    orders = tuple(range(len(lambdas)))
    placed = layout(activation, len(student[1]), activation, len(teacher[1]), orders)
    return placed, Fields(*student), Fields(*teacher)


def _isotropic_loss(activation, lambdas, student: Neurons, teacher: Neurons, mesh) -> Float[Array, ""]:
    placed, ours, theirs = _isotropic(activation, lambdas, student, teacher)
    return loss(placed, lambdas, ours, theirs, mesh)


def _isotropic_gradient(activation, part: Part, lambdas, student: Neurons, teacher: Neurons, mesh) -> Neurons:
    placed, ours, theirs = _isotropic(activation, lambdas, student, teacher)
    found = gradient(placed, lambdas, ours, theirs, mesh, part)
    return found.whitened, found.output_weights


def _isotropic_boundary(activation, lambdas, student: Neurons, teacher: Neurons, mesh) -> Float[Array, "K d"]:
    return _isotropic_gradient(activation, "boundary", lambdas, student, teacher, mesh)[0]
