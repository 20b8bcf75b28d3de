"""E[u_+^n u'_+^k] of centred Gaussian pairs, the arc-cosine kernels, without cancellation at any angle.

E[u_+^n u'_+^n] = (r r')^n J_n(theta) / (2 pi) (Cho & Saul 2009), and by Price's theorem dJ_n/dcos = n^2 J_(n-1).
For cos >= 0 the recurrence J_(n+1) = (2n+1) cos J_n + n^2 sin^2 J_(n-1), J_0 = pi - theta, J_1 = sin + cos J_0, has
positive terms. For cos < 0 it cancels: J_n goes like (1 + cos)^(n + 1/2). There J_n is the n-fold integral of
J_0 = 2 arcsin(sqrt(y/2)) over y = 1 + cos, a series in y/2 <= 1/2 with positive terms.
Derived in symbolic.kernels; the recurrence in symbolic.truncated_powers.
"""

from functools import cache
from math import factorial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..geometry.angles import Angles
from .gaussian_pairs import GaussianPair, Pairs

TERMS = 56  # of the series, at most; at x = 1/2 the next one is below 2^-56 of the first


def is_stable(n: int, k: int) -> bool:
    """Whether E[u_+^n u'_+^k] is one of those given here: n = k, or n and k two apart."""
    return n >= 0 and k >= 0 and abs(n - k) in (0, 2)


def moment(n: int, k: int, pair: GaussianPair) -> Pairs:
    """E[u_+^n u'_+^k] for |n - k| = 0 or 2."""
    shape = angular(n, pair.angles) if n == k else two_apart(max(n, k), pair.angles)
    return pair.norm**n * pair.norm_**k * shape / (2 * jnp.pi)


def angular(n: int, angles: Angles) -> Float[Array, "*pairs"]:
    """J_n(theta), relative accuracy a few eps of its argument's."""
    if n == 0:
        return angles.supplement
    return jnp.where(angles.cos >= 0, _acute(n, angles)[n], _obtuse(n, angles))


def two_apart(n: int, angles: Angles) -> Float[Array, "*pairs"]:
    """2 pi E[u_+^(n-2) u'_+^n] for unit norms, n >= 2.

    By Stein's identity B_n = (n-1) J_(n-2) + (n-2) cos B_(n-1), and J_n = (n-1) B_n + n cos J_(n-1).
    """
    acute = _acute(n, angles)
    forward = acute[0] + angles.sin * angles.cos  # B_2
    for k in range(3, n + 1):
        forward = (k - 1) * acute[k - 2] + (k - 2) * angles.cos * forward
    backward = (_obtuse(n, angles) - n * angles.cos * _obtuse(n - 1, angles)) / (n - 1)
    return jnp.where(angles.cos >= 0, forward, backward)


def _acute(n: int, angles: Angles) -> list[Float[Array, "*pairs"]]:
    """J_0 ... J_n by the recurrence."""
    j = [angles.supplement, angles.sin + angles.cos * angles.supplement]
    for k in range(1, n):
        j.append((2 * k + 1) * angles.cos * j[k] + k**2 * angles.sin**2 * j[k - 1])
    return j


def _obtuse(n: int, angles: Angles) -> Float[Array, "*pairs"]:
    """J_n by the series in x = y/2 = sin(supplement/2)^2, evaluated as sin(supplement/2)^(2n+1) sum_k c_k x^k."""
    root = jnp.sin(jnp.minimum(angles.supplement, jnp.pi / 2) / 2)
    x, (first, *rest) = root * root, _series(n)[::-1]
    value = jnp.full_like(x, first)
    for coefficient in rest:
        value = value * x + coefficient
    return root ** (2 * n + 1) * value


@cache
def _series(n: int) -> tuple[float, ...]:
    """c_k of J_n = x^(n + 1/2) sum_k c_k x^k.

    2 arcsin(s) = 2 sum_k a_k s^(2k+1), a_k = (2k)! / (4^k k!^2 (2k+1)); an integral over y = 2x of x^(q) is
    2 x^(q+1) / (q+1), taken n times, and (n!)^2.
    """
    k = np.arange(TERMS)
    a = np.cumprod(np.concatenate([[1.0], (2 * k[1:] - 1) / (2 * k[1:])])) / (2 * k + 1)
    c = 2.0 * factorial(n) ** 2 * a
    for step in range(1, n + 1):
        c = c * 2 / (k + step + 0.5)
    return tuple(float(value) for value in c[c * 0.5**k > 2.0**-56 * c[0]])
