"""What the definition gives for the claims on GELU by Price's theorem, biased ReLUs, and gradients of RePU(2)."""

import numpy as np
from scipy.special import ndtr

from ... import definitions as by_definition
from ...checks import derivative
from ...planar import expectation
from ..common.domains import Pair
from ..common.frames import frame

BIASES = (0.3, -0.4)
AXIS = np.arange(-240, 241) * 0.05  # the trapezoidal rule, exact to rounding for widths above 0.15, as here
MASS = 0.05 * np.exp(-(AXIS**2) / 2) / np.sqrt(2 * np.pi)


def _power(t, n: int):
    return np.where(t > 0, np.abs(t) ** n, 0.0)


def _density(t):
    return np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)


def gelu_by_price(pair: Pair) -> np.ndarray:
    """Order m is the derivative in the covariance of the order before; before 0, of the antiderivative's dual."""
    f = frame(pair)

    def before(cos):
        second = f.other_norm * (cos * AXIS[:, None] + np.sqrt(1 - cos**2) * AXIS)
        first = f.norm * AXIS
        return np.array([(MASS * slope(first)) @ slope(second) @ MASS for slope in GELU_BEFORE])

    slopes = derivative(before, np.array(np.cos(f.theta)), 0.0025 * np.sin(f.theta) ** 2)
    return slopes / (f.norm * f.other_norm)


def _gelu_integral(t):
    return ((t**2 - 1) * ndtr(t) + t * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)) / 2


GELU_BEFORE = (_gelu_integral, lambda t: t * ndtr(t), lambda t: ndtr(t) + t * _density(t))


# Biased ReLUs.

LEGENDRE, LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(20)


def _biased_moments(f, cos) -> np.ndarray:
    """E[(u+b)_+^n (u'+b')_+^n], n = 2, 1, 0, over u where it is active; given it, u' is Gaussian."""
    edges = np.linspace(-BIASES[0] / f.norm, 12.0, 300)  # panels as short as the conditional's switch is wide
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half + half * LEGENDRE).ravel()
    weight = (half * LEGENDRE_WEIGHTS).ravel() * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    spread = f.other_norm * np.sqrt(1 - cos**2)
    t = (f.other_norm * cos * z + BIASES[1]) / spread
    density = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    active, first = f.norm * z + BIASES[0], spread * (t * ndtr(t) + density)
    second = spread**2 * ((1 + t**2) * ndtr(t) + t * density)
    return np.array([weight @ (active**2 * second), weight @ (active * first), weight @ ndtr(t)])


def biased(pair: Pair) -> np.ndarray:
    f = frame(pair)
    return _biased_moments(f, np.cos(f.theta))[1:]


def biased_by_price(pair: Pair) -> np.ndarray:
    """Derivatives in the covariance of the moments of the power above: n^2 times what is claimed."""
    f = frame(pair)
    step = 0.0025 * np.sin(f.theta) ** 2
    slopes = derivative(lambda c: _biased_moments(f, c)[:2], np.array(np.cos(f.theta)), step)
    return slopes / (f.norm * f.other_norm) / np.array([4.0, 1.0])


# Gradients of RePU(2).


def agreement_by_differences(pair: Pair) -> np.ndarray:
    """The boundary term of H2 is -4 (w.v)^2 times the gradient of the orthant probability."""
    f, v = frame(pair), np.asarray(pair.v)

    def h1_loss(w):
        def kernel(a, b):
            at = np.array([by_definition._in_plane(a, b)[k] for k in (0, 1)])
            values = expectation(lambda y: np.prod(_power(y @ at.T, 2), axis=1), at, 4)
            slopes = expectation(lambda y: 4 * np.prod(_power(y @ at.T, 1), axis=1), at, 2)
            return float(values + (a @ b) * slopes)

        own = 3 * (w @ w) ** 2 / 4 + (w @ w) ** 2  # E t_+^4 / 2 and |w|^2 E (2 t_+)^2 / 2
        return own - kernel(w, v)

    w, step = np.asarray(pair.w), 0.005 * f.norm * np.sin(f.theta)
    switch = derivative(lambda x: by_definition.both_active(x, v), w, step)
    slope = derivative(h1_loss, w, step)
    return np.stack([slope, slope, -4 * (w @ v) ** 2 * switch])


def agreement(pair: Pair) -> np.ndarray:
    """E[gap grad g + <D gap, grad D g>] almost everywhere, and the delta of the second derivative."""
    w, v = (np.asarray(x) for x in pair)
    p, q, basis = by_definition._in_plane(w, v)
    normals = np.stack([p, q])

    def values(y):
        u, u_ = _power(y @ p, 1), _power(y @ q, 1)
        return (2 * (u**2 - u_**2) * u)[:, None] * y

    def slopes(y):
        u, u_ = _power(y @ p, 1), _power(y @ q, 1)
        gap = 2 * (u[:, None] * p - u_[:, None] * q)
        return 2 * (y @ p > 0)[:, None] * (gap @ p)[:, None] * y + 2 * u[:, None] * gap

    h1 = expectation(values, normals, 4) + expectation(slopes, normals, 2)
    return np.stack([basis @ h1, basis @ h1, -4 * (w @ v) ** 2 * by_definition.switching(w, v)])
