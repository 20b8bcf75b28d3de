"""One neuron: "Sobolev training improves the condition number", a claim per reading; where Jacobians are positive.

tau = 2 rho sin(theta)/pi < 1 is where DG_L is positive definite.
"""

from functools import partial
from math import pi

import numpy as np

from sobolev_theory.symbolic import conditioning

from ..checks import Certified, Quadrature, SymbolicProof
from ..claim import Claim, Domain, Formula, Verdict
from .ball_methods import ball_margin, counterexample, tau, turn
from .bound_methods import everywhere
from .domains import Pair, pair_at
from .frames import frame
from .one_neuron import h1_hessian, h1_jacobian, l2_jacobian
from .one_neuron_methods import population_jacobian
from .sources import ONE_NEURON_PAPER as PAPER

by_definition = {
    "L": partial(population_jacobian, "L"),
    "H": partial(population_jacobian, "H"),
}

# Condition numbers, of any matrix: the library's or the definition's.


def _matrix(jacobian: Formula, pair: Pair) -> np.ndarray:
    return np.asarray(jacobian(pair), dtype=float)


def _eigenvalue_ratio(matrix: np.ndarray) -> float:
    values = np.linalg.eigvals(matrix).real
    return float(np.max(values) / np.min(values))


def _spread(k: float) -> float:
    """Increasing in a condition number k, and rational in the matrix."""
    return k + 1 / k


def _two_norm(matrix: np.ndarray) -> float:
    return _spread(float(np.linalg.cond(matrix)))


def _symmetric_part(matrix: np.ndarray) -> float:
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    return _spread(float(values[-1] / values[0]))


def _order(measure, plain: Formula, sobolev: Formula, pair: Pair) -> float:
    return measure(_matrix(plain, pair)) - measure(_matrix(sobolev, pair))


def _ratio_order(plain: Formula, sobolev: Formula, pair: Pair) -> float:
    return 1 - _eigenvalue_ratio(_matrix(sobolev, pair)) / _eigenvalue_ratio(_matrix(plain, pair))


def _ratio_quotient(plain: Formula, sobolev: Formula, pair: Pair) -> float:
    return _eigenvalue_ratio(_matrix(sobolev, pair)) / _eigenvalue_ratio(_matrix(plain, pair))


def _least(jacobian: Formula, pair: Pair) -> float:
    return float(np.min(np.linalg.eigvals(_matrix(jacobian, pair)).real))


def _symmetric_determinant(jacobian: Formula, pair: Pair) -> float:
    """In the plane of w and w*."""
    f, matrix = frame(pair), _matrix(jacobian, pair)
    plane = np.stack([f.v, f.e])
    return float(np.linalg.det(plane @ (matrix + matrix.T) @ plane.T / 2))


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


# The certified functions with the factors that were divided out.


def _restore_two_norm(pair: Pair, value: float) -> float:
    p, x = frame(pair).rho / (2 * pi), tau(pair)
    return p**2 * value / ((1 - x) * (1 - 3 * x / 4))


def _restore_symmetric(pair: Pair, value: float) -> float:
    p, x = frame(pair).rho / (2 * pi), tau(pair)
    determinant = 1 - 3 * x / 4 - (p * np.cos(frame(pair).theta)) ** 2 / 4
    return p**2 * value / ((1 - x) * determinant)


def _folded(pair: Pair) -> tuple[float]:
    """theta and pi - theta have the same eigenvalues."""
    return (min(turn(pair), 1 - turn(pair)),)


def _restore_hessian(pair: Pair, value: float) -> float:
    f, (t,) = frame(pair), _folded(pair)
    above = f.rho / (2 * pi) * (pi / 2 - 2 * pi * t) / np.sin(f.theta) * (value + 3 / 5)
    return 1 + max(0.0, above)


def _in_rho(pair: Pair) -> tuple[float, float]:
    return frame(pair).rho, turn(pair)


def _in_tau(pair: Pair) -> tuple[float, float]:
    return turn(pair), tau(pair)


POSITIVITY = tuple(
    Claim(
        f"one-neuron/{name}",
        statement,
        "derived here",
        domain,
        partial(measure, jacobian),
        (
            Quadrature(partial(measure, by_definition[loss])),
            ball_margin(inequality),
            Certified(inequality, _in_rho, lambda _, value, bound=bound: value + bound),  # type: ignore[misc]
        ),
        twins,
    )
    for name, inequality, statement, domain, measure, jacobian, loss, bound, twins in (
        (
            "l2-jacobian-positive",
            "l2-positive",
            r"\lambda_{\min}(DG_L) = \tfrac12 - \rho\sin\theta/\pi \ge \tfrac{1}{50}; "
            r"\text{ positive exactly where } \rho\sin\theta < \tfrac\pi2",
            SHORTER,
            _least,
            l2_jacobian,
            "L",
            1 / 50,
            {"that of H1": partial(_least, h1_jacobian)},
        ),
        (
            "h1-population-jacobian-positive",
            "h1-positive",
            r"\lambda_{\min}(DG_H) = 1 - \tfrac{3}{2\pi}\rho\sin\theta \ge \tfrac{1}{25}; "
            r"\text{ positive exactly where } \rho\sin\theta < \tfrac{2\pi}{3}",
            SHORT,
            _least,
            h1_jacobian,
            "H",
            1 / 25,
            {"that of the loss": partial(_least, h1_hessian)},
        ),
        (
            "h1-symmetric-part-positive",
            "symmetric-part-positive",
            r"\det\tfrac12(DG_H + DG_H^\top)|_{\mathrm{span}(w, w^*)} = 1 - 3p\sin\theta - \tfrac14p^2\cos^2\theta "
            r"\ge \tfrac{1}{25}, p = \rho/(2\pi); \text{ positive exactly where } p\sin\theta < 6 - \sqrt{32 + p^2}",
            SHORT,
            _symmetric_determinant,
            h1_jacobian,
            "H",
            1 / 25,
            {"that of the loss": partial(_symmetric_determinant, h1_hessian)},
        ),
    )
)

