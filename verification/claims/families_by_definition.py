"""What the definition gives for the families' claims: derivatives in NumPy, integrated in the plane; differences."""

from collections.abc import Callable

import numpy as np
import sympy as sp
from scipy.special import erf, ndtr

from .. import definitions as by_definition
from ..checks import derivative
from ..planar import expectation
from .domains import Pair
from .frames import frame

# Parameters, exact in the statements.
SLOPE, OMEGA, PHI = sp.Rational(1, 5), sp.Rational(13, 10), sp.Rational(2, 5)
P = (sp.Rational(1, 2), -sp.Integer(1), sp.Rational(3, 4), sp.Rational(1, 4))
BIASES = (0.3, -0.4)


def _power(t, n: int):
    return np.where(t > 0, np.abs(t) ** n, 0.0)


def _kinked(name: str, t, m: int):
    if name.startswith("repu"):
        p = int(name[-1])
        return float(sp.ff(p, m)) * _power(t, p - m)
    s = 0.2 if name == "leaky-relu" else -1.0
    return np.where(t > 0, 1.0, s) * (t if m == 0 else 1.0)


def _smooth(name: str, t, m: int):
    phi = np.exp(-(t**2) / 2)
    density = phi / np.sqrt(2 * np.pi)
    bell = 2 / np.sqrt(np.pi) * np.exp(-(t**2))
    angle = float(OMEGA) * t + float(PHI) + m * np.pi / 2
    if name in ("sine", "cosine"):
        return float(OMEGA) ** m * (np.sin(angle) if name == "sine" else np.cos(angle))
    if name == "polynomial":
        return np.polynomial.Polynomial([float(p) for p in P]).deriv(m)(t)
    return {
        "erf": (erf(t), bell, -2 * t * bell),
        "gaussian": (phi, -t * phi, (t**2 - 1) * phi),
        "gelu": (t * ndtr(t), ndtr(t) + t * density, (2 - t**2) * density),
    }[name][m]


KINKED_POWER = {"repu-2": 2, "repu-3": 3, "leaky-relu": 1, "absolute-value": 1}
AXIS = np.arange(-240, 241) * 0.05  # the trapezoidal rule, exact to rounding for widths above 0.15, as here
MASS = 0.05 * np.exp(-(AXIS**2) / 2) / np.sqrt(2 * np.pi)


def of_family(name: str, orders: int) -> Callable[[Pair], np.ndarray]:
    def of(pair: Pair) -> np.ndarray:
        f = frame(pair)
        normals = np.array([[f.norm, 0.0], f.other_norm * np.array([np.cos(f.theta), np.sin(f.theta)])])
        if name in KINKED_POWER:
            return np.array([_sector(name, normals, m) for m in range(orders)])
        first = normals[0, 0] * AXIS
        second = normals[1, 0] * AXIS[:, None] + normals[1, 1] * AXIS
        return np.array([(MASS * _smooth(name, first, m)) @ _smooth(name, second, m) @ MASS for m in range(orders)])

    return of


def _sector(name: str, normals: np.ndarray, m: int) -> float:
    def both(y):
        return np.prod(_kinked(name, y @ normals.T, m), axis=1)

    return float(expectation(both, normals, 2 * (KINKED_POWER[name] - m)))


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


GELU_BEFORE = (_gelu_integral, lambda t: _smooth("gelu", t, 0), lambda t: _smooth("gelu", t, 1))


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
            return _sector("repu-2", at, 0) + (a @ b) * _sector("repu-2", at, 1)

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
