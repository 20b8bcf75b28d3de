"""Networks of one variable for fits of functions: tanh, Fourier features, SIREN; scalar in, scalar out.

All have hidden layers of one width and a linear output.
"""

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Tanh(eqx.Module):
    """A dense network with tanh, started as Glorot and Bengio 2010 have it."""

    layers: tuple[eqx.nn.Linear, ...]

    def __init__(self, width: int = 64, depth: int = 4, *, inputs: int = 1, key: jax.Array):
        sizes = [inputs, *depth * [width], 1]
        bounds = [(6 / (ins + outs)) ** 0.5 for ins, outs in pairwise(sizes)]
        self.layers = _dense(sizes, bounds, key)

    def __call__(self, x: Float[Array, "..."]) -> Float[Array, ""]:
        hidden = jnp.atleast_1d(x)
        for layer in self.layers[:-1]:
            hidden = jnp.tanh(layer(hidden))
        return self.layers[-1](hidden)[0]


class FourierFeatures(eqx.Module):
    """tanh behind cos and sin of 2 pi b x, with b normal and not trained (Tancik et al. 2020).

    Half of the width are frequencies; `scale` is their standard deviation, in cycles per unit of x.
    """

    frequencies: Float[Array, " width/2"]
    network: Tanh

    def __init__(self, width: int = 64, depth: int = 4, *, scale: float = 5.0, key: jax.Array):
        of_frequencies, of_network = jax.random.split(key)
        self.frequencies = scale * jax.random.normal(of_frequencies, (width // 2,))
        self.network = Tanh(width, depth, inputs=2 * (width // 2), key=of_network)

    def __call__(self, x: Float[Array, ""]) -> Float[Array, ""]:
        phase = 2 * jnp.pi * jax.lax.stop_gradient(self.frequencies) * x
        return self.network(jnp.concatenate([jnp.cos(phase), jnp.sin(phase)]))


class Siren(eqx.Module):
    """Sines of `frequency` times affine maps, started as Sitzmann et al. 2020 have it (section 3.2)."""

    layers: tuple[eqx.nn.Linear, ...]
    frequency: float = eqx.field(static=True)

    def __init__(self, width: int = 64, depth: int = 4, *, frequency: float = 30.0, key: jax.Array):
        bounds = [1.0, *depth * [(6 / width) ** 0.5 / frequency]]
        self.layers, self.frequency = _dense([1, *depth * [width], 1], bounds, key), frequency

    def __call__(self, x: Float[Array, ""]) -> Float[Array, ""]:
        hidden = jnp.atleast_1d(x)
        for layer in self.layers[:-1]:
            hidden = jnp.sin(self.frequency * layer(hidden))
        return self.layers[-1](hidden)[0]


def _dense(sizes: Sequence[int], bounds: Sequence[float], key: jax.Array) -> tuple[eqx.nn.Linear, ...]:
    """Affine maps between layers of these sizes: weights uniform within the bounds, biases as equinox starts them."""
    layers = []
    for ins, outs, bound, own in zip(sizes[:-1], sizes[1:], bounds, jax.random.split(key, len(bounds)), strict=True):
        of_layer, of_weight = jax.random.split(own)
        weight = jax.random.uniform(of_weight, (outs, ins), minval=-bound, maxval=bound)
        layers.append(eqx.tree_at(lambda layer: layer.weight, eqx.nn.Linear(ins, outs, key=of_layer), weight))
    return tuple(layers)
