"""The pre-activations (u, u') of two neurons: a bivariate Gaussian, and the angle that a covariance does not give."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..geometry.angles import Angles, angles_from_cosine, inverse_or_zero

Pairs = Float[Array, "*pairs"]

# The standardised mean of a neuron without variance: far beyond where a normal density is 0.
FAR = 1e3


class GaussianPair(NamedTuple):
    """u ~ N(mean, norm^2), u' ~ N(mean_, norm_^2) of correlation cos(theta); of shapes that broadcast.

    Attributes:
        norm, norm_: standard deviations, for isotropic input the norms of the neurons.
        angles: of the correlation, accurate near 0 and pi.
        mean, mean_: None where all are 0.
        product: the covariance, if its derivative is known otherwise than by norms and angle, which have none at a
            field without variance.
        coarse: whether quadrature takes fewer nodes (`quadrature.Rule`).
    """

    norm: Pairs
    norm_: Pairs
    angles: Angles
    mean: Pairs | None = None
    mean_: Pairs | None = None
    product: Pairs | None = None
    coarse: Bool[Array, ""] | None = None

    @property
    def covariance(self) -> Pairs:
        return self.norm * self.norm_ * self.angles.cos if self.product is None else self.product

    @property
    def is_centred(self) -> bool:
        return self.mean is None and self.mean_ is None

    @property
    def exchanged(self) -> "GaussianPair":
        return GaussianPair(self.norm_, self.norm, self.angles, self.mean_, self.mean, self.product, self.coarse)

    def shifted(self, kink: float, kink_: float) -> "GaussianPair":
        """Of (u - kink, u' - kink_)."""
        if kink == 0.0 == kink_:
            return self
        mean, mean_ = self.means
        return self._replace(mean=mean - kink, mean_=mean_ - kink_)

    def widened(self, width: float, width_: float) -> "GaussianPair":
        """Of (u + width Z, u' + width_ Z'), with Z and Z' independent of all and each other."""
        if width == 0.0 == width_:
            return self
        r, r_, (_, _, sin, cos) = self.norm, self.norm_, self.angles
        (wide, own, added), (wide_, own_, added_) = _shares(r, width), _shares(r_, width_)
        cosine = own * own_ * cos
        # 1 - cos^2 of the new correlation, as a sum of squares
        sine = jnp.sqrt((own * own_ * sin) ** 2 + (own * added_) ** 2 + (added * own_) ** 2 + (added * added_) ** 2)
        sine = jnp.where((wide == 0) | (wide_ == 0), 1.0, sine)  # no field: a right angle
        angles = Angles(jnp.arctan2(sine, cosine), jnp.arctan2(sine, -cosine), sine, cosine)
        return self._replace(norm=wide, norm_=wide_, angles=angles)

    @property
    def means(self) -> tuple[Pairs, Pairs]:
        """Numbers in any case."""
        zero = jnp.zeros_like(self.norm)
        return (zero if self.mean is None else self.mean), (
            jnp.zeros_like(self.norm_) if self.mean_ is None else self.mean_
        )


def _shares(norm: Pairs, width: float) -> tuple[Pairs, Pairs, Pairs]:
    """The standard deviation of u + width Z, and what u and Z are in units of it, without squares that overflow."""
    larger = jnp.maximum(norm, width)
    inverse = inverse_or_zero(larger)
    own, added = norm * inverse, width * inverse
    size = jnp.sqrt(own * own + added * added)
    return larger * size, own * inverse_or_zero(size), added * inverse_or_zero(size)


def standardised(mean: Pairs, norm: Pairs) -> Pairs:
    """mean / norm; for norm 0 the side of 0 that the mean is on, below it if it is 0, as a step at 0 has it."""
    still = norm == 0.0
    side = jnp.where(mean > 0, FAR, -FAR)
    return jnp.where(still, side, mean / jnp.where(still, 1.0, norm))


def from_correlation(norm, norm_, correlation, mean=None, mean_=None) -> GaussianPair:
    """Near correlations of 1 and -1 the angle has half the digits of the dtype."""
    return GaussianPair(norm, norm_, angles_from_cosine(correlation), mean, mean_)
