"""One neuron: second moments of the sample gradient, the paper's quadratic forms, and what is gained at angle 0."""

from functools import partial

import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.symbolic import descent
from sobolev_theory.symbolic import noise as derived

from ...balls import integrals
from ...balls.arithmetic import BALLS
from ...checks import Ball, Counterexample, Quadrature, Symbolic
from ...claim import Claim, Domain, Formula, Verdict
from ...planar import expectation, plane_of
from ...statements import Statement
from ...statements import noise as stated
from ...statements import notation as n
from ...statements.evaluation import FLOATS, evaluate, in_the_frame, of_pair
from ...twins import entry_scaled
from ..common.bounds import everywhere
from ..common.domains import ONE_NEURON, Pair, pair_at
from ..common.pairs import ball, in_balls, in_digits, symbolic, value
from ..common.sources import ONE_NEURON_PAPER as PAPER
from ..common.sources import TIAN
from .methods import DEFINED, LIBRARY

LOSSES = tuple(st.SobolevLoss(tuple(map(jnp.asarray, x))) for x in ((1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def moments(pair: Pair, dimension: int | None = None):
    """E|g_L|^2, E[g_L . g_J] and E|g_J|^2 by the library; `dimension`, if it is taken for another one."""
    student, teacher = st.Network(pair.w), st.Network(pair.v)
    values, both, slopes = (st.gradient_noise(student, teacher, loss).squares[0] for loss in LOSSES)
    between = (both - values - slopes) / 2
    scale = 1.0 if dimension is None else (dimension + 2) / (student.dimension + 2)
    return jnp.stack([scale * values, between, slopes])


def _by_definition(pair: Pair) -> np.ndarray:
    """In the plane, and the variance 1 of every other coordinate."""
    basis = plane_of(np.asarray(pair.w), np.asarray(pair.v))
    p, q = pair.w @ basis, pair.v @ basis

    def difference(y):
        on, on_star = (y @ p > 0).astype(float), (y @ q > 0).astype(float)
        return on, on * (y @ p) - on_star * (y @ q), on[:, None] * p - on_star[:, None] * q

    def products(y):
        on, value, slope = difference(y)
        return on[:, None] * np.stack([value**2, value * np.sum(y * slope, axis=1)], axis=1)

    def with_radius(y):
        on, value, _ = difference(y)
        return on * value**2 * np.sum(y**2, axis=1)

    normals = np.stack([p, q])
    square, between = expectation(products, normals, 2)
    slopes = expectation(lambda y: difference(y)[0] * np.sum(difference(y)[2] ** 2, axis=1), normals, 0)
    rest = len(pair.w) - 2
    return np.array([expectation(with_radius, normals, 4) + rest * square, between, slopes])


def _certified(statement: Statement, pair: Pair) -> np.ndarray:
    at = integrals.plane(pair.w, pair.v)

    def student(c, s):
        return at.r * c

    def gap(c, s):
        return at.r * c - at.a * c - at.b * s

    def over_the_half_space(f, degree: int):
        alone, active, both = (
            integrals.first_active(at, lambda c, s: f(student(c, s)), degree),
            integrals.both_active(at, lambda c, s: f(student(c, s)), degree),
            integrals.both_active(at, lambda c, s: f(gap(c, s)), degree),
        )
        return alone - active + both

    def square(t):
        return t**2

    w, away = integrals.balls(pair.w), integrals.balls(pair.w) - integrals.balls(pair.v)
    both = integrals.probability(pair.w, pair.v)
    second = over_the_half_space(square, 2)
    values = over_the_half_space(square, 4) + (len(pair.w) - 2) * second
    half = integrals.balls(np.array([0.5]))[0]
    return np.array([values, second, (half - both) * (w @ w) + both * (away @ away)], dtype=object)


def _stated(environment, statement: Statement, pair: Pair):
    return evaluate(statement.right, environment(pair).having({n.d: len(pair.w)}))


def _wrong_cross_term(pair: Pair):
    """E|g_J|^2 without the product of w and w*."""
    both = (np.pi - np.arccos(pair.w @ pair.v / np.linalg.norm(pair.w) / np.linalg.norm(pair.v))) / np.pi
    return moments(pair).at[2].add(both * (pair.w @ pair.v))


NOISE = Claim(
    "one-neuron/noise-of-the-sample-gradient",
    stated.SECOND_MOMENTS,
    "derived here",
    ONE_NEURON,
    moments,
    (
        Symbolic(
            (lambda: (derived.value_square(), derived.cross_moment(), derived.seminorm_square()),),
            partial(_stated, in_digits),
            lambda statement: in_the_frame(statement.right, {n.d: n.d}),
        ),
        Ball(_certified, partial(_stated, in_balls)),
        Quadrature(_by_definition),
    ),
    {
        "d for d + 2": lambda pair: moments(pair, len(pair.w) - 2),
        "a lost cross term": _wrong_cross_term,
        "noise of derivatives that grows": lambda pair: moments(pair).at[2].multiply((len(pair.w) + 2) / 4),
        **{f"entry {k} off": entry_scaled(moments, k, 1.01) for k in range(3)},
    },
)


def _form(name: str, statement: Statement, source: str, derivation, other: Formula) -> Claim:
    return Claim(
        f"one-neuron/{name}",
        statement,
        source,
        ONE_NEURON,
        partial(value, statement, LIBRARY),
        (symbolic(derivation), ball(), Quadrature(partial(value, statement, DEFINED))),
        {"that of the other loss": other},
    )


FORMS = (
    _form(
        "l2-descent-is-a-quadratic-form",
        stated.L2_FORM,
        TIAN,
        descent.l2_descent,
        partial(value, stated.SEMINORM_FORM, LIBRARY),
    ),
    _form(
        "seminorm-descent-is-a-quadratic-form",
        stated.SEMINORM_FORM,
        PAPER,
        descent.seminorm_descent,
        partial(value, stated.L2_FORM, LIBRARY),
    ),
    Claim(
        "one-neuron/seminorm-descent-above-the-least-eigenvalue",
        stated.LEAST_EIGENVALUE,
        PAPER,
        ONE_NEURON,
        partial(value, stated.LEAST_EIGENVALUE, LIBRARY),
        (
            ball(factored=stated.LEAST_EIGENVALUE_FACTORED),
            Quadrature(partial(value, stated.LEAST_EIGENVALUE, DEFINED)),
            everywhere(ONE_NEURON),
        ),
        {"of L2": partial(value, stated.LEAST_EIGENVALUE, {**LIBRARY, n.G_J: LIBRARY[n.G_L]})},
    ),
)


# At angle 0 the least eigenvalue is 0; the gain is not, unless the norms agree.


def _aligned(generator: np.random.Generator) -> Pair:
    norms = np.exp(generator.uniform(np.log(0.3), np.log(3.0), 2))
    return pair_at(generator, 4, (norms[0], norms[1]), 0.0)


ALIGNED = Domain(r"w = t w^*, t > 0", _aligned, _aligned)
RECHECK = """\
claimed = "not negative"
gradient = st.population_gradient(st.Network(w), st.Network(v), st.SobolevLoss((0.0, 1.0))).weights[0]
found = -(w - v) @ gradient
"""


def _margin(arithmetic, pair: Pair):
    """By definition: of parallel neurons both are active on one half-space, so that G_J = (w - w*) / 2."""
    at = of_pair(arithmetic, pair.w, pair.v, same=True)
    return evaluate(stated.NOTHING_GAINED.margin, at.having({n.G_J: (at.values[n.w] - at.values[n.w_star]) / 2}))


GAINED = Claim(
    "one-neuron/nothing-is-gained-at-angle-0",
    stated.NOTHING_GAINED,
    f"{PAPER}, read off the least eigenvalue",
    ALIGNED,
    lambda pair: float(_margin(FLOATS, pair)),
    (
        everywhere(ALIGNED),
        Counterexample(Pair(np.array([2.0, 0.0]), np.array([1.0, 0.0])), partial(_margin, BALLS), RECHECK),
    ),
    expected=Verdict.REFUTED,
)

CLAIMS = (NOISE, *FORMS, GAINED)
