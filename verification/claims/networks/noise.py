"""Networks: second moments of the sample gradient, the orthant of four, and SGD in overlaps at small steps."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np

import sobolev_theory as st
from sobolev_theory.dynamics import order_parameters
from sobolev_theory.geometry.angles import angles_between, direction, polar
from sobolev_theory.kernels.four_signs import four_signs
from sobolev_theory.population.noise.gradient_noise import posed_noise
from sobolev_theory.symbolic import orthants as derived

from ...checks import Quadrature, Request, Sampled, Symbolic
from ...claim import Claim
from ...orthants import Given, moment
from ...statements import Statement, evaluation, notation
from ...statements import networks as n
from ...statements import noise_of_networks as stated
from ..common.domains import NETWORKS, PAIRS, Networks, Pair
from ..common.pairs import in_digits
from .methods import LOSSES, population_gradient
from .places import at

# E[g_k . g_n].


def second_moments(networks: Networks):
    return st.gradient_noise(*networks, LOSSES["H"]).second_moments


def _of_four(networks: Networks):
    """[2, K, K]: E[D^2 1 1], which (d + 4) multiplies, and E[|grad D|^2 1 1], by the plane of the two students."""
    (w, a), (v, b) = ((np.asarray(x.weights), np.asarray(x.output_weights)) for x in networks)
    given = Given(np.concatenate([w, v]))
    on = (given.u > 0).astype(float)
    own, pull = (on * given.u) @ a, (on * a) @ w
    value = own**2 - 2 * own * (given.means @ b) + given.squares @ b**2 + 2 * b[0] * b[1] * given.product
    slope = np.sum(pull**2, axis=1) - 2 * np.sum(pull * ((given.active * b) @ v), axis=1)
    slope += given.active @ (b**2 * np.sum(v**2, axis=1)) + 2 * b[0] * b[1] * (v[0] @ v[1]) * given.both_active
    both = on[:, :, None] * on[:, None, :]
    return np.outer(a, a) * np.stack([given.expectation(x[:, None, None] * both) for x in (value, slope)])


def _second_moments(networks: Networks, more: int = 4) -> np.ndarray:
    """E[|x|^2 D^2 1 1] = (d + 2) E[D^2 1 1] and x . grad D = D, D being homogeneous."""
    value, slope = _of_four(networks)
    return (networks.student.dimension + more) * value + slope


def _stated(statement: Statement, networks: Networks) -> np.ndarray:
    """By Stein's lemma, to the digits of mpmath."""
    with mpmath.workdps(20):
        here = at(networks)
        here = here.having({notation.d: here.dimension}, {stated.products: _products, stated.all_active: _all_active})
        indices = range(1, here.values[n.K] + 1)
        rows = [
            [evaluation.evaluate(statement.right, here.having({n.k: k, n.n: m})) for m in indices] for k in indices
        ]
        return np.array(rows, dtype=float)


def _moment(powers: tuple[int, ...], *neurons: np.ndarray):
    """Of neurons some of which may be the same; in one order, so that it is computed once."""
    of_each: dict[tuple, int] = {}
    for neuron, power in zip(neurons, powers, strict=True):
        key = tuple(neuron[:, 0])
        of_each[key] = of_each.get(key, 0) + power
    return _known(tuple(sorted(of_each.items())), mpmath.mp.dps)


@cache
def _known(of_each: tuple[tuple[tuple, int], ...], digits: int):
    rows = mpmath.matrix([list(row) for row, _ in of_each])
    return moment(rows * rows.T, tuple(power for _, power in of_each))


_products, _all_active = partial(_moment, (0, 0, 1, 1)), partial(_moment, (0, 0, 0, 0))


def _lost_cross_term(networks: Networks):
    """Without 2 E[g_L . g_J]."""
    return second_moments(networks) - 2 * _of_four(networks)[0]


MOMENTS = Claim(
    "networks/second-moments-of-the-sample-gradient",
    stated.SECOND_MOMENTS,
    "derived here",
    NETWORKS,
    second_moments,
    (
        Quadrature(_second_moments),
        Sampled(
            lambda networks: [Request("second_moments", networks.student, networks.teacher, LOSSES["H"], 2.0)],
            lambda _, mean: np.asarray(mean),
        ),
    ),
    {
        "d for d + 2": partial(_second_moments, more=2),
        "a lost cross term": _lost_cross_term,
        "teacher with the wrong sign": lambda networks: second_moments(
            networks._replace(teacher=st.Network(networks.teacher.weights, -networks.teacher.output_weights))
        ),
    },
    stated=_stated,
)

# P_4 where it is known.


