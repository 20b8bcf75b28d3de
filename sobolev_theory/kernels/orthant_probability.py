"""Probability that two correlated Gaussians exceed their thresholds, and its derivatives of every order.

For X, Y standard normal with correlation cos(theta), {X > -h, Y > -k} is a wedge of opening pi - theta in the plane
of independent Gaussians. Seen from the origin it is made of two regions, each beyond one of the lines X = -h, Y = -k
from the corner on. With D the distance of a line and A the coordinate of the corner along it, such a region has mass
  S(D; A) = 1/(2 pi) int_A^inf exp(-(D^2 + x^2)/2) D / (D^2 + x^2) dx      (integrate the radius first)
and the probability is a sum of S, without cancellation if h and k have one sign (`_side`). For |A| < FAR, S is
Q(D)/2 - T(D, A/D) with Owen's function T (Owen, Ann. Math. Stat. 27, 1956) of a slope at most 1 after reflection,
which is smooth at every D: Gauss-Legendre. Beyond, xi = (x^2 - A^2)/2 leaves exp(-xi) times a smooth function:
Gauss-Laguerre. No step divides by sin(theta) but A, so that correlations of 1 and -1 are no special case.
"""

import math
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from ..geometry.angles import Angles, inverse_or_zero

# Python's numbers, which take the dtype of the arrays that they meet; numpy's would make all of it float64.
TWO_PI, SQRT_TWO_PI, SQRT_HALF = 2 * math.pi, math.sqrt(2 * math.pi), math.sqrt(0.5)

# Beyond this size a threshold, or an ordinate, is infinite to every digit: exp(-64^2 / 2) is 0.
LARGEST_THRESHOLD, LARGEST_ORDINATE = 1000.0, 64.0

# From this ordinate of the corner on, S is a tail and goes by Gauss-Laguerre.
FAR = 3.0

Pairs = Float[Array, "*pairs"]


def normal_density(x: Pairs) -> Pairs:
    """The density exp(-x^2 / 2) / sqrt(2 pi) of a standard normal variable."""
    return jnp.exp(-x * x / 2) / SQRT_TWO_PI


@jax.custom_jvp
def normal_cdf(x: Pairs) -> Pairs:
    """P(Z < x) for Z standard normal; in the lower tail the relative error is eps (1 + x^2), that of the square."""
    return lax.erfc(-x * SQRT_HALF) / 2


@normal_cdf.defjvp
def _normal_cdf_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return normal_cdf(x), normal_density(x) * dx


def orthant_probability(h: Pairs, k: Pairs, angles: Angles) -> Pairs:
    """P(X > -h, Y > -k) = Phi_2(h, k; cos theta) for X, Y standard normal with correlation cos(theta).

    Elementwise, of any order of derivative, also at theta = 0 and pi. The derivatives are
      d/dh = phi(h) Phi((k - cos(theta) h) / sin(theta)),    likewise d/dk,
      d/dtheta = -exp(-r^2 / 2) / (2 pi),    r^2 = (h^2 - 2 cos(theta) h k + k^2) / sin(theta)^2.
    Where theta = 0 and h = k, or theta = pi and h = -k, the limits depend on the side: the value of
    (k - cos h) / sin is then 0, the mean of its limits along h - k, and where a derivative is infinite (the density
    1 / sin) it is 0.

    The absolute error is a few eps. For h and k of one sign it is also small relatively: 1e-12, and the few eps r^2
    of the rounded thresholds themselves. For different signs the terms may cancel, and no more is promised.

    Args:
        h, k: thresholds of one shape with the angles (or broadcast to it); +-inf are allowed.
        angles: the angle theta with its supplement, sine and cosine, each accurate near its zeros. The derivative
            in it is taken from the tangent of `theta`.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.geometry.angles import angles_from_cosine
        >>> from sobolev_theory.kernels.orthant_probability import orthant_probability
        >>> print(f"{orthant_probability(0.0, 0.0, angles_from_cosine(jnp.array(0.5))):.6f}")
        0.333333
    """
    h, k = (jnp.clip(jnp.asarray(x, angles.sin.dtype), -LARGEST_THRESHOLD, LARGEST_THRESHOLD) for x in (h, k))
    return _orthant(h, k, angles)


# Derivatives: a system of functions that is closed under differentiation.


