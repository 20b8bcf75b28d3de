"""Mean and scatter of vectors, merged set by set: in a compiled step on the device, between steps on the host.

After Chan, Golub & LeVeque 1983. The root of the sum of squared deviations, summed by hypot, neither overflows nor
underflows before the vectors themselves do.
"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Moments(NamedTuple):
    """Of `count` vectors: mean, root of the sum of squared deviations, sum of their outer products or None."""

    count: Any
    mean: Any
    spread: Any
    scatter: Any

    @property
    def standard_error(self) -> Float[np.ndarray, " D"]:
        """Of the mean; before a second vector it is unknown."""
        if self.count < 2:
            return np.full_like(self.mean, np.inf)
        return self.spread / np.sqrt(self.count * (self.count - 1))

    @property
    def largest_error(self) -> float:
        """0 of vectors without components."""
        return float(np.max(self.standard_error, initial=0.0))

    @property
    def covariance(self) -> Float[np.ndarray, "D D"] | None:
        """Of the mean."""
        return None if self.scatter is None else self.scatter / (self.count * (self.count - 1))

    @property
    def is_finite(self) -> bool:
        return all(np.all(np.isfinite(field)) for field in self if field is not None)


def nothing(zeros, covariance: bool, xp: ModuleType = np) -> Moments:
    """Of no vectors; `zeros` has their shape."""
    return Moments(xp.zeros((), zeros.dtype), zeros, zeros, xp.outer(zeros, zeros) if covariance else None)


def merge(a: Moments, b: Moments, xp: ModuleType = np) -> Moments:
    """The moments of two sets together."""
    count = a.count + b.count
    step = b.mean - a.mean
    share = b.count / count
    between = a.count * share
    spread = xp.hypot(xp.hypot(a.spread, b.spread), step * xp.sqrt(between))
    scatter = None if a.scatter is None else a.scatter + b.scatter + xp.outer(step, step) * between
    return Moments(count, a.mean + step * share, spread, scatter)


def on_host(part: Moments) -> Moments:
    """In 64 bit, whatever the dtype of the samples."""
    return Moments(*(None if field is None else np.asarray(field, np.float64) for field in part))
