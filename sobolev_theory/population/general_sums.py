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
from jaxtyping import Array, Bool, Float

from ..kernels import activation_pairs
from ..kernels.activation_pairs import Part
from ..kernels.gaussian_pairs import GaussianPair, Pairs
from ..model.losses import OrderWeights
from ..model.networks import Network
from .preactivations import Fields, pairs
from .row_blocks import Rows, by_rows

if TYPE_CHECKING:
    from ..model.activations import Activation

Group = tuple["Activation", tuple[int, ...]]  # the neurons of one activation, students before teachers


def general_sums(student: Network, teacher: Network, orders: tuple[int, ...]) -> "GeneralSums":
    """For networks of any activations; see `GeneralSums`."""
    each = [
        *getattr(student.activation, "activations", (student.activation,) * student.neurons),
        *getattr(teacher.activation, "activations", (teacher.activation,) * teacher.neurons),
    ]
    groups = tuple((sigma, tuple(k for k, one in enumerate(each) if one == sigma)) for sigma in dict.fromkeys(each))
    return GeneralSums(groups, orders)


def activations(activation: "Activation") -> tuple["Activation", ...]:
    """The different ones of a network's activation: several of a mixed one."""
    return tuple(dict.fromkeys(getattr(activation, "activations", (activation,))))


@dataclass(frozen=True)
class GeneralSums:
    """Which neurons, of students and teachers together, have which activation, and the orders of the loss.

    One sum over all: a program has each pair of activations once.
    """

    groups: tuple[Group, ...]
    orders: tuple[int, ...]

    def loss(self, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None) -> Float[Array, ""]:
        total, everyone = jnp.zeros((), student.whitened.dtype), difference(student, teacher)
        for sigma, indices in self.groups:
            count = len(indices)

            def energy(x, rows: Rows, sigma=sigma, indices=indices) -> Float[Array, " B"]:
                lambdas, everyone = x
                block = everyone.take(_index(indices)).take(rows)
                value = jnp.zeros_like(block.output_weights)
                for tau, others, itself in self._columns(everyone, indices, rows):
                    kernel = self._kernel(lambdas, sigma, tau, block, others, itself)
                    value = value + kernel @ others.output_weights
                return block.output_weights * value / 2

            found = by_rows(energy, (lambdas, everyone), count, len(everyone.output_weights), mesh)
            total = total + jnp.sum(found[:count])
        return total

    def gradient(
        self, part: Part, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None
    ) -> Fields:
        """In the fields of the student; output weights have no boundary term."""
        everyone = difference(student, teacher)
        return self._gradient(part, lambdas, everyone, len(student.output_weights), mesh)

    def of_all(self, lambdas: OrderWeights, everyone: Fields, coarse: Bool[Array, ""]) -> Fields:
        """The population gradient in the fields of all neurons, student and teacher as one network.

        If `coarse` with fewer nodes of quadrature.
        """
        return self._gradient("population", lambdas, everyone, len(everyone.output_weights), None, coarse)

    def _gradient(
        self,
        part: Part,
        lambdas: OrderWeights,
        everyone: Fields,
        first: int,
        mesh: Mesh | None,
        coarse: Bool[Array, ""] | None = None,
    ) -> Fields:
        """In the fields of the first neurons."""
        found = jax.tree.map(lambda x: jnp.zeros_like(x[:first]), everyone)
        for sigma, indices in self.groups:
            orders = [m for m in self.orders if part != "boundary" or activation_pairs.has_jumps(sigma, m)]
            chosen = tuple(k for k in indices if k < first)
            if not orders or not chosen:
                continue

            def of_block(x, rows: Rows, sigma=sigma, orders=orders, chosen=chosen) -> Fields:
                lambdas, everyone = x
                block = everyone.take(_index(chosen)).take(rows)
                pull = jax.tree.map(jnp.zeros_like, block)
                for tau, others, itself in self._columns(everyone, chosen, rows):
                    pair = pairs(block, others, itself)._replace(coarse=coarse)
                    of_pairs = pulled(orders, part, lambdas, sigma, tau, block, others, pair)
                    pull = jax.tree.map(jnp.add, pull, of_pairs)
                scaled = jax.tree.map(lambda x: _by_row(block.output_weights, x), pull)
                return scaled._replace(output_weights=pull.output_weights)

            rows = by_rows(of_block, (lambdas, everyone), len(chosen), len(everyone.output_weights), mesh)
            found = jax.tree.map(lambda x, y, chosen=chosen: x.at[_index(chosen)].set(y[: len(chosen)]), found, rows)
        return found

    def _columns(self, everyone: Fields, chosen: tuple[int, ...], rows: Rows):
        """The groups of neurons that a block of the chosen rows is summed over, and where they are the same ones."""
        for tau, indices in self.groups:
            same = jnp.array(chosen)[rows][:, None] == np.array(indices)[None, :]
            yield tau, everyone.take(_index(indices)), same

    def _kernel(self, lambdas: OrderWeights, sigma, tau, block: Fields, others: Fields, itself) -> Pairs:
        orders = self.orders
        pair = pairs(block, others, itself)
        found = activation_pairs.values(sigma, tau, orders, pair, nodes_of(sigma, tau))
        product = block.gradients @ others.gradients.T if orders[-1] else jnp.ones_like(found[0])
        return sum((lambdas[m] * product**m * value for m, value in zip(orders, found, strict=True)), 0 * product)


def nodes_of(sigma: "Activation", tau: "Activation") -> int:
    return max(sigma.nodes, tau.nodes)


def pulled(
    orders, part: Part, lambdas: OrderWeights, sigma, tau, block: Fields, others: Fields, pair: GaussianPair
) -> Fields:
    """The derivative of sum_j c_j kappa in the fields of the block; that of its value in the place of the outputs."""
    zero = jnp.zeros((len(block.output_weights), len(others.output_weights)), block.whitened.dtype)
    found = activation_pairs.slopes(sigma, tau, orders, pair, part, nodes_of(sigma, tau))
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


def _index(neurons: tuple[int, ...]) -> slice | np.ndarray:
    """Without a gather where they are in a row."""
    first, last = neurons[0], neurons[-1] + 1
    return slice(first, last) if last - first == len(neurons) else np.array(neurons)


def difference(student: Fields, teacher: Fields) -> Fields:
    """Of student and teacher: all neurons, the teacher's output weights with the sign they have in it."""
    minus = teacher._replace(output_weights=-teacher.output_weights)
    return jax.tree.map(lambda x, y: jnp.concatenate([x, y]), student, minus)


def _by_row(factor: Float[Array, " B"], rows: Float[Array, "B *d"]) -> Float[Array, "B *d"]:
    return factor.reshape(-1, *(1,) * (rows.ndim - 1)) * rows
