"""Layers of image networks on [height, width, channels]: convolution, upsampling, normalisation in groups.

All are in single precision, whatever JAX's default is, and padded with zeros so that a convolution of stride s
takes n pixels to n/s. Channels come last and convolutions are matrix products for the sake of speed on CPUs.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

CHANNELS_PER_GROUP = 8  # of normalisation
EPSILON = 1e-5  # added to its variance


class Convolution(eqx.Module):
    """A convolution with He's initialisation and, if asked for, a bias that starts at 0.

    On CPUs it is one matrix product with shifted copies of the image: of small images, XLA's own convolution and its
    gradient take five times as long, and longer where the seeds' networks are vmapped.
    """

    kernel: Float[Array, "size size inputs outputs"]
    bias: Float[Array, " outputs"] | None
    stride: int = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int = 3,
        stride: int = 1,
        *,
        bias: bool = False,
        gain: float = 2.0,
        key: Array,
    ):
        """Of odd `size`, on images whose sides `stride` divides; a gain of 0 makes it start as 0."""
        scale = (gain / (inputs * size**2)) ** 0.5
        self.kernel = scale * normal(key, (size, size, inputs, outputs))
        self.bias = jnp.zeros(outputs, jnp.float32) if bias else None
        self.stride = stride

    def __call__(self, x: Float[Array, "H W inputs"]) -> Float[Array, "h w outputs"]:
        product = by_shifts if jax.default_backend() == "cpu" else by_xla
        y = product(x, self.kernel, self.stride)
        return y if self.bias is None else y + self.bias


def normal(key: Array, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers, drawn in a row: XLA takes ten times as long to compile a draw of several axes."""
    return jax.random.normal(key, (math.prod(shape),), jnp.float32).reshape(shape)


def by_shifts(x: Float[Array, "H W inputs"], kernel: Array, stride: int) -> Float[Array, "h w outputs"]:
    size, _, inputs, outputs = kernel.shape
    patches = jnp.concatenate(shifts(x, size, stride), axis=-1)
    return patches @ kernel.reshape(size * size * inputs, outputs)


def by_xla(x: Float[Array, "H W inputs"], kernel: Array, stride: int) -> Float[Array, "h w outputs"]:
    margins = [(kernel.shape[0] // 2,) * 2] * 2
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x[None], kernel, (stride, stride), margins, dimension_numbers=layout)[0]


def shifts(x: Float[Array, "H W C"], size: int, stride: int, outside: float = 0.0) -> list[Float[Array, "h w C"]]:
    """The pixels under each of the size x size entries of a window that moves by `stride`."""
    margin, (height, width, _) = size // 2, x.shape
    padded = jnp.pad(x, ((margin, margin), (margin, margin), (0, 0)), constant_values=outside)
    return [padded[i : i + height : stride, j : j + width : stride] for i in range(size) for j in range(size)]


def max_pool(x: Float[Array, "H W C"]) -> Float[Array, "h w C"]:
    """The maximum over windows of 3 x 3 that move by 2."""
    return jnp.max(jnp.stack(shifts(x, 3, 2, -jnp.inf)), axis=0)


def upsample(x: Float[Array, "H W C"]) -> Float[Array, "h w C"]:
    """Every pixel twice along both axes."""
    height, width, channels = x.shape
    twice = jnp.broadcast_to(x[:, None, :, None], (height, 2, width, 2, channels))
    return twice.reshape(2 * height, 2 * width, channels)


class Normalisation(eqx.Module):
    """Over all pixels of groups of 8 channels: unlike batch normalisation it has no running state.

    Source: Wu & He, arXiv 1803.08494. Fewer than 8 channels are one group.

    Raises:
        ValueError: more than 8 channels that are no multiple of 8.
    """

    scale: Float[Array, " C"]
    shift: Float[Array, " C"]

    def __init__(self, channels: int):
        if channels > CHANNELS_PER_GROUP and channels % CHANNELS_PER_GROUP:
            raise ValueError(f"channels: got {channels}; needs a multiple of {CHANNELS_PER_GROUP}, or fewer")
        self.scale, self.shift = jnp.ones(channels, jnp.float32), jnp.zeros(channels, jnp.float32)

    def __call__(self, x: Float[Array, "H W C"]) -> Float[Array, "H W C"]:
        height, width, channels = x.shape
        grouped = x.reshape(height, width, -1, min(channels, CHANNELS_PER_GROUP))
        mean = jnp.mean(grouped, axis=(0, 1, 3), keepdims=True)
        variance = jnp.mean((grouped - mean) ** 2, axis=(0, 1, 3), keepdims=True)
        standardised = (grouped - mean) * jax.lax.rsqrt(variance + EPSILON)
        return standardised.reshape(x.shape) * self.scale + self.shift


def chain(x: Array, *layers: Callable[[Array], Array]) -> Array:
    """The layers one after another."""
    for layer in layers:
        x = layer(x)
    return x
