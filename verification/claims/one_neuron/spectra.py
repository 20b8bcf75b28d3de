"""One neuron: eigenvalues with their eigenvectors, ratios of extreme eigenvalues, and what is not symmetric."""

from functools import partial
from math import pi

import jax.numpy as jnp
import numpy as np
import sympy as sp
from flint import arb

from sobolev_theory import single_neuron
from sobolev_theory.symbolic import conditioning
from sobolev_theory.symbolic import single_neuron as derived

from ...balls.matrices import triangular
from ...checks import Ball, Check, Differences, NonNegative, Quadrature, Sampled, SecondDifferences, SymbolicProof
from ...claim import Claim, Domain, Formula, Verdict
from ...statements import Statement, dynamics
from ...statements import notation as n
from ...statements import one_neuron as stated
from ...statements.evaluation import evaluate
from ...twins import entry_scaled
from ..common.domains import ONE_NEURON, Pair, pair_at
from ..common.frames import frame, padded, triangular_spectrum
from ..common.pairs import CERTIFIED, ball, counterexample, in_balls, symbolic, value
from ..common.sources import ONE_NEURON_PAPER as PAPER
from .methods import (
    DEFINED,
    LIBRARY,
    closed,
    hessian_by_differences,
    jacobian_by_differences,
    population_jacobian,
    sampled,
    segment_observe,
    segment_read,
    segment_requests,
)


def _polar(w, w_star):
    """rho and theta in JAX."""
    r, r_star = jnp.linalg.norm(w), jnp.linalg.norm(w_star)
    return r_star / r, jnp.arccos(w @ w_star / (r * r_star))


def _eigenvalues(function) -> Formula:
    return closed(lambda w, w_star: jnp.stack(function(*_polar(w, w_star))))


l2_eigenvalues = _eigenvalues(single_neuron.l2_eigenvalues)
h1_eigenvalues = _eigenvalues(single_neuron.h1_population_eigenvalues)
hessian_eigenvalues = _eigenvalues(single_neuron.h1_loss_hessian_eigenvalues)


def _spectrum(matrix, pair: Pair) -> np.ndarray:
    return triangular_spectrum(np.asarray(matrix(pair)), frame(pair))


def _sampled_spectrum(pair: Pair, mean) -> np.ndarray:
    return triangular_spectrum(np.asarray(mean)[0, :, 0, :], frame(pair))


def _observe(formula: Formula, pair: Pair) -> np.ndarray:
    return padded(np.asarray(formula(pair)), len(pair.w))


def _observe_on_segments(formula: Formula, pair: Pair) -> np.ndarray:
    """The symmetric matrix with these eigenvalues in the frame of the point, integrated."""

    def matrix(at: Pair) -> np.ndarray:
        f, (radial, in_plane, orthogonal) = frame(at), np.asarray(formula(at))
        return radial * np.outer(f.v, f.v) + in_plane * np.outer(f.e, f.e) + orthogonal * f.rest.T @ f.rest

    return segment_observe(matrix, pair)


def _ball(matrix: sp.MatrixSymbol) -> Ball:
    """Candidates for the eigenvalues, and what vanishes if they are."""

    def integral(statement: Statement, pair: Pair) -> np.ndarray:
        values, residual = triangular(CERTIFIED[matrix](pair.w, pair.v), pair.w, pair.v)
        return np.concatenate([values, residual])

    def as_stated(statement: Statement, pair: Pair) -> np.ndarray:
        values = map(arb, evaluate(statement.right, in_balls(pair)))
        return np.array([*values, *[arb(0)] * _residuals(pair)], dtype=object)

    def observe(formula: Formula, pair: Pair) -> np.ndarray:
        return np.concatenate([np.asarray(formula(pair), dtype=float), np.zeros(_residuals(pair))])

    return Ball(integral, as_stated, observe)


def _residuals(pair: Pair) -> int:
    d = len(pair.w)
    return 2 * d + d * d


