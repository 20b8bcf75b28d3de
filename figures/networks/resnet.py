"""A ResNet-18 autoencoder: the encoder of He et al. (arXiv 1512.03385, table 1) and its mirror image.

Four stages of two basic blocks with 1, 2, 4, 8 times `width` channels, 64 in ResNet-18. Two things differ: groups of
channels are normalised instead of batches, and the classifying head is left out, so that the code is the last
stage's features. Where the encoder skips pixels the decoder repeats them; its last convolution starts as 0.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import equinox as eqx
import jax
from jaxtyping import Array, Float

from .layers import Convolution, Normalisation, chain, max_pool, upsample

Resolution = Literal["same", "half", "double"]
STAGES, BLOCKS_OF_A_STAGE = 4, 2


class BasicBlock(eqx.Module):
    """Two convolutions of 3 x 3 beside a shortcut, which is a convolution of 1 x 1 where the shape changes."""

    convolutions: tuple[Convolution, Convolution]
    normalisations: tuple[Normalisation, Normalisation]
    shortcut: Convolution | None
    resolution: Resolution = eqx.field(static=True)

    def __init__(self, inputs: int, outputs: int, resolution: Resolution, *, key: Array):
        keys = jax.random.split(key, 3)
        stride = 2 if resolution == "half" else 1
        self.convolutions = (
            Convolution(inputs, outputs, stride=stride, key=keys[0]),
            Convolution(outputs, outputs, key=keys[1]),
        )
        self.normalisations = Normalisation(outputs), Normalisation(outputs)
        same = inputs == outputs and resolution != "half"
        self.shortcut = None if same else Convolution(inputs, outputs, size=1, stride=stride, key=keys[2])
        self.resolution = resolution

    def __call__(self, x: Float[Array, "H W inputs"]) -> Float[Array, "h w outputs"]:
        x = upsample(x) if self.resolution == "double" else x
        first, second = self.convolutions
        y = jax.nn.relu(self.normalisations[0](first(x)))
        y = self.normalisations[1](second(y))
        return jax.nn.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNetAutoencoder(eqx.Module):
    """x -> decoder(encoder(x)), both ResNet-18.

    The sides of the images are multiples of `reduction`, 8 times that of the stem. A stem of 4 is ResNet-18's own,
    a convolution of 7 x 7 that skips every second pixel and a maximum that skips again; a stem of 1 is the one in use
    for small images, a convolution of 3 x 3.

    Raises:
        ValueError: a width that groups of channels do not divide, or a stem other than 1 and 4.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = ResNetAutoencoder(channels=3, width=8, key=jax.random.key(0))
        >>> network.encode(jnp.zeros((32, 32, 3))).shape, network(jnp.zeros((32, 32, 3))).shape
        ((1, 1, 64), (32, 32, 3))
    """

    first: Convolution
    normalisation: Normalisation
    encoder: list[BasicBlock]
    decoder: list[BasicBlock]
    unpooling: Convolution | None  # the mirror image of the stem's maximum
    last: Convolution
    stem: int = eqx.field(static=True)

    def __init__(self, channels: int = 3, width: int = 64, stem: int = 4, *, key: Array):
        if stem not in (1, 4):
            raise ValueError(f"stem: got {stem}; needs 4, ResNet-18's own, or 1, for small images")
        keys = jax.random.split(key, 5)
        size, stride = (7, 2) if stem == 4 else (3, 1)
        self.first = Convolution(channels, width, size, stride, key=keys[0])
        self.normalisation = Normalisation(width)
        widths = [width * 2**stage for stage in range(STAGES)]
        self.encoder = _stages([width, *widths], "half", key=keys[1])
        self.decoder = _stages([widths[-1], *reversed(widths)], "double", key=keys[2])
        self.unpooling = Convolution(width, width, key=keys[3]) if stem == 4 else None
        self.last = Convolution(width, channels, bias=True, gain=0.0, key=keys[4])
        self.stem = stem

    @property
    def reduction(self) -> int:
        """Pixels of the image along an axis over those of the code."""
        return self.stem * 2 ** (STAGES - 1)

    def encode(self, x: Float[Array, "H W C"]) -> Float[Array, "h w code"]:
        x = jax.nn.relu(self.normalisation(self.first(x)))
        return chain(max_pool(x) if self.stem == 4 else x, *self.encoder)

    def decode(self, code: Float[Array, "h w code"]) -> Float[Array, "H W C"]:
        x = chain(code, *self.decoder)
        if self.unpooling is None:
            return self.last(x)
        return self.last(upsample(jax.nn.relu(self.unpooling(upsample(x)))))

    def __call__(self, x: Float[Array, "H W C"]) -> Float[Array, "H W C"]:
        return self.decode(self.encode(x))


def _stages(widths: Sequence[int], change: Resolution, *, key: Array) -> list[BasicBlock]:
    """Stages of these widths after the first, which is their input's; all but one begin with the change.

    The first stage has none: ResNet's stem comes before it, and the code before its mirror image.
    """
    blocks: list[BasicBlock] = []
    keys = jax.random.split(key, STAGES * BLOCKS_OF_A_STAGE)
    for stage, (inputs, outputs) in enumerate(pairwise(widths)):
        for number in range(BLOCKS_OF_A_STAGE):
            begins = number == 0
            resolution: Resolution = change if begins and stage > 0 else "same"
            blocks.append(BasicBlock(inputs if begins else outputs, outputs, resolution, key=keys[len(blocks)]))
    return blocks
