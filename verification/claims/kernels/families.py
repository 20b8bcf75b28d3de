"""The families of activations, one declaration each: a new one needs one here, and may have a derivation."""

from fractions import Fraction
from typing import Any

import equinox as eqx
import jax
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory.symbolic import duals, orthants, smoothed_step

from ...balls import integrals, smooth
from ...balls.precision import rational
from ...checks import Differences
from ...statements import equal
from ...statements.kernels import ANGULAR, SUPPLEMENT
from ...statements.notation import c, pi, r, r_star
from ..common.domains import Pair
from . import families_by_definition as by_definition
from .family import Family, Plus, claim_of, t

# Parameters, exact in the statements.
SLOPE, OMEGA, PHI = sp.Rational(1, 5), sp.Rational(13, 10), sp.Rational(2, 5)
WIDTH = sp.Rational(3, 5)
P = (sp.Rational(1, 2), -sp.Integer(1), sp.Rational(3, 4), sp.Rational(1, 4))

A, B, C = r**2, r_star**2, r * r_star * c
J = [angular / (2 * pi) for angular in ANGULAR]
OPPOSITE = [angular / (2 * pi) for angular in SUPPLEMENT]
dot, determinant, edge, edge_, psi = sp.symbols("c D A B psi")
DOT = equal(dot, C)


class SmoothedReLU(st.Activation):
    """E[(t + width Z)_+]: its slope is the smoothed step Phi(t / width) of `st.training.smoothed_relu`."""

    width: float = eqx.field(static=True)

    def __call__(self, t):
        z = t / self.width
        return t * jax.scipy.stats.norm.cdf(z) + self.width * jax.scipy.stats.norm.pdf(z)

    @property
    def terms(self):
        return ((1.0, st.activation_terms.truncated_power(1, width=self.width)),)


def exact(number: sp.Rational) -> Fraction:
    return Fraction(int(number.p), int(number.q))


# Certified integrals: moments of truncated powers, in the sums that the activation and its slopes are, or smoothed.


def _powers(p: int):
    def certified(pair: Pair) -> np.ndarray:
        same = integrals.repu_moments(pair.w, pair.v)
        return np.array([int(sp.ff(p, m)) ** 2 * same[p - m] for m in range(3)], dtype=object)

    return certified


def _bent(slope: sp.Rational):
    def certified(pair: Pair) -> np.ndarray:
        same = integrals.repu_moments(pair.w, pair.v)
        opposite = integrals.repu_moments(pair.w, -np.asarray(pair.v))
        s = rational(exact(slope))
        return np.array(
            [(1 + s**2) * same[k] + sign * 2 * s * opposite[k] for k, sign in ((1, -1), (0, 1))], dtype=object
        )

    return certified


SMOOTH: dict[str, smooth.Smoothed] = {
    "polynomial": smooth.polynomial([exact(p) for p in P]),
    "sine": smooth.cosine(exact(OMEGA), exact(PHI), quarters=-1),
    "cosine": smooth.cosine(exact(OMEGA), exact(PHI)),
    "erf": smooth.erf,
    "gaussian": smooth.gaussian,
    "gelu": smooth.gelu,
    "smoothed step": smooth.relu(exact(WIDTH)),
}


def _smoothed(name: str):
    return lambda pair: smooth.moments(SMOOTH[name], pair.w, pair.v)


def _with_parameters(derivation):
    return lambda m: derivation(m).subs({duals.frequency: OMEGA, duals.phase: PHI})


# What is claimed.


def _leaky(s: Any) -> tuple[sp.Expr, ...]:
    return (
        r * r_star * ((1 + s**2) * J[1] - 2 * s * OPPOSITE[1]),
        (1 + s**2) * J[0] + 2 * s * OPPOSITE[0],
    )


def _wave(sign: int) -> tuple[sp.Expr, ...]:
    """Of the sine, -1, or the cosine, 1: every derivative exchanges them."""
    apart, together = (sp.exp(-(OMEGA**2) * (A + B - s * 2 * C) / 2) for s in (1, -1))
    turned = sign * sp.cos(2 * PHI) * together
    return tuple(OMEGA ** (2 * m) * (apart + (-1) ** m * turned) / 2 for m in range(3))


def _polynomial() -> tuple[sp.Expr, ...]:
    p0, p1, p2, p3 = P
    square, cube = A * B + 2 * dot**2, 9 * A * B * dot + 6 * dot**3
    crossed = (A + B) * (p0 * p2 + 3 * p1 * p3 * dot)
    return (
        p0**2 + p1**2 * dot + p2**2 * square + p3**2 * cube + crossed,
        p1**2 + 4 * p2**2 * dot + 9 * p3**2 * square + 3 * p1 * p3 * (A + B),
        4 * p2**2 + 36 * p3**2 * dot,
    )


