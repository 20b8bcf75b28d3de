"""What makes a family of activations, and the claim that it makes: one declaration for each of `families`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp
from scipy.special import ndtr

import sobolev_theory as st

from ...checks import Ball, Check, Quadrature, Request, Sampled
from ...claim import Claim, Formula
from ...planar import expectation
from ...statements import Statement, equal, states
from ...statements import notation as n
from ...statements.evaluation import evaluate
from ...statements.kernels import x
from ...twins import entry_scaled, minus
from ..common.domains import PAIRS, Pair
from ..common.frames import frame
from ..common.pairs import in_balls, symbolic
from ..one_neuron.methods import closed

t = sp.Symbol("t", real=True)
# The trapezoidal rule, exact to rounding for functions that vary over more than 0.15.
AXIS = np.arange(-240, 241) * 0.05
MASS = 0.05 * np.exp(-(AXIS**2) / 2) / np.sqrt(2 * np.pi)


class Sigma(n.Number):
    """The m-th derivative of the activation, at a number."""

    def _latex(self, printer, exp=None) -> str:
        order, at = self.args
        mark = {0: "", 1: "'", 2: "''"}[int(order)]
        return rf"\sigma{mark}({printer.doprint(at)})"


class Step(sp.Function):
    """1 where t > 0."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sp.Integer(0)


class Plus(sp.Function):
    """max(0, t)"""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Step(self.args[0])

    def _latex(self, printer, exp=None) -> str:
        inner = printer.doprint(self.args[0])
        inner = inner if self.args[0].is_Symbol else rf"\left({inner}\right)"
        return f"{inner}_+" if exp is None else f"{inner}_+^{{{exp}}}"


NUMPY = {
    "Step": lambda at: (at > 0).astype(float),
    "Plus": lambda at: np.maximum(at, 0.0),
    "Phi": ndtr,
    "Density": lambda at: np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi),
}


@dataclass(frozen=True)
class Family:
    """An activation and its duals E[s^(m)(w.x) s^(m)(v.x)].

    Attributes:
        name: of the claim.
        activation: the library's.
        sigma: the same in SymPy, in `t`.
        duals: what is claimed, for m = 0, 1, ...
        certified: the duals as certified integrals at a pair, if there are any.
        derivation: of the m-th dual, in `sobolev_theory.symbolic.duals`, if there is one.
        where: what the symbols of `duals` are short for.
        degree: of a homogeneous activation with a kink at 0; None for a smooth one.
        effort: samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise.
        more: further checks.
    """

    name: str
    activation: st.Activation
    sigma: sp.Expr
    duals: tuple[Any, ...]
    certified: Callable[[Pair], np.ndarray] | None = None
    derivation: Callable[[int], sp.Expr] | None = None
    where: tuple[sp.Eq, ...] = ()
    degree: int | None = None
    effort: float = 2.0
    more: tuple[Check, ...] = ()

    @property
    def statement(self) -> Statement:
        wx, vx = n.Dot(n.w, x), n.Dot(n.w_star, x)
        duals = (equal(n.Expectation(Sigma(m, wx) * Sigma(m, vx)), dual) for m, dual in enumerate(self.duals))
        return states(*duals, where=(*self.where, equal(Sigma(0, t), self.sigma)), pair=True)

    def slope(self, m: int) -> Callable[[np.ndarray], np.ndarray]:
        """The m-th derivative, in NumPy."""
        function = sp.lambdify(t, sp.diff(self.sigma, t, m), [NUMPY, "scipy"])
        return lambda at: np.broadcast_to(function(at), np.shape(at))


def claim_of(family: Family) -> Claim:
    orders, formula = len(family.duals), dual(family.activation, len(family.duals))
    return Claim(
        f"families/{family.name}",
        family.statement,
        "derived here",
        PAIRS,
        formula,
        (
            *_proofs(family),
            *family.more,
            Quadrature(partial(by_definition, family)),
            sampled(family.activation, orders, family.effort),
        ),
        {
            "sign": minus(formula),
            "reflected": lambda pair: formula(Pair(pair.w, -pair.v)),
            **{f"order {m} off": entry_scaled(formula, m, 1.01) for m in range(orders)},
        },
    )


def _proofs(family: Family) -> list[Check]:
    proofs: list[Check] = []
    derive, certified = family.derivation, family.certified
    if derive is not None:
        proofs.append(symbolic(lambda: tuple(derive(m) for m in range(len(family.duals)))))
    if certified is not None:
        stated = lambda statement, pair: evaluate(statement.right, in_balls(pair))  # noqa: E731
        proofs.append(Ball(lambda _, pair: certified(pair), stated))
    return proofs


def dual(activation: st.Activation, orders: int, means: tuple[float, float] = (0.0, 0.0)) -> Formula:
    """By the library."""

    @closed
    def values(w, v):
        norms, angle = (jnp.linalg.norm(w), jnp.linalg.norm(v)), _angle(w, v)
        return jnp.stack([st.dual(activation, m, *norms, angle=angle, means=means) for m in range(orders)])

    return values


def _angle(w, v):
    """Of two vectors, to rounding also near 0 and pi."""
    a, b = w / jnp.linalg.norm(w), v / jnp.linalg.norm(v)
    return 2 * jnp.arctan2(jnp.linalg.norm(a - b), jnp.linalg.norm(a + b))


def by_definition(family: Family, pair: Pair) -> np.ndarray:
    """The derivatives in NumPy, integrated in the plane."""
    f, orders = frame(pair), range(len(family.duals))
    normals = np.array([[f.norm, 0.0], f.other_norm * np.array([np.cos(f.theta), np.sin(f.theta)])])
    if family.degree is not None:
        return np.array([_by_sectors(family, normals, m) for m in orders])
    first, second = normals[0, 0] * AXIS, normals[1, 0] * AXIS[:, None] + normals[1, 1] * AXIS
    slopes = [family.slope(m) for m in orders]
    return np.array([(MASS * slope(first)) @ slope(second) @ MASS for slope in slopes])


def _by_sectors(family: Family, normals: np.ndarray, m: int) -> float:
    slope = family.slope(m)
    assert family.degree is not None
    return float(expectation(lambda y: np.prod(slope(y @ normals.T), axis=1), normals, 2 * (family.degree - m)))


def sampled(
    activation: st.Activation, orders: int, effort: float, biases: tuple[float, float] | None = None
) -> Sampled:
    """Products of the activation's derivatives by JAX."""

    def requests(pair: Pair) -> list[Request]:
        student, teacher = (
            st.Network(vector, activation=activation, biases=None if bias is None else [bias])
            for vector, bias in zip(pair, biases or (None, None), strict=True)
        )
        return [Request("duals", student, teacher, st.SobolevLoss((1.0,) * orders), effort)]

    return Sampled(requests, lambda _, mean: np.asarray(mean))
