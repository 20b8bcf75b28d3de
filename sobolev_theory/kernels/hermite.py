"""Activations in Hermite polynomials: how fast a flow leaves a small overlap with its teacher, and what a loss adds.

With He_k those of the weight exp(-z^2 / 2), c_k(r) = E[s(r Z) He_k(Z)] = r^k E[s^(k)(r Z)], Z standard normal:
  s(r z) = sum_k c_k(r) He_k(z) / k!,    E[s(w.x) t(v.x)] = sum_k c_k(|w|) d_k(|v|) cos(theta)^k / k!,
and a derivative of order m under the expectation, with its factor (w.v)^m, multiplies the k-th term by k! / (k - m)!.
A flow from a small overlap starts at the rate of its first term k >= 1, the information exponent (Ben Arous,
Gheissari & Jagannath, JMLR 22, 2021); a Sobolev loss makes it faster by `sobolev_factor` and leaves the exponent as
it is.
"""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.hermite_e import hermeval, hermevander

from ..model.activation_terms import Factor
from ..model.activations import Activation
from ..model.arguments import finite, whole
from ..model.losses import SobolevLoss
from . import quadrature
from .moments_of_one import pointwise

MOST = 64  # whose factorial, and the square of it, are numbers
REACH = 16.0  # beyond it z^64 times the normal density is below 1e-16 of its largest value
ZERO = 1e-9  # of the root of E[s^2]: where a coefficient counts as 0, as quadrature does


def hermite_coefficients(activation: Activation, highest: int, *, norm: float = 1.0) -> Float[Array, " n"]:
    """c_k = E[s(norm Z) He_k(Z)], k = 0 ... `highest`, Z standard normal: not divided by sqrt(k!).

    At norm 1, c_k = E[s^(k)(Z)], deltas at kinks included; E[s^2] = sum_k c_k^2 / k!. In closed form where the
    activation has one, else by quadrature.

    Args:
        highest: from 0 to 64.
        norm: of the neuron, > 0.

    Returns:
        [highest + 1].

    Raises:
        TypeError, ValueError: no activation, numbers out of range.
        RuntimeError: quadrature that has not converged.

    Example:
        >>> import sobolev_theory as st
        >>> [round(float(c), 4) for c in st.hermite_coefficients(st.ReLU(), 4)]
        [0.3989, 0.5, 0.3989, 0.0, -0.3989]
    """
    if not isinstance(activation, Activation) or hasattr(activation, "activations"):
        raise TypeError(f"activation: got {activation!r}; needs an Activation such as ReLU()")
    highest, norm = whole("highest", highest, 0, MOST), finite("norm", norm, above=0.0)
    exact = [(c, factor) for c, factor in activation.terms if factor.kind != "function"]
    found = np.array([sum(c * _closed(factor, k, norm) for c, factor in exact) for k in range(highest + 1)]) + 0.0
    integrals = [(c, factor) for c, factor in activation.terms if factor.kind == "function"]
    if not integrals:
        return jnp.asarray(found, float)
    fine, rough = (
        found + sum(c * _by_quadrature(factor, highest, norm, nodes) for c, factor in integrals)
        for nodes in (activation.nodes, quadrature.coarser(activation.nodes))
    )
    error = np.max(np.abs(fine - rough) / _sizes(highest)) / np.max(np.abs(fine) / _sizes(highest))
    return quadrature.require_converged(jnp.asarray(fine, float), jnp.asarray(error, float), "activation")