def _gelu() -> tuple[sp.Expr, ...]:
    """D^2 = A B - c^2."""
    D, c = sp.sqrt(determinant), dot
    numerators = (
        c * (pi - psi) + D - D * (1 / edge + 1 / edge_) + 1 / D,
        pi - psi + c * (1 / edge + 1 / edge_) / D + c / D**3,
        1 / D + (edge + edge_ + 1) / D**3 + 3 * c**2 / D**5,
    )
    return tuple(numerator / (2 * pi) for numerator in numerators)


_root = sp.sqrt(determinant)
FAMILIES = (
    Family(
        "repu-2",
        st.RePU(2),
        Plus(t) ** 2,
        ((r * r_star) ** 2 * J[2], 4 * r * r_star * J[1], 4 * J[0]),
        _powers(2),
        lambda m: duals.repu(2, m),
        degree=2,
        effort=10.0,
    ),
    Family(
        "repu-3",
        st.RePU(3),
        Plus(t) ** 3,
        ((r * r_star) ** 3 * J[3], 9 * (r * r_star) ** 2 * J[2], 36 * r * r_star * J[1]),
        _powers(3),
        lambda m: duals.repu(3, m),
        degree=3,
        effort=60.0,  # E u^6 u'^6 is 200 times the square of E u^3 u'^3
    ),
    Family(
        "leaky-relu",
        st.LeakyReLU(float(SLOPE)),
        Plus(t) - SLOPE * Plus(-t),
        _leaky(SLOPE),
        _bent(SLOPE),
        lambda m: duals.leaky_relu(SLOPE, m),
        degree=1,
        effort=0.7,
    ),
    Family(
        "absolute-value",
        st.AbsoluteValue(),
        Plus(t) + Plus(-t),
        _leaky(-1),
        _bent(-sp.Integer(1)),
        duals.absolute_value,
        degree=1,
        effort=3.2,
    ),
    Family(
        "polynomial",
        st.Polynomial(tuple(float(p) for p in P)),
        sum(p * t**k for k, p in enumerate(P)),
        _polynomial(),
        _smoothed("polynomial"),
        lambda m: duals.polynomial(P, m),
        (DOT,),
        effort=3.6,
    ),
    Family(
        "sine",
        st.Sine(float(OMEGA), float(PHI)),
        sp.sin(OMEGA * t + PHI),
        _wave(-1),
        _smoothed("sine"),
        _with_parameters(duals.sine),
        effort=1.6,
    ),
    Family(
        "cosine",
        st.Cosine(float(OMEGA), float(PHI)),
        sp.cos(OMEGA * t + PHI),
        _wave(1),
        _smoothed("cosine"),
        _with_parameters(duals.cosine),
        effort=1.7,
    ),
    Family(
        "erf",
        st.Erf(),
        sp.erf(t),
        (
            2 / pi * sp.asin(2 * dot / sp.sqrt((1 + 2 * A) * (1 + 2 * B))),
            4 / (pi * _root),
            16 * dot / (pi * _root**3),
        ),
        _smoothed("erf"),
        duals.erf,
        (DOT, equal(determinant, (1 + 2 * A) * (1 + 2 * B) - 4 * C**2)),
        effort=4.2,
    ),
    Family(
        "gaussian",
        st.Gaussian(),
        sp.exp(-(t**2) / 2),
        (1 / _root, dot / _root**3, 1 / _root**3 + 3 * dot**2 / _root**5),
        _smoothed("gaussian"),
        duals.gaussian,
        (DOT, equal(determinant, (1 + A) * (1 + B) - C**2)),
    ),
    Family(
        "gelu",
        st.GELU(),
        t * orthants.Phi(t),
        _gelu(),
        _smoothed("gelu"),
        duals.gelu,
        (
            DOT,
            equal(edge, 1 + A),
            equal(edge_, 1 + B),
            equal(determinant, (1 + A) * (1 + B) - C**2),
            equal(psi, sp.acos(C / sp.sqrt(1 + A) / sp.sqrt(1 + B))),
        ),
        effort=1.6,
        more=(Differences(by_definition.gelu_by_price),),
    ),
    Family(
        "smoothed-step",
        SmoothedReLU(float(WIDTH)),
        t * orthants.Phi(t / WIDTH) + WIDTH * orthants.Density(t / WIDTH),
        ((dot * (pi - psi) + _root) / (2 * pi), (pi - psi) / (2 * pi), 1 / (2 * pi * _root)),
        _smoothed("smoothed step"),
        lambda m: smoothed_step.dual(m).subs(smoothed_step.h, WIDTH),
        (
            DOT,
            equal(edge, WIDTH**2 + A),
            equal(edge_, WIDTH**2 + B),
            equal(determinant, edge * edge_ - C**2),
            equal(psi, sp.acos(C / sp.sqrt(edge) / sp.sqrt(edge_))),
        ),
    ),
)

CLAIMS = tuple(claim_of(family) for family in FAMILIES)
