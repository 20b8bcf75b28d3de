"""Losses, gradients and Jacobians of ReLU networks from their definitions, by quadrature in planes.

A square of a sum of neurons is a sum over pairs of neurons, and each pair lives in its plane; the other d - 2
coordinates of x are independent of it, with mean 0 and covariance I. Derivatives of an indicator 1(w.x > 0) are
deltas on its line. NumPy only, none of the library's closed forms: this is what they are compared with.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .planar import expectation, on_line, plane_of

Vector = Float[np.ndarray, " d"]
Matrix = Float[np.ndarray, "d d"]


def positive(t):
    return np.maximum(t, 0.0)


def active(t):
    return (t > 0).astype(float)


# One pair: kappa_0 = E[relu(w.x) relu(v.x)], kappa_1 = E[ <1(w.x > 0) w, 1(v.x > 0) v> ].


def value_kernel(w: Vector, v: Vector) -> float:
    p, q, _ = _in_plane(w, v)
    return float(expectation(lambda y: positive(y @ p) * positive(y @ q), np.stack([p, q]), 2))


def both_active(w: Vector, v: Vector) -> float:
    """P(w.x > 0, v.x > 0)."""
    p, q, _ = _in_plane(w, v)
    return float(expectation(lambda y: active(y @ p) * active(y @ q), np.stack([p, q]), 0))


def slope_kernel(w: Vector, v: Vector) -> float:
    return (w @ v) * both_active(w, v)


def value_gradient(w: Vector, v: Vector) -> Vector:
    """E[1(w.x > 0) relu(v.x) x]."""
    p, q, basis = _in_plane(w, v)
    integral = expectation(lambda y: (active(y @ p) * positive(y @ q))[:, None] * y, np.stack([p, q]), 2)
    return basis @ integral


def slope_gradient(w: Vector, v: Vector) -> Vector:
    """E[1(w.x > 0) 1(v.x > 0)] v, the part without the delta."""
    return both_active(w, v) * v


def switching(w: Vector, v: Vector) -> Vector:
    """E[delta(w.x) 1(v.x > 0) x], the gradient of P(w.x > 0, v.x > 0) in w."""
    p, q, basis = _in_plane(w, v)
    return basis @ on_line(lambda y: active(y @ q) * y, p, 1)


def slope_boundary(w: Vector, v: Vector) -> Vector:
    return (w @ v) * switching(w, v)


def value_hessian(w: Vector, v: Vector) -> Matrix:
    """E[delta(w.x) relu(v.x) x x']: in the plane, and the variance 1 of every other coordinate."""
    p, q, basis = _in_plane(w, v)
    in_plane = on_line(lambda y: positive(y @ q) * np.outer(y, y), p, 3)
    off_plane = on_line(lambda y: positive(y @ q), p, 1)
    return _embed(basis, in_plane, off_plane)


def value_mixed_hessian(w: Vector, v: Vector) -> Matrix:
    """E[1(w.x > 0) 1(v.x > 0) x x']."""
    p, q, basis = _in_plane(w, v)

    def integrand(y):
        return (active(y @ p) * active(y @ q))[:, None, None] * y[:, :, None] * y[:, None, :]

    return _embed(basis, expectation(integrand, np.stack([p, q]), 2), both_active(w, v))


def slope_jacobian(w: Vector, v: Vector) -> Matrix:
    return np.outer(v, switching(w, v))


def slope_mixed_jacobian(w: Vector, v: Vector) -> Matrix:
    return both_active(w, v) * np.eye(w.size) + np.outer(v, switching(v, w))


def _in_plane(w: Vector, v: Vector):
    basis = plane_of(w, v)
    return w @ basis, v @ basis, basis


def _embed(basis, in_plane, off_plane) -> Matrix:
    return basis @ in_plane @ basis.T + off_plane * (np.eye(basis.shape[0]) - basis @ basis.T)


# Networks.


class Problem(NamedTuple):
    """Student and teacher as arrays, and the weights of the orders 0 and 1 of the loss."""

    weights: Float[np.ndarray, "K d"]
    output_weights: Float[np.ndarray, " K"]
    teacher_weights: Float[np.ndarray, "K_star d"]
    teacher_output_weights: Float[np.ndarray, " K_star"]
    orders: tuple[float, float]

    @property
    def neurons(self) -> Float[np.ndarray, "n d"]:
        return np.concatenate([self.weights, self.teacher_weights])

    @property
    def signed(self) -> Float[np.ndarray, " n"]:
        return np.concatenate([self.output_weights, -self.teacher_output_weights])


def one_neuron(w: Vector, w_star: Vector, orders: tuple[float, float]) -> Problem:
    return Problem(w[None], np.ones(1), w_star[None], np.ones(1), orders)


def kernel(w: Vector, v: Vector, orders: tuple[float, float]) -> float:
    l0, l1 = orders
    return (l0 * value_kernel(w, v) if l0 else 0.0) + (l1 * slope_kernel(w, v) if l1 else 0.0)


def loss(problem: Problem) -> float:
    """E[ l0/2 (g - g*)^2 + l1/2 |D(g - g*)|^2 ]: as it stands for two neurons, expanded into pairs for more."""
    v, c = problem.neurons, problem.signed
    if len(c) == 2:
        return _planar_loss(v @ plane_of(*v), c, problem.orders)
    pairs = np.zeros((len(c), len(c)))
    for i, j in zip(*np.triu_indices(len(c)), strict=True):
        pairs[i, j] = pairs[j, i] = kernel(v[i], v[j], problem.orders)
    return float(c @ pairs @ c) / 2


def _planar_loss(p: Float[np.ndarray, "2 2"], c: Float[np.ndarray, " 2"], orders: tuple[float, float]) -> float:
    def gap(y):
        return (positive(y @ p.T) @ c) ** 2

    def slope_gap(y):
        return np.sum((active(y @ p.T) * c @ p) ** 2, axis=1)

    l0, l1 = orders
    values = l0 * expectation(gap, p, 2) if l0 else 0.0
    slopes = l1 * expectation(slope_gap, p, 0) if l1 else 0.0
    return float(values + slopes) / 2


def population_gradient(problem: Problem) -> tuple[Float[np.ndarray, "K d"], Float[np.ndarray, " K"]]:
    """E[l0 (g - g*) grad g + l1 <D(g - g*), grad D g>] with grad taken almost everywhere."""
    l0, l1 = problem.orders
    v, c = problem.neurons, problem.signed
    terms = list(zip(c, v, strict=True))
    rows = [
        a * sum(c_j * (l0 * value_gradient(w, v_j) + l1 * slope_gradient(w, v_j)) for c_j, v_j in terms)
        for a, w in zip(problem.output_weights, problem.weights, strict=True)
    ]
    outputs = [sum(c_j * kernel(w, v_j, problem.orders) for c_j, v_j in terms) for w in problem.weights]
    return np.array(rows), np.array(outputs)


def boundary_term(problem: Problem) -> Float[np.ndarray, "K d"]:
    """l1 a_k sum_j c_j (w_k.v_j) E[delta(w_k.x) 1(v_j.x > 0) x]; a neuron against itself has none."""
    v, c = problem.neurons, problem.signed
    rows = [
        a * sum(c[j] * slope_boundary(w, v[j]) for j in range(len(c)) if j != k)
        for k, (a, w) in enumerate(zip(problem.output_weights, problem.weights, strict=True))
    ]
    return problem.orders[1] * np.array(rows)


def loss_gradient(problem: Problem) -> tuple[Float[np.ndarray, "K d"], Float[np.ndarray, " K"]]:
    rows, outputs = population_gradient(problem)
    return rows + boundary_term(problem), outputs


def population_jacobian(problem: Problem) -> Float[np.ndarray, "K d K d"]:
    """Derivative of the rows of `population_gradient` in the weights: what moves in the average, and the deltas."""
    l0, l1 = problem.orders
    v, c, a = problem.neurons, problem.signed, problem.output_weights
    count, d = problem.weights.shape
    blocks = np.zeros((count, d, count, d))
    for k, w in enumerate(problem.weights):
        for n, u in enumerate(problem.weights):
            mixed = np.eye(d) / 2 if n == k else slope_mixed_jacobian(w, u)
            blocks[k, :, n, :] += a[k] * a[n] * (l0 * value_mixed_hessian(w, u) + l1 * mixed)
        for j, u in enumerate(v):
            if j != k:
                blocks[k, :, k, :] += a[k] * c[j] * (l0 * value_hessian(w, u) + l1 * slope_jacobian(w, u))
    return blocks
