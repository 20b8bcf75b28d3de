"""The part of a boundary term that is smooth where lines of neurons meet: an activation's bend beside its kink.

The slope s' of an activation that jumps at 0 is h + J 1(t > 0), h continuous. The boundary term of H1 is a sum over
pairs of E[J delta(u) s'(u') x]. Of s' the jump gives the cones on which kinks of the loss lie; h gives what is here,
0 for an h that is constant.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import direction, polar
from ..model.activation_terms import Terms, collected, derivative, truncated_power
from ..model.activations import Activation, Points, ReLU, jump_of_slope
from ..model.losses import OrderWeights
from ..model.networks import Neurons
from ..model.precision import full_products
from .general_sums import difference, pulled
from .preactivations import Fields, pairs


class _Smoother(Activation):
    """An activation less the jump of its slope times ReLU."""

    of: Activation = eqx.field(static=True)

    def __call__(self, t: Points) -> Points:
        return self.of(t) - self.jump * ReLU()(t)

    @property
    def jump(self) -> float:
        return jump_of_slope(self.of) or 0.0

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.of.kinks

    @property
    def terms(self) -> Terms:
        return collected((*self.of.terms, (-self.jump, truncated_power(1))))


def bends(activation: Activation) -> bool:
    """Whether it is not linear on both sides of its kink."""
    return bool(derivative(_Smoother(activation).terms, 2))


@full_products
def beside_kinks(
    activation: Activation, lambdas: OrderWeights, student: Neurons, teacher: Neurons
) -> Float[Array, "K d"]:
    """In the student's weights, for N(0, I), networks of one activation without biases, and a loss of order 1."""
    everyone, count = difference(Fields(*student), Fields(*teacher)), len(student[1])
    block = everyone.take(slice(0, count))
    pair = pairs(block, everyone, jnp.eye(count, len(everyone.output_weights), dtype=bool))
    found = pulled([1], "boundary", lambdas, activation, _Smoother(activation), block, everyone, pair)
    u = direction(polar(student[0]))
    across = found.whitened - jnp.sum(found.whitened * u, axis=1, keepdims=True) * u  # x is, where u is 0
    return block.output_weights[:, None] * across
