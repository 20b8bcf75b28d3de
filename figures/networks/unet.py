"""A small U-Net for diffusion: from a noisy image and its time to the clean image.

After Ho et al. (arXiv 2006.11239, appendix B): residual blocks with the time added to their channels, attention over
the pixels of the lowest resolution. There is one block a resolution either way, where the original has two.
"""

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .layers import Convolution, Normalisation, upsample

LONGEST_WAVE = 1e4  # of the embedding of times, in units of the shortest
TIMES = 1000.0  # by which times in [0, 1] are multiplied before they are embedded, the original's number of steps


def embedding(time: Float[Array, ""], size: int) -> Float[Array, " size"]:
    """Sines and cosines of a time in [0, 1], of wavelengths in geometric progression; `size` is even."""
    frequencies = LONGEST_WAVE ** -jnp.linspace(0.0, 1.0, size // 2, dtype=jnp.float32)
    phases = TIMES * time.astype(jnp.float32) * frequencies
    return jnp.concatenate([jnp.sin(phases), jnp.cos(phases)])


class TimedBlock(eqx.Module):
    """Two normalised convolutions of 3 x 3 beside a shortcut; the time enters between them."""

    normalisations: tuple[Normalisation, Normalisation]
    convolutions: tuple[Convolution, Convolution]
    from_time: eqx.nn.Linear
    shortcut: Convolution | None

    def __init__(self, inputs: int, outputs: int, time: int, *, key: Array):
        keys = jax.random.split(key, 4)
        self.normalisations = Normalisation(inputs), Normalisation(outputs)
        self.convolutions = Convolution(inputs, outputs, key=keys[0]), Convolution(outputs, outputs, key=keys[1])
        self.from_time = eqx.nn.Linear(time, outputs, dtype=jnp.float32, key=keys[2])
        self.shortcut = None if inputs == outputs else Convolution(inputs, outputs, size=1, key=keys[3])

    def __call__(self, x: Float[Array, "H W inputs"], time: Float[Array, " time"]) -> Float[Array, "H W outputs"]:
        y = self.convolutions[0](jax.nn.silu(self.normalisations[0](x))) + self.from_time(time)
        y = self.convolutions[1](jax.nn.silu(self.normalisations[1](y)))
        return y + (x if self.shortcut is None else self.shortcut(x))


class Attention(eqx.Module):
    """Attention of one head between the pixels, beside a shortcut."""

    normalisation: Normalisation
    to_query_key_value: Convolution
    back: Convolution

    def __init__(self, channels: int, *, key: Array):
        first, second = jax.random.split(key)
        self.normalisation = Normalisation(channels)
        self.to_query_key_value = Convolution(channels, 3 * channels, size=1, key=first)
        self.back = Convolution(channels, channels, size=1, key=second)

    def __call__(self, x: Float[Array, "H W C"]) -> Float[Array, "H W C"]:
        channels = x.shape[-1]
        together = self.to_query_key_value(self.normalisation(x)).reshape(-1, 3, channels)
        query, key, value = jnp.moveaxis(together, 1, 0)
        weights = jax.nn.softmax(query @ key.T / channels**0.5)
        return x + self.back((weights @ value).reshape(x.shape))


class UNet(eqx.Module):
    """(noisy image, time in [0, 1]) -> clean image.

    Args:
        channels: of the images, whose sides are multiples of 2^(len(multiples) - 1).
        width: channels at the full resolution, a multiple of 8.
        multiples: of it at the full resolution, the half, the quarter, ...

    Raises:
        ValueError: a width that groups of channels do not divide, or no multiples.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> network = UNet(channels=1, width=8, multiples=(1, 2), key=jax.random.key(0))
        >>> network(jnp.zeros((8, 8, 1)), jnp.array(0.5)).shape
        (8, 8, 1)
    """

    first: Convolution
    times: tuple[eqx.nn.Linear, eqx.nn.Linear]
    down: list[TimedBlock]
    shrink: list[Convolution]
    middle: TimedBlock
    attention: Attention
    up: list[TimedBlock]
    enlarge: list[Convolution]
    normalisation: Normalisation
    last: Convolution

    def __init__(self, channels: int, width: int, multiples: Sequence[int], *, key: Array):
        if not multiples:
            raise ValueError("multiples: got none; needs one for each resolution")
        widths, time = [width * multiple for multiple in multiples], 4 * width
        keys = iter(jax.random.split(key, 6 + 4 * len(widths)))
        self.first = Convolution(channels, widths[0], bias=True, key=next(keys))
        self.times = (
            eqx.nn.Linear(width, time, dtype=jnp.float32, key=next(keys)),
            eqx.nn.Linear(time, time, dtype=jnp.float32, key=next(keys)),
        )
        inputs = [widths[0], *widths[:-1]]
        self.down = [TimedBlock(a, b, time, key=next(keys)) for a, b in zip(inputs, widths, strict=True)]
        self.shrink = [Convolution(a, a, stride=2, bias=True, key=next(keys)) for a in widths[:-1]]
        self.middle = TimedBlock(widths[-1], widths[-1], time, key=next(keys))
        self.attention = Attention(widths[-1], key=next(keys))
        self.up = [TimedBlock(2 * a, a, time, key=next(keys)) for a in reversed(widths)]
        self.enlarge = [Convolution(a, b, bias=True, key=next(keys)) for a, b in pairwise(reversed(widths))]
        self.normalisation = Normalisation(widths[0])
        self.last = Convolution(widths[0], channels, bias=True, key=next(keys))

    def __call__(self, x: Float[Array, "H W C"], time: Float[Array, ""]) -> Float[Array, "H W C"]:
        first, second = self.times
        embedded = jax.nn.silu(second(jax.nn.silu(first(embedding(time, first.weight.shape[-1])))))
        x, passed = self.first(x), []
        for level, block in enumerate(self.down):
            x = block(x, embedded)
            passed.append(x)
            x = self.shrink[level](x) if level < len(self.shrink) else x
        x = self.attention(self.middle(x, embedded))
        for level, block in enumerate(self.up):
            x = block(jnp.concatenate([x, passed.pop()], axis=-1), embedded)
            x = self.enlarge[level](upsample(x)) if level < len(self.enlarge) else x
        return self.last(jax.nn.silu(self.normalisation(x)))
