"""Steps of the Runge-Kutta-Chebyshev method of second order, for flows that are stiff beside a kink.

Explicit, and stable for real negative eigenvalues down to -0.65 s^2 / step with s velocities: those of a gradient
flow are real. Two lines at an angle theta turn about each other at a rate of 1 / theta, however slowly they part.
The formulas are those of Sommeijer, Shampine and Verwer, J. Comput. Appl. Math. 88 (1998) 315.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import inverse_or_zero

DAMPING = 2 / 13
MOST = 300  # velocities of a step
PROBES = 4  # of the power method, which goes on from the last step's vector
SAFETY = 1.25


class Step(NamedTuple):
    """The end, an estimate of its error, `k` the velocities at both ends times the step; the stiffest direction."""

    end: Float[Array, "K n"]
    error: Float[Array, "K n"]
    k: Float[Array, "2 K n"]
    direction: Float[Array, "K n"]


def stabilised(velocity, y: Float[Array, "K n"], h: Float[Array, ""], direction: Float[Array, "K n"]) -> Step:
    """One step from y; `direction` is that of the step before, 0 for none."""
    f0 = velocity(y)
    rate, stiffest = _stiffness(velocity, y, f0, direction)
    wanted = 1 + jnp.ceil(jnp.sqrt(1 + 1.54 * h * SAFETY * rate))
    s = jnp.clip(wanted, 2, MOST)
    end = _stages(velocity, y, f0, h, s)
    f1 = velocity(end)
    error = 0.8 * (y - end) + 0.4 * h * (f0 + f1)
    return Step(end, jnp.where(wanted > MOST, jnp.inf, error), h * jnp.stack([f0, f1]), stiffest)


def _stiffness(velocity, y, f0, direction):
    """The largest eigenvalue, by differences far shorter than the angles of kinks, and its vector."""
    size = 1e3 * jnp.finfo(y.dtype).eps ** 0.75 * jnp.linalg.norm(y)
    anything = jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape)
    start = jnp.where(jnp.any(direction != 0), direction, f0 + 1e-3 * jnp.linalg.norm(f0) * anything)

    def probe(_, found):
        _, v = found
        step = size * v * inverse_or_zero(jnp.linalg.norm(v))
        change = velocity(y + step) - f0
        return jnp.linalg.norm(change) / size, change

    rate, vector = jax.lax.fori_loop(0, PROBES, probe, (jnp.zeros((), y.dtype), start))
    return rate, vector * inverse_or_zero(jnp.linalg.norm(vector))


def _stages(velocity, y, f0, h, s):
    """By the recurrences of Chebyshev's polynomials T, their derivatives D and E, at w0."""
    w0 = 1 + DAMPING / s**2

    def grown(t):
        (t2, d2, e2), (t1, d1, e1) = t
        return (t1, d1, e1), (2 * w0 * t1 - t2, 2 * t1 + 2 * w0 * d1 - d2, 4 * d1 + 2 * w0 * e1 - e2)

    one, zero = jnp.ones_like(s), jnp.zeros_like(s)
    second = grown(((one, zero, zero), (w0, one, zero)))

    def at_s(state):
        return jax.lax.while_loop(lambda x: x[0] < s, lambda x: (x[0] + 1, grown(x[1])), state)[1][1]

    _, d_s, e_s = at_s((2 * one, second))
    w1 = d_s / e_s
    b2 = second[1][2] / second[1][1] ** 2
    first = y + b2 * w1 * h * f0

    def stage(state):
        j, t, (b_before, b), a, before, now = state
        (_, d, e) = t[1]
        b_next = e / d**2
        mu, nu, tilde = 2 * b_next * w0 / b, -b_next / b_before, 2 * b_next * w1 / b
        after = (1 - mu - nu) * y + mu * now + nu * before + tilde * h * (velocity(now) - a * f0)
        return j + 1, grown(t), (b, b_next), 1 - b_next * t[1][0], now, after

    begin = (2 * one, second, (b2, b2), 1 - b2 * w0, y, first)
    return jax.lax.while_loop(lambda state: state[0] <= s, stage, begin)[-1]


def hermite(y0, y1, k, fraction):
    """Between the ends of a step."""
    t = fraction
    rise = y1 - y0
    return y0 + t * rise + t * (t - 1) * ((1 - 2 * t) * rise + (t - 1) * k[0] + t * k[1])
