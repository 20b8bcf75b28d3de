"""How the claims on one neuron are measured: its definitions, their differences, and what is read off samples."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory import single_neuron

from ... import definitions as by_definition
from ...checks import Request, Sampled, derivative
from ...claim import Formula, Point
from ...planar import expectation, plane_of
from ...statements import notation as n
from ...statements import squared_relu
from ..common.domains import Pair
from ..common.frames import frame
from ..common.pairs import Quantities

ORDERS = {"L": (1.0, 0.0), "J": (0.0, 1.0), "H": (1.0, 1.0)}
HALF_SEGMENT = 0.5
SEGMENT = np.polynomial.legendre.leggauss(16)


def closed(function: Callable) -> Formula:
    """A function of (w, w*) as a formula of a point."""
    compiled = jax.jit(function)
    return lambda pair: compiled(jnp.asarray(pair.w), jnp.asarray(pair.v))


LIBRARY: Quantities = {
    quantity: jax.jit(function)
    for quantity, function in {
        n.L: single_neuron.l2_loss,
        n.J: single_neuron.seminorm_loss,
        n.H: single_neuron.h1_loss,
        n.G_L: single_neuron.l2_gradient,
        n.G_J: single_neuron.seminorm_population_gradient,
        n.G_H: single_neuron.h1_population_gradient,
        n.grad_J: lambda w, v: (
            single_neuron.seminorm_population_gradient(w, v) + single_neuron.seminorm_boundary(w, v)
        ),
        n.grad_H: single_neuron.h1_loss_gradient,
        n.DG_L: single_neuron.l2_jacobian,
        n.DG_J: single_neuron.seminorm_population_jacobian,
        n.DG_H: single_neuron.h1_population_jacobian,
        n.hess_H: single_neuron.h1_loss_hessian,
    }.items()
}


def by_library(quantity: sp.Basic) -> Formula:
    """The library's closed form of a quantity, as a formula of a point."""
    function = LIBRARY[quantity]
    return lambda pair: function(jnp.asarray(pair.w), jnp.asarray(pair.v))


def problem(pair: Pair, loss: str) -> by_definition.Problem:
    return by_definition.one_neuron(np.asarray(pair.w), np.asarray(pair.v), ORDERS[loss])


def request(estimator: str, pair: Pair, loss: str, effort: float = 1.0) -> Request:
    return Request(estimator, st.Network(pair.w), st.Network(pair.v), st.SobolevLoss(ORDERS[loss]), effort)


# Samples, as multiples of the run's, for a relative error of 1 % to stand out of the noise with power 0.99.
EFFORT = {
    ("population_loss", "L"): 1.0,
    ("population_loss", "J"): 0.2,
    ("population_loss", "H"): 0.3,
    ("population_gradient", "L"): 1.2,
    ("population_gradient", "J"): 0.3,
    ("population_gradient", "H"): 0.5,
    ("boundary_term", "J"): 0.1,
    ("loss_gradient", "J"): 0.3,
    ("loss_gradient", "H"): 0.5,
    ("population_jacobian", "L"): 0.3,
    ("population_jacobian", "J"): 0.2,
    ("population_jacobian", "H"): 0.5,
}


def sampled(estimator: str, loss: str, read: Callable, *, more: float = 1.0, **options) -> Sampled:
    """One average at the point itself, of `more` times the usual effort."""
    effort = more * EFFORT[estimator, loss]
    return Sampled(lambda pair: [request(estimator, pair, loss, effort)], read, **options)


# The definitions, for the deterministic methods.


def loss_at(loss: str, pair: Pair) -> float:
    return by_definition.loss(problem(pair, loss))


def population_gradient(loss: str, pair: Pair) -> np.ndarray:
    return by_definition.population_gradient(problem(pair, loss))[0][0]


def boundary_term(loss: str, pair: Pair) -> np.ndarray:
    return by_definition.boundary_term(problem(pair, loss))[0]


def loss_gradient(loss: str, pair: Pair) -> np.ndarray:
    return population_gradient(loss, pair) + boundary_term(loss, pair)


def population_jacobian(loss: str, pair: Pair) -> np.ndarray:
    return by_definition.population_jacobian(problem(pair, loss))[0, :, 0, :]


