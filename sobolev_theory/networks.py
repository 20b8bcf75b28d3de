"""The networks and the input distribution: small immutable objects, checked when they are built.

g(x) = sum_j a_j sigma(w_j . x + b_j) and x ~ N(0, I_d).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._validation import real_array
from .activations import Activation, ReLU


class Network(eqx.Module):
    """A network with one hidden layer, g(x) = sum_j a_j sigma(w_j . x + b_j).

    Attributes (also the leaves of the pytree, so that gradients and tangents are Networks too):
        weights: [K, d], one row per neuron; a vector [d] stands for one neuron.
        output_weights: [K], default ones as in the paper; any sign.
        biases: [K] or None. The exact formulas cover None; `montecarlo` samples either.
        activation: static, default ReLU().

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

    def __init__(self, weights, output_weights=None, biases=None, activation: Activation | None = None):
        weights = real_array("weights", weights)
        if weights.ndim == 1:
            weights = weights[None, :]
        if weights.ndim != 2 or 0 in weights.shape:
            raise ValueError(
                f"weights: got shape {weights.shape}; needs [K, d] with at least one neuron and one input, "
                "or [d] for a single neuron"
            )
        if activation is None:
            activation = ReLU()
        elif not isinstance(activation, Activation):
            raise TypeError(f"activation: got {activation!r}; needs an Activation such as ReLU()")
        if output_weights is None:
            output_weights = jnp.ones_like(weights[:, 0])
        self.weights = weights
        self.output_weights = _per_neuron("output_weights", output_weights, weights)
        self.biases = None if biases is None else _per_neuron("biases", biases, weights)
        self.activation = activation

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """g(x) for one input; use jax.vmap for many."""
        x = jnp.asarray(x)
        if x.shape != (self.dimension,):
            raise ValueError(f"x: got shape {x.shape}; needs [{self.dimension}] (jax.vmap maps over a batch)")
        fields = self.weights @ x
        if self.biases is not None:
            fields = fields + self.biases
        return self.output_weights @ self.activation(fields)

    @property
    def neurons(self) -> int:
        """K."""
        return self.weights.shape[0]

    @property
    def dimension(self) -> int:
        """d."""
        return self.weights.shape[1]


class GaussianInput(eqx.Module):
    """x ~ N(0, I_d), the input distribution of the paper.

    Args:
        covariance: None. Other covariances have no exact formulas here yet.

    Raises:
        NotImplementedError: a covariance is given.
    """

    covariance: None = None

    def __check_init__(self):
        if self.covariance is not None:
            raise NotImplementedError(
                f"covariance: got {type(self.covariance).__name__}; needs None, the identity: exact formulas "
                "for another covariance are not available"
            )


def _per_neuron(name: str, values, weights: Float[Array, "K d"]) -> Float[Array, " K"]:
    values = real_array(name, values)
    if values.ndim != 1 or values.shape[0] != weights.shape[0]:
        raise ValueError(f"{name}: got shape {values.shape}; needs [K] = [{weights.shape[0]}], one per neuron")
    return values.astype(jnp.result_type(values, weights))


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


def parameters(network: Network) -> tuple[Float[Array, "K d"], Float[Array, " K"]]:
    return network.weights, network.output_weights


def with_parameters(network: Network, weights, output_weights) -> Network:
    """A Network of the same structure, unchecked: for gradients, tangents and traced values."""
    leaves, structure = jax.tree.flatten(network)
    del leaves[:2]
    return jax.tree.unflatten(structure, [weights, output_weights, *leaves])
