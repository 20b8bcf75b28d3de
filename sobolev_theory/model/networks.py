"""Networks with one hidden layer: small immutable objects, checked when they are built."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .activations import Activation, ReLU
from .arguments import common_dtype, real_array
from .mixed import mixed

Neurons = tuple[Float[Array, "K d"], Float[Array, " K"]]  # weights and output weights
Parameters = tuple[Float[Array, "K d"], Float[Array, " K"], Float[Array, " K"] | None]  # and biases


class Network(eqx.Module):
    """A network with one hidden layer, g(x) = sum_j a_j sigma(w_j . x + b_j).

    Attributes (also the leaves of the pytree, so that gradients and tangents are Networks too):
        weights: [K, d], one row per neuron; a vector [d] stands for one neuron.
        output_weights: [K], default ones as in the paper; any sign.
        biases: [K] or None.
        activation: static, default ReLU(); or a sequence of K of them, one per neuron.

    Raises:
        TypeError: a parameter that is not real, or an activation that is not an `Activation`.
        ValueError: wrong rank, no neurons, mismatched lengths, NaN or infinity.

    Example:
        >>> import sobolev_theory as st
        >>> student = st.Network([[1.0, 0.0], [0.0, 2.0]], output_weights=[1.0, -1.0])
        >>> float(student([3.0, 0.5]))
        2.0
    """

    weights: Float[Array, "K d"]
    output_weights: Float[Array, " K"]
    biases: Float[Array, " K"] | None
    activation: Activation

    def __init__(
        self, weights, output_weights=None, biases=None, activation: Activation | Sequence[Activation] | None = None
    ):
        weights = real_array("weights", weights)
        if weights.ndim == 1:
            weights = weights[None, :]
        if weights.ndim != 2 or 0 in weights.shape:
            raise ValueError(
                f"weights: got shape {weights.shape}; needs [K, d] with at least one neuron and one input, "
                "or [d] for a single neuron"
            )
        if output_weights is None:
            output_weights = np.ones(len(weights), weights.dtype)
        self.weights = weights
        self.output_weights = _per_neuron("output_weights", output_weights, weights)
        self.biases = None if biases is None else _per_neuron("biases", biases, weights)
        self.activation = _activation(activation, len(weights))

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """g(x) for one input; use jax.vmap for many."""
        x = real_array("x", x)
        if x.shape != (self.dimension,):
            raise ValueError(f"x: got shape {x.shape}; needs [{self.dimension}] (jax.vmap maps over a batch)")
        dtype = common_dtype(x, *jax.tree.leaves(self))
        weights, output_weights, biases = jax.tree.map(lambda leaf: leaf.astype(dtype), parameters(self))
        fields = weights @ x.astype(dtype)
        return output_weights @ self.activation(fields if biases is None else fields + biases)

    @property
    def neurons(self) -> int:
        """K."""
        return self.weights.shape[0]

    @property
    def dimension(self) -> int:
        """d."""
        return self.weights.shape[1]


def _activation(activation, neurons: int) -> Activation:
    if activation is None:
        return ReLU()
    if isinstance(activation, Activation):
        own = getattr(activation, "activations", None)
        if own is None or len(own) == neurons:
            return activation
        activation = own
    if not isinstance(activation, Sequence) or not all(isinstance(sigma, Activation) for sigma in activation):
        raise TypeError(f"activation: got {activation!r}; needs an Activation such as ReLU(), or one per neuron")
    if len(activation) != neurons:
        raise ValueError(
            f"activation: got {len(activation)} activations; needs [K] = [{neurons}], one per neuron, or one"
        )
    return mixed(activation)


def _per_neuron(name: str, values, weights: Float[Array, "K d"]) -> Float[Array, " K"]:
    values = real_array(name, values)
    if values.ndim != 1 or values.shape[0] != weights.shape[0]:
        raise ValueError(f"{name}: got shape {values.shape}; needs [K] = [{weights.shape[0]}], one per neuron")
    return values.astype(common_dtype(values, weights))


def check_same_inputs(student: Network, teacher: Network) -> None:
    """Raise unless both are Networks on the same number of inputs."""
    for name, network in (("student", student), ("teacher", teacher)):
        if not isinstance(network, Network):
            raise TypeError(f"{name}: got {type(network).__name__}; needs a Network")
    if student.dimension != teacher.dimension:
        raise ValueError(
            f"teacher: got weights of shape {teacher.weights.shape}, {teacher.dimension} inputs; "
            f"needs the student's {student.dimension}"
        )


def parameters(network: Network) -> tuple[Float[Array, "K d"], Float[Array, " K"], Float[Array, " K"] | None]:
    return network.weights, network.output_weights, network.biases


def with_parameters(network: Network, weights, output_weights, biases=None) -> Network:
    """A Network of the same structure, unchecked: for gradients, tangents and traced values.

    Biases None stand for 0 if the network has any.
    """
    _, structure = jax.tree.flatten(network)
    leaves = [weights, output_weights]
    if network.biases is not None:
        leaves.append(jnp.zeros_like(output_weights) if biases is None else biases)
    return jax.tree.unflatten(structure, leaves)