@jax.custom_jvp
def _orthant(h: Pairs, k: Pairs, angles: Angles) -> Pairs:
    # At h = k = 0 only the ratio of ordinate and distance counts: take it from two small thresholds.
    small = float(jnp.finfo(angles.sin.dtype).tiny / jnp.finfo(angles.sin.dtype).eps)
    origin = (h == 0) & (k == 0)
    h, k = jnp.where(origin, -small, h), jnp.where(origin, -small, k)
    return _side(h, k, corner_ordinate(h, k, angles)) + _side(k, h, corner_ordinate(k, h, angles))


@_orthant.defjvp
def _orthant_jvp(primals, tangents):
    (h, k, angles), (dh, dk, d_angles) = primals, tangents
    tangent = half_line_density(h, k, angles) * dh + half_line_density(k, h, angles) * dk
    return _orthant(*primals), tangent - corner_density(*primals) * d_angles.theta


@jax.custom_jvp
def corner_ordinate(h: Pairs, k: Pairs, angles: Angles) -> Pairs:
    """A = (k - cos(theta) h) / sin(theta), cut at +-64; 0 where sin = 0 and the numerator is 0.

    P(Y > -k | X = -h) = Phi(A). Derivative: dA = (dk - cos dh) / sin + A' / sin dtheta, A' with h and k exchanged.
    """
    opposite = angles.cos < 0
    apart = jnp.where(opposite, k + h, k - h)
    ordinate = jnp.where(_inverse_sine(angles) == 0, jnp.sign(apart) * LARGEST_ORDINATE, _across(h, k, angles))
    return jnp.clip(ordinate, -LARGEST_ORDINATE, LARGEST_ORDINATE)


@corner_ordinate.defjvp
def _corner_ordinate_jvp(primals, tangents):
    (h, k, angles), (dh, dk, d_angles) = primals, tangents
    turning = corner_ordinate(k, h, angles) * _inverse_sine(angles) * d_angles.theta
    return corner_ordinate(*primals), _across(dh, dk, angles) + turning


@jax.custom_jvp
def half_line_density(h: Pairs, k: Pairs, angles: Angles) -> Pairs:
    """phi(h) Phi(A), the density of X at -h on the event Y > -k: the derivative of the probability in h."""
    return normal_density(h) * normal_cdf(corner_ordinate(h, k, angles))


@half_line_density.defjvp
def _half_line_density_jvp(primals, tangents):
    """phi(h) phi(A) is the corner density."""
    (h, k, angles), (dh, dk, d_angles) = primals, tangents
    value, corner = half_line_density(*primals), corner_density(*primals)
    turning = corner_ordinate(k, h, angles) * _inverse_sine(angles) * d_angles.theta
    return value, -h * value * dh + corner * (_across(dh, dk, angles) + turning)


@jax.custom_jvp
def corner_density(h: Pairs, k: Pairs, angles: Angles) -> Pairs:
    """exp(-r^2 / 2) / (2 pi) = sin(theta) times the density of (X, Y) at the corner, which is at distance r.

    r^2 = h^2 + A^2, a sum of squares, where (h^2 - 2 cos h k + k^2) / sin^2 would cancel.
    """
    ordinate = corner_ordinate(h, k, angles)
    return jnp.exp(-(h * h + ordinate * ordinate) / 2) / TWO_PI


@corner_density.defjvp
def _corner_density_jvp(primals, tangents):
    """r dr = A' (dh + A dtheta) / sin + A dk / sin."""
    (h, k, angles), (dh, dk, d_angles) = primals, tangents
    value, a, a_ = corner_density(*primals), corner_ordinate(h, k, angles), corner_ordinate(k, h, angles)
    step = (a_ * dh + a * dk + a * a_ * d_angles.theta) * _inverse_sine(angles)
    return value, -value * step


def _across(h: Pairs, k: Pairs, angles: Angles) -> Pairs:
    """(k - cos h) / sin, linear in h and k, as (k - h) / sin + h tan(theta / 2), or from k + h where cos < 0."""
    sign = jnp.where(angles.cos < 0, -1.0, 1.0).astype(angles.sin.dtype)
    tangent_of_half = angles.sin / (1 + jnp.abs(angles.cos))
    return (k - sign * h) * _inverse_sine(angles) + sign * h * tangent_of_half


def _inverse_sine(angles: Angles) -> Pairs:
    """1 / sin, and 0 where its fourth power is no longer a number."""
    return inverse_or_zero(angles.sin, float(jnp.finfo(angles.sin.dtype).tiny) ** 0.25)


# The probability itself.


