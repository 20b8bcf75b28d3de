"""A small convolutional classifier, whose features measure how far two sets of images are apart."""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .layers import Convolution, chain

SMALLEST = 4  # pixels along a side, down to which it halves images


class Classifier(eqx.Module):
    """Convolutions of 3 x 3 that halve the image down to 4 x 4, then two linear maps.

    Args:
        size: of the images' sides, 8 or another power of 2 above it.

    Raises:
        ValueError: another size.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = Classifier(size=8, channels=1, classes=10, key=jax.random.key(0))
        >>> network.features(jnp.zeros((8, 8, 1))).shape, network(jnp.zeros((8, 8, 1))).shape
        ((32,), (10,))
    """

    convolutions: list[Convolution]
    to_features: eqx.nn.Linear
    to_classes: eqx.nn.Linear

    def __init__(self, size: int, channels: int, classes: int, width: int = 16, features: int = 32, *, key: Array):
        halvings = (size // SMALLEST).bit_length() - 1
        if halvings < 1 or size != SMALLEST * 2**halvings:
            raise ValueError(f"size: got {size}; needs {SMALLEST} times a power of 2, at least {2 * SMALLEST}")
        keys = jax.random.split(key, 2 + halvings)
        widths = [channels, *(width * 2 ** min(level, 3) for level in range(halvings))]
        self.convolutions = [
            Convolution(a, b, stride=2, bias=True, key=each)
            for (a, b), each in zip(pairwise(widths), keys[2:], strict=True)
        ]
        flat = SMALLEST**2 * widths[-1]
        self.to_features = eqx.nn.Linear(flat, features, dtype=jnp.float32, key=keys[0])
        self.to_classes = eqx.nn.Linear(features, classes, dtype=jnp.float32, key=keys[1])

    def features(self, image: Float[Array, "H W C"]) -> Float[Array, " features"]:
        """What the last linear map sees."""
        x = chain(image, *(lambda x, f=f: jax.nn.relu(f(x)) for f in self.convolutions))
        return jax.nn.relu(self.to_features(x.ravel()))

    def __call__(self, image: Float[Array, "H W C"]) -> Float[Array, " classes"]:
        return self.to_classes(self.features(image))
