"""How the claims on networks are measured: their definitions, differences, and what is read off samples."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import sobolev_theory as st

from ... import definitions as by_definition
from ...checks import Request, Sampled, derivative
from ...claim import Formula
from ..common.domains import Networks
from ..one_neuron.methods import ORDERS

LOSSES = {name: st.SobolevLoss(orders) for name, orders in ORDERS.items()}
STEP = 2e-4  # 0.5 % of the least distance from a kink, 0.3 sin(0.2)
HALF_SEGMENT = 0.5
SEGMENT = np.polynomial.legendre.leggauss(24)


def problem(networks: Networks, loss: str) -> by_definition.Problem:
    student, teacher = networks
    return by_definition.Problem(
        np.asarray(student.weights),
        np.asarray(student.output_weights),
        np.asarray(teacher.weights),
        np.asarray(teacher.output_weights),
        ORDERS[loss],
    )


def flat(gradient: st.Network):
    return jnp.concatenate([gradient.weights.ravel(), gradient.output_weights])


def exact(function: Callable, loss: str, read: Callable = jnp.asarray) -> Formula:
    return lambda networks: read(function(*networks, loss=LOSSES[loss]))


# Samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise with power 0.99.
EFFORT = {
    ("population_loss", "L"): 0.7,
    ("population_loss", "H"): 0.2,
    ("population_gradient", "L"): 1.2,
    ("population_gradient", "H"): 0.3,
    ("boundary_term", "H"): 0.2,
    ("loss_gradient", "H"): 0.4,
    ("population_jacobian", "L"): 0.5,
    ("population_jacobian", "H"): 0.1,
}


def sampled(estimator: str, loss: str, read: Callable = lambda _, mean: np.asarray(mean)) -> Sampled:
    effort = EFFORT[estimator, loss]
    return Sampled(
        lambda networks: [Request(estimator, networks.student, networks.teacher, LOSSES[loss], effort)], read
    )


def flat_mean(_: Networks, mean: st.Network) -> np.ndarray:
    return np.asarray(flat(mean))


# The definitions.


def _pieces(gradient) -> np.ndarray:
    rows, outputs = gradient
    return np.concatenate([rows.ravel(), outputs])


def loss_at(loss: str, networks: Networks) -> np.ndarray:
    return np.asarray(by_definition.loss(problem(networks, loss)))


def population_gradient(loss: str, networks: Networks) -> np.ndarray:
    return _pieces(by_definition.population_gradient(problem(networks, loss)))


def loss_gradient(loss: str, networks: Networks) -> np.ndarray:
    return _pieces(by_definition.loss_gradient(problem(networks, loss)))


def boundary_at(loss: str, networks: Networks) -> np.ndarray:
    return by_definition.boundary_term(problem(networks, loss))


def jacobian_at(loss: str, networks: Networks) -> np.ndarray:
    return by_definition.population_jacobian(problem(networks, loss))


def _moved(function: Callable, loss: str, networks: Networks, parameters: np.ndarray):
    """function of the problem whose student has these weights and output weights, in the order of `flat`."""
    at = problem(networks, loss)
    size = at.weights.size
    weights, output = parameters[:size].reshape(at.weights.shape), parameters[size:]
    return function(at._replace(weights=weights, output_weights=output))


def _differentiated(function: Callable, loss: str, networks: Networks) -> np.ndarray:
    """Derivative of function(problem) in all parameters of the student."""
    return derivative(partial(_moved, function, loss, networks), np.asarray(flat(networks.student)), STEP)


def gradient_by_differences(loss: str, networks: Networks) -> np.ndarray:
    return _differentiated(by_definition.loss, loss, networks)


def boundary_by_differences(loss: str, networks: Networks) -> np.ndarray:
    shape = networks.student.weights.shape
    gap = gradient_by_differences(loss, networks) - population_gradient(loss, networks)
    return gap[: shape[0] * shape[1]].reshape(shape)


def rows_by_differences(function: Callable, loss: str, networks: Networks) -> np.ndarray:
    """[K, d, K, d] of a gradient given as (rows, outputs)."""
    shape = networks.student.weights.shape
    columns = _differentiated(lambda at: function(at)[0], loss, networks)
    return columns[..., : shape[0] * shape[1]].reshape(*shape, *shape)


# Directions, for products and segments: fixed numbers, so that all methods use the same.


def direction(networks: Networks, number: int = 0) -> st.Network:
    """The same tangent of the student's parameters at every point; its weights have norm 1."""
    count, d = networks.student.weights.shape
    numbers = np.random.default_rng(number).standard_normal(count * (d + 1))
    rows, output = numbers[: count * d].reshape(count, d), numbers[count * d :]
    return st.Network(rows / np.linalg.norm(rows), 0.3 * output)


def weights_only(networks: Networks, number: int) -> st.Network:
    tangent = direction(networks, number)
    return st.Network(tangent.weights, 0 * tangent.output_weights)


def product_of(function: Callable, networks: Networks):
    return flat(function(*networks, direction(networks), loss=LOSSES["H"]))


def along_direction(function: Callable, networks: Networks) -> np.ndarray:
    """Derivative of a gradient along `direction`."""
    start, tangent = (np.asarray(flat(network)) for network in (networks.student, direction(networks)))
    line = lambda t: _pieces(_moved(function, "H", networks, start + t * tangent))  # noqa: E731
    return derivative(line, np.zeros(()), STEP)


def shifted(networks: Networks, tangent: st.Network, t: float) -> Networks:
    student = networks.student
    weights = np.asarray(student.weights + t * tangent.weights)
    output = np.asarray(student.output_weights + t * tangent.output_weights)
    return Networks(st.Network(weights, output), networks.teacher)


def segment(
    estimator: str,
    tangents: Callable[[Networks], list[st.Network]],
    contract: Callable[[np.ndarray, st.Network], np.ndarray],
    gradient: Callable[[st.Network], Array],
    effort: float,
) -> Sampled:
    """A derivative integrated over segments through the point is a difference of sampled gradients at their ends.

    `contract` applies the formula's value to a tangent; `gradient` is what it then is the derivative of.
    """

    def requests(networks: Networks) -> list[Request]:
        ends = [shifted(networks, x, t) for x in tangents(networks) for t in (-HALF_SEGMENT, HALF_SEGMENT)]
        return [Request(estimator, end.student, end.teacher, LOSSES["H"], effort) for end in ends]

    def read(_: Networks, *means: st.Network) -> np.ndarray:
        rows = np.array([np.asarray(gradient(mean)) for mean in means])
        return rows[1::2] - rows[::2]

    def observe(formula: Formula, networks: Networks) -> np.ndarray:
        nodes, weights = SEGMENT
        integrals = []
        for tangent in tangents(networks):
            moved = [shifted(networks, tangent, HALF_SEGMENT * t) for t in nodes]
            values = np.array([np.asarray(contract(formula(at), tangent)) for at in moved])
            integrals.append(HALF_SEGMENT * np.tensordot(weights, values, axes=1))
        return np.array(integrals)

    return Sampled(requests, read, observe)


def product_on_a_segment(estimator: str) -> Sampled:
    return segment(estimator, lambda networks: [direction(networks)], lambda product, _: product, flat, effort=0.8)
