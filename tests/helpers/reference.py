"""High-precision references, from the definitions and independent of the library.

Only the two kernels are written in closed form (their values are held against quadrature by test_arc_cosine):
  kappa_0 = E[(w.x)_+ (v.x)_+],   kappa_1 = (w.v) P(w.x > 0, v.x > 0).
Every derivative is a central difference at so many digits that its error is below 1e-40 of the result.
At a kink a central difference is the mean of the two one-sided values, as the library documents.

Formulas take numbers of mpmath, or the balls of Arb, which are ten times as fast: a problem is all in balls.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import mpmath as mp
import numpy as np
from flint import arb

from verification.balls import precision

Number = mp.mpf | arb
Vector = list
Rows = list

DIGITS = 60  # what is left after the difference, before its truncation error


def exact(array, number=lambda x: mp.mpf(float(x))) -> list:
    """The very numbers of a float array, as mpmath numbers in nested lists."""
    return [exact(x, number) if np.ndim(x) else number(x) for x in np.asarray(array)]


def balls(array) -> list:
    """The same, as balls."""
    return exact(array, lambda x: arb(float(x)))


def with_digits(digits: int):
    """Balls of so many digits."""
    return precision(math.ceil(digits * math.log2(10)))


def root(x: Number) -> Number:
    return x.nonnegative_part().sqrt() if isinstance(x, arb) else mp.sqrt(x)


def sine(x: Number) -> Number:
    return x.sin() if isinstance(x, arb) else mp.sin(x)


def cosine(x: Number) -> Number:
    return x.cos() if isinstance(x, arb) else mp.cos(x)


def pi(like: Number) -> Number:
    return arb.pi() if isinstance(like, arb) else +mp.pi


def total(terms) -> Number:
    return sum(terms, start=0)


def dot(a: Vector, b: Vector) -> Number:
    return total(x * y for x, y in zip(a, b, strict=True))


def norm(a: Vector) -> Number:
    return root(dot(a, a))


def angle(a: Vector, b: Vector) -> Number:
    """Kahan's formula; a zero vector is taken as orthogonal to all."""
    ra, rb = norm(a), norm(b)
    if ra == 0 or rb == 0:
        return pi(ra) / 2
    x, y = [rb * s for s in a], [ra * t for t in b]
    apart = norm([s - t for s, t in zip(x, y, strict=True)])
    along = norm([s + t for s, t in zip(x, y, strict=True)])
    return 2 * (arb.atan2(apart, along) if isinstance(apart, arb) else mp.atan2(apart, along))


def half_space_kernel(n: int, w: Vector, v: Vector) -> Number:
    """E[(w.x)_+^n (v.x)_+^n] for n = 0 and 1: Sheppard's orthant probability and the arc-cosine kernel."""
    theta = angle(w, v)
    beyond = pi(theta) - theta
    if n == 0:
        return beyond / (2 * pi(theta))
    return norm(w) * norm(v) * (sine(theta) + beyond * cosine(theta)) / (2 * pi(theta))


def half_space_quadrature(n: int, w: Vector, v: Vector) -> Number:
    """The same expectation as an integral in polar coordinates of the plane of w and v."""
    theta = angle(w, v)
    # x = s (cos phi, sin phi), w along phi = 0: both factors are positive for phi in (theta - pi/2, pi/2).
    turning = mp.quad(lambda phi: (mp.cos(phi) * mp.cos(phi - theta)) ** n, [theta - mp.pi / 2, mp.pi / 2])
    radial = mp.quad(lambda s: s ** (2 * n + 1) * mp.exp(-s * s / 2), [0, 1, 4, 10, 20])
    return (norm(w) * norm(v)) ** n * turning * radial / (2 * mp.pi)


def kernel(order: int, w: Vector, v: Vector) -> Number:
    """kappa_m = (w.v)^m E[sigma^(m)(w.x) sigma^(m)(v.x)] for ReLU."""
    return half_space_kernel(1, w, v) if order == 0 else dot(w, v) * half_space_kernel(0, w, v)


