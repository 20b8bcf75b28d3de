"""What an engine supplies to the population functions: a loss and its gradient, as sums over pairs of neurons."""

from typing import Protocol

from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..kernels.activation_pairs import Part
from ..model.losses import OrderWeights
from .preactivations import Fields


class Sums(Protocol):
    """Functions of lambdas and of the fields of student and teacher, differentiable by JAX.

    The devices of a mesh, if it is not None, share out the students. Output weights of a teacher are its own: the
    sums give them their sign in the difference.
    """

    def loss(
        self, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None
    ) -> Float[Array, ""]: ...

    def gradient(
        self, part: Part, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None
    ) -> Fields:
        """One part of the gradient, in the fields of the student."""
        ...
