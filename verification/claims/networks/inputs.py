"""Inputs of any covariance, in both metrics of the derivatives; and that the metric matters."""

from collections.abc import Callable
from functools import partial

import numpy as np
from flint import arb

import sobolev_theory as st

from ... import definitions as by_definition
from ...balls import integrals
from ...checks import Check, Counterexample, Differences, Quadrature, Request, Sampled, derivative
from ...claim import Claim, Formula, Verdict
from ...statements import Statement
from ...statements import networks as stated
from ...twins import minus
from ..common.bounds import everywhere
from ..common.domains import NETWORKS, PAIRS, Networks, Pair
from .methods import STEP, flat, flat_mean
from .places import at, numbers

# covariance = ROOT ROOT'
ROOT = np.array([[1.5, 0, 0, 0], [0.5, 1, 0, 0], [-0.25, 0.5, 0.75, 0], [0, 0.25, -0.5, 1.25]])
INPUTS = {metric: st.GaussianInput(ROOT @ ROOT.T, metric=metric) for metric in ("euclidean", "mahalanobis")}
STANDARD = st.GaussianInput()


def _exact(function: Callable, inputs: st.GaussianInput) -> Formula:
    return lambda networks: flat(function(*networks, inputs=inputs))


def _sampled(estimator: str, metric: str, effort: float) -> Sampled:
    def requests(networks: Networks) -> list[Request]:
        return [Request(estimator, *networks, st.H1, effort, INPUTS[metric])]

    return Sampled(requests, flat_mean)


# By definition: w.x = (ROOT'w).z with z ~ N(0, I); slopes are multiples of w, or of ROOT'w in whitened coordinates.


def _loss(metric: str, weights: np.ndarray, outputs: np.ndarray, networks: Networks) -> float:
    """Sum over pairs, each in the plane of its whitened weights."""
    rows = np.concatenate([weights, networks.teacher.weights])
    signed = np.concatenate([outputs, -np.asarray(networks.teacher.output_weights)])
    whitened = rows @ ROOT
    slopes = rows if metric == "euclidean" else whitened
    total = 0.0
    for i, j in zip(*np.triu_indices(len(rows)), strict=True):
        u, v = whitened[i], whitened[j]
        both = by_definition.both_active(u, v)
        kernel = by_definition.value_kernel(u, v) + (slopes[i] @ slopes[j]) * both
        total += signed[i] * signed[j] * kernel * (1 if i == j else 2)
    return total / 2


def _by_differences(metric: str, networks: Networks) -> np.ndarray:
    student = networks.student
    shape, size = student.weights.shape, student.weights.size

    def moved(parameters: np.ndarray) -> float:
        return _loss(metric, parameters[:size].reshape(shape), parameters[size:], networks)

    return derivative(moved, np.asarray(flat(student)), STEP)


def _population(metric: str, networks: Networks) -> np.ndarray:
    """E[gap grad g + <D gap, grad D g>], grad taken almost everywhere."""
    rows = np.concatenate([networks.student.weights, networks.teacher.weights])
    signed = np.concatenate([networks.student.output_weights, -np.asarray(networks.teacher.output_weights)])
    whitened, metric_matrix = rows @ ROOT, np.eye(4) if metric == "euclidean" else ROOT @ ROOT.T
    pulls, outputs = [], []
    for k, a in enumerate(np.asarray(networks.student.output_weights)):
        both = np.array([by_definition.both_active(whitened[k], u) for u in whitened])
        values = np.array([ROOT @ by_definition.value_gradient(whitened[k], u) for u in whitened])
        pulls.append(a * signed @ (values + both[:, None] * (rows @ metric_matrix)))
        kernels = [by_definition.value_kernel(whitened[k], u) for u in whitened]
        outputs.append(signed @ (kernels + both * (rows @ metric_matrix @ rows[k])))
    return np.concatenate([np.ravel(pulls), outputs])


def _twins(formula: Callable, metric: str) -> dict[str, Formula]:
    other = "mahalanobis" if metric == "euclidean" else "euclidean"
    return {
        "sign": minus(_exact(formula, INPUTS[metric])),
        f"the {other} metric": _exact(formula, INPUTS[other]),
        "covariance dropped": _exact(formula, STANDARD),
    }


def _as_stated(statement: Statement, networks: Networks) -> np.ndarray:
    here = at(networks)
    root = np.vectorize(here.arithmetic.number, otypes=[object])(ROOT)
    return numbers(
        statement,
        here.having(
            {},
            {
                stated.Whitened: lambda w: root.T @ w,
                stated.Coloured: lambda gradient: root @ gradient,
                stated.Metric: lambda v: root @ root.T @ v,
            },
        ),
    )


# Samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise with power 0.99.
EFFORT = 0.25


def _gradient(metric: str, kind: str, function: Callable, check: Check, twin: tuple[str, Callable]) -> Claim:
    return Claim(
        f"inputs/{metric}-{kind}-gradient",
        stated.inputs(metric, kind),
        "derived here",
        NETWORKS,
        _exact(function, INPUTS[metric]),
        (check, _sampled(f"{kind}_gradient", metric, EFFORT)),
        {**_twins(function, metric), twin[0]: _exact(twin[1], INPUTS[metric])},
        stated=_as_stated,
    )


def _gradients(metric: str) -> tuple[Claim, Claim]:
    added, dropped = ("boundary term added", st.loss_gradient), ("boundary term dropped", st.population_gradient)
    return (
        _gradient(metric, "population", st.population_gradient, Quadrature(partial(_population, metric)), added),
        _gradient(metric, "loss", st.loss_gradient, Differences(partial(_by_differences, metric)), dropped),
    )


# That the metric does not matter: false, for an input that is twice as wide in one direction.

STRETCH = np.array([2.0, 1.0, 1.0, 1.0])
RECHECK = """\
student, teacher = st.Network(w), st.Network(v)
stretched = [4.0, 1.0, 1.0, 1.0]
euclidean = st.population_loss(student, teacher, inputs=st.GaussianInput(stretched))
mahalanobis = st.population_loss(student, teacher, inputs=st.GaussianInput(stretched, metric="mahalanobis"))
claimed = "not negative"
found = -abs(euclidean - mahalanobis)
"""


def _gap(pair: Pair) -> float:
    """Minus the distance of the two losses."""
    networks = st.Network(pair.w), st.Network(pair.v)
    euclidean, mahalanobis = (
        st.population_loss(*networks, inputs=st.GaussianInput(STRETCH**2, metric=metric))
        for metric in ("euclidean", "mahalanobis")
    )
    return -abs(float(euclidean - mahalanobis))


def _certified_gap(pair: Pair) -> arb:
    """The values' part is the same: E|1(w.x > 0) w - 1(v.x > 0) v|^2/2 in both metrics."""
    whitened = Pair(STRETCH * pair.w, STRETCH * pair.v)
    both = integrals.probability(*whitened)

    def seminorm(w, v) -> arb:
        w, v = integrals.balls(w), integrals.balls(v)
        return (w @ w + v @ v) / 4 - (w @ v) * both

    return -abs(seminorm(*pair) - seminorm(*whitened))


METRIC = Claim(
    "inputs/metric-does-not-matter",
    stated.METRIC_DOES_NOT_MATTER,
    "a reading of H1 for inputs that are not isotropic",
    PAIRS,
    _gap,
    (
        everywhere(PAIRS, count=5),
        Counterexample(
            Pair(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])),
            _certified_gap,
            RECHECK,
        ),
    ),
    expected=Verdict.REFUTED,
)

CLAIMS = (*_gradients("euclidean"), *_gradients("mahalanobis"), METRIC)
