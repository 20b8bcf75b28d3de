"""Gaussian expectations in a plane, to rounding: piecewise Gauss-Legendre over the angle, the radius analytic.

ReLU networks of inputs x ~ N(0, I) give integrands of the form |y|^n times a function of the angle of y, which
is smooth between the lines where a neuron switches. Sector by sector a few nodes integrate it to rounding.
Nothing here knows a closed form of the theory.
"""

from collections.abc import Callable
from math import gamma, pi, sqrt

import numpy as np
from jaxtyping import Float

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)  # trigonometric polynomials of degree <= 4 to 1e-16


def expectation(
    integrand: Callable[[Float[np.ndarray, "n 2"]], Float[np.ndarray, "n *shape"]],
    normals: Float[np.ndarray, "k 2"],
    degree: int,
) -> Float[np.ndarray, "*shape"]:
    """E[f(y)], y ~ N(0, I_2), for f homogeneous of the given degree and smooth off the lines normal.y = 0."""
    switches = np.arctan2(normals[:, 1], normals[:, 0])[:, None] + np.array([-pi / 2, pi / 2])
    edges = np.sort(np.append(np.mod(switches.ravel(), 2 * pi), [0.0, pi]))
    edges = np.append(edges, 2 * pi)
    half = np.diff(edges) / 2
    angle = (edges[:-1] + half)[:, None] + half[:, None] * NODES
    weight = (half[:, None] * WEIGHTS).ravel() / (2 * pi)
    directions = np.stack([np.cos(angle.ravel()), np.sin(angle.ravel())], axis=1)
    return radial_moment(degree) * np.tensordot(weight, integrand(directions), axes=1)


def radial_moment(degree: int) -> float:
    """E |y|^n for y ~ N(0, I_2)."""
    return 2 ** (degree / 2) * gamma(1 + degree / 2)


def half_line_moment(degree: int) -> float:
    """E[t^n 1(t > 0)] for t ~ N(0, 1)."""
    return 2 ** (degree / 2) * gamma((degree + 1) / 2) / (2 * sqrt(pi))


def on_line(
    integrand: Callable[[Float[np.ndarray, " 2"]], Float[np.ndarray, "*shape"]],
    normal: Float[np.ndarray, " 2"],
    degree: int,
) -> Float[np.ndarray, "*shape"]:
    """E[f(y) delta(normal.y)], y ~ N(0, I_2), for f homogeneous of the given degree: the two rays of the line.

    The density of normal.y at 0 is 1 / (|normal| sqrt(2 pi)), and along the line y is standard normal.
    """
    r = float(np.hypot(*normal))
    along = np.array([-normal[1], normal[0]]) / r
    both_rays = np.asarray(integrand(along)) + np.asarray(integrand(-along))
    return both_rays * (half_line_moment(degree) / (r * sqrt(2 * pi)))


def plane_of(w: Float[np.ndarray, " d"], v: Float[np.ndarray, " d"]) -> Float[np.ndarray, "d 2"]:
    """An orthonormal basis of a plane that holds both vectors."""
    return np.linalg.qr(np.stack([w, v], axis=1))[0]
