"""One-pass SGD of ReLU networks by the law of its Gram matrices: a step costs the same in any number of inputs d.

A sample x enters a step by its products u with all neurons, normal with their Gram matrix C, and by its length: with
u = F z and F F' = C, |x|^2 = |z|^2 + chi^2 with d - m degrees of freedom. For y = lambda_0 D x + lambda_1 grad D, the
gradient of every neuron of the student that is active, and h_j = y . v_j, a step of size e = eta / d is
  C <- C - e (o h' + h o') + e^2 |y|^2 o o',    o_k = 1(u_k > 0) for students and 0 for teachers.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

CHUNK = 1000  # steps whose random numbers are drawn at once
ROUNDING = 1e-13  # of the largest square: what keeps a factor where neurons coincide


def sgd_in_span(
    gram: Float[np.ndarray, "m m"],
    students: int,
    slopes: Float[np.ndarray, " B"],
    rates: Float[np.ndarray, " B"],
    d: int,
    t1: float,
    every: float,
    seed: int = 0,
) -> Iterator[tuple[float, Float[np.ndarray, "B m m"]]]:
    """Times t = steps / d and Gram matrices of B runs, output weights being 1.

    Args:
        gram: at the start, students first.
        slopes: lambda_1 of every run, beside lambda_0 = 1.
        rates: eta of every run.
        d: at least m.
        every: time between two results.
    """
    generator = np.random.default_rng([seed, d])
    runs, m = len(rates), len(gram)
    c = np.repeat(np.asarray(gram, float)[None], runs, axis=0)
    sign = np.where(np.arange(m) < students, 1.0, -1.0)
    small = ROUNDING * np.max(np.diagonal(gram)) * np.eye(m)
    step, each = np.asarray(rates)[:, None, None] / d, max(round(every * d), 1)
    for number in range(round(t1 * d) + 1):
        if number % each == 0:
            yield number / d, c.copy()
        if number % CHUNK == 0:
            normals = generator.standard_normal((CHUNK, runs, m, 1))
            lengths = (normals[..., 0] ** 2).sum(-1) + generator.chisquare(d - m, (CHUNK, runs))
        z, length = normals[number % CHUNK], lengths[number % CHUNK]
        u = (np.linalg.cholesky(c + small) @ z)[:, :, 0]
        s = (u > 0) * sign
        difference, of_slope = (s * u).sum(1), (c @ s[:, :, None])[:, :, 0]
        h = difference[:, None] * u + slopes[:, None] * of_slope
        square = difference**2 * (length + 2 * slopes) + slopes**2 * (s * of_slope).sum(1)
        moved = step * np.maximum(s, 0.0)[:, :, None]
        half = h[:, None, :] - 0.5 * square[:, None, None] * moved.transpose(0, 2, 1)
        change = moved * half
        c -= change + change.transpose(0, 2, 1)
