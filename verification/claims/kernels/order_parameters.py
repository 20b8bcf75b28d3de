"""Kernels that SGD in order parameters rests on: Saad and Solla's integral of four, and the terms of Hermite."""

import math
from functools import cache, partial

import mpmath
import numpy as np
import sympy as sp
from numpy.polynomial.hermite_e import hermevander

import sobolev_theory as st
from sobolev_theory.population.noise import erf
from sobolev_theory.symbolic import order_parameters as derived

from ...checks import Quadrature, Symbolic
from ...claim import Claim
from ...orthants import Given
from ...statements import Statement
from ...statements import order_parameters as stated
from ...statements.evaluation import DIGITS, SYMBOLS, Environment, evaluate
from ..common.domains import NETWORKS, PAIRS, Networks, Pair
from ..common.pairs import in_digits

PLACES = ((0, 0), (0, 1), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))


def _rows(networks: Networks) -> np.ndarray:
    return np.concatenate([np.asarray(network.weights, float) for network in networks])


def of_four(networks: Networks, factor: float = 2.0) -> float:
    """By the library, whose erf(t) is their g(sqrt(2) t), from covariances half of theirs."""
    rows = _rows(networks)
    gram = rows @ rows.T / factor
    return float(erf.of_four(*(gram[place] for place in PLACES))) / factor


def _without_two_terms(networks: Networks) -> float:
    """As if u_3 and u_4 had nothing of u_1 and u_2."""
    gram = _rows(networks) @ _rows(networks).T / 2
    return float(erf.of_four(*(gram[a, b] if (a < 2) == (b < 2) else 0.0 for a, b in PLACES))) / 2


def _by_quadrature(networks: Networks) -> np.ndarray:
    """g(u) = E[sign(u + z)]: two more inputs, of which u_3 and u_4 have one each."""
    given = Given(np.block([[_rows(networks)[:2], np.zeros((2, 2))], [_rows(networks)[2:], np.eye(2)]]))
    signs = 4 * given.both_active - 2 * given.active.sum(1) + 1
    return given.expectation(2 / np.pi * np.exp(-np.sum(given.u**2, axis=1) / 2) * signs)


def _number(statement: Statement, networks: Networks):
    gram = _rows(networks) @ _rows(networks).T
    covariances = {(i, j): DIGITS.number(float(gram[i, j])) for i in range(4) for j in range(4)}
    return evaluate(statement.right, Environment(DIGITS, values={derived.C: covariances}))


def _pieces(statement: Statement) -> tuple:
    """The relation in the Lambdas, and what these are short for, their own names replaced."""
    short = {x.lhs: x.rhs for x in statement.where}
    return (
        statement.relations[0].rhs,
        *(sp.expand(x.rhs.xreplace({stated.four: short[stated.four]})) for x in statement.where),
    )


def _derived_pieces() -> tuple:
    names = derived.Lambdas(stated.four, stated.zero, stated.one, stated.two)
    return (derived.integral_of_four(names), *map(sp.expand, derived.lambdas()))


FOUR = Claim(
    "kernels/saad-and-solla-integral-of-four",
    stated.INTEGRAL_OF_FOUR,
    "Saad & Solla, Phys. Rev. E 52 (1995), appendix A",
    NETWORKS,
    of_four,
    (Symbolic((_derived_pieces,), _number, _pieces), Quadrature(_by_quadrature)),
    {
        "the other convention": partial(of_four, factor=1.0),
        "independent fields": _without_two_terms,
    },
)

# Terms of Hermite, of ReLU.

HIGHEST = 6
POWERS = range(1, HIGHEST + 1)
FACTORIALS = np.array([float(math.factorial(k)) for k in range(HIGHEST + 1)])
LEGENDRE, WEIGHTS = np.polynomial.legendre.leggauss(80)


def terms(pair: Pair, loss: st.SobolevLoss = st.H1, root: bool = False) -> np.ndarray:
    """[6]: k = 1 ... 6."""
    first, second = (
        np.asarray(st.hermite_coefficients(st.ReLU(), HIGHEST, norm=float(np.linalg.norm(x)))) for x in pair
    )
    factors = np.array([float(st.sobolev_factor(loss, k)) for k in POWERS])
    return factors * (first * second / (np.sqrt(FACTORIALS) if root else FACTORIALS))[1:]


def _terms_by_quadrature(pair: Pair) -> np.ndarray:
    """By order: the k-th term of E[s s], and the (k - 1)-th one of cos(theta) |w||v| E[s' s']."""
    z = 6.5 * (1 + LEGENDRE)
    polynomials = hermevander(z, HIGHEST)
    density = 6.5 * WEIGHTS * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    norms = np.prod([np.linalg.norm(x) for x in pair])
    values, slopes = (density * z) @ polynomials, density @ polynomials
    return norms * (values**2 / FACTORIALS)[1:] + norms * (slopes**2 / FACTORIALS)[:-1]


def _terms_as_stated(statement: Statement, pair: Pair) -> np.ndarray:
    here = in_digits(pair).having({}, {sp.factorial: mpmath.factorial, stated.Hermite: _coefficient})
    return np.array([evaluate(statement.right, here.having({stated.k: k})) for k in POWERS], dtype=float)


def _coefficient(k: int, norm):
    return norm * _unit_coefficient(k)


@cache
def _unit_coefficient(k: int):
    """E[Z_+ He_k(Z)] to 30 digits."""
    with mpmath.workdps(30):
        coefficients = [mpmath.mpf(int(c)) for c in np.polynomial.hermite_e.herme2poly(np.eye(HIGHEST + 1)[k])]
        density = lambda z: z * mpmath.polyval(coefficients[::-1], z) * mpmath.npdf(z)  # noqa: E731
        return mpmath.quad(density, [0, 2, 4, 8, 16])


def _terms_symbolic(statement: Statement) -> tuple:
    """At unit norms."""
    here = Environment(
        SYMBOLS,
        values={},
        functions={sp.factorial: sp.factorial, stated.Hermite: lambda k, _: derived.relu_coefficient(k)},
    ).having({stated.r: 1, stated.r_star: 1})
    return tuple(evaluate(statement.right, here.having({stated.k: k})) for k in POWERS)


TERMS = Claim(
    "kernels/a-sobolev-loss-multiplies-hermite-terms",
    stated.TERMS,
    "derived here",
    PAIRS,
    terms,
    (
        Symbolic((lambda: derived.kernel_coefficients(HIGHEST),), _terms_as_stated, _terms_symbolic),
        Quadrature(_terms_by_quadrature),
    ),
    {
        "that of values": partial(terms, loss=st.L2),
        "without the values": partial(terms, loss=st.SobolevLoss((0.0, 1.0))),
        "of the other normalisation": partial(terms, root=True),
    },
)

CLAIMS = (FOUR, TERMS)
