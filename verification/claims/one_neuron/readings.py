"""One neuron: "Sobolev training improves the condition number", a claim per reading; where Jacobians are positive.

tau = 2 rho sin(theta)/pi < 1 is where DG_L is positive definite.
"""

from functools import partial
from math import pi

import numpy as np
import sympy as sp

from sobolev_theory.symbolic import conditioning

from ...checks import Certified, Check, Quadrature, SymbolicProof
from ...claim import Claim, Domain, Formula, Verdict
from ...statements import Statement
from ...statements import dynamics as stated
from ...statements import notation as n
from ...statements.evaluation import evaluate
from ..common.bounds import everywhere
from ..common.domains import Pair, pair_at
from ..common.frames import frame, tau, turn
from ..common.pairs import ball, counterexample, in_floats, value
from ..common.sources import ONE_NEURON_PAPER as PAPER
from .methods import DEFINED, LIBRARY

# Domains: tau from 0.3 to 0.9, so that no difference is lost in rounding.


def _at_angles(low: float, high: float, generator: np.random.Generator) -> Pair:
    theta = generator.uniform(low, high)
    rho = generator.uniform(0.3, 0.9) * pi / (2 * np.sin(theta))
    norm = np.exp(generator.uniform(-1, 1))
    return pair_at(generator, 4, (norm, rho * norm), theta)


def _of_ratio(largest: float, generator: np.random.Generator) -> Pair:
    norm, rho = np.exp(generator.uniform(-1, 1)), generator.uniform(0.1, largest)
    return pair_at(generator, 4, (norm, rho * norm), generator.uniform(0.1, pi - 0.1))


def _domain(assumptions: str, draw) -> Domain:
    return Domain(assumptions, draw, draw)


DEFINITE = _domain(r"0 < \tau = \tfrac2\pi\rho\sin\theta < 1", partial(_at_angles, 0.2, pi - 0.2))
WIDE = _domain(
    r"0 < \tau < 1, \tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi", partial(_at_angles, 0.12 * pi, 0.88 * pi)
)
SHORT, SHORTER = (
    _domain(rf"|w^*|/|w| \le {text}, d \ge 2", partial(_of_ratio, largest))
    for text, largest in (("2", 2.0), (r"\tfrac32", 1.5))
)


def _instead(statement: Statement, replaced: sp.Basic, by: sp.Basic) -> Formula:
    return partial(value, statement, {**LIBRARY, replaced: LIBRARY[by]})


# The certified functions with the factors that were divided out.


def _restore_bound(statement: Statement, _: Pair, certified: float) -> float:
    """What is certified is the left side less the bound of the statement."""
    return certified + float(statement.bounds[0].rhs)


def _restore_two_norm(_: Statement, pair: Pair, certified: float) -> float:
    p, x = frame(pair).rho / (2 * pi), tau(pair)
    return p**2 * certified / ((1 - x) * (1 - 3 * x / 4))


def _restore_symmetric(_: Statement, pair: Pair, certified: float) -> float:
    p, x = frame(pair).rho / (2 * pi), tau(pair)
    determinant = 1 - 3 * x / 4 - (p * np.cos(frame(pair).theta)) ** 2 / 4
    return p**2 * certified / ((1 - x) * determinant)


def _folded(pair: Pair) -> tuple[float]:
    """theta and pi - theta have the same eigenvalues."""
    return (min(turn(pair), 1 - turn(pair)),)


def _restore_hessian(_: Statement, pair: Pair, certified: float) -> float:
    f, (t,) = frame(pair), _folded(pair)
    above = f.rho / (2 * pi) * (pi / 2 - 2 * pi * t) / np.sin(f.theta) * (certified + 3 / 5)
    return 1 + max(0.0, above)


def _in_rho(pair: Pair) -> tuple[float, float]:
    return frame(pair).rho, turn(pair)


def _in_tau(pair: Pair) -> tuple[float, float]:
    return turn(pair), tau(pair)


def _claim(
    name: str,
    statement: Statement,
    source: str,
    domain: Domain,
    checks: tuple[Check, ...],
    twins: dict,
    factored=None,
    quadrature: bool = True,
) -> Claim:
    by_definition = (Quadrature(partial(value, statement, DEFINED)),) if quadrature else ()
    proofs = tuple(check for check in checks if isinstance(check, SymbolicProof))
    others = tuple(check for check in checks if check not in proofs)
    return Claim(
        f"one-neuron/{name}",
        statement,
        source,
        domain,
        partial(value, statement, LIBRARY),
        (*proofs, *by_definition, ball(factored=factored), *others),
        twins,
    )


