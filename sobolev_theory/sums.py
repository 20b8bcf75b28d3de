"""What a family of activations supplies to the population functions: three sums over pairs of neurons."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Array, Float

Weights = tuple[float | Float[Array, ""], ...]  # one per order of the Sobolev loss
Neurons = tuple[Float[Array, "K d"], Float[Array, " K"]]  # weights and output weights


class Sums(NamedTuple):
    """Functions of (Sobolev weights, student neurons, teacher neurons), differentiable by JAX.

    `loss` is the population loss, `gradient` the expectation of the almost-everywhere gradient for weights and
    output weights, `boundary` what the loss gradient has beyond it, for the weights [K, d].
    """

    loss: Callable[[Weights, Neurons, Neurons], Float[Array, ""]]
    gradient: Callable[[Weights, Neurons, Neurons], Neurons]
    boundary: Callable[[Weights, Neurons, Neurons], Float[Array, "K d"]]