def information_exponent(activation: Activation, *, norm: float = 1.0, highest: int = 16) -> int:
    """The first k >= 1 whose Hermite coefficient is not 0.

    Args:
        norm: of the neuron: a polynomial can have another exponent at another norm.
        highest: where the search ends, up to 64.

    Returns:
        A whole number >= 1.

    Raises:
        ValueError: no such k up to `highest`, as for a constant.
        RuntimeError: quadrature that has not converged.

    Example:
        >>> import sobolev_theory as st
        >>> [st.information_exponent(s) for s in (st.ReLU(), st.Cosine(), st.Polynomial([0.0, -3.0, 0.0, 1.0]))]
        [1, 2, 3]
    """
    found = np.asarray(hermite_coefficients(activation, whole("highest", highest, 1, MOST), norm=norm))
    sizes = np.abs(found) / _sizes(highest)
    tolerance = max(ZERO, 64 * float(np.finfo(found.dtype).eps)) * np.sqrt(np.sum(sizes**2))
    seen = np.flatnonzero(sizes[1:] > tolerance)
    if not len(seen):
        raise ValueError(
            f"activation: got {activation} without Hermite coefficients 1 to {highest}; needs one, or a larger "
            "`highest`"
        )
    return int(seen[0]) + 1


def sobolev_factor(loss: SobolevLoss, k: int) -> Float[Array, ""]:
    """sum_m lambda_m k! / (k - m)!: by what a loss multiplies the k-th Hermite term of the L2 loss, at any norms.

    For H1 it is 1 + k, which speeds up the start of a flow at information exponent k.

    Returns:
        A scalar [].

    Raises:
        TypeError, ValueError: no SobolevLoss, a k that is no whole number from 0 to 64.

    Example:
        >>> import sobolev_theory as st
        >>> [float(st.sobolev_factor(st.H1, k)) for k in (1, 2, 3)]
        [2.0, 3.0, 4.0]
    """
    if not isinstance(loss, SobolevLoss):
        raise TypeError(f"loss: got {loss!r}; needs a SobolevLoss such as L2 or H1")
    k = whole("k", k, 0, MOST)
    parts = (jnp.asarray(value, float) * float(math.perm(k, m)) for m, value in enumerate(loss.lambdas))
    return sum(parts, jnp.zeros(()))


def _sizes(highest: int) -> np.ndarray:
    """sqrt(k!), the norms of the He_k."""
    return np.sqrt([float(math.factorial(k)) for k in range(highest + 1)])


def _closed(factor: Factor, k: int, norm: float) -> float:
    """E[F(r Z) He_k(Z)] = r^k E[F^(k)(r Z)]."""
    if factor.kind == "wave":
        size = factor.frequency * norm
        return size**k * math.cos(factor.phase + k * math.pi / 2) * math.exp(-(size**2) / 2)
    power, mean = factor.power, -factor.kink
    left, scale = power - k, norm**k * (math.perm(power, min(k, power)) if power > 0 else 1)
    if factor.kind == "power":
        return scale * _moments(mean, norm, left, 1.0, 0.0) if left >= 0 else 0.0
    norm = math.hypot(norm, factor.width)
    z = mean / norm
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    if left >= 0:
        return scale * _moments(mean, norm, left, math.erfc(-z / math.sqrt(2)) / 2, norm * density)
    return scale * float(hermeval(-z, np.eye(-left)[-1])) * density / norm**-left


def _moments(mean: float, norm: float, power: int, value: float, before: float) -> float:
    """E[U^n] or E[U_+^n], U ~ N(mean, norm^2), from those of 1 and of delta(U) norm^2: Stein's recurrence."""
    for n in range(power):
        before, value = value, mean * value + (norm**2 * n * before if n else before)
    return value


def _by_quadrature(factor: Factor, highest: int, norm: float, nodes: int) -> np.ndarray:
    """Of s He_k itself, Gauss and Legendre between the kinks: a function of the user's is not differentiated."""
    inner = sorted(kink / norm for kink in factor.kinks if abs(kink) < REACH * norm)
    ends = np.array([-REACH, *inner, REACH])
    x, weights = np.polynomial.legendre.leggauss(nodes)
    half = np.diff(ends)[:, None] / 2
    z = ((ends[:-1] + ends[1:])[:, None] / 2 + half * x).ravel()
    values = np.asarray(pointwise(factor)(jnp.asarray(norm * z, float)), float)
    density = (half * weights).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return hermevander(z, highest).T @ (density * values)
