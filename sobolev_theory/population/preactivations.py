"""The pre-activations of a network's neurons under a Gaussian input: what losses see, linear in the parameters."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import angles_between, polar
from ..geometry.fixed_tangents import is_fixed
from ..kernels.gaussian_pairs import GaussianPair
from ..model.inputs import GaussianInput
from ..model.materialised import materialised
from ..model.networks import Network, parameters
from ..model.precision import full_products


class Fields(NamedTuple):
    """u_k = w_k.x + b_k for the neurons k.

    Attributes:
        whitened: rows v with Cov(u_k, u_l) = v_k.v_l.
        output_weights: a, those of a teacher with the sign that they have in the difference.
        means: E[u_k], None where all are 0.
        metric: rows whose products are those of the gradients of u in x; None where they are `whitened`.
    """

    whitened: Float[Array, "K q"]
    output_weights: Float[Array, " K"]
    means: Float[Array, " K"] | None = None
    metric: Float[Array, "K d"] | None = None

    def take(self, rows) -> "Fields":
        return jax.tree.map(lambda x: x[rows], self)

    @property
    def gradients(self) -> Float[Array, "K d"]:
        return self.whitened if self.metric is None else self.metric


def fields(network: Network, inputs: GaussianInput, order: int, with_means: bool, dtype) -> Fields:
    """Of one network, in the precision of the sums; `order` of the loss: L2 has no use for a metric."""
    weights, output, biases = jax.tree.map(lambda leaf: leaf.astype(dtype), parameters(network))
    means = None
    if with_means:
        means = jnp.zeros_like(output) if biases is None else biases
        if inputs.mean is not None:
            means = means + weights @ inputs.mean.astype(dtype)
    euclidean = inputs.metric == "euclidean" and not inputs.is_isotropic and order > 0
    return Fields(inputs.whitened(weights), output, means, weights if euclidean else None)


def pairs(own: Fields, others: Fields, itself: jax.Array) -> GaussianPair:
    """Of every row with every other; `itself` where they are one and the same neuron."""
    a, b = polar(own.whitened), polar(others.whitened)
    pair = materialised(GaussianPair(a.norm[:, None], b.norm[None, :], angles_between(a, b, itself)))
    pair = pair._replace(product=_product(own.whitened, others.whitened, pair.covariance))
    if own.means is None or others.means is None:
        return pair
    return pair._replace(mean=own.means[:, None], mean_=others.means[None, :])


@jax.custom_jvp
def _product(rows: Float[Array, "n d"], others: Float[Array, "m d"], value: Float[Array, "n m"]):
    """rows @ others.T of known value."""
    return value


@partial(_product.defjvp, symbolic_zeros=True)
@full_products
def _product_jvp(primals, tangents):
    rows, others, value = primals
    left, right, _ = tangents
    along = jnp.zeros_like(value)
    if not is_fixed(left):
        along = along + left @ others.T
    if not is_fixed(right):
        along = along + rows @ right.T
    return value, along
