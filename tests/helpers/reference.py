"""High-precision references, from the definitions and independent of the library.

Only the two kernels are written in closed form (their values are held against quadrature by test_arc_cosine):
  kappa_0 = E[(w.x)_+ (v.x)_+],   kappa_1 = (w.v) P(w.x > 0, v.x > 0).
Every derivative is a central difference at so many digits that its error is below 1e-40 of the result.
At a kink a central difference is the mean of the two one-sided values, as the library documents.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import mpmath as mp
import numpy as np

Vector = list
Rows = list

DIGITS = 60  # what is left after the difference, before its truncation error


def exact(array) -> list:
    """The very numbers of a float array, as mpmath numbers in nested lists."""
    return [exact(x) if np.ndim(x) else mp.mpf(float(x)) for x in np.asarray(array)]


def dot(a: Vector, b: Vector) -> mp.mpf:
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


def norm(a: Vector) -> mp.mpf:
    return mp.sqrt(dot(a, a))


def angle(a: Vector, b: Vector) -> mp.mpf:
    """Kahan's formula; a zero vector is taken as orthogonal to all."""
    ra, rb = norm(a), norm(b)
    if ra == 0 or rb == 0:
        return mp.pi / 2
    x, y = [rb * s for s in a], [ra * t for t in b]
    apart, along = ([s - t for s, t in zip(x, y, strict=True)], [s + t for s, t in zip(x, y, strict=True)])
    return 2 * mp.atan2(norm(apart), norm(along))


def half_space_kernel(n: int, w: Vector, v: Vector) -> mp.mpf:
    """E[(w.x)_+^n (v.x)_+^n] for n = 0 and 1: Sheppard's orthant probability and the arc-cosine kernel."""
    theta = angle(w, v)
    if n == 0:
        return (mp.pi - theta) / (2 * mp.pi)
    return norm(w) * norm(v) * (mp.sin(theta) + (mp.pi - theta) * mp.cos(theta)) / (2 * mp.pi)


def half_space_quadrature(n: int, w: Vector, v: Vector) -> mp.mpf:
    """The same expectation as an integral in polar coordinates of the plane of w and v."""
    theta = angle(w, v)
    # x = s (cos phi, sin phi), w along phi = 0: both factors are positive for phi in (theta - pi/2, pi/2).
    turning = mp.quad(lambda phi: (mp.cos(phi) * mp.cos(phi - theta)) ** n, [theta - mp.pi / 2, mp.pi / 2])
    radial = mp.quad(lambda s: s ** (2 * n + 1) * mp.exp(-s * s / 2), [0, 1, 4, 10, 20])
    return (norm(w) * norm(v)) ** n * turning * radial / (2 * mp.pi)


def kernel(order: int, w: Vector, v: Vector) -> mp.mpf:
    """kappa_m = (w.v)^m E[sigma^(m)(w.x) sigma^(m)(v.x)] for ReLU."""
    return half_space_kernel(1, w, v) if order == 0 else dot(w, v) * half_space_kernel(0, w, v)


Pair = Callable[[Vector, Vector], mp.mpf]


