"""An activation of its own for every neuron."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .activation_terms import Terms
from .activations import Activation


class Mixed(Activation):
    """What `Network` makes of a sequence of activations."""

    activations: tuple[Activation, ...] = eqx.field(static=True)

    def __call__(self, t: Float[Array, "... K"]) -> Float[Array, "... K"]:
        """Of pre-activations [..., K]."""
        if t.shape[-1:] != (len(self.activations),):
            raise ValueError(f"t: got shape {t.shape}; needs [..., {len(self.activations)}], one field per neuron")
        return jnp.stack([sigma(t[..., k]) for k, sigma in enumerate(self.activations)], axis=-1)

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted({kink for sigma in self.activations for kink in sigma.kinks}))

    @property
    def terms(self) -> Terms:
        raise TypeError("terms: a mixed activation has them per neuron")

    @property
    def highest_order(self) -> int | None:
        return min((m for m in (s.highest_order for s in self.activations) if m is not None), default=None)


def mixed(activations: Sequence[Activation]) -> Activation:
    """One activation if all are equal."""
    first, *rest = activations
    return first if all(sigma == first for sigma in rest) else Mixed(tuple(activations))
