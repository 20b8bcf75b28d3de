"""Derivatives by central differences of order 8, of losses and gradients taken from their definition."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from .deterministic import Deterministic

STENCIL = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


@dataclass(frozen=True)
class Differences(Deterministic):
    """Compare with a difference quotient.

    Tolerance: rounding 1e-15 / h and truncation (4h)^8, with steps h of 0.5 % of the distance to the nearest
    kink, at least 2.5e-4 in the domains used: 1e-11, and 20 times that for derivatives of 1/sin(theta).
    """

    method: ClassVar[str] = "differences"
    tolerance: ClassVar[float] = 2e-10


@dataclass(frozen=True)
class SecondDifferences(Deterministic):
    """Differences of differences of a loss: rounding 1e-15 / h^2 with the same steps h."""

    method: ClassVar[str] = "differences"
    tolerance: ClassVar[float] = 5e-8


def derivative(
    f: Callable[[Float[np.ndarray, "..."]], Float[np.ndarray, "..."] | float],
    x: Float[np.ndarray, "..."],
    step: float,
) -> Float[np.ndarray, "..."]:
    """The Jacobian of f at x, laid out as jax.jacobian: the shape of f(x), then that of x."""
    columns = []
    for index in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[index] = step
        pairs = (c * (np.asarray(f(x + n * shift)) - np.asarray(f(x - n * shift))) for n, c in STENCIL.items())
        columns.append(sum(pairs) / step)
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(stacked.shape[:-1] + x.shape)
