"""Estimates in the span of the neurons (`reduction`): networks into it, and what is estimated back out of it.

A network depends on Q'x alone, Q an orthonormal basis [d, s] of the span, and Q'x ~ N(0, I_s). Gradients lie in
the span. A Jacobian maps the span to itself; on the orthogonal complement it is a K x K matrix times the identity,
because every rotation of the complement leaves the problem as it is: one extra coordinate shows that matrix.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.networks import Network

Basis = Float[Array, "d s"]


def into_span(network: Network, basis: Basis, extra: bool = False) -> Network:
    """The network in coordinates of the basis, with a last coordinate that it does not depend on if `extra`."""
    weights = network.weights @ basis
    if extra:
        weights = jnp.pad(weights, ((0, 0), (0, 1)))
    return eqx.tree_at(lambda network: network.weights, network, weights)


def lift_scalar(value: Float[Array, ""], basis: Basis) -> Float[Array, ""]:
    return value


def lift_rows(value: Float[Array, "K s"], basis: Basis) -> Float[Array, "K d"]:
    return value @ basis.T


def lift_network(value: Network, basis: Basis) -> Network:
    return eqx.tree_at(lambda network: network.weights, value, lift_rows(value.weights, basis))


def lift_blocks(value: Float[Array, "K t K t"], basis: Basis) -> Float[Array, "K d K d"]:
    """Q B Q' + c (I - Q Q') for every pair of neurons; t = s, or s + 1 with the complement's coordinate last."""
    span = basis.shape[1]
    inside = jnp.einsum("is,ksln,jn->kilj", basis, value[:, :span, :, :span], basis)
    if value.shape[1] == span:
        return inside
    across = jnp.eye(len(basis), dtype=basis.dtype) - basis @ basis.T
    return inside + jnp.einsum("kl,ij->kilj", value[:, span, :, span], across)