RATIO = Claim(
    "one-neuron/conditioning-by-eigenvalue-ratio",
    r"\frac{\lambda_{\max}}{\lambda_{\min}}(DG_H) "
    r"\le (1 - \tfrac15\tau)\frac{\lambda_{\max}}{\lambda_{\min}}(DG_L): "
    r"\text{ better wherever both are positive definite and the vectors are not parallel}",
    PAPER,
    DEFINITE,
    partial(_ratio_order, l2_jacobian, h1_jacobian),
    (
        SymbolicProof(conditioning.h1_population_is_better),
        Quadrature(partial(_ratio_order, by_definition["L"], by_definition["H"])),
        ball_margin("eigenvalue-ratio"),
        Certified("eigenvalue-ratio", lambda pair: (tau(pair),), lambda pair, value: tau(pair) * (value + 1 / 5)),
    ),
    {"reversed": lambda pair: -_ratio_order(l2_jacobian, h1_jacobian, pair)},
)

TWO_NORM = Claim(
    "one-neuron/conditioning-in-the-two-norm",
    r"\kappa_2(DG_H) < \kappa_2(DG_L) \text{ for } \tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi; "
    r"\text{ it holds exactly where } \tan^2\theta > (1 - \tau)/(7 - 3\tau)",
    PAPER + ", read in the 2-norm",
    WIDE,
    partial(_order, _two_norm, l2_jacobian, h1_jacobian),
    (
        Quadrature(partial(_order, _two_norm, by_definition["L"], by_definition["H"])),
        ball_margin("two-norm"),
        Certified("two-norm", _in_tau, _restore_two_norm),
        Certified("two-norm-reversed"),
    ),
    {
        "the symmetric part": partial(_order, _symmetric_part, l2_jacobian, h1_jacobian),
        "the loss's Hessian": partial(_order, _two_norm, l2_jacobian, h1_hessian),
    },
)

SYMMETRIC = Claim(
    "one-neuron/conditioning-of-the-symmetric-part",
    r"\kappa(\tfrac12(DG_H + DG_H^\top)) < \kappa(DG_L) \text{ for } "
    r"\tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi; \text{ it holds exactly where the symmetric part is "
    r"positive and } \tan^2\theta > (1 - \tfrac12\tau)^2/(7 - 3\tau)",
    PAPER + ", read for the symmetric part",
    WIDE,
    partial(_order, _symmetric_part, l2_jacobian, h1_jacobian),
    (
        Quadrature(partial(_order, _symmetric_part, by_definition["L"], by_definition["H"])),
        ball_margin("symmetric-part"),
        Certified("symmetric-part", _in_tau, _restore_symmetric),
    ),
    {
        "the 2-norm": partial(_order, _two_norm, l2_jacobian, h1_jacobian),
        "the loss's Hessian": partial(_order, _symmetric_part, l2_jacobian, h1_hessian),
    },
)

HESSIAN = Claim(
    "one-neuron/conditioning-of-the-loss",
    r"\kappa(\nabla^2H)/\kappa(\nabla^2L) = 1 + \max(0, \tfrac{\rho}{2\pi}\cos2\theta/\sin\theta) \ge 1: "
    r"\text{ never better, equal exactly where } |\theta - \tfrac\pi2| \le \tfrac\pi4, d \ge 3",
    "derived here",
    DEFINITE,
    partial(_ratio_quotient, l2_jacobian, h1_hessian),
    (
        SymbolicProof(conditioning.h1_loss_order),
        ball_margin("loss-hessian"),
        Certified("loss-hessian", _folded, _restore_hessian),
        Certified("loss-hessian-least"),
    ),
    {"that of the population gradient": partial(_ratio_quotient, l2_jacobian, h1_jacobian)},
)

# The same order wherever DG_L is positive definite: false, with w and w* that a reader can type.
RECHECK = """\
from sobolev_theory import single_neuron as one
measure = {measure}
claimed = "not negative"
found = measure(one.l2_jacobian(w, v)) - measure(one.h1_population_jacobian(w, v))
"""

EVERYWHERE = tuple(
    Claim(
        f"one-neuron/{name}-everywhere",
        statement + r" \text{ wherever } DG_L \text{ is positive definite}",
        f"{PAPER}, read {reading}",
        DEFINITE,
        partial(_order, measure, l2_jacobian, h1_jacobian),
        (
            everywhere(DEFINITE),
            counterexample([1.0, 0.0], [0.75, 0.125], inequality, RECHECK.format(measure=code)),
        ),
        expected=Verdict.REFUTED,
    )
    for name, inequality, statement, reading, measure, code in (
        (
            "conditioning-in-the-two-norm",
            "two-norm",
            r"\kappa_2(DG_H) \le \kappa_2(DG_L)",
            "in the 2-norm",
            _two_norm,
            "jnp.linalg.cond",
        ),
        (
            "conditioning-of-the-symmetric-part",
            "symmetric-part",
            r"\kappa(\tfrac12(DG_H + DG_H^\top)) \le \kappa(DG_L)",
            "for the symmetric part",
            _symmetric_part,
            "lambda m: jnp.linalg.cond((m + m.T) / 2)",
        ),
    )
)

CLAIMS = (*POSITIVITY, RATIO, TWO_NORM, SYMMETRIC, HESSIAN, *EVERYWHERE)