Pair = Callable[[Vector, Vector], Number]


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
    def neurons(self) -> list[tuple[Vector, Number]]:
        student = zip(balls(self.weights), balls(self.output_weights), strict=True)
        teacher = zip(balls(self.teacher_weights), balls(self.teacher_output_weights), strict=True)
        return [*student, *((v, -b) for v, b in teacher)]

    @cached_property
    def smallest_sine(self) -> float:
        """Of all pairs: no difference may step over their kink."""
        return self.smallest_sine_among(self.neurons)

    def smallest_sine_among(self, neurons) -> float:
        """Of the pairs of these neurons that are not exactly parallel; 1 if there is none."""
        with with_digits(400):
            vectors = [v for v, _ in neurons if norm(v) != 0]
            sines = [sine(angle(v, u)) for i, v in enumerate(vectors) for u in vectors[:i]]
            return min([float(s) for s in sines if s > arb(10) ** -300], default=1.0)

    @property
    def student(self) -> list[tuple[Vector, Number]]:
        return self.neurons[: len(self.weights)]

    @property
    def teacher(self) -> list[tuple[Vector, Number]]:
        return self.neurons[len(self.weights) :]

    @property
    def step(self) -> Number:
        """Relative step of a first difference; its truncation error is (step / sin theta)^2."""
        return arb(10) ** -25 * self.smallest_sine

    def digits(self, nested: int = 1) -> int:
        return DIGITS + nested * (25 - math.floor(math.log10(self.smallest_sine)))

    def loss(self, order: int) -> Number:
        with with_digits(self.digits()):
            pairs = ((c * b * kernel(order, v, u)) for v, c in self.neurons for u, b in self.neurons)
            return total(pairs) / 2

    def output_gradient(self, order: int) -> Vector:
        """The loss is quadratic in the output weights: dL/da_k = sum_j c_j kappa(w_k, v_j)."""
        with with_digits(self.digits()):
            return [total(c * kernel(order, w, v) for v, c in self.neurons) for w, _ in self.student]

    def loss_gradient(self, order: int) -> Rows:
        """The gradient of the loss [K, d]."""
        with with_digits(self.digits()):
            return self._gradient(lambda w, v: kernel(order, w, v), self.neurons)

    def population_gradient(self, order: int) -> Rows:
        """The expectation of the per-sample gradient [K, d], in which an indicator 1[w.x > 0] has no derivative."""
        with with_digits(self.digits()):
            return self._sampled_gradient(order, self.neurons)

    def boundary_term(self, order: int) -> Rows:
        with with_digits(self.digits()):
            whole, sampled = self.loss_gradient(order), self.population_gradient(order)
            return [[x - y for x, y in zip(*rows, strict=True)] for rows in zip(whole, sampled, strict=True)]

    def loss_hessian(self, order: int) -> list:
        """[K, d, K, d], gradient entry first."""
        with with_digits(self.digits(nested=2)):
            return self._jacobian(lambda neurons: self._gradient(lambda w, v: kernel(order, w, v), neurons))

    def population_jacobian(self, order: int) -> list:
        """[K, d, K, d], gradient entry first."""
        with with_digits(self.digits(nested=2)):
            return self._jacobian(lambda neurons: self._sampled_gradient(order, neurons))

    @cached_property
    def _largest_mass(self) -> Number:
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
                return a * (total(c * pair(x, v) for v, c in others) + itself * pair(x, x))

            rows.append(_central_difference(terms, w, self.step) if norm(w) != 0 else [arb(0)] * len(w))
        return rows

    def _jacobian(self, gradient) -> list:
        K, d = len(self.weights), len(self.weights[0])
        columns = {}
        for j in range(K):
            for i in range(d):
                w, a = self.neurons[j]
                h = (self.step * norm(w)).mid()
                ends = []
                for sign in (1, -1):
                    moved = [*w[:i], w[i] + sign * h, *w[i + 1 :]]
                    ends.append(gradient([*self.neurons[:j], (moved, a), *self.neurons[j + 1 :]]))
                columns[j, i] = [
                    [(x - y) / (2 * h) for x, y in zip(*rows, strict=True)] for rows in zip(*ends, strict=True)
                ]
        return [[[[columns[j, i][k][c] for i in range(d)] for j in range(K)] for c in range(d)] for k in range(K)]


def _central_difference(f, w: Vector, relative_step: arb) -> Vector:
    h = (relative_step * norm(w)).mid()  # exact: else its error would count twice
    return [
        (f([*w[:i], w[i] + h, *w[i + 1 :]]) - f([*w[:i], w[i] - h, *w[i + 1 :]])) / (2 * h) for i in range(len(w))
    ]


def combine(lam: Sequence[float], by_order: Callable[[int], object]) -> np.ndarray:
    """sum_m lambda_m of a quantity given by order, rounded to float64 at the end."""
    with mp.workdps(DIGITS), with_digits(DIGITS):
        terms = [np.array(by_order(m), dtype=object) * float(x) for m, x in enumerate(lam) if x]
        return np.array(total(terms), dtype=object).astype(float)
