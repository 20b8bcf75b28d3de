"""The duals of every family of activations, biased ReLUs, and where two gradients of rectified powers agree."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory.symbolic import duals, orthants, r, r_star, theta

from ..checks import Differences, Quadrature, Request, Sampled, SymbolicProof
from ..claim import Claim, Formula
from . import families_by_balls as by_balls
from . import families_by_definition as by_definition
from .domains import PAIRS, Pair
from .families_by_definition import BIASES, OMEGA, PHI, SLOPE, P
from .kernels import ANGULAR
from .one_neuron_methods import closed
from .placement import symbolic
from .twins import entry_scaled, minus

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


def _gelu() -> tuple[sp.Expr, ...]:
    D, psi = sp.sqrt((1 + A) * (1 + B) - C**2), sp.acos(C / sp.sqrt(1 + A) / sp.sqrt(1 + B))
    both, inverse = C * (sp.pi - psi) + D, 1 / (1 + A) + 1 / (1 + B)
    numerators = (
        both - D * inverse + 1 / D,
        sp.pi - psi + C * inverse / D + C / D**3,
        1 / D + (3 + A + B) / D**3 + 3 * C**2 / D**5,
    )
    return tuple(numerator / (2 * sp.pi) for numerator in numerators)


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
    "gelu": _gelu(),
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
    "gelu": duals.gelu,
}
ACTIVATIONS = {
    "relu": st.ReLU(),
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
    "gelu": r"\sigma = t\Phi(t), c = w\cdot v, A = 1+|w|^2, B = 1+|v|^2, D^2 = AB-c^2, \psi = \arccos(c/\sqrt{AB}): "
    r"2\pi E_0 = c(\pi-\psi) + D - D(A^{-1}+B^{-1}) + D^{-1}, "
    r"2\pi E_1 = \pi-\psi + c(A^{-1}+B^{-1})D^{-1} + cD^{-3}, 2\pi E_2 = D^{-1} + (A+B+1)D^{-3} + 3c^2D^{-5}",
}


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


# Samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise with power 0.99.
EFFORT = {
    "repu-2": 10.0,
    "repu-3": 60.0,  # E u^6 u'^6 is 200 times the square of E u^3 u'^3
    "leaky-relu": 0.7,
    "absolute-value": 3.2,
    "polynomial": 3.6,
    "sine": 1.6,
    "cosine": 1.7,
    "erf": 4.2,
    "gaussian": 2.0,
    "gelu": 1.6,
    "relu": 1.5,
}


def _sampled(name: str, orders: int, biases: tuple[float, float] | None = None) -> Sampled:
    """Products of the activation's derivatives by JAX."""
    activation, b = ACTIVATIONS[name], biases or (None, None)

    def requests(pair: Pair) -> list[Request]:
        student, teacher = (
            st.Network(x, activation=activation, biases=None if bias is None else [bias])
            for x, bias in zip(pair, b, strict=True)
        )
        return [Request("duals", student, teacher, st.SobolevLoss((1.0,) * orders), EFFORT[name])]

    return Sampled(requests, lambda _, mean: np.asarray(mean))


def _family(name: str) -> Claim:
    orders = 3 if name not in ("leaky-relu", "absolute-value") else 2
    formula = _dual(ACTIVATIONS[name], orders)
    derived = symbolic(STATEMENTS[name], lambda: _derived(name, orders))
    price = [Differences(by_definition.gelu_by_price)] if name == "gelu" else []
    return Claim(
        f"families/{name}",
        rf"E[\sigma^{{(m)}}(w\cdot x)\sigma^{{(m)}}(v\cdot x)], m = 0 \dots {orders - 1}, {SAID[name]}",
        "derived here",
        PAIRS,
        formula,
        (
            derived,
            by_balls.of_family(name, STATEMENTS[name]),
            *price,
            Quadrature(by_definition.of_family(name, orders)),
            _sampled(name, orders),
        ),
        {
            "sign": minus(formula),
            "reflected": lambda pair: formula(Pair(pair.w, -pair.v)),
            **{f"order {m} off": entry_scaled(formula, m, 1.01) for m in range(orders)},
        },
    )


def _derived(name: str, orders: int) -> tuple[sp.Expr, ...]:
    values = {duals.frequency: OMEGA, duals.phase: PHI}
    return tuple(DERIVED[name](m).subs(values) for m in range(orders))


# Biased ReLUs.


def _biased(b: float, b_: float) -> Formula:
    @closed
    def values(w, v):
        norms, angle = (jnp.linalg.norm(w), jnp.linalg.norm(v)), _angle(w, v)
        return jnp.stack([st.dual(st.ReLU(), m, *norms, angle=angle, means=(b, b_)) for m in range(2)])

    return values


# Gradients of RePU(2).


def _problem(pair: Pair) -> tuple[st.Network, st.Network]:
    student, teacher = (st.Network(x, activation=st.RePU(2)) for x in (pair.w, pair.v))
    return student, teacher


def agreement(pair: Pair):
    """Population and loss gradient of H1, and by how much the loss gradient of H2 exceeds its population gradient."""
    networks, gradients = _problem(pair), (st.population_gradient, st.loss_gradient)
    population, loss = (gradient(*networks, st.H2).weights[0] for gradient in gradients)
    return jnp.stack([*(gradient(*networks, st.H1).weights[0] for gradient in gradients), loss - population])


def _one_off() -> dict[str, Formula]:
    names = ("population gradient", "loss gradient", "boundary term")
    return {f"{name} off": entry_scaled(agreement, k, 1.01) for k, name in enumerate(names)}


def _boundary_dropped(pair: Pair):
    return agreement(pair).at[2].set(0.0)


BIASED = _biased(*BIASES)
BIASED_MOMENTS = r * r_star * orthants.rectified_moment(1, 1), orthants.rectified_moment(0, 0)

CLAIMS = (
    *(_family(name) for name in STATEMENTS),
    Claim(
        "families/biased-relu",
        r"E[(w\cdot x+b)_+(v\cdot x+b')_+] = |w||v|M, P = P(w\cdot x+b > 0, v\cdot x+b' > 0), "
        r"M = (hk+\cos\theta)P + h\varphi(k)\Phi(A_k) + k\varphi(h)\Phi(A_h) + q\sin\theta, "
        r"h = b/|w|, k = b'/|v|, A_h = (k - h\cos\theta)/\sin\theta, A_k = (h - k\cos\theta)/\sin\theta, "
        r"q = \varphi(h)\varphi(A_h), b = 0.3, b' = -0.4",
        "derived here",
        PAIRS,
        BIASED,
        (
            SymbolicProof(orthants.proof_of_moments),
            by_balls.biased(BIASED_MOMENTS),
            Quadrature(by_definition.biased),
            Differences(by_definition.biased_by_price),
            _sampled("relu", 2, BIASES),
        ),
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
        (Quadrature(by_definition.agreement), Differences(by_definition.agreement_by_differences)),
        {"boundary dropped": _boundary_dropped, "sign": minus(agreement), **_one_off()},
    ),
)