def _rows(pair: Pair) -> np.ndarray:
    """[3, 4, 4]: orthogonal neurons, neurons at 60 degrees, and two copies of the pair in orthogonal planes."""
    w, v = (np.asarray(x, float) / np.linalg.norm(x) for x in pair)
    basis = np.linalg.svd(np.stack([w, v]))[2]
    flat, across = basis[:2], basis[2:]
    turned = [x @ flat.T @ across for x in (w, v)]
    alike = np.linalg.cholesky((np.eye(4) + 1) / 2) @ basis
    return np.stack([basis, alike, np.stack([w, v, *turned])])


@jax.jit
def _signs(rows):
    """Of four neurons: the angles of all pairs, and E[s_1 s_2 s_3 s_4]."""
    neurons = polar(rows)
    angles = angles_between(neurons, neurons, jnp.eye(4, dtype=bool))
    return angles.theta[jnp.triu_indices(4, 1)], four_signs(direction(neurons), angles, np.arange(4)[None]).signs[0]


def orthants(pair: Pair, arcsines: int = 6, fourth: float = 1.0) -> np.ndarray:
    """P_4 = (1 + sum of E[s_i s_j] + E[s_1 s_2 s_3 s_4]) / 16."""
    found = [_signs(rows) for rows in _rows(pair)]
    return np.array([(1 + np.sum(1 - 2 * x[-arcsines:] / np.pi) + fourth * y) / 16 for x, y in found])


def _orthants_by_quadrature(pair: Pair) -> np.ndarray:
    found = []
    for rows in _rows(pair):
        given = Given(rows)
        found.append(given.expectation(np.all(given.u > 0, axis=1) * given.both_active))
    return np.array(found)


ORTHANT = Claim(
    "networks/orthant-of-four",
    stated.ORTHANT_OF_FOUR,
    "Plackett, Biometrika 41 (1954)",
    PAIRS,
    orthants,
    (
        Symbolic(
            (derived.of_four,),
            lambda statement, pair: evaluation.evaluate(statement.right, in_digits(pair)),
        ),
        Quadrature(_orthants_by_quadrature),
    ),
    {
        "a lost arcsine": partial(orthants, arcsines=5),
        "without the term of four": partial(orthants, fourth=0.0),
    },
)

# SGD in overlaps at small steps.

STEP = 1e-2  # of the learning rate: the velocity has a part in eta and one in eta^2, and nothing else
RULE = order_parameters._Rule(both_layers=False, max_steps=1)


@jax.jit
def _velocity(p, eta):
    student, teacher = p.student.weights, p.teacher.weights
    state = student @ student.T, student @ teacher.T, p.student.output_weights
    options = order_parameters._Options(eta, *(jnp.asarray(x) for x in (1.0, 0.0, 1e-6, 1e-6)))
    return order_parameters.velocity(RULE, p, options, state, teacher @ teacher.T)[:2]


def small_steps(networks: Networks, steps: tuple[float, float] = (STEP, 2 * STEP), loss: str = "H"):
    """d/dt of Q and R over eta, extrapolated to eta = 0: [2, K, K*]."""
    p = posed_noise("online_sgd", *networks, LOSSES[loss], st.GaussianInput(), 0.0)
    first, second = (jnp.stack(_velocity(p, jnp.asarray(eta))) / eta for eta in steps)
    return 2 * first - second


def _along_the_flow(networks: Networks, gradient: np.ndarray) -> np.ndarray:
    w, v = (np.asarray(x.weights) for x in networks)
    rows = gradient[: w.size].reshape(w.shape)
    return np.stack([-rows @ w.T - w @ rows.T, -rows @ v.T])


def _small_steps_as_stated(statement: Statement, networks: Networks) -> np.ndarray:
    with mpmath.workdps(20):
        here = at(networks)
        indices = range(1, here.values[n.K] + 1)
        rows = [
            [[evaluation.evaluate(part, here.having({n.k: k, n.n: m})) for m in indices] for k in indices]
            for part in statement.right
        ]
        return np.array(rows, dtype=float)


SMALL = Claim(
    "networks/sgd-at-small-steps-is-the-flow",
    stated.SMALL_STEPS,
    "Saad & Solla, Phys. Rev. E 52 (1995); for Sobolev losses derived here",
    NETWORKS,
    small_steps,
    (
        Quadrature(lambda networks: _along_the_flow(networks, population_gradient("H", networks))),
        Sampled(
            lambda networks: [Request("population_gradient", networks.student, networks.teacher, LOSSES["H"], 1.5)],
            lambda networks, mean: _along_the_flow(networks, np.asarray(mean.weights).ravel()),
        ),
    ),
    {
        "with noise": partial(small_steps, steps=(1.0, 4.0)),
        "that of values": partial(small_steps, loss="L"),
    },
    stated=_small_steps_as_stated,
)

CLAIMS = (MOMENTS, ORTHANT, SMALL)