def _twins(formula: Formula) -> dict[str, Formula]:
    names = ("radial", "in the plane", "orthogonal")
    wrong = {f"{name} ten percent off": entry_scaled(formula, k, 1.1) for k, name in enumerate(names)}
    return {**wrong, "two exchanged": lambda pair: formula(pair)[jnp.array([0, 2, 1])]}


EIGENVALUES = (
    Claim(
        "one-neuron/l2-eigenvalues",
        stated.L2_EIGENVALUES,
        PAPER,
        ONE_NEURON,
        l2_eigenvalues,
        (
            symbolic(derived.l2_eigenvalues),
            _ball(n.DG_L),
            Quadrature(partial(_spectrum, partial(population_jacobian, "L")), _observe),
            Differences(partial(_spectrum, partial(jacobian_by_differences, "L")), _observe),
            sampled("population_jacobian", "L", _sampled_spectrum, observe=_observe),
        ),
        _twins(l2_eigenvalues),
    ),
    Claim(
        "one-neuron/h1-population-eigenvalues",
        stated.H1_POPULATION_EIGENVALUES,
        PAPER,
        ONE_NEURON,
        h1_eigenvalues,
        (
            symbolic(derived.h1_population_eigenvalues),
            _ball(n.DG_H),
            Quadrature(partial(_spectrum, partial(population_jacobian, "H")), _observe),
            Differences(partial(_spectrum, partial(jacobian_by_differences, "H")), _observe),
            sampled("population_jacobian", "H", _sampled_spectrum, observe=_observe),
        ),
        {**_twins(h1_eigenvalues), "those of the loss's Hessian": hessian_eigenvalues},
    ),
    Claim(
        "one-neuron/h1-loss-hessian-eigenvalues",
        stated.H1_LOSS_HESSIAN_EIGENVALUES,
        "derived here",
        ONE_NEURON,
        hessian_eigenvalues,
        (
            symbolic(derived.h1_loss_hessian_eigenvalues),
            _ball(n.hess_H),
            SecondDifferences(partial(_spectrum, partial(hessian_by_differences, "H")), _observe),
            Sampled(segment_requests, segment_read, _observe_on_segments),
        ),
        {"those of the population Jacobian": h1_eigenvalues, **_twins(hessian_eigenvalues)},
    ),
)


# Ratios of extreme eigenvalues, where all are positive.


def _positive(generator: np.random.Generator) -> Pair:
    while True:
        norms = np.exp(generator.uniform(np.log(0.3), np.log(3.0), 2))
        theta = generator.uniform(0.05, pi - 0.05)
        if norms[1] / norms[0] * np.sin(theta) < 0.9 * pi / 2:
            return pair_at(generator, 4, (norms[0], norms[1]), theta)


# Ratios near 1 have the smallest relative noise.
POSITIVE = Domain(
    ONE_NEURON.assumptions + r", \rho\sin\theta < \pi/2",
    _positive,
    lambda generator: pair_at(generator, 4, (1.0, 0.4), 1.0),
)


l2_ratio, h1_ratio = (partial(value, x, LIBRARY) for x in (stated.L2_RATIO, stated.H1_POPULATION_RATIO))


def _extreme_ratio(matrix: np.ndarray) -> np.ndarray:
    values = np.linalg.eigvals(matrix).real
    return np.max(values) / np.min(values)


def _ratio_claim(name: str, statement: Statement, loss: str, formula: Formula, more: float, *proofs: Check) -> Claim:
    read = lambda _, mean: _extreme_ratio(np.asarray(mean)[0, :, 0, :])  # noqa: E731
    return Claim(
        f"one-neuron/{name}",
        statement,
        PAPER,
        POSITIVE,
        formula,
        (
            *proofs,
            Quadrature(lambda pair: _extreme_ratio(population_jacobian(loss, pair))),
            sampled("population_jacobian", loss, read, more=more),
        ),
        {"the other loss's": h1_ratio if formula is l2_ratio else l2_ratio},
    )