POSITIVE = (
    _claim(
        "l2-jacobian-positive",
        stated.L2_POSITIVE,
        "derived here",
        SHORTER,
        (Certified("l2-positive", _in_rho, _restore_bound),),
        {"that of H1": _instead(stated.L2_POSITIVE, n.DG_L, n.DG_H)},
    ),
    _claim(
        "h1-population-jacobian-positive",
        stated.H1_POSITIVE,
        "derived here",
        SHORT,
        (Certified("h1-positive", _in_rho, _restore_bound),),
        {"that of the loss": _instead(stated.H1_POSITIVE, n.DG_H, n.hess_H)},
    ),
    _claim(
        "h1-symmetric-part-positive",
        stated.SYMMETRIC_POSITIVE,
        "derived here",
        SHORT,
        (Certified("symmetric-part-positive", _in_rho, _restore_bound),),
        {"that of the loss": _instead(stated.SYMMETRIC_POSITIVE, n.DG_H, n.hess_H)},
    ),
)

RATIO = _claim(
    "conditioning-by-eigenvalue-ratio",
    stated.RATIO,
    PAPER,
    DEFINITE,
    (
        SymbolicProof(conditioning.h1_population_is_better),
        Certified("eigenvalue-ratio", lambda pair: (tau(pair),), lambda _, pair, certified: tau(pair) * certified),
    ),
    {"reversed": lambda pair: -value(stated.RATIO, LIBRARY, pair)},
    stated.RATIO_FACTORED,
)

TWO_NORM = _claim(
    "conditioning-in-the-two-norm",
    stated.TWO_NORM,
    PAPER + ", read in the 2-norm",
    WIDE,
    (Certified("two-norm", _in_tau, _restore_two_norm), Certified("two-norm-reversed")),
    {
        "the symmetric part": partial(value, stated.SYMMETRIC_PART, LIBRARY),
        "the loss's Hessian": _instead(stated.TWO_NORM, n.DG_H, n.hess_H),
    },
)

SYMMETRIC = _claim(
    "conditioning-of-the-symmetric-part",
    stated.SYMMETRIC_PART,
    PAPER + ", read for the symmetric part",
    WIDE,
    (Certified("symmetric-part", _in_tau, _restore_symmetric),),
    {
        "the 2-norm": partial(value, stated.TWO_NORM, LIBRARY),
        "the loss's Hessian": _instead(stated.SYMMETRIC_PART, n.DG_H, n.hess_H),
    },
)

HESSIAN = _claim(
    "conditioning-of-the-loss",
    stated.LOSS_HESSIAN,
    "derived here",
    DEFINITE,
    (
        SymbolicProof(conditioning.h1_loss_order),
        Certified("loss-hessian", _folded, _restore_hessian),
        Certified("loss-hessian-least"),
    ),
    {"that of the population gradient": _instead(stated.LOSS_HESSIAN, n.hess_H, n.DG_H)},
    quadrature=False,
)

# The same order wherever DG_L is positive definite: false, with w and w* that a reader can type.
RECHECK = """\
from sobolev_theory import single_neuron as one
measure = {measure}
claimed = "not negative"
found = measure(one.l2_jacobian(w, v)) - measure(one.h1_population_jacobian(w, v))
"""


def _margin(statement: Statement, pair: Pair) -> float:
    return float(evaluate(statement.margin, in_floats(pair, LIBRARY)))


EVERYWHERE = tuple(
    Claim(
        f"one-neuron/{name}-everywhere",
        statement,
        f"{PAPER}, read {reading}",
        DEFINITE,
        partial(_margin, statement),
        (
            everywhere(DEFINITE),
            counterexample(statement, [1.0, 0.0], [0.75, 0.125], RECHECK.format(measure=code)),
        ),
        expected=Verdict.REFUTED,
    )
    for name, statement, reading, code in (
        ("conditioning-in-the-two-norm", stated.TWO_NORM_EVERYWHERE, "in the 2-norm", "jnp.linalg.cond"),
        (
            "conditioning-of-the-symmetric-part",
            stated.SYMMETRIC_PART_EVERYWHERE,
            "for the symmetric part",
            "lambda m: jnp.linalg.cond((m + m.T) / 2)",
        ),
    )
)

CLAIMS = (*POSITIVE, RATIO, TWO_NORM, SYMMETRIC, HESSIAN, *EVERYWHERE)
