"""The dual of an activation, the expectation that all exact formulas are made of, as a function to be called."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..geometry.angles import Angles
from ..model.activations import Activation
from ..model.mixed import Mixed
from . import activation_pairs
from .gaussian_pairs import GaussianPair, from_correlation
from .quadrature import require_converged
from .resolution import unresolved

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

    Returns:
        Of the shape that norms, angles and means broadcast to.

    Raises:
        TypeError, ValueError: no activation; an order that it does not have; both or none of angle and correlation; a
            negative norm.
        RuntimeError: quadrature, of what has no closed form, has not converged or cannot have seen its function; with
            the estimate.

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
            most = "on" if highest is None else f"to {highest}"
            raise ValueError(f"order: got {order!r}; needs a whole number from 0 {most} for {sigma}")
    if (angle is None) == (correlation is None):
        raise ValueError("angle: got both or neither of angle and correlation; needs one of them")
    for name, value in (("norm", norm), ("norm_", norm_)):
        if not isinstance(value, jax.core.Tracer) and not np.all(np.asarray(value) >= 0):
            raise ValueError(f"{name}: got {value}; needs standard deviations >= 0")
    given = (norm, norm_, correlation if angle is None else angle, *(means or ()))
    found = jnp.result_type(*given, 1.0)
    dtype = found if jnp.finfo(found).bits > 16 else jnp.dtype(jnp.float32)
    norm, norm_, turn, *centres = (jnp.asarray(x, dtype) for x in given)
    mean, mean_ = centres or (None, None)
    if angle is None:
        pair = from_correlation(norm, norm_, turn, mean, mean_)
    else:
        theta = turn
        angles = Angles(theta, jnp.pi - theta, jnp.sin(theta), jnp.cos(theta))
        pair = GaussianPair(norm, norm_, angles, mean, mean_)
    return _value(activation, tau, order, pair)


def _value(sigma: Activation, tau: Activation, order: int, pair: GaussianPair) -> Pairs:
    """With the error of quadrature, where there is any, checked."""
    value, error = _with_error(sigma, tau, order, pair)
    return value if error is None else require_converged(value, error, "activation")


@partial(jax.jit, static_argnums=(0, 1, 2))
def _with_error(sigma: Activation, tau: Activation, order: int, pair: GaussianPair) -> tuple[Pairs, Pairs | None]:
    nodes = max(sigma.nodes, tau.nodes)
    if not activation_pairs.by_quadrature(sigma, tau, order, pair.is_centred):
        return activation_pairs.values(sigma, tau, [order], pair, nodes)[0], None

    def at(coarse: Bool[Array, ""]) -> Pairs:
        return activation_pairs.values(sigma, tau, [order], pair._replace(coarse=coarse), nodes)[0]

    value, rough = jax.lax.map(at, jnp.array([False, True]))
    here = Angles(*(jnp.asarray(x, value.dtype) for x in (0.0, jnp.pi, 0.0, 1.0)))
    squares = [
        activation_pairs.values(one, one, [order], GaussianPair(norm, norm, here, mean, mean), nodes)[0]
        for one, norm, mean in ((sigma, pair.norm, pair.mean), (tau, pair.norm_, pair.mean_))
    ]
    largest = jnp.max(jnp.sqrt(squares[0] * squares[1]))  # by Cauchy and Schwarz
    error = jnp.max(jnp.abs(value - rough)) / largest
    for one, norm, mean in ((sigma, pair.norm, pair.means[0]), (tau, pair.norm_, pair.means[1])):
        error = jnp.maximum(error, unresolved(one, order, mean, norm, nodes, further=0))
    return value, error