def _first_of_squared_relu(w, w_star) -> np.ndarray:
    """E of the gradient of 1/2 |2 u_+ w - 2 u*_+ w*|^2; what is orthogonal to the plane averages to 0."""
    basis = plane_of(np.asarray(w), np.asarray(w_star))
    p, q = w @ basis, w_star @ basis

    def integrand(y):
        u, u_ = np.maximum(y @ p, 0.0), np.maximum(y @ q, 0.0)
        on = (y @ p > 0).astype(float)
        along_x = u * (p @ p) - on * u_ * (p @ q)
        return 4 * (along_x[:, None] * y + (u**2)[:, None] * p - (u * u_)[:, None] * q)

    return basis @ expectation(integrand, np.stack([p, q]), 2)


def _second_of_squared_relu(w, w_star) -> np.ndarray:
    basis = plane_of(np.asarray(w), np.asarray(w_star))
    p, q = w @ basis, w_star @ basis

    def integrand(y):
        on, on_ = (y @ p > 0).astype(float), (y @ q > 0).astype(float)
        return 8 * (on[:, None] * (p @ p) * p - (on * on_)[:, None] * (p @ q) * q)

    return basis @ expectation(integrand, np.stack([p, q]), 0)


DEFINED: Quantities = {
    quantity: lambda w, v, define=define, loss=loss: define(loss, Pair(w, v))
    for quantity, define, loss in (
        (n.G_L, population_gradient, "L"),
        (n.G_J, population_gradient, "J"),
        (n.G_H, population_gradient, "H"),
        (n.grad_J, loss_gradient, "J"),
        (n.grad_H, loss_gradient, "H"),
        (n.DG_L, population_jacobian, "L"),
        (n.DG_H, population_jacobian, "H"),
        (n.hess_H, lambda loss, pair: hessian_by_differences(loss, pair), "H"),
    )
} | {squared_relu.G_J1: _first_of_squared_relu, squared_relu.G_J2: _second_of_squared_relu}


def step(pair: Pair) -> float:
    """0.5 % of the distance of w from the kink at parallel vectors."""
    f = frame(pair)
    return 0.005 * f.norm * np.sin(f.theta)


def differentiate(function: Callable[[Pair], np.ndarray | float], pair: Pair) -> np.ndarray:
    return derivative(lambda w: function(Pair(w, pair.v)), np.asarray(pair.w), step(pair))


def gradient_by_differences(loss: str, pair: Pair) -> np.ndarray:
    return differentiate(partial(loss_at, loss), pair)


def boundary_by_differences(loss: str, pair: Pair) -> np.ndarray:
    """The gradient of the loss less the average of the gradient."""
    return gradient_by_differences(loss, pair) - population_gradient(loss, pair)


def jacobian_by_differences(loss: str, pair: Pair) -> np.ndarray:
    return differentiate(partial(population_gradient, loss), pair)


def hessian_by_differences(loss: str, pair: Pair) -> np.ndarray:
    return differentiate(partial(gradient_by_differences, loss), pair)


# A Hessian has no sampled average of its own: its integral over a segment is a difference of sampled gradients.


def _segments(pair: Pair) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ends of segments through w, along w, along e, and orthogonal to both."""
    f, w = frame(pair), np.asarray(pair.w)
    axes = np.stack([f.v, f.e, f.rest[0]])
    return [(w - HALF_SEGMENT * axis, w + HALF_SEGMENT * axis) for axis in axes]


def segment_requests(pair: Pair) -> list[Request]:
    return [request("loss_gradient", Pair(end, pair.v), "H", 0.3) for ends in _segments(pair) for end in ends]


def segment_read(pair: Pair, *gradients: st.Network) -> np.ndarray:
    rows = np.array([np.asarray(gradient.weights)[0] for gradient in gradients])
    return rows[1::2] - rows[::2]


def segment_observe(matrix: Formula, pair: Point) -> np.ndarray:
    """The integral of the formula's matrix over each segment, applied to its direction."""
    nodes, weights = SEGMENT
    rows = []
    for start, end in _segments(pair):
        middle, half = (start + end) / 2, (end - start) / 2
        values = [np.asarray(matrix(Pair(middle + t * half, pair.v))) @ half for t in nodes]
        rows.append(np.tensordot(weights, np.array(values), axes=1))
    return np.array(rows)


def rows_of(_: Pair, gradient: st.Network) -> np.ndarray:
    return np.asarray(gradient.weights)[0]


def scalar(_: Pair, mean) -> np.ndarray:
    return np.asarray(mean)


def row_of(_: Pair, mean) -> np.ndarray:
    return np.asarray(mean)[0]


def block_of(_: Pair, mean) -> np.ndarray:
    return np.asarray(mean)[0, :, 0, :]
