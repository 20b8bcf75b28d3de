"""At W = W* of an orthonormal teacher: convexity, the smallest eigenvalue, and conditioning, for every K >= 2.

The H1 loss has a kink there and no Hessian; what is claimed of H1 concerns the Jacobian of its population gradient,
terms in e at their mean 0.
"""

import numpy as np

from sobolev_theory.symbolic import curvature
from sobolev_theory.symbolic import teacher_spectrum as derived

from ..checks import Limit, Quadrature, Symbolic, SymbolicProof
from ..checks.symbolic import Evaluate
from ..claim import Claim
from .orthonormal import (
    TEACHER,
    Teacher,
    h1_by_definition,
    h1_values,
    l2_by_definition,
    l2_values,
    stated_values,
)
from .orthonormal_statements import L2_SPECTRUM, POPULATION_SPECTRUM
from .sources import NETWORK_PAPER as PAPER


def l2_least(point: Teacher) -> float:
    return l2_values(point)[0]


def h1_least(point: Teacher) -> float:
    return h1_values(point)[0]


def _ratio(values: np.ndarray) -> float:
    return values[-1] / values[0]


def gain(point: Teacher) -> float:
    """How much smaller the eigenvalue ratio of H1 is."""
    return _ratio(l2_values(point)) / _ratio(h1_values(point))


def _stated_gain(evaluate: Evaluate, point: Teacher) -> float:
    half = len(L2_SPECTRUM)
    plain = stated_values(lambda at: evaluate(at)[:half], point)
    sobolev = stated_values(lambda at: evaluate(at)[half:], point)
    return _ratio(plain) / _ratio(sobolev)


def _derived_spectra() -> tuple:
    return (*derived.invariants(derived.l2_blocks()), *derived.invariants(derived.h1_population_blocks()))


CLAIMS = (
    Claim(
        "orthonormal/l2-convex-at-the-teacher",
        r"\lambda_{\min}(\nabla^2L(W^*)) = \tfrac14 - \tfrac{1}{2\pi} > 0, K \ge 2",
        "derived here; positive definite in Safran & Shamir, arXiv 1712.08968",
        TEACHER,
        l2_least,
        (
            Symbolic((lambda: derived.l2_blocks().antisymmetric,), curvature.LEAST, lambda evaluate, _: evaluate({})),
            SymbolicProof(curvature.least),
            Quadrature(lambda point: l2_by_definition(point)[0]),
        ),
        {"that of H1": h1_least, "of the symmetric kind": lambda point: l2_values(point)[0] + 1 / np.pi},
    ),
    Claim(
        "orthonormal/h1-population-convex-at-the-teacher",
        r"\lambda_{\min}(DG_H(W^*)) = \tfrac12 - \tfrac1\pi, \text{ twice that of } L, \text{ for } K \ge 3; "
        r"\text{ more for } K = 2",
        PAPER + "; the value derived here",
        TEACHER,
        h1_least,
        (
            Symbolic(
                (lambda: derived.h1_population_blocks().antisymmetric,),
                2 * curvature.LEAST,
                lambda evaluate, _: evaluate({}),
            ),
            SymbolicProof(curvature.least),
            Limit(lambda point: h1_by_definition(point)[0]),
        ),
        {"that of L2": l2_least},
    ),
    Claim(
        "orthonormal/conditioning-at-the-teacher",
        r"\frac{\lambda_{\max}}{\lambda_{\min}}(DG_H(W^*)) < \frac{\lambda_{\max}}{\lambda_{\min}}(\nabla^2L(W^*)) "
        r"\text{ for all } K \ge 2, d \ge K; \text{ their quotient tends to } 1",
        PAPER,
        TEACHER,
        gain,
        (
            Symbolic((_derived_spectra,), (*L2_SPECTRUM, *POPULATION_SPECTRUM), _stated_gain),
            SymbolicProof(curvature.better_conditioned),
            Limit(lambda point: _ratio(l2_by_definition(point)) / _ratio(h1_by_definition(point))),
        ),
        {
            "the quotient upside down": lambda point: 1 / gain(point),
            "the smallest for the largest": lambda point: 2 * l2_values(point)[0] / h1_values(point)[-1],
        },
    ),
)