@dataclass(frozen=True)
class Problem:
    """Student (W, a) and teacher (V, b): everything by order of derivative m = 0, 1.

    A zero student neuron has gradient 0 in its weights, by convention.
    """

    weights: Sequence
    output_weights: Sequence
    teacher_weights: Sequence
    teacher_output_weights: Sequence

    @cached_property
    def neurons(self) -> list[tuple[Vector, mp.mpf]]:
        student = zip(exact(self.weights), exact(self.output_weights), strict=True)
        teacher = zip(exact(self.teacher_weights), exact(self.teacher_output_weights), strict=True)
        return [*student, *((v, -b) for v, b in teacher)]

    @cached_property
    def smallest_sine(self) -> float:
        """Of all pairs: no difference may step over their kink."""
        return self.smallest_sine_among(self.neurons)

    def smallest_sine_among(self, neurons) -> float:
        """Of the pairs of these neurons that are not exactly parallel; 1 if there is none."""
        with mp.workdps(400):
            vectors = [v for v, _ in neurons if norm(v)]
            sines = [mp.sin(angle(v, u)) for i, v in enumerate(vectors) for u in vectors[:i]]
            return float(min([s for s in sines if s > mp.mpf(10) ** -300], default=mp.mpf(1)))

    @property
    def student(self) -> list[tuple[Vector, mp.mpf]]:
        return self.neurons[: len(self.weights)]

    @property
    def teacher(self) -> list[tuple[Vector, mp.mpf]]:
        return self.neurons[len(self.weights) :]

    @property
    def step(self) -> mp.mpf:
        """Relative step of a first difference; its truncation error is (step / sin theta)^2."""
        return mp.mpf(10) ** -25 * mp.mpf(self.smallest_sine)

    def digits(self, nested: int = 1) -> int:
        return DIGITS - nested * int(mp.floor(mp.log10(self.step)))

    def loss(self, order: int) -> mp.mpf:
        with mp.workdps(self.digits()):
            pairs = ((c * b * kernel(order, v, u)) for v, c in self.neurons for u, b in self.neurons)
            return mp.fsum(pairs) / 2

    def output_gradient(self, order: int) -> Vector:
        """The loss is quadratic in the output weights: dL/da_k = sum_j c_j kappa(w_k, v_j)."""
        with mp.workdps(self.digits()):
            return [mp.fsum(c * kernel(order, w, v) for v, c in self.neurons) for w, _ in self.student]

    def loss_gradient(self, order: int) -> Rows:
        """The gradient of the loss [K, d]."""
        with mp.workdps(self.digits()):
            return self._gradient(lambda w, v: kernel(order, w, v), self.neurons)

    def population_gradient(self, order: int) -> Rows:
        """The expectation of the per-sample gradient [K, d], in which an indicator 1[w.x > 0] has no derivative."""
        with mp.workdps(self.digits()):
            return self._sampled_gradient(order, self.neurons)

    def boundary_term(self, order: int) -> Rows:
        with mp.workdps(self.digits()):
            whole, sampled = self.loss_gradient(order), self.population_gradient(order)
            return [[x - y for x, y in zip(*rows, strict=True)] for rows in zip(whole, sampled, strict=True)]

    def loss_hessian(self, order: int) -> list:
        """[K, d, K, d], gradient entry first."""
        with mp.workdps(self.digits(nested=2)):
            return self._jacobian(lambda neurons: self._gradient(lambda w, v: kernel(order, w, v), neurons))

    def population_jacobian(self, order: int) -> list:
        """[K, d, K, d], gradient entry first."""
        with mp.workdps(self.digits(nested=2)):
            return self._jacobian(lambda neurons: self._sampled_gradient(order, neurons))

    @cached_property
    def _largest_mass(self) -> mp.mpf:
        return max(abs(c) * norm(v) for v, c in self.neurons)

    def largest_term(self) -> float:
        """The size of the largest term of the loss, |c_i c_j| r_i r_j."""
        return float(self._largest_mass**2)

    def largest_terms_of_rows(self) -> np.ndarray:
        """The same for the gradient in every row of the weights, |a_k c_j| r_j, [K]."""
        return np.array([float(abs(a) * self._largest_mass) for _, a in self.student])

    def largest_terms_of_outputs(self) -> np.ndarray:
        """The same for the gradient in every output weight, |c_j| r_k r_j, [K]."""
        return np.array([float(norm(w) * self._largest_mass) for w, _ in self.student])

    def smallest_sines_of_rows(self) -> np.ndarray:
        """For every student the smallest sine with a neuron to which it is not exactly parallel, [K]."""
        return np.array([min(self.smallest_sine_among([w, v]) for v in self.neurons) for w in self.student])

    def _sampled_gradient(self, order: int, neurons) -> Rows:
        if order == 0:  # the integrand is continuous: both gradients agree
            return self._gradient(lambda w, v: kernel(0, w, v), neurons)
        frozen = [[half_space_kernel(0, w, v) for v, _ in neurons] for w, _ in neurons[: len(self.weights)]]
        return self._gradient(lambda w, v: dot(w, v), neurons, frozen)

    def _gradient(self, pair: Pair, neurons, factors=None) -> Rows:
        """Differences, neuron by neuron, of the terms a_k c_j factor_kj pair(w_k, v_j) that hold it."""
        rows = []
        for k, (w, a) in enumerate(neurons[: len(self.weights)]):
            factor = factors[k] if factors else [1] * len(neurons)
            others = [(v, c * factor[j]) for j, (v, c) in enumerate(neurons) if j != k]

            def terms(x, a=a, itself=a * factor[k] / 2, others=others):
                return a * (mp.fsum(c * pair(x, v) for v, c in others) + itself * pair(x, x))

            rows.append(_central_difference(terms, w, self.step) if norm(w) else [mp.mpf(0)] * len(w))
        return rows

    def _jacobian(self, gradient) -> list:
        K, d = len(self.weights), len(self.weights[0])
        columns = {}
        for j in range(K):
            for i in range(d):
                w, a = self.neurons[j]
                h = self.step * norm(w)
                ends = []
                for sign in (1, -1):
                    moved = [*w[:i], w[i] + sign * h, *w[i + 1 :]]
                    ends.append(gradient([*self.neurons[:j], (moved, a), *self.neurons[j + 1 :]]))
                columns[j, i] = [
                    [(x - y) / (2 * h) for x, y in zip(*rows, strict=True)] for rows in zip(*ends, strict=True)
                ]
        return [[[[columns[j, i][k][c] for i in range(d)] for j in range(K)] for c in range(d)] for k in range(K)]


def _central_difference(f, w: Vector, relative_step: mp.mpf) -> Vector:
    h = relative_step * norm(w)
    return [
        (f([*w[:i], w[i] + h, *w[i + 1 :]]) - f([*w[:i], w[i] - h, *w[i + 1 :]])) / (2 * h) for i in range(len(w))
    ]


def combine(lam: Sequence[float], by_order: Callable[[int], object]) -> np.ndarray:
    """sum_m lambda_m of a quantity given by order, rounded to float64 at the end."""
    with mp.workdps(DIGITS):
        total = sum(
            (mp.mpf(float(x)) * np.array(by_order(m), dtype=object) for m, x in enumerate(lam) if x), mp.mpf(0)
        )
    return np.array(total, dtype=object).astype(float)
