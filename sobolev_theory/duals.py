"""The dual of an activation, the expectation that all exact formulas are made of, as a function to be called."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from . import pairings
from .activations import Activation, Mixed
from .angles import Angles
from .gaussian_pairs import GaussianPair, from_correlation

Pairs = Float[Array, "*pairs"]


def dual(
    activation: Activation,
    order: int,
    norm,
    norm_,
    *,
    angle=None,
    correlation=None,
    means=None,
    other: Activation | None = None,
) -> Pairs:
    """E[sigma^(m)(u) tau^(m)(u')] of Gaussians u ~ N(mean, norm^2), u' ~ N(mean', norm'^2); elementwise.

    For isotropic input, (w.w')^m dual(sigma, m, |w|, |w'|, angle=theta) is the kernel of the Sobolev term of order m.
    Works under jit, vmap and grad; derivatives follow Price's theorem, also at angles 0 and pi.

    Args:
        order: m, at most the activations' `highest_order`.
        norm, norm_: standard deviations of u and u', >= 0: the norms of the neurons.
        angle, correlation: theta in [0, pi], or cos(theta), which knows small angles to half the digits; one of them.
        means: a pair of means, biases; default 0.
        other: tau, if it is another activation than sigma.

    Raises:
        TypeError, ValueError: no activation; an order that it does not have; both or none of angle and correlation.

    Source: Cho & Saul (2009) for truncated powers; derived in `symbolic.duals`.

    Example:
        >>> import sobolev_theory as st
        >>> round(float(st.dual(st.ReLU(), 1, 1.0, 1.0, correlation=0.5)), 6)  # (pi - pi/3) / (2 pi)
        0.333333
        >>> round(float(st.dual(st.Erf(), 0, 1.0, 1.0, correlation=0.5)), 6)  # (2/pi) asin(1/3)
        0.216347
    """
    tau = activation if other is None else other
    for name, sigma in (("activation", activation), ("other", tau)):
        if not isinstance(sigma, Activation) or isinstance(sigma, Mixed):
            raise TypeError(f"{name}: got {sigma!r}; needs one Activation")
        highest = sigma.highest_order
        if not isinstance(order, int) or order < 0 or (highest is not None and order > highest):
            raise ValueError(f"order: got {order!r}; needs a whole number from 0 to {highest} for {sigma}")
    if (angle is None) == (correlation is None):
        raise ValueError("angle: got both or neither of angle and correlation; needs one of them")
    norm, norm_ = jnp.asarray(norm, float), jnp.asarray(norm_, float)
    mean, mean_ = (None, None) if means is None else (jnp.asarray(x, float) for x in means)
    if correlation is not None:
        pair = from_correlation(norm, norm_, jnp.asarray(correlation, float), mean, mean_)
    else:
        theta = jnp.asarray(angle, float)
        angles = Angles(theta, jnp.pi - theta, jnp.sin(theta), jnp.cos(theta))
        pair = GaussianPair(norm, norm_, angles, mean, mean_)
    return pairings.values(activation, tau, [order], pair, max(activation.nodes, tau.nodes))[0]
