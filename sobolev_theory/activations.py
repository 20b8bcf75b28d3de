"""Activations: point values for sampling, Gaussian duals for the theory.

A new activation is one class here or in a user's own file; nothing else is edited. What it must give:
`__call__` (a JAX function of the pre-activation, differentiated by autodiff wherever samples are drawn)
and `dual`, the expectation E[sigma^(m)(u) sigma^(m)(u')] of a centred Gaussian pair. Losses, gradients,
Jacobians and Hessians follow from these two. What it may give: `kinks`, where a derivative jumps, and
`sums`, if its population formulas can be summed with more care than the general ones (`pairwise`).
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from . import pairwise, relu_sums
from .sums import Sums


class Activation(eqx.Module):
    """Base class of all activations: immutable, compared by value, static under jit.

    Parameters of an activation are static fields, `eqx.field(static=True)`.

    Class attributes:
        highest_order: the highest order m with E[sigma^(m)(u)^2] finite; None if there is no limit.
        why_no_higher_order: the reason, for the error message.
        kinks: the points t where a derivative of order <= highest_order jumps.
    """

    highest_order: ClassVar[int | None] = None
    why_no_higher_order: ClassVar[str] = ""
    kinks: ClassVar[tuple[float, ...]] = ()

    @abc.abstractmethod
    def __call__(self, t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """sigma(t), elementwise."""

    @abc.abstractmethod
    def dual(
        self,
        order: int,
        variance: Float[Array, "*pairs"],
        covariance: Float[Array, "*pairs"],
        variance_: Float[Array, "*pairs"],
    ) -> Float[Array, "*pairs"]:
        """E[sigma^(m)(u) sigma^(m)(u')] for a centred Gaussian pair (u, u'), m = order; elementwise.

        Must be differentiable by JAX in its three arguments, also at covariance^2 = variance * variance_.
        """

    @property
    def sums(self) -> Sums:
        """How population losses and gradients of such networks are summed over pairs of neurons."""
        return pairwise.sums(self.dual)


class ReLU(Activation):
    """max(0, t). Sobolev losses up to H1."""

    highest_order: ClassVar[int | None] = 1
    why_no_higher_order: ClassVar[str] = (
        "its second derivative is a delta function, whose square has infinite expectation, so the H2 loss of "
        "a ReLU network is infinite"
    )
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def __call__(self, t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return jnp.where(t > 0, t, jnp.zeros_like(t))

    def dual(self, order, variance, covariance, variance_):
        """|w||w'| J_1(theta) / (2 pi) and J_0(theta) / (2 pi) (Cho & Saul 2009, eq. 4 to 6).

        From a covariance alone the angle is known to half the digits near 0 and pi; `sums` does better.
        """
        size = jnp.sqrt(variance * variance_)
        theta = jnp.arccos(jnp.clip(covariance / size, -1.0, 1.0))
        if order == 0:
            return size * (jnp.sin(theta) + (jnp.pi - theta) * jnp.cos(theta)) / (2 * jnp.pi)
        return (jnp.pi - theta) / (2 * jnp.pi)

    @property
    def sums(self) -> Sums:
        return relu_sums.SUMS
