"""The duals of every family of activations, biased ReLUs, and where two gradients of rectified powers agree."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import sympy as sp
from flint import arb
from scipy.special import erf, ndtr

import sobolev_theory as st
from sobolev_theory.symbolic import duals, r, r_star, theta

from .. import definitions as by_definition
from ..balls import formulas, integrals
from ..checks import Ball, Differences, Quadrature, derivative
from ..claim import Claim, Formula
from ..planar import expectation
from .domains import PAIRS, Pair
from .frames import frame
from .kernels import ANGULAR
from .one_neuron_methods import closed
from .placement import symbolic
from .twins import entry_scaled, minus

# Parameters, exact in the statements.
SLOPE, OMEGA, PHI = sp.Rational(1, 5), sp.Rational(13, 10), sp.Rational(2, 5)
P = (sp.Rational(1, 2), -sp.Integer(1), sp.Rational(3, 4), sp.Rational(1, 4))
BIASES = (0.3, -0.4)

A, B, C = r**2, r_star**2, r * r_star * sp.cos(theta)
J = [angular / (2 * sp.pi) for angular in ANGULAR]
OPPOSITE = [angular.subs(theta, sp.pi - theta) for angular in J]


def _leaky(s) -> tuple[sp.Expr, ...]:
    return (
        r * r_star * ((1 + s**2) * J[1] - 2 * s * OPPOSITE[1]),
        (1 + s**2) * J[0] + 2 * s * OPPOSITE[0],
    )


def _wave(sign: int) -> tuple[sp.Expr, ...]:
    """Of the sine, -1, or the cosine, 1: every derivative exchanges them."""
    apart, together = (sp.exp(-(OMEGA**2) * (A + B - s * 2 * C) / 2) for s in (1, -1))
    turned = sign * sp.cos(2 * PHI) * together
    return tuple(OMEGA ** (2 * m) * (apart + (-1) ** m * turned) / 2 for m in range(3))


def _erf() -> tuple[sp.Expr, ...]:
    edges = (1 + 2 * A) * (1 + 2 * B)
    D = edges - 4 * C**2
    return 2 / sp.pi * sp.asin(2 * C / sp.sqrt(edges)), 4 / (sp.pi * sp.sqrt(D)), 16 * C / (sp.pi * sp.sqrt(D) ** 3)


def _gaussian() -> tuple[sp.Expr, ...]:
    D = (1 + A) * (1 + B) - C**2
    return 1 / sp.sqrt(D), C / sp.sqrt(D) ** 3, 1 / sp.sqrt(D) ** 3 + 3 * C**2 / sp.sqrt(D) ** 5


def _polynomial() -> tuple[sp.Expr, ...]:
    p0, p1, p2, p3 = P
    square, cube = A * B + 2 * C**2, 9 * A * B * C + 6 * C**3
    crossed = (A + B) * (p0 * p2 + 3 * p1 * p3 * C)
    return (
        p0**2 + p1**2 * C + p2**2 * square + p3**2 * cube + crossed,
        p1**2 + 4 * p2**2 * C + 9 * p3**2 * square + 3 * p1 * p3 * (A + B),
        4 * p2**2 + 36 * p3**2 * C,
    )


STATEMENTS = {
    "repu-2": ((r * r_star) ** 2 * J[2], 4 * r * r_star * J[1], 4 * J[0]),
    "repu-3": ((r * r_star) ** 3 * J[3], 9 * (r * r_star) ** 2 * J[2], 36 * r * r_star * J[1]),
    "leaky-relu": _leaky(SLOPE),
    "absolute-value": _leaky(-1),
    "polynomial": _polynomial(),
    "sine": _wave(-1),
    "cosine": _wave(1),
    "erf": _erf(),
    "gaussian": _gaussian(),
}
DERIVED: dict[str, Callable[[int], sp.Expr]] = {
    "repu-2": lambda m: duals.repu(2, m),
    "repu-3": lambda m: duals.repu(3, m),
    "leaky-relu": lambda m: duals.leaky_relu(SLOPE, m),
    "absolute-value": duals.absolute_value,
    "polynomial": lambda m: duals.polynomial(P, m),
    "sine": duals.sine,
    "cosine": duals.cosine,
    "erf": duals.erf,
    "gaussian": duals.gaussian,
}
ACTIVATIONS = {
    "repu-2": st.RePU(2),
    "repu-3": st.RePU(3),
    "leaky-relu": st.LeakyReLU(float(SLOPE)),
    "absolute-value": st.AbsoluteValue(),
    "polynomial": st.Polynomial(tuple(float(p) for p in P)),
    "sine": st.Sine(float(OMEGA), float(PHI)),
    "cosine": st.Cosine(float(OMEGA), float(PHI)),
    "erf": st.Erf(),
    "gaussian": st.Gaussian(),
    "gelu": st.GELU(),
}
SAID = {
    "repu-2": r"\sigma = t_+^2: \tfrac{1}{2\pi}(|w|^2|v|^2J_2, 4|w||v|J_1, 4J_0)",
    "repu-3": r"\sigma = t_+^3: \tfrac{1}{2\pi}(|w|^3|v|^3J_3, 9|w|^2|v|^2J_2, 36|w||v|J_1)",
    "leaky-relu": r"\sigma = t_+ - s(-t)_+, s = 1/5: \tfrac{1}{2\pi}(|w||v|((1+s^2)J_1(\theta) - 2sJ_1(\pi-\theta)), "
    r"(1+s^2)J_0(\theta) + 2sJ_0(\pi-\theta))",
    "absolute-value": r"\sigma = |t|: \tfrac{1}{\pi}(|w||v|(J_1(\theta) + J_1(\pi-\theta)), "
    r"J_0(\theta) - J_0(\pi-\theta))",
    "polynomial": r"\sigma = \tfrac12 - t + \tfrac34t^2 + \tfrac14t^3: by Isserlis' theorem",
    "sine": r"\sigma = \sin(\omega t + \varphi): \tfrac12\omega^{2m}(e^{-\omega^2|w-v|^2/2} - "
    r"(-1)^m\cos 2\varphi\,e^{-\omega^2|w+v|^2/2})",
    "cosine": r"\sigma = \cos(\omega t + \varphi): \tfrac12\omega^{2m}(e^{-\omega^2|w-v|^2/2} + "
    r"(-1)^m\cos 2\varphi\,e^{-\omega^2|w+v|^2/2})",
    "erf": r"\sigma = \mathrm{erf}, c = w\cdot v, D = (1+2|w|^2)(1+2|v|^2) - 4c^2: "
    r"\tfrac2\pi\arcsin(2c/\sqrt{D+4c^2}), \tfrac{4}{\pi}D^{-1/2}, \tfrac{16c}{\pi}D^{-3/2}",
    "gaussian": r"\sigma = e^{-t^2/2}, c = w\cdot v, D = (1+|w|^2)(1+|v|^2) - c^2: "
    r"D^{-1/2}, cD^{-3/2}, D^{-3/2} + 3c^2D^{-5/2}",
    "gelu": r"\sigma = t\Phi(t): the library's sums of Gaussian integrals",
}


# From the definition: the activations' derivatives in NumPy, integrated in the plane.


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


def _by_definition(name: str, orders: int) -> Callable[[Pair], np.ndarray]:
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


def _balls(name: str) -> Ball:
    """Certified moments of truncated powers, in the sums that the activation and its slopes are."""

    def of(module, pair: Pair) -> np.ndarray:
        same = module.repu_moments(pair.w, pair.v)
        if name.startswith("repu"):
            p = int(name[-1])
            return np.array([int(sp.ff(p, m)) ** 2 * same[p - m] for m in range(3)], dtype=object)
        opposite = module.repu_moments(pair.w, -np.asarray(pair.v))
        s = arb(1) / 5 if name == "leaky-relu" else arb(-1)
        signs = ((1, -1), (0, 1))
        return np.array([(1 + s**2) * same[n] + sign * 2 * s * opposite[n] for n, sign in signs], dtype=object)

    return Ball(lambda pair: of(integrals, pair), lambda pair: of(formulas, pair))


def _angle(w, v):
    """Of two vectors, to rounding also near 0 and pi."""
    x, y = w / jnp.linalg.norm(w), v / jnp.linalg.norm(v)
    return 2 * jnp.arctan2(jnp.linalg.norm(x - y), jnp.linalg.norm(x + y))


def _dual(activation: st.Activation, orders: int) -> Formula:
    @closed
    def values(w, v):
        norms, angle = (jnp.linalg.norm(w), jnp.linalg.norm(v)), _angle(w, v)
        return jnp.stack([st.dual(activation, m, *norms, angle=angle) for m in range(orders)])

    return values


def _family(name: str) -> Claim:
    orders = 3 if name not in ("leaky-relu", "absolute-value") else 2
    formula = _dual(ACTIVATIONS[name], orders)
    derived = [symbolic(STATEMENTS[name], lambda: _derived(name, orders))] if name in STATEMENTS else []
    balls = [_balls(name)] if name in KINKED_POWER else []
    price = [Differences(_gelu_by_price)] if name == "gelu" else []
    return Claim(
        f"families/{name}",
        rf"E[\sigma^{{(m)}}(w\cdot x)\sigma^{{(m)}}(v\cdot x)], m = 0 \dots {orders - 1}, {SAID[name]}",
        "derived here",
        PAIRS,
        formula,
        (*derived, *balls, *price, Quadrature(_by_definition(name, orders))),
        {
            "sign": minus(formula),
            "reflected": lambda pair: formula(Pair(pair.w, -pair.v)),
            **{f"order {m} off": entry_scaled(formula, m, 1.01) for m in range(orders)},
        },
    )


def _derived(name: str, orders: int) -> tuple[sp.Expr, ...]:
    values = {duals.frequency: OMEGA, duals.phase: PHI}
    return tuple(DERIVED[name](m).subs(values) for m in range(orders))


def _gelu_by_price(pair: Pair) -> np.ndarray:
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


def _biased(b: float, b_: float) -> Formula:
    @closed
    def values(w, v):
        norms, angle = (jnp.linalg.norm(w), jnp.linalg.norm(v)), _angle(w, v)
        return jnp.stack([st.dual(st.ReLU(), m, *norms, angle=angle, means=(b, b_)) for m in range(2)])

    return values


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


def _biased_by_definition(pair: Pair) -> np.ndarray:
    f = frame(pair)
    return _biased_moments(f, np.cos(f.theta))[1:]


def _biased_by_price(pair: Pair) -> np.ndarray:
    """Derivatives in the covariance of the moments of the power above: n^2 times what is claimed."""
    f = frame(pair)
    step = 0.0025 * np.sin(f.theta) ** 2
    slopes = derivative(lambda c: _biased_moments(f, c)[:2], np.array(np.cos(f.theta)), step)
    return slopes / (f.norm * f.other_norm) / np.array([4.0, 1.0])


# Gradients of RePU(2).


def _problem(pair: Pair) -> tuple[st.Network, st.Network]:
    student, teacher = (st.Network(x, activation=st.RePU(2)) for x in (pair.w, pair.v))
    return student, teacher


def agreement(pair: Pair):
    """The population gradient of H1, and how much the loss gradient of H2 exceeds its population gradient."""
    networks = _problem(pair)
    loss, population = (g(*networks, st.H2).weights for g in (st.loss_gradient, st.population_gradient))
    return jnp.stack([st.population_gradient(*networks, st.H1).weights[0], (loss - population)[0]])


def _agreement_by_differences(pair: Pair) -> np.ndarray:
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
    return np.stack([derivative(h1_loss, w, step), -4 * (w @ v) ** 2 * switch])


def _agreement_by_definition(pair: Pair) -> np.ndarray:
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
    return np.stack([basis @ h1, -4 * (w @ v) ** 2 * by_definition.switching(w, v)])


def _boundary_dropped(pair: Pair):
    return agreement(pair).at[1].set(0.0)


BIASED = _biased(*BIASES)

CLAIMS = (
    *(_family(name) for name in ACTIVATIONS),
    Claim(
        "families/biased-relu",
        r"E[(w\cdot x+b)_+(v\cdot x+b')_+], P(w\cdot x+b > 0, v\cdot x+b' > 0), b = 0.3, b' = -0.4: "
        "the library's values",
        "derived here",
        PAIRS,
        BIASED,
        (Quadrature(_biased_by_definition), Differences(_biased_by_price)),
        {
            "bias dropped": _biased(0.0, BIASES[1]),
            "sign of bias": _biased(BIASES[0], -BIASES[1]),
            **{f"order {m} off": entry_scaled(BIASED, m, 1.01) for m in range(2)},
        },
    ),
    Claim(
        "families/repu-gradients-agree-below-the-power",
        r"\sigma = t_+^2: \nabla L_{H^1} = G_{H^1}, and \nabla L_{H^2} - G_{H^2} = -4(w\cdot v)^2 e/(2\pi|w|)",
        "derived here",
        PAIRS,
        agreement,
        (Quadrature(_agreement_by_definition), Differences(_agreement_by_differences)),
        {"boundary dropped": _boundary_dropped, "sign": minus(agreement)},
    ),
)
