"""The arc-cosine kernels of powers of ReLU, Price's theorem, and the gradient of the orthant probability."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np
import sympy as sp

from sobolev_theory.symbolic import kernels as derived
from sobolev_theory.symbolic import r, r_star, theta

from ... import definitions as by_definition
from ...balls import integrals
from ...checks import Differences, Quadrature, derivative
from ...claim import Claim, Formula
from ...planar import expectation
from ...statements import kernels as stated
from ...statements.kernels import HIGHEST, angular
from ...twins import entry_scaled, minus
from ..common.domains import PAIRS, Pair
from ..common.frames import frame
from ..common.pairs import ball, symbolic
from ..common.sources import KERNELS
from ..one_neuron.methods import closed

WAYS = (derived.angular, derived.angular_by_derivatives, derived.angular_by_recursion)


def _derived_moments(way: Callable[[int], sp.Expr]) -> tuple[sp.Expr, ...]:
    return tuple((r * r_star) ** n * way(n) / (2 * sp.pi) for n in range(HIGHEST + 1))


def _derived_slopes() -> tuple[sp.Expr, ...]:
    """dJ_n/dcos = -(dJ_n/dtheta)/sin of the integrals."""
    return tuple(-sp.diff(derived.angular(n), theta) / sp.sin(theta) for n in range(1, HIGHEST + 1))


def _angular_at(w, v):
    size = jnp.linalg.norm(w) * jnp.linalg.norm(v)
    cos = w @ v / size
    sin = jnp.sqrt(1 - cos**2)
    return size, jnp.stack(angular(jnp.arctan2(sin, cos), cos, sin, jnp.pi))


@closed
def moments(w, v):
    """E[(w.x)_+^n (v.x)_+^n], n = 0 ... 4."""
    size, J = _angular_at(w, v)
    return size ** jnp.arange(HIGHEST + 1) * J / (2 * jnp.pi)


@closed
def price(w, v):
    """n^2 J_(n-1), n = 1 ... 4."""
    return jnp.arange(1, HIGHEST + 1) ** 2 * _angular_at(w, v)[1][:-1]


@closed
def orthant_gradient(w, v):
    """e / (2 pi |w|)."""
    norm = jnp.linalg.norm(w)
    across = v - (v @ w) * w / norm**2
    return across / jnp.linalg.norm(across) / (2 * jnp.pi * norm)


MOMENTS_IN_BALLS = {stated.moment(n): lambda w, v, n=n: integrals.repu_moments(w, v)[n] for n in range(HIGHEST + 1)}


def _moments_by_definition(pair: Pair) -> np.ndarray:
    f = frame(pair)
    normals = np.array([[f.norm, 0.0], f.other_norm * np.array([np.cos(f.theta), np.sin(f.theta)])])
    return np.array([_moment(normals, n) for n in range(HIGHEST + 1)])


def _moment(normals: np.ndarray, n: int) -> float:
    """The power 0 is an indicator."""

    def both(y):
        t = y @ normals.T
        return np.prod(np.where(t > 0, np.abs(t) ** n, 0.0), axis=1)

    return float(expectation(both, normals, 2 * n))


def _angular_by_definition(cos: np.ndarray) -> np.ndarray:
    normals = np.array([[1.0, 0.0], [cos, np.sqrt(1 - cos**2)]])
    return 2 * np.pi * np.array([_moment(normals, n) for n in range(1, HIGHEST + 1)])


def _price_by_differences(pair: Pair) -> np.ndarray:
    """In the cosine, whose distance from -1 and 1 is at least sin^2 / 2."""
    f = frame(pair)
    return derivative(_angular_by_definition, np.array(np.cos(f.theta)), 0.0025 * np.sin(f.theta) ** 2)


def _in_w(pair: Pair) -> np.ndarray:
    f, v = frame(pair), np.asarray(pair.v)
    return derivative(lambda w: by_definition.both_active(w, v), np.asarray(pair.w), 0.005 * f.norm * np.sin(f.theta))


def _one_power_off(formula: Formula) -> dict[str, Formula]:
    return {f"power {n} off": entry_scaled(formula, n, 1.01) for n in range(2)}


CLAIMS = (
    Claim(
        "kernels/repu-moments",
        stated.MOMENTS,
        KERNELS,
        PAIRS,
        moments,
        (
            symbolic(*(partial(_derived_moments, way) for way in WAYS)),
            ball(MOMENTS_IN_BALLS),
            Quadrature(_moments_by_definition),
        ),
        {"reflected": lambda pair: moments(Pair(pair.w, -pair.v)), **_one_power_off(moments)},
    ),
    Claim(
        "kernels/price",
        stated.PRICE,
        "Price's theorem",
        PAIRS,
        price,
        (
            symbolic(_derived_slopes),
            Differences(_price_by_differences),
        ),
        {"n for n^2": lambda pair: price(pair) / jnp.arange(1, HIGHEST + 1), **_one_power_off(price)},
    ),
    Claim(
        "kernels/orthant-gradient",
        stated.ORTHANT_GRADIENT,
        "derived here",
        PAIRS,
        orthant_gradient,
        (
            symbolic(derived.orthant_gradient, derived.orthant_gradient_by_delta),
            ball({stated.switching: integrals.switching}),
            Quadrature(lambda pair: by_definition.switching(np.asarray(pair.w), np.asarray(pair.v))),
            Differences(_in_w),
        ),
        {
            "sign": minus(orthant_gradient),
            "exchanged": lambda pair: orthant_gradient(Pair(pair.v, pair.w)),
        },
    ),
)