RATIOS = (
    _ratio_claim(
        "l2-eigenvalue-ratio",
        stated.L2_RATIO,
        "L",
        l2_ratio,
        12.0,
        symbolic(conditioning.l2_ratio),
        ball(),
        SymbolicProof(conditioning.l2_order),
    ),
    _ratio_claim(
        "h1-population-eigenvalue-ratio",
        stated.H1_POPULATION_RATIO,
        "H",
        h1_ratio,
        2.0,
        symbolic(conditioning.h1_population_ratio),
        ball(),
        SymbolicProof(conditioning.h1_population_order),
    ),
)


# The population gradient of H1 is no gradient.


asymmetry = partial(value, stated.ASYMMETRY, LIBRARY)


def _antisymmetric(matrix: np.ndarray) -> np.ndarray:
    return (matrix - matrix.T) / 2


# A long teacher drowns the symmetric noise of the student's own term.
LONG_TEACHER = Domain(
    ONE_NEURON.assumptions + ", a long teacher for sampling",
    ONE_NEURON.draw,
    lambda generator: pair_at(generator, 4, (1.0, 20.0), 0.7),
)

ASYMMETRY = Claim(
    "one-neuron/h1-population-jacobian-asymmetry",
    stated.ASYMMETRY,
    "derived here",
    LONG_TEACHER,
    asymmetry,
    (
        symbolic(derived.h1_population_jacobian_asymmetry),
        ball(),
        Quadrature(lambda pair: _antisymmetric(population_jacobian("H", pair))),
        Differences(lambda pair: _antisymmetric(jacobian_by_differences("H", pair))),
        sampled("population_jacobian", "J", lambda _, mean: _antisymmetric(np.asarray(mean)[0, :, 0, :]), more=3.0),
    ),
    {"symmetric": lambda pair: 0 * asymmetry(pair), "transposed": lambda pair: asymmetry(pair).T},
)


# A statement that does not hold for the loss H.


def _pair(sample: np.ndarray, d: int) -> Pair:
    """At (rho, theta)."""
    return pair_at(np.random.default_rng(0), d, (1.0, sample[0]), sample[1])


def _draw_positive(generator: np.random.Generator, count: int) -> np.ndarray:
    """Every second angle below pi / 4, where the orthogonal eigenvalue of the H1 Hessian exceeds 1."""
    theta = generator.uniform(0.1, pi - 0.1, count)
    theta[::2] = generator.uniform(0.1, pi / 4 - 0.05, theta[::2].size)
    return np.stack([generator.uniform(0.01, 0.9, count) * (pi / 2) / np.sin(theta), theta], axis=1)


def _gap_by_definition(_: Formula, samples: np.ndarray) -> np.ndarray:
    return np.array([value(dynamics.LOSS_HESSIAN_BETTER, DEFINED, _pair(sample, 3)) for sample in samples])


def _gap(formula: Formula, samples: np.ndarray) -> np.ndarray:
    return np.array([formula(_pair(sample, 4)) for sample in samples])


RECHECK = """\
from sobolev_theory import single_neuron as one
ratio = lambda m: jnp.linalg.eigvalsh(m)[-1] / jnp.linalg.eigvalsh(m)[0]
claimed = "not negative"
found = ratio(one.l2_jacobian(w, v)) - ratio(one.h1_loss_hessian(w, v))
"""

CONDITION = Claim(
    "one-neuron/h1-loss-hessian-conditions-better",
    dynamics.LOSS_HESSIAN_BETTER,
    PAPER + ", read as a statement on the expected loss; true of DG_H",
    POSITIVE,
    partial(value, dynamics.LOSS_HESSIAN_BETTER, LIBRARY),
    (
        NonNegative(_draw_positive, _gap, 1e-9, count=50),
        NonNegative(_draw_positive, _gap_by_definition, 1e-5, count=1),
        counterexample(dynamics.LOSS_HESSIAN_BETTER, [1.0, 0.0, 0.0], [0.75, 0.125, 0.0], RECHECK),
    ),
    expected=Verdict.REFUTED,
)

CLAIMS = (*EIGENVALUES, *RATIOS, ASYMMETRY, CONDITION)
