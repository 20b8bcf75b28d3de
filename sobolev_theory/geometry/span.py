"""The span of student and teacher, of dimension at most K + K*: networks into it, and results back out of it.

For isotropic input every population quantity depends on the neurons only through their scalar products. In an
orthonormal basis Q of their span the same networks live in n = min(d, K + K*) dimensions, with Q'x ~ N(0, I_n).
Losses are equal, gradients lie in the span, and a Jacobian acts on every direction orthogonal to it as one and the
same K x K matrix, since every rotation of the complement leaves the problem as it is: one extra coordinate shows it.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.networks import Network, check_same_inputs, with_parameters
from ..model.precision import full_products
from .angles import direction, polar

Basis = Float[Array, "d n"]


class Reduction(eqx.Module):
    """An orthonormal basis of a subspace that holds all neurons, with the maps into it and back.

    Attributes:
        basis: [d, n], orthonormal columns.
    """

    basis: Float[Array, "d n"]

    @property
    def dimension(self) -> int:
        """n."""
        return self.basis.shape[1]

    @full_products
    def reduce(self, network: Network) -> Network:
        """The network, or a gradient or tangent shaped like one, in coordinates of the basis: weights [K, n]."""
        self._check(network, "d", self.basis.shape[0])
        return with_parameters(network, network.weights @ self.basis, network.output_weights, network.biases)

    @full_products
    def lift(self, network: Network) -> Network:
        """From weights [K, n] back to [K, d]; the inverse of `reduce` for networks in the span."""
        self._check(network, "n", self.basis.shape[1])
        return with_parameters(network, network.weights @ self.basis.T, network.output_weights, network.biases)

    def _check(self, network: Network, name: str, size: int) -> None:
        if not isinstance(network, Network):
            raise TypeError(f"network: got {type(network).__name__}; needs a Network")
        if network.dimension != size:
            shape = network.weights.shape
            raise ValueError(f"network: got weights of shape {shape}; needs [K, {name}] = [K, {size}]")


@full_products
def reduction(student: Network, teacher: Network, *, revealing_rank: bool = False) -> Reduction:
    """An orthonormal basis of the span of the neurons, by one QR of the d x (K + K*) matrix of their directions.

    The basis has min(d, K + K*) columns, also where the neurons span less (coincident or zero neurons): it then
    holds the span and more, and every result is the same. It is a constant for differentiation: values and first
    derivatives taken through it are exact, since a change orthogonal to the span does not change scalar products
    to first order; second derivatives are those within the span.

    Args:
        revealing_rank: drop the columns the span does not need, by the singular values of the directions down
            to rounding. The number of columns then depends on the values, so that jit is not possible.

    Returns:
        A `Reduction`, whose basis is [d, n].

    Raises:
        TypeError, ValueError: arguments that are no Networks on the same inputs; `revealing_rank` under jit.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]), st.Network([0.0, 0.0, 3.0])
        >>> st.reduction(student, teacher, revealing_rank=True).dimension
        2
    """
    check_same_inputs(student, teacher)
    if not revealing_rank:
        return Reduction(_basis(student.weights, teacher.weights))
    rows = jax.lax.stop_gradient(jnp.concatenate([student.weights, teacher.weights]))
    directions = _directions(rows)
    if isinstance(rows, jax.core.Tracer):
        raise ValueError("revealing_rank: got True under jit or vmap; needs concrete weights, or False")
    basis, triangle = np.linalg.qr(np.asarray(directions).T)
    left, sizes, _ = np.linalg.svd(triangle)
    rank = int(np.sum(sizes > max(triangle.shape) * np.finfo(sizes.dtype).eps * max(sizes[0], 1.0)))
    return Reduction(jnp.asarray(basis @ left[:, : max(rank, 1)]))


@jax.jit  # once per shape, also for a caller outside jit
def _basis(ours: Float[Array, "K d"], theirs: Float[Array, "K_star d"]) -> Float[Array, "d n"]:
    rows = jax.lax.stop_gradient(jnp.concatenate([ours, theirs]))
    return jnp.linalg.qr(_directions(rows).T)[0]


@jax.jit  # likewise: polar has branches
def _directions(rows: Float[Array, "m d"]) -> Float[Array, "m d"]:
    return direction(polar(rows))


def with_a_zero_input(network: Network) -> Network:
    """One more coordinate, in which all weights are 0: it stands for every direction orthogonal to the span."""
    rows = jnp.pad(network.weights, ((0, 0), (0, 1)))
    return with_parameters(network, rows, network.output_weights, network.biases)


@full_products
def orthogonal_to(basis: Float[Array, "d n"]) -> Float[Array, " d"]:
    """A unit vector orthogonal to the columns, n < d: what is left of the coordinate axis farthest from them."""
    axis = jnp.argmin(jnp.sum(basis**2, axis=1))
    vector = jnp.zeros_like(basis[:, 0]).at[axis].set(1.0)
    for _ in range(2):  # once more for the rounding of the first projection
        vector = vector - basis @ (basis.T @ vector)
    return vector / jnp.linalg.norm(vector)


# What Monte Carlo estimates in the span, lifted.


@full_products
def into_span(network: Network, basis: Basis, extra: bool = False) -> Network:
    """The network in coordinates of the basis, with a last coordinate that it does not depend on if `extra`."""
    reduced = with_parameters(network, network.weights @ basis, network.output_weights, network.biases)
    return with_a_zero_input(reduced) if extra else reduced


def lift_scalar(value: Float[Array, ""], basis: Basis) -> Float[Array, ""]:
    return value


@full_products
def lift_rows(value: Float[Array, "K n"], basis: Basis) -> Float[Array, "K d"]:
    return value @ basis.T


def lift_network(value: Network, basis: Basis) -> Network:
    return with_parameters(value, lift_rows(value.weights, basis), value.output_weights, value.biases)


@full_products
def lift_blocks(value: Float[Array, "K t K t"], basis: Basis) -> Float[Array, "K d K d"]:
    """Q B Q' + c (I - Q Q') for every pair of neurons; t = n, or n + 1 with the complement's coordinate last."""
    span = basis.shape[1]
    inside = jnp.einsum("is,ksln,jn->kilj", basis, value[:, :span, :, :span], basis)
    if value.shape[1] == span:
        return inside
    across = jnp.eye(len(basis), dtype=basis.dtype) - basis @ basis.T
    return inside + jnp.einsum("kl,ij->kilj", value[:, span, :, span], across)
