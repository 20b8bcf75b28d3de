"""The filtered losses of the public code of arXiv 2509.19773 on images, and the steps from them to H1.

It weights modes k = 0 ... n - 1 by (1 + xi^2)^(s/2), xi = 2 pi k/n as k stands, where k and n - k are one frequency
of either sign; once along the rows and once along the columns. In mean squares that is a weight of each mode of the
image, by Parseval's identity; the sum of both counts the values twice. Mean absolute values need filtered fields.
"""

from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sobolev_theory.differentiation import fourier

Step = Literal["L2", "paper", "value once", "H1"]


def weights(step: Step, n: int, s: float = 1.0) -> Float[np.ndarray, "n n"]:
    """Of the modes' squares in the mean square of n x n images.

    "paper" is its loss; "value once" has the values and each slope once, still without signs; "H1" has signed
    frequencies: `fourier.sobolev_mean_square` for s = 1.

    Example:
        >>> weights("paper", 2).round(2).tolist()  # xi = 0 and pi
        [[2.0, 11.87], [11.87, 21.74]]
    """
    if step == "L2":
        return np.ones((n, n), np.float32)
    square = fourier.wavenumbers(n, n, "signed" if step == "H1" else "paper") ** 2
    along = (1 + square) ** s
    found = along[:, None] + along if step == "paper" else (1 + square[:, None] + square) ** s
    return found.astype(np.float32)


def mean_square(error: Float[Array, "N H W C"], weight: Float[Array, "H W"]) -> Float[Array, " N"]:
    """Of each image, with these weights of its modes; meant over channels."""
    modes = jnp.fft.fft2(error, axes=(1, 2), norm="forward")
    return jnp.mean(jnp.sum(weight[..., None] * (modes.real**2 + modes.imag**2), axis=(1, 2)), axis=-1)


def weights_of(s: Float[Array, ""], n: int) -> Float[Array, "n n"]:
    """Of a traced order: those of "paper", and of L2 where it is 0, which that code has without a transform."""
    along = (1 + jnp.asarray(fourier.wavenumbers(n, n, "paper"), jnp.float32) ** 2) ** s
    return jnp.where(s == 0, 0.5, 1.0) * (along[:, None] + along)


def mean_absolute(error: Float[Array, "N H W C"], s: float = 1.0) -> Float[Array, " N"]:
    """Of each image: the moduli of the fields filtered along the rows and along the columns, added."""
    rows, columns = (fourier.multiplier(error, s, axes=(axis,), frequencies="paper") for axis in (1, 2))
    return jnp.mean(jnp.abs(rows) + jnp.abs(columns), axis=(1, 2, 3))


class Row(NamedTuple):
    """A step of a ladder: what it changes, and the losses that it compares."""

    change: str
    l2: str
    sobolev: str
