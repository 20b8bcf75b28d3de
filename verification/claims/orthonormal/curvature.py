"""At W = W* of an orthonormal teacher: convexity, the smallest eigenvalue, and conditioning, for every K >= 2.

The H1 loss has a kink there and no Hessian; what is claimed of H1 concerns the Jacobian of its population gradient,
terms in e at their mean 0.
"""

from collections.abc import Callable

import numpy as np

from sobolev_theory.symbolic import curvature
from sobolev_theory.symbolic import teacher_spectrum as derived

from ...checks import Limit, Quadrature, Symbolic, SymbolicProof
from ...claim import Claim
from ...statements import Statement
from ...statements import orthonormal as stated
from ...statements.evaluation import DIGITS, Environment, evaluate
from ..common.sources import NETWORK_PAPER as PAPER
from .slices import TEACHER, Teacher, h1_by_definition, h1_values, l2_by_definition, l2_values, stated_values


def l2_least(point: Teacher) -> float:
    return l2_values(point)[0]


def h1_least(point: Teacher) -> float:
    return h1_values(point)[0]


def _ratio(values: np.ndarray) -> float:
    return values[-1] / values[0]


def gain(point: Teacher) -> float:
    """How much smaller the eigenvalue ratio of H1 is."""
    return _ratio(l2_values(point)) / _ratio(h1_values(point))


def _stated_gain(_: Statement, point: Teacher) -> float:
    """The statement is an order; what it is an order of has the spectra that are stated elsewhere."""
    plain, sobolev = (stated_values(spectrum, point) for spectrum in (stated.L2_SPECTRUM, stated.POPULATION_SPECTRUM))
    return _ratio(plain) / _ratio(sobolev)


def _derived_spectra() -> tuple:
    return (*derived.invariants(derived.l2_blocks()), *derived.invariants(derived.h1_population_blocks()))


def _stated_spectra(_: Statement) -> tuple:
    return (*stated.L2_SPECTRUM.right, *stated.POPULATION_SPECTRUM.right)


def _symbolic(derivation: Callable) -> Symbolic:
    return Symbolic(
        (derivation,),
        lambda statement, _: evaluate(statement.right, Environment(DIGITS)),
        lambda statement: statement.right,
    )


CLAIMS = (
    Claim(
        "orthonormal/l2-convex-at-the-teacher",
        stated.L2_CONVEX,
        "derived here; positive definite in Safran & Shamir, arXiv 1712.08968",
        TEACHER,
        l2_least,
        (
            _symbolic(lambda: derived.l2_blocks().antisymmetric),
            SymbolicProof(curvature.least),
            Quadrature(lambda point: l2_by_definition(point)[0]),
        ),
        {"that of H1": h1_least, "of the symmetric kind": lambda point: l2_values(point)[0] + 1 / np.pi},
    ),
    Claim(
        "orthonormal/h1-population-convex-at-the-teacher",
        stated.H1_CONVEX,
        PAPER + "; the value derived here",
        TEACHER,
        h1_least,
        (
            _symbolic(lambda: derived.h1_population_blocks().antisymmetric),
            SymbolicProof(curvature.least),
            Limit(lambda point: h1_by_definition(point)[0]),
        ),
        {"that of L2": l2_least},
    ),
    Claim(
        "orthonormal/conditioning-at-the-teacher",
        stated.CONDITIONING,
        PAPER,
        TEACHER,
        gain,
        (
            Symbolic((_derived_spectra,), _stated_gain, _stated_spectra),
            SymbolicProof(curvature.better_conditioned),
            Limit(lambda point: _ratio(l2_by_definition(point)) / _ratio(h1_by_definition(point))),
        ),
        {
            "the quotient upside down": lambda point: 1 / gain(point),
            "the smallest for the largest": lambda point: 2 * l2_values(point)[0] / h1_values(point)[-1],
        },
    ),
)
