"""A small convolutional autoencoder of grey images, three layers either way around a short code."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .layers import Convolution, upsample

REDUCTION = 4  # of either side, by two strides of 2


class Autoencoder(eqx.Module):
    """Convolutions of 3 x 3, two with a stride of 2, then a linear code; back by a linear map and the mirror image.

    Args:
        side: of the images, a multiple of 4.
        channels: of the three convolutions, 32, 64, 64 in arXiv 2509.19773.
        code: numbers in the code, 32 there.
        leak: the slope of its ReLU below 0; 0.01 in its public code.

    Raises:
        ValueError: a side that is no positive multiple of 4, or other than three numbers of channels.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> Autoencoder(side=8, key=jax.random.key(0))(jnp.zeros((8, 8))).shape
        (8, 8)
    """

    encoder: list[Convolution]
    to_code: eqx.nn.Linear
    from_code: eqx.nn.Linear
    decoder: list[Convolution]
    smallest: int = eqx.field(static=True)
    leak: float = eqx.field(static=True)

    def __init__(
        self, side: int, channels: Sequence[int] = (32, 64, 64), code: int = 32, *, leak: float = 0.0, key: Array
    ):
        if side < REDUCTION or side % REDUCTION:
            raise ValueError(f"side: got {side}; needs a positive multiple of {REDUCTION}")
        if len(channels) != 3:
            raise ValueError(f"channels: got {tuple(channels)}; needs three numbers")
        first, second, third = channels
        keys = jax.random.split(key, 8)
        self.smallest, self.leak = side // REDUCTION, leak
        features = self.smallest**2 * third
        self.encoder = [
            Convolution(1, first, stride=2, bias=True, key=keys[0]),
            Convolution(first, second, stride=2, bias=True, key=keys[1]),
            Convolution(second, third, bias=True, key=keys[2]),
        ]
        self.to_code = eqx.nn.Linear(features, code, dtype=jnp.float32, key=keys[3])
        self.from_code = eqx.nn.Linear(code, features, dtype=jnp.float32, key=keys[4])
        self.decoder = [
            Convolution(third, second, bias=True, key=keys[5]),
            Convolution(second, first, bias=True, key=keys[6]),
            Convolution(first, 1, bias=True, key=keys[7]),
        ]

    def __call__(self, image: Float[Array, "H W"]) -> Float[Array, "H W"]:
        x = image[..., None]
        for convolution in self.encoder:
            x = self._bent(convolution(x))
        x = self._bent(self.from_code(self.to_code(x.ravel()))).reshape(self.smallest, self.smallest, -1)
        inner, middle, outer = self.decoder
        x = self._bent(inner(x))
        x = self._bent(middle(upsample(x)))
        return outer(upsample(x))[..., 0]

    def _bent(self, x: Array) -> Array:
        return jax.nn.leaky_relu(x, self.leak) if self.leak else jax.nn.relu(x)
