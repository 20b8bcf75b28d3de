"""What second moments are of, and the form in which every activation gives them."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...model.networks import Network


class Noisy(eqx.Module):
    """A student that learns from samples of its teacher with noise on the labels.

    Attributes:
        lambdas: those of orders 0 and 1.
        label_variance: of what is added to a label; it does not depend on x, and derivatives of labels have none.
    """

    student: Network
    teacher: Network
    lambdas: tuple[Float[Array, ""], Float[Array, ""]]
    label_variance: Float[Array, ""]

    @property
    def dtype(self):
        return self.student.weights.dtype


class Moments(NamedTuple):
    """E[g_k . g_l] = d `per_dimension` + `rest` in d dimensions: the first, of P_k P_l, where g_k = P_k x + ..."""

    per_dimension: Float[Array, "*pairs"]
    rest: Float[Array, "*pairs"]

    def total(self, dimension: int) -> Float[Array, "*pairs"]:
        return dimension * self.per_dimension + self.rest


class Mean(NamedTuple):
    """The population loss and gradient, the latter in weights and output weights."""

    loss: Float[Array, ""]
    weights: Float[Array, "K d"]
    output_weights: Float[Array, " K"]


def signed_neurons(p: Noisy) -> tuple[Float[Array, "m d"], Float[Array, " m"]]:
    """Student and teacher neurons, with the weights they have in the difference D of the networks."""
    rows = jnp.concatenate([p.student.weights, p.teacher.weights])
    return rows, jnp.concatenate([p.student.output_weights, -p.teacher.output_weights])
