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

from ... import definitions as by_definition
from ...balls import integrals
from ...checks import Check, Differences, Quadrature, Request, Sampled, derivative
from ...claim import Claim, Formula
from ...statements import Statement
from ...statements import kernels as stated
from ...twins import minus
from ..common.domains import PAIRS, Pair
from ..common.frames import frame
from ..common.pairs import ball, symbolic
from ..common.sources import KERNELS, TIAN
from ..common.sources import PAIR_PAPER as PAPER
from ..one_neuron.methods import ORDERS, closed

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


def _claim(
    name: str,
    statement: Statement,
    source: str,
    function: Callable,
    ways: tuple[Callable, Callable, tuple[Callable, ...]],
    checks: list[Check],
    twins: dict,
) -> Claim:
    """`ways`: the statement's left side by certified integrals and by quadrature, and its derivations."""
    certified, define, derivations = ways
    proofs = (symbolic(*derivations), ball({statement.left: certified}), Quadrature(defined(define)))
    return Claim(f"pair/{name}", statement, source, PAIRS, closed(function), (*proofs, *checks), twins)


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
        stated.VALUE_KERNEL,
        KERNELS,
        closed_forms.value_kernel,
        (integrals.value_kernel, by_definition.value_kernel, (derived.value_kernel,)),
        [_sampled("population_gradient", VALUES, _kernel)],
        {"that of slopes": closed(closed_forms.slope_kernel), **_reflected(closed_forms.value_kernel)},
    ),
    _claim(
        "slope-kernel",
        stated.SLOPE_KERNEL,
        KERNELS,
        closed_forms.slope_kernel,
        (integrals.slope_kernel, by_definition.slope_kernel, (derived.slope_kernel,)),
        [_sampled("population_gradient", SLOPES, _kernel)],
        {"that of values": closed(closed_forms.value_kernel), **_reflected(closed_forms.slope_kernel)},
    ),
    _claim(
        "value-gradient",
        stated.VALUE_GRADIENT,
        TIAN,
        closed_forms.value_gradient,
        (
            integrals.value_gradient,
            by_definition.value_gradient,
            (
                derived.value_gradient,
                derived.value_gradient_by_integration,
            ),
        ),
        [
            Differences(partial(_in_w, by_definition.value_kernel)),
            _sampled("population_gradient", VALUES, _gradient),
        ],
        {"sine term dropped": closed(closed_forms.slope_gradient), **_exchanged(closed_forms.value_gradient)},
    ),
    _claim(
        "slope-gradient",
        stated.SLOPE_GRADIENT,
        PAPER,
        closed_forms.slope_gradient,
        (integrals.slope_gradient, by_definition.slope_gradient, (derived.slope_gradient,)),
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
        stated.SLOPE_BOUNDARY,
        "derived here",
        closed_forms.slope_boundary,
        (
            integrals.slope_boundary,
            by_definition.slope_boundary,
            (
                derived.slope_boundary,
                derived.slope_boundary_by_delta,
            ),
        ),
        [Differences(_slope_boundary_by_differences), _sampled("boundary_term", SLOPES, _boundary)],
        {"sign": minus(closed(closed_forms.slope_boundary)), **_exchanged(closed_forms.slope_boundary)},
    ),
    _claim(
        "value-hessian",
        stated.VALUE_HESSIAN,
        PAPER,
        closed_forms.value_hessian,
        (
            integrals.value_hessian,
            by_definition.value_hessian,
            (
                derived.value_hessian,
                derived.value_hessian_by_delta,
            ),
        ),
        [
            Differences(partial(_in_w, by_definition.value_gradient)),
            _sampled("population_jacobian", VALUES, _jacobian),
        ],
        {"sign": minus(closed(closed_forms.value_hessian)), **_exchanged(closed_forms.value_hessian)},
    ),
    _claim(
        "value-mixed-hessian",
        stated.VALUE_MIXED_HESSIAN,
        PAPER,
        closed_forms.value_mixed_hessian,
        (
            integrals.value_mixed_hessian,
            by_definition.value_mixed_hessian,
            (
                derived.value_mixed_hessian,
                derived.value_mixed_hessian_by_integration,
            ),
        ),
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
        stated.SLOPE_JACOBIAN,
        PAPER,
        closed_forms.slope_jacobian,
        (integrals.slope_jacobian, by_definition.slope_jacobian, (derived.slope_jacobian,)),
        [
            Differences(partial(_in_w, by_definition.slope_gradient)),
            _sampled("population_jacobian", SLOPES, _jacobian),
        ],
        {**_transposed(closed_forms.slope_jacobian), **_exchanged(closed_forms.slope_jacobian)},
    ),
    _claim(
        "slope-mixed-jacobian",
        stated.SLOPE_MIXED_JACOBIAN,
        PAPER,
        closed_forms.slope_mixed_jacobian,
        (integrals.slope_mixed_jacobian, by_definition.slope_mixed_jacobian, (derived.slope_mixed_jacobian,)),
        [
            Differences(partial(_in_v, by_definition.slope_gradient)),
            Sampled(partial(_both, SLOPES), _off_diagonal),
        ],
        {**_transposed(closed_forms.slope_mixed_jacobian), **_exchanged(closed_forms.slope_mixed_jacobian)},
    ),
)
