"""Gaussian means over the half-spaces of four neurons, by two ways that share nothing.

`moment` reduces E[u_1^n_1 ... 1(all u > 0)] by Stein's lemma to probabilities of orthants, to the digits of mpmath.
`Given` integrates over the plane of two neurons, where they switch on lines, and knows the averages of the other two
given the point of the plane: those of two normal numbers with a mean.
"""

from functools import cached_property

import mpmath
import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

# By Stein's lemma.


def moment(gram: mpmath.matrix, powers: tuple[int, ...]):
    """E[prod u_i^n_i 1(u_i > 0)], u centred and normal with this covariance: of four numbers at most.

    E[u_i F] = sum_j C_ij E[dF/du_j]; the derivative of an indicator is a delta, on which the others are normal again.
    """
    first = next((i for i, n in enumerate(powers) if n), None)
    if first is None:
        return orthant(gram)
    total = mpmath.mpf(0)
    left = tuple(n - (i == first) for i, n in enumerate(powers))
    for j, n in enumerate(left):
        if n:
            total += gram[first, j] * n * moment(gram, tuple(m - (i == j) for i, m in enumerate(left)))
        else:
            others = tuple(m for i, m in enumerate(left) if i != j)
            total += gram[first, j] * moment(_given(gram, j), others) / mpmath.sqrt(2 * mpmath.pi * gram[j, j])
    return total


def orthant(gram: mpmath.matrix):
    """P(all u > 0); of four by the integral of Plackett, in the correlations of the first one."""
    n = gram.rows
    if n < 2:
        return mpmath.mpf(1) / 2**n
    if n < 4:
        arcs = sum(mpmath.asin(_correlation(gram, i, j)) for i in range(n) for j in range(i))
        return mpmath.mpf(1) / 2**n + arcs / (2 ** (n - 1) * mpmath.pi)

    def slope(t):
        moved = gram.copy()
        for j in range(1, 4):
            moved[0, j] = moved[j, 0] = t * gram[0, j]
        total = mpmath.mpf(0)
        for j in range(1, 4):
            r = _correlation(gram, 0, j)
            rest = _given(_given(moved, j), 0)
            total += r * orthant(rest) / (2 * mpmath.pi * mpmath.sqrt(1 - (t * r) ** 2))
        return total

    return orthant(gram[1:4, 1:4]) / 2 + mpmath.quad(slope, [0, 1])


def _correlation(gram: mpmath.matrix, i: int, j: int):
    return gram[i, j] / mpmath.sqrt(gram[i, i] * gram[j, j])


def _given(gram: mpmath.matrix, j: int) -> mpmath.matrix:
    """The covariance of the others where u_j = 0."""
    others = [i for i in range(gram.rows) if i != j]
    if not others:
        return mpmath.matrix(0, 0)
    return mpmath.matrix([[gram[a, b] - gram[a, j] * gram[b, j] / gram[j, j] for b in others] for a in others])


# Over the plane of the first two.

LEGENDRE, WEIGHTS = np.polynomial.legendre.leggauss(20)
# Radii: beyond the last one the density is below 1e-19.
RINGS = 9.5 * np.append(0.0, 2.0 ** np.arange(-9, 1))
FINE, FINE_WEIGHTS = np.polynomial.legendre.leggauss(60)


class Given:
    """u_3 and u_4 where u_1 and u_2, two columns y of the plane of the first two neurons, are known.

    Attributes:
        y: [n, 2], nodes of the plane; `weights` [n] are theirs, for N(0, I).
        u: [n, 2], the first two fields.
    """

    def __init__(self, rows: Float[np.ndarray, "4 d"]):
        basis = np.linalg.qr(rows[:2].T)[0]
        plane = rows @ basis
        edges = np.arctan2(plane[:2, 1], plane[:2, 0])[:, None] + np.array([-np.pi / 2, np.pi / 2])
        rest = rows[2:] - plane[2:] @ basis.T
        covariance = rest @ rest.T
        self.size = np.sqrt(np.diagonal(covariance))
        self.r = covariance[0, 1] / np.prod(self.size)
        edges = np.concatenate([edges.ravel(), self._layers(plane[2:])])
        edges = np.sort(np.mod(edges, 2 * np.pi))
        angle, of_angle = _panels(np.append(edges, edges[0] + 2 * np.pi))
        radius, of_radius = _panels(RINGS)
        self.y = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
        self.weights = np.outer(of_radius * radius * np.exp(-(radius**2) / 2), of_angle).ravel() / (2 * np.pi)
        self.u = self.y @ plane[:2].T
        self.h, self.k = (self.y @ plane[2:].T / self.size).T

    def _layers(self, plane: Float[np.ndarray, "2 2"]) -> Float[np.ndarray, " a"]:
        """Angles around the lines h = 0, k = 0 and h = +-k, beside which averages change: the faster the less of a
        neuron is outside the plane, and the nearer r is to +-1."""
        slopes = plane / self.size[:, None]
        across = np.stack([*slopes, slopes[0] - np.sign(self.r) * slopes[1]])
        thickness = np.array([1.0, 1.0, np.sqrt(1 - self.r**2)]) / np.linalg.norm(across, axis=1)
        found = []
        for line, width in zip(np.arctan2(across[:, 1], across[:, 0]) + np.pi / 2, thickness, strict=True):
            widths = [x for x in width * 4.0 ** np.arange(-1, 4) if x < np.pi / 4]
            found += [line + half + x for half in (0.0, np.pi) for x in (0.0, *widths, *(-x for x in widths))]
        return np.array(found)

    def expectation(self, f: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "..."]:
        return np.tensordot(self.weights, f, axes=1)

    @cached_property
    def both_active(self) -> Float[np.ndarray, " n"]:
        """P(u_3, u_4 > 0): by Plackett, in the correlation sin(t)."""
        last = np.arcsin(self.r)
        total = ndtr(self.h) * ndtr(self.k)
        for x, weight in zip(FINE, FINE_WEIGHTS, strict=True):
            t = last * (1 + x) / 2
            exponent = (self.h**2 - 2 * np.sin(t) * self.h * self.k + self.k**2) / (2 * np.cos(t) ** 2)
            total = total + last / 2 * weight * np.exp(-exponent) / (2 * np.pi)
        return total

    @cached_property
    def product(self) -> Float[np.ndarray, " n"]:
        """E[(u_3)_+ (u_4)_+]."""
        h, k, r = self.h, self.k, self.r
        s = np.sqrt(1 - r**2)
        a, b = (h - r * k) / s, (k - r * h) / s
        value = (r + h * k) * self.both_active + k * _density(h) * ndtr(b) + h * _density(k) * ndtr(a)
        return np.prod(self.size) * (value + s * _density(h) * _density(b))

    @cached_property
    def active(self) -> Float[np.ndarray, "n 2"]:
        return np.stack([ndtr(self.h), ndtr(self.k)], axis=1)

    @cached_property
    def means(self) -> Float[np.ndarray, "n 2"]:
        """E[u_+]."""
        return self.size * np.stack([x * ndtr(x) + _density(x) for x in (self.h, self.k)], axis=1)

    @cached_property
    def squares(self) -> Float[np.ndarray, "n 2"]:
        """E[u_+^2]."""
        parts = [(1 + x * x) * ndtr(x) + x * _density(x) for x in (self.h, self.k)]
        return self.size**2 * np.stack(parts, axis=1)


def _density(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def _panels(edges: Float[np.ndarray, " e"]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on each interval."""
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + LEGENDRE)).ravel(), (half * WEIGHTS).ravel()