def _side(h: Pairs, k: Pairs, ordinate: Pairs) -> Pairs:
    """What one line adds to the probability, from s = S(|h|; |A|).

    The wedge contains the origin, and lies before both lines, if h, k > 0; it lies beyond both if h, k < 0. Then all
    terms are positive: 1/2 - S(h; -A) is 1/2 - s or, as S(D; A) + S(D; -A) = Q(D), it is erf(h / sqrt 2) / 2 + s.
    """
    distance, upwards = jnp.abs(h), ordinate > 0
    tail = normal_cdf(-distance)
    central = _central(distance, tail)
    beyond = _beyond(distance, jnp.abs(ordinate), tail, central)
    inside = jnp.where(upwards, central + beyond, 0.5 - beyond)
    outside = jnp.where(upwards, tail - beyond, beyond)
    return jnp.where(h < 0, outside, jnp.where(k < 0, -outside, inside))


def _central(distance: Pairs, tail: Pairs) -> Pairs:
    """P(0 < Z < D) for D >= 0 to relative rounding, given Q(D): below 1 the power series of the error function.

    `lax.erf` says the same, but XLA compiles it together with the rest to code that is three times slower.
    """
    square = jnp.minimum(distance * distance, 1.0)
    series = jnp.zeros_like(distance)
    for n in reversed(range(15 if distance.dtype == jnp.float64 else 9)):  # the first term left out is below eps / 2
        series = series * square + (-0.5) ** n / (math.factorial(n) * (2 * n + 1) * SQRT_TWO_PI)
    return jnp.where(distance < 1, distance * series, 0.5 - tail)


def _beyond(distance: Pairs, ordinate: Pairs, tail: Pairs, central: Pairs) -> Pairs:
    """S(D; A) for A >= 0, given Q(D) and 1/2 - Q(D).

    Where A > D, the quarter beyond the corner, of mass Q(D) Q(A), is S(D; A) + S(A; D): Owen's reflection.
    """
    near, far = jnp.minimum(distance, ordinate), jnp.maximum(distance, ordinate)
    owen = _owen(near, far)
    moderate = jnp.where(ordinate <= distance, tail / 2 - owen, owen - normal_cdf(-ordinate) * central)
    return jnp.where(ordinate < FAR, moderate, _tail(distance, ordinate))


def _owen(near: Pairs, far: Pairs) -> Pairs:
    """Owen's T(far, near / far) for 0 <= near <= far, near < FAR, by Gauss-Legendre.

    T(D, a) = 1/(2 pi) int_0^a exp(-D^2 (1 + t^2)/2) / (1 + t^2) dt has its nearest poles at t = +-i, at every D.
    """
    tiny = float(jnp.finfo(far.dtype).tiny)
    slope = near / jnp.maximum(far, tiny)
    slope2, near2 = slope * slope, near * near / 2
    total = jnp.zeros_like(near)
    for node, weight in zip(*_legendre(far.dtype), strict=True):
        total = total + weight * jnp.exp(-near2 * node) / (1 + slope2 * node)
    return slope * jnp.exp(-far * far / 2) * total / TWO_PI


def _tail(distance: Pairs, ordinate: Pairs) -> Pairs:
    """S(D; A) for A >= FAR: x^2 = A^2 + 2 xi gives exp(-r^2/2)/(2 pi) int e^-xi D / ((r^2 + 2 xi) x) dxi."""
    a2 = jnp.maximum(ordinate, FAR) ** 2
    r2 = a2 + distance * distance
    total = jnp.zeros_like(a2)
    for node, weight in zip(*_laguerre(a2.dtype), strict=True):
        x2 = a2 + 2 * node
        total = total + weight * jnp.sqrt(x2) / ((r2 + 2 * node) * x2)
    return distance * jnp.exp(-r2 / 2) * total / TWO_PI


@cache
def _legendre(dtype: Any) -> tuple[list[float], list[float]]:
    """Squares of the positive half of the nodes of an even rule, for even functions."""
    nodes, weights = np.polynomial.legendre.leggauss(24 if dtype == jnp.float64 else 10)
    half = len(nodes) // 2
    return (nodes[half:] ** 2).tolist(), weights[half:].tolist()


@cache
def _laguerre(dtype: Any) -> tuple[list[float], list[float]]:
    """At the ordinate FAR, where the integrand is least smooth, the relative error of 20 nodes is 2e-13."""
    nodes, weights = np.polynomial.laguerre.laggauss(20 if dtype == jnp.float64 else 6)
    return nodes.tolist(), weights.tolist()
