"""The networks of the public code of arXiv 2509.19773, started as it starts them: fits of functions, and Ackley's.

A `Field` carries its kind as an array: networks of all three kinds are vmapped in one program. Biases, and the
weights of `Dense`, are drawn as PyTorch draws them for a linear layer, uniformly within 1/sqrt(inputs).
"""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

KINDS = ("tanh", "fourier", "siren")
TANH, FOURIER, SIREN = range(3)
Layer = tuple[Float[Array, "outs ins"], Float[Array, " outs"]]


class Field(eqx.Module):
    """Scalar to scalar: three layers of one width and a linear output, all trained.

    tanh: Kaiming's uniform weights, within sqrt(6/inputs). siren: the same with sin, without a factor of frequency.
    fourier: sin(2 pi z) of a first layer with normal weights, then tanh, Xavier's uniform weights.

    Example:
        >>> import jax
        >>> Field(SIREN, key=jax.random.key(0))(0.5).shape
        ()
    """

    layers: list[Layer]
    kind: Int[Array, ""]  # its number among KINDS

    def __init__(self, kind: int | Int[Array, ""], width: int = 64, *, key: jax.Array):
        self.kind = jnp.asarray(kind)
        fourier = self.kind == FOURIER
        self.layers = []
        for number, ((ins, outs), own) in enumerate(zip(_sizes(1, width, 3), jax.random.split(key, 4), strict=True)):
            of_weight, of_normal, of_bias = jax.random.split(own, 3)
            bound = jnp.sqrt(jnp.where(fourier, 6 / (ins + outs), 6 / ins))
            weight = bound * _uniform(of_weight, (outs, ins))
            if number == 0:
                weight = jnp.where(fourier, jax.random.normal(of_normal, (outs, ins), jnp.float32), weight)
            self.layers.append((weight.astype(jnp.float32), _uniform(of_bias, (outs,)) / ins**0.5))

    def __call__(self, x: Float[Array, ""]) -> Float[Array, ""]:
        (weight, bias), *inner, (last, offset) = self.layers
        z = weight[:, 0] * x + bias
        cycles = jnp.where(self.kind == FOURIER, 2 * jnp.pi, 1.0).astype(z.dtype)
        hidden = jnp.where(self.kind == TANH, jnp.tanh(z), jnp.sin(cycles * z))
        for weight, bias in inner:
            z = weight @ hidden + bias
            hidden = jnp.where(self.kind == SIREN, jnp.sin(z), jnp.tanh(z))
        return (last @ hidden + offset)[0]


class Dense(eqx.Module):
    """tanh with `depth` hidden layers of one width and a linear output, as PyTorch starts linear layers."""

    layers: list[Layer]

    def __init__(self, inputs: int, width: int = 64, depth: int = 4, *, key: jax.Array):
        self.layers = []
        for (ins, outs), own in zip(_sizes(inputs, width, depth), jax.random.split(key, depth + 1), strict=True):
            of_weight, of_bias = jax.random.split(own)
            self.layers.append((_uniform(of_weight, (outs, ins)) / ins**0.5, _uniform(of_bias, (outs,)) / ins**0.5))

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, ""]:
        *inner, (last, offset) = self.layers
        for weight, bias in inner:
            x = jnp.tanh(weight @ x + bias)
        return (last @ x + offset)[0]


def _sizes(inputs: int, width: int, depth: int) -> list[tuple[int, int]]:
    return list(pairwise([inputs, *depth * [width], 1]))


def _uniform(key: jax.Array, shape: tuple[int, ...]) -> Array:
    """On (-1, 1)."""
    return jax.random.uniform(key, shape, jnp.float32, -1.0)
