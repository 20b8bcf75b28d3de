"""What a family of activations supplies to the population functions: sums over pairs of neurons."""

from collections.abc import Callable
from typing import NamedTuple

from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..model.losses import OrderWeights
from ..model.networks import Neurons


class Sums(NamedTuple):
    """Functions of (Sobolev weights, student neurons, teacher neurons, mesh), differentiable by JAX.

    `loss` is the population loss, `gradient` the expectation of the almost-everywhere gradient for weights and
    output weights, `boundary` what the loss gradient has beyond it, for the weights [K, d], `loss_gradient` the sum
    of both. The devices of a mesh, if it is not None, share out the students.
    """

    loss: Callable[[OrderWeights, Neurons, Neurons, Mesh | None], Float[Array, ""]]
    gradient: Callable[[OrderWeights, Neurons, Neurons, Mesh | None], Neurons]
    boundary: Callable[[OrderWeights, Neurons, Neurons, Mesh | None], Float[Array, "K d"]]
    loss_gradient: Callable[[OrderWeights, Neurons, Neurons, Mesh | None], Neurons]
