"""Population loss and gradients of any activations, as sums over pairs of neurons.

  L = 1/2 sum_ij c_i c_j sum_m lambda_m kappa_m(i, j),   kappa_m = g_ij^m E[sigma_i^(m)(u_i) sigma_j^(m)(u_j)],
u the pre-activations of student and teacher (`preactivations`) and g their products in the metric of the
derivatives: for isotropic input w.w'. The expectations and their slopes are those of `activation_pairs`; a gradient
costs two matrix products besides, four if the metric is another than the covariance's.
"""

from dataclasses import dataclass
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
from ..model.networks import Network
from .preactivations import Fields, pairs
from .row_blocks import Rows, by_rows

if TYPE_CHECKING:
    from ..model.activations import Activation

Group = tuple["Activation", tuple[int, ...]]  # the neurons of one activation
Side = tuple[tuple[Group, ...], Fields]


def general_sums(student: Network, teacher: Network, orders: tuple[int, ...], coarse: bool = False) -> "GeneralSums":
    return GeneralSums(_groups(student), _groups(teacher), orders, coarse)


def activations(activation: "Activation") -> tuple["Activation", ...]:
    """The different ones of a network's activation: several of a mixed one."""
    return tuple(dict.fromkeys(getattr(activation, "activations", (activation,))))


def _groups(network: Network) -> tuple[Group, ...]:
    each = getattr(network.activation, "activations", (network.activation,) * network.neurons)
    return tuple(
        (sigma, tuple(k for k, one in enumerate(each) if one == sigma)) for sigma in activations(network.activation)
    )


@dataclass(frozen=True)
class GeneralSums:
    """Which neurons of student and teacher have which activation, and the orders of the loss.

    `coarse` ones have fewer nodes of quadrature, for an estimate of the error.
    """

    student: tuple[Group, ...]
    teacher: tuple[Group, ...]
    orders: tuple[int, ...]
    coarse: bool = False

    def loss(self, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None) -> Float[Array, ""]:
        total = jnp.zeros((), student.whitened.dtype)
        sides = self._sides(student, teacher)
        for side, (groups, fields) in enumerate(sides):
            for group, (sigma, indices) in enumerate(groups):
                count = len(indices)

                def energy(x, rows: Rows, here=(side, group), sigma=sigma, count=count) -> Float[Array, " B"]:
                    lambdas, own, everyone = x
                    block = own.take(rows)
                    value = jnp.zeros_like(block.output_weights)
                    for tau, others, itself in self._columns(sides, everyone, rows, count, here):
                        kernel = self._kernel(lambdas, sigma, tau, block, others, itself)
                        value = value + kernel @ others.output_weights
                    return block.output_weights * value / 2

                operands = lambdas, fields.take(np.array(indices)), tuple(f for _, f in sides)
                rows = by_rows(energy, operands, count, _neurons(sides), mesh)
                total = total + jnp.sum(rows[:count])
        return total

    def gradient(
        self, part: Part, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None
    ) -> Fields:
        """In the fields of the student; output weights have no boundary term."""
        found = jax.tree.map(jnp.zeros_like, student)
        sides = self._sides(student, teacher)
        for group, (sigma, indices) in enumerate(self.student):
            orders = [m for m in self.orders if part != "boundary" or activation_pairs.has_jumps(sigma, m)]
            if not orders:
                continue
            count = len(indices)

            def of_block(x, rows: Rows, here=(0, group), sigma=sigma, orders=orders, count=count) -> Fields:
                lambdas, own, everyone = x
                block = own.take(rows)
                pull = jax.tree.map(jnp.zeros_like, block)
                for tau, others, itself in self._columns(sides, everyone, rows, count, here):
                    nodes = self.nodes(sigma, tau)
                    of_pairs = _pull(orders, nodes, part, lambdas, sigma, tau, block, others, itself)
                    pull = jax.tree.map(jnp.add, pull, of_pairs)
                scaled = jax.tree.map(lambda x: _by_row(block.output_weights, x), pull)
                return scaled._replace(output_weights=pull.output_weights)

            operands = lambdas, student.take(np.array(indices)), tuple(f for _, f in sides)
            rows = by_rows(of_block, operands, count, _neurons(sides), mesh)
            found = jax.tree.map(
                lambda x, y, indices=indices: x.at[np.array(indices)].set(y[: len(indices)]), found, rows
            )
        return found

    def _sides(self, student: Fields, teacher: Fields) -> tuple[Side, Side]:
        """The teacher's output weights with the sign they have in the difference."""
        minus = teacher._replace(output_weights=-teacher.output_weights)
        return (self.student, student), (self.teacher, minus)

    def _columns(self, sides, everyone: tuple[Fields, Fields], rows: Rows, count: int, here: tuple[int, int]):
        """The groups of neurons that a block of rows is summed over, and where they are the same neurons."""
        for side, (groups, _) in enumerate(sides):
            for group, (tau, chosen) in enumerate(groups):
                same = jnp.arange(count)[rows][:, None] == jnp.arange(len(chosen))[None, :]
                yield tau, everyone[side].take(np.array(chosen)), same & (here == (side, group))

    def _kernel(self, lambdas: OrderWeights, sigma, tau, block: Fields, others: Fields, itself) -> Pairs:
        orders = self.orders
        pair, nodes = pairs(block, others, itself), self.nodes(sigma, tau)
        found = activation_pairs.values(sigma, tau, orders, pair, nodes)
        product = block.gradients @ others.gradients.T if orders[-1] else jnp.ones_like(found[0])
        return sum((lambdas[m] * product**m * value for m, value in zip(orders, found, strict=True)), 0 * product)

    def nodes(self, sigma: "Activation", tau: "Activation") -> int:
        nodes = max(sigma.nodes, tau.nodes)
        return coarser(nodes) if self.coarse else nodes


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
    columns = c[None, :]
    apart = block.metric is not None
    along = (covariance if apart else covariance + metric) * columns
    return Fields(
        along @ others.whitened + (own @ c)[:, None] * block.whitened,
        value @ c,
        None if block.means is None else mean @ c,
        (metric * columns) @ others.gradients if apart else None,
    )


def _by_row(factor: Float[Array, " B"], rows: Float[Array, "B *d"]) -> Float[Array, "B *d"]:
    return factor.reshape(-1, *(1,) * (rows.ndim - 1)) * rows


def _neurons(sides: tuple[Side, Side]) -> int:
    return sum(len(chosen) for groups, _ in sides for _, chosen in groups)
