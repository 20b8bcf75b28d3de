"""One biased ReLU and a biased teacher: the two gradients of H1, in the weights and in the bias."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from scipy.special import ndtr

import sobolev_theory as st

from ...checks import Differences, Quadrature, Request, Sampled, derivative
from ...claim import Claim, Formula
from ...statements import Statement
from ...statements import biases as stated
from ...statements.evaluation import evaluate
from ...twins import minus
from ..common.domains import PAIRS, Pair
from ..common.pairs import in_balls
from .families_by_definition import BIASES, LEGENDRE, LEGENDRE_WEIGHTS


def _networks(pair: Pair, biases: tuple[float, float] = BIASES) -> list[st.Network]:
    return [st.Network(x, biases=[b]) for x, b in zip(pair, biases, strict=True)]


def _gradient(function: Callable, biases: tuple[float, float] = BIASES) -> Formula:
    """In w, then in b."""

    def formula(pair: Pair):
        gradient = function(*_networks(pair, biases))
        return jnp.concatenate([gradient.weights[0], gradient.biases])

    return formula


# Samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise with power 0.99.
EFFORT = 0.15


def _sampled(estimator: str) -> Sampled:
    def requests(pair: Pair) -> list[Request]:
        student, teacher = _networks(pair)
        return [Request(estimator, student, teacher, st.H1, EFFORT)]

    return Sampled(requests, lambda _, mean: np.concatenate([np.asarray(mean.weights[0]), np.asarray(mean.biases)]))


# By definition: with w = r first, w.x = r z; given z, v.x is normal. Panels as short as its switch is wide.


class _Line:
    """z where the student is active, or the teacher is, and the teacher's averages given z."""

    def __init__(self, w: np.ndarray, b: float, v: np.ndarray, b_: float):
        self.r = float(np.linalg.norm(w))
        self.first = w / self.r
        along = float(self.first @ v)
        across = v - along * self.first
        self.s = float(np.linalg.norm(across))
        self.second = across / self.s
        self.threshold = -b / self.r
        self.z, self.weight = _nodes(self.threshold, 12.0)
        self.u = self.r * self.z + b
        t = (along * self.z + b_) / self.s
        self.both = ndtr(t)
        self.density = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
        self.u_ = self.s * (t * self.both + self.density)
        edge = (along * self.threshold + b_) / self.s
        self.both_at_threshold = float(ndtr(edge))
        self.density_at_threshold = float(np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi))
        self.at_threshold = float(np.exp(-(self.threshold**2) / 2) / np.sqrt(2 * np.pi)) / self.r


def _nodes(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    edges = np.linspace(low, high, 300)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half + half * LEGENDRE).ravel()
    return z, (half * LEGENDRE_WEIGHTS).ravel() * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _population(pair: Pair) -> np.ndarray:
    """E[(g - g*) 1(u > 0) (x, 1)] and E[<1(u > 0) w - 1(u' > 0) v, 1(u > 0)>], which has no part in b."""
    w, v = (np.asarray(x) for x in pair)
    f = _Line(w, BIASES[0], v, BIASES[1])
    along = f.weight @ ((f.u - f.u_) * f.z)
    across = -f.s * (f.weight @ f.both)  # E[z' (s z' + ...)_+] = s P, over the teacher's own coordinate
    slopes = (f.weight.sum()) * w - (f.weight @ f.both) * v
    return np.append(along * f.first + across * f.second + slopes, f.weight @ (f.u - f.u_))


def _boundary(pair: Pair) -> np.ndarray:
    """E[delta(u) (|w|^2/2 - 1(u' > 0) w.v) (x, 1)]: what the seminorm jumps by where the student switches."""
    w, v = (np.asarray(x) for x in pair)
    f = _Line(w, BIASES[0], v, BIASES[1])
    jump = (w @ w) / 2 - (w @ v) * f.both_at_threshold
    along, across = jump * f.threshold, -(w @ v) * f.density_at_threshold
    return f.at_threshold * np.append(along * f.first + across * f.second, jump)


def _loss_gradient(pair: Pair) -> np.ndarray:
    return _population(pair) + _boundary(pair)


def _loss(w: np.ndarray, b: float, v: np.ndarray, b_: float) -> float:
    """But for what does not depend on w and b."""
    f = _Line(w, b, v, b_)
    values = f.weight @ (f.u**2 / 2 - f.u * f.u_)
    return values + (w @ w) / 2 * f.weight.sum() - (w @ v) * (f.weight @ f.both)


def _by_differences(pair: Pair) -> np.ndarray:
    w, v = (np.asarray(x) for x in pair)
    cosine = (w @ v) / np.linalg.norm(w) / np.linalg.norm(v)
    step = 0.0025 * np.linalg.norm(w) * np.sqrt(1 - cosine**2)
    return derivative(lambda p: _loss(p[:-1], p[-1], v, BIASES[1]), np.append(w, BIASES[0]), step)


population_gradient, loss_gradient = (_gradient(f) for f in (st.population_gradient, st.loss_gradient))


def _as_stated(statement: Statement, pair: Pair) -> np.ndarray:
    """In w, then in b."""
    in_w, in_b = (evaluate(part, in_balls(pair)) for part in statement.right)
    return np.append(np.vectorize(float)(in_w), float(in_b))


def _twins(function: Callable) -> dict[str, Formula]:
    return {
        "sign": minus(_gradient(function)),
        "bias dropped": _gradient(function, (0.0, BIASES[1])),
        "sign of a bias": _gradient(function, (BIASES[0], -BIASES[1])),
    }


CLAIMS = (
    Claim(
        "biases/h1-population-gradient",
        stated.POPULATION_GRADIENT,
        "derived here",
        PAIRS,
        population_gradient,
        (Quadrature(_population), _sampled("population_gradient")),
        {**_twins(st.population_gradient), "boundary term added": loss_gradient},
        stated=_as_stated,
    ),
    Claim(
        "biases/h1-loss-gradient",
        stated.LOSS_GRADIENT,
        "derived here",
        PAIRS,
        loss_gradient,
        (Quadrature(_loss_gradient), Differences(_by_differences), _sampled("loss_gradient")),
        {**_twins(st.loss_gradient), "boundary term dropped": population_gradient},
        stated=_as_stated,
    ),
)
