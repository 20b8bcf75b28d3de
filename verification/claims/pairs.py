"""One pair of neurons (w, v): the kernels kappa_0 and kappa_1 and their derivatives, one claim each.

Sampling reads them off a student w and a teacher -AMPLITUDE relu(v.x): the gradient then is AMPLITUDE times that of
kappa, plus the student's own, which is known and drowned.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

import sobolev_theory as st
from sobolev_theory import pair as closed_forms
from sobolev_theory.symbolic import pair as derived

from .. import definitions as by_definition
from ..checks import Check, Differences, Quadrature, Request, Sampled, derivative
from ..claim import Claim, Formula
from . import statements
from .ball_methods import ball
from .domains import PAIRS, Pair
from .frames import frame
from .one_neuron_methods import ORDERS, closed
from .placement import symbolic
from .sources import KERNELS, TIAN
from .sources import PAIR_PAPER as PAPER
from .twins import minus

AMPLITUDE = 2.0**10
VALUES, SLOPES = ORDERS["L"], ORDERS["J"]

# Samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise with power 0.99.
EFFORT = {
    ("population_gradient", VALUES): 1.0,
    ("population_gradient", SLOPES): 0.5,
    ("boundary_term", SLOPES): 0.1,
    ("population_jacobian", VALUES): 1.4,
    ("population_jacobian", SLOPES): 0.3,
    ("both", VALUES): 0.6,
    ("both", SLOPES): 0.4,
}


def defined(function: Callable) -> Callable[[Pair], np.ndarray]:
    return lambda pair: function(np.asarray(pair.w), np.asarray(pair.v))


def _in_w(function: Callable, pair: Pair) -> np.ndarray:
    f = frame(pair)
    return derivative(lambda w: function(w, np.asarray(pair.v)), np.asarray(pair.w), 0.005 * f.norm * np.sin(f.theta))


def _in_v(function: Callable, pair: Pair) -> np.ndarray:
    f = frame(pair)
    step = 0.005 * f.other_norm * np.sin(f.theta)
    return derivative(lambda v: function(np.asarray(pair.w), v), np.asarray(pair.v), step)


def _loud(estimator: str, orders: tuple[float, float], pair: Pair) -> list[Request]:
    teacher = st.Network(pair.v, [-AMPLITUDE])
    return [Request(estimator, st.Network(pair.w), teacher, st.SobolevLoss(orders), EFFORT[estimator, orders])]


def _kernel(pair: Pair, mean: st.Network) -> np.ndarray:
    return (np.asarray(mean.output_weights)[0] - np.asarray(pair.w @ pair.w) / 2) / AMPLITUDE


def _gradient(pair: Pair, mean: st.Network) -> np.ndarray:
    return (np.asarray(mean.weights)[0] - np.asarray(pair.w) / 2) / AMPLITUDE


def _boundary(_: Pair, mean) -> np.ndarray:
    return np.asarray(mean)[0] / AMPLITUDE


def _jacobian(pair: Pair, mean) -> np.ndarray:
    return (np.asarray(mean)[0, :, 0, :] - np.eye(len(pair.w)) / 2) / AMPLITUDE


def _both(orders: tuple[float, float], pair: Pair) -> list[Request]:
    """A student of both neurons; the block off the diagonal does not know the teacher."""
    student = st.Network(np.stack([pair.w, pair.v]))
    teacher = st.Network(0.1 * np.stack([pair.w + pair.v, pair.w - pair.v]))
    return [Request("population_jacobian", student, teacher, st.SobolevLoss(orders), EFFORT["both", orders])]


def _off_diagonal(_: Pair, mean) -> np.ndarray:
    return np.asarray(mean)[0, :, 1, :]


def _sampled(estimator: str, orders: tuple[float, float], read: Callable) -> Sampled:
    return Sampled(partial(_loud, estimator, orders), read)


def _claim(name: str, statement: str, source: str, function: Callable, checks: list[Check], twins: dict) -> Claim:
    proof = symbolic(getattr(statements, function.__name__.upper()), *_derivations(function.__name__))
    quadrature = Quadrature(defined(getattr(by_definition, function.__name__)))
    checks = [proof, ball(function.__name__), quadrature, *checks]
    return Claim(f"pair/{name}", statement, source, PAIRS, closed(function), tuple(checks), twins)


def _derivations(name: str) -> list[Callable]:
    """By differentiation, and where there is one by integration or from the delta."""
    ways = (name, f"{name}_by_integration", f"{name}_by_delta")
    return [getattr(derived, way) for way in ways if hasattr(derived, way)]


def _exchanged(function: Callable) -> dict[str, Formula]:
    formula = closed(function)
    return {"exchanged": lambda pair: formula(Pair(pair.v, pair.w))}


def _reflected(function: Callable) -> dict[str, Formula]:
    formula = closed(function)
    return {"reflected": lambda pair: formula(Pair(pair.w, -pair.v))}


def _transposed(function: Callable) -> dict[str, Formula]:
    formula = closed(function)
    return {"transposed": lambda pair: formula(pair).T}


def _slope_gradient_by_differences(pair: Pair) -> np.ndarray:
    """The whole derivative of kappa_1 less the boundary part."""
    return _in_w(by_definition.slope_kernel, pair) - defined(by_definition.slope_boundary)(pair)


def _slope_boundary_by_differences(pair: Pair) -> np.ndarray:
    return _in_w(by_definition.slope_kernel, pair) - defined(by_definition.slope_gradient)(pair)


CLAIMS = (
    _claim(
        "value-kernel",
        r"\kappa_0 = E[\sigma(w\cdot x)\sigma(v\cdot x)] = "
        r"\tfrac{1}{2\pi}|w||v|(\sin\theta + (\pi-\theta)\cos\theta)",
        KERNELS,
        closed_forms.value_kernel,
        [_sampled("population_gradient", VALUES, _kernel)],
        {"that of slopes": closed(closed_forms.slope_kernel), **_reflected(closed_forms.value_kernel)},
    ),
    _claim(
        "slope-kernel",
        r"\kappa_1 = w\cdot v\, P(w\cdot x > 0, v\cdot x > 0) = \tfrac{1}{2\pi}(\pi-\theta)\, w\cdot v",
        KERNELS,
        closed_forms.slope_kernel,
        [_sampled("population_gradient", SLOPES, _kernel)],
        {"that of values": closed(closed_forms.value_kernel), **_reflected(closed_forms.slope_kernel)},
    ),
    _claim(
        "value-gradient",
        r"\partial_w\kappa_0 = \tfrac{1}{2\pi}[(\pi-\theta)v + |v|\sin\theta\, w/|w|]",
        TIAN,
        closed_forms.value_gradient,
        [
            Differences(partial(_in_w, by_definition.value_kernel)),
            _sampled("population_gradient", VALUES, _gradient),
        ],
        {"sine term dropped": closed(closed_forms.slope_gradient), **_exchanged(closed_forms.value_gradient)},
    ),
    _claim(
        "slope-gradient",
        r"\partial_w\kappa_1 \text{ a.e.} = \tfrac{1}{2\pi}(\pi-\theta)v",
        PAPER,
        closed_forms.slope_gradient,
        [Differences(_slope_gradient_by_differences), _sampled("population_gradient", SLOPES, _gradient)],
        {
            "boundary part added": lambda pair: (
                closed(closed_forms.slope_gradient)(pair) + closed(closed_forms.slope_boundary)(pair)
            ),
            **_exchanged(closed_forms.slope_gradient),
        },
    ),
    _claim(
        "slope-boundary",
        r"\partial_w\kappa_1 \text{ on } w\cdot x = 0: \tfrac{1}{2\pi|w|}(w\cdot v)e",
        "derived here",
        closed_forms.slope_boundary,
        [Differences(_slope_boundary_by_differences), _sampled("boundary_term", SLOPES, _boundary)],
        {"sign": minus(closed(closed_forms.slope_boundary)), **_exchanged(closed_forms.slope_boundary)},
    ),
    _claim(
        "value-hessian",
        r"\partial_w^2\kappa_0 = \tfrac{|v|\sin\theta}{2\pi|w|}(I - ww^\top/|w|^2 + ee^\top)",
        PAPER,
        closed_forms.value_hessian,
        [
            Differences(partial(_in_w, by_definition.value_gradient)),
            _sampled("population_jacobian", VALUES, _jacobian),
        ],
        {"sign": minus(closed(closed_forms.value_hessian)), **_exchanged(closed_forms.value_hessian)},
    ),
    _claim(
        "value-mixed-hessian",
        r"\partial_w\partial_v\kappa_0 = \tfrac{1}{2\pi}[(\pi-\theta)I + \sin\theta(ee'^\top + wv^\top/(|w||v|))]",
        PAPER,
        closed_forms.value_mixed_hessian,
        [
            Differences(partial(_in_v, by_definition.value_gradient)),
            Sampled(partial(_both, VALUES), _off_diagonal),
        ],
        {
            "that of slopes": closed(closed_forms.slope_mixed_jacobian),
            **_reflected(closed_forms.value_mixed_hessian),
        },
    ),
    _claim(
        "slope-jacobian",
        r"\partial_w(\tfrac{1}{2\pi}(\pi-\theta)v) = \tfrac{1}{2\pi|w|}ve^\top",
        PAPER,
        closed_forms.slope_jacobian,
        [
            Differences(partial(_in_w, by_definition.slope_gradient)),
            _sampled("population_jacobian", SLOPES, _jacobian),
        ],
        {**_transposed(closed_forms.slope_jacobian), **_exchanged(closed_forms.slope_jacobian)},
    ),
    _claim(
        "slope-mixed-jacobian",
        r"\partial_v(\tfrac{1}{2\pi}(\pi-\theta)v) = \tfrac{1}{2\pi}[(\pi-\theta)I + ve'^\top/|v|]",
        PAPER,
        closed_forms.slope_mixed_jacobian,
        [
            Differences(partial(_in_v, by_definition.slope_gradient)),
            Sampled(partial(_both, SLOPES), _off_diagonal),
        ],
        {**_transposed(closed_forms.slope_mixed_jacobian), **_exchanged(closed_forms.slope_mixed_jacobian)},
    ),
)
