"""Differences of functions of angles, without subtracting nearly equal numbers.

When a neuron u moves to u', its angle to a third neuron q changes by theta - theta' with
cos(theta) - cos(theta') = (u - u').q. The right side is small and known to full relative accuracy,
so the change of angle is too, by cos A - cos B = -2 sin((A + B)/2) sin((A - B)/2). The same identity
applied twice gives the mixed second difference when both ends of a pair move.

Where a pair is so close that (theta / 2)^2 is below the displacement, plain subtraction of the accurate
small angles loses less, and is used instead.
"""

from math import factorial
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .angles import Angles, inverse_or_zero


class Change(NamedTuple):
    """First differences f(first) - f(second) over pairs of angles."""

    theta: Float[Array, "*pairs"]
    sin: Float[Array, "*pairs"]
    cos: Float[Array, "*pairs"]


class _Arc(NamedTuple):
    """A difference of two angles as half its sine, and the sine and cosine of their mean."""

    half_sine: Float[Array, "*pairs"]
    mean: Float[Array, "*pairs"]
    mean_sine: Float[Array, "*pairs"]


def _arc(first: Angles, second: Angles, d_cos: Float[Array, "*pairs"]) -> _Arc:
    mean = (first.theta + second.theta) / 2
    mean_sine = jnp.sin(jnp.minimum(mean, (first.supplement + second.supplement) / 2))
    half_sine = jnp.clip(-d_cos / 2 * inverse_or_zero(mean_sine), -1.0, 1.0)
    return _Arc(half_sine, mean, mean_sine)


def _subtract(first: Angles, second: Angles) -> Float[Array, "*pairs"]:
    return jnp.where(first.cos > 0, first.theta - second.theta, second.supplement - first.supplement)


def _nearly_parallel(first: Angles, second: Angles, moved: Float[Array, "*pairs"]) -> Bool[Array, "*pairs"]:
    mean = jnp.minimum(first.theta + second.theta, first.supplement + second.supplement) / 2
    return mean * mean <= moved


def change(first: Angles, second: Angles, d_cos: Float[Array, "*pairs"], moved: Float[Array, "*pairs"]) -> Change:
    """first - second, given d_cos = cos(first) - cos(second) and the distance |u - u'| moved."""
    arc = _arc(first, second, d_cos)
    theta = jnp.where(_nearly_parallel(first, second, moved), _subtract(first, second), 2 * jnp.arcsin(arc.half_sine))
    return Change(theta, 2 * jnp.cos(arc.mean) * jnp.sin(theta / 2), d_cos)


class Corners(NamedTuple):
    """Angles of two neurons at (p, q), (p, q'), (p', q) and (p', q'), when p moves to p' and q to q'."""

    pq: Angles
    pq_: Angles
    p_q: Angles
    p_q_: Angles


class CosineSteps(NamedTuple):
    """Scalar products of the displacements dp = p - p' and dq = q - q' with the ends, and with each other."""

    dp_q: Float[Array, "*pairs"]
    dp_q_: Float[Array, "*pairs"]
    p_dq: Float[Array, "*pairs"]
    p__dq: Float[Array, "*pairs"]
    dp_dq: Float[Array, "*pairs"]


class MixedChange(NamedTuple):
    """f(p, q) - f(p, q') - f(p', q) + f(p', q') for f = (pi - theta) cos and for f = J_1."""

    supplement_cos: Float[Array, "*pairs"]
    j1: Float[Array, "*pairs"]


def mixed_change(corners: Corners, steps: CosineSteps, moved: Float[Array, "*pairs"]) -> MixedChange:
    """Both differences from the scalar products; `moved` is the larger of |dp| and |dq|."""
    by_arcs, by_values = _mixed_by_arcs(corners, steps), _mixed_by_values(corners, steps.dp_dq)
    near = _nearly_parallel(corners.pq, corners.p_q_, moved) | _nearly_parallel(corners.pq_, corners.p_q, moved)
    return MixedChange(*(jnp.where(near, b, a) for a, b in zip(by_arcs, by_values, strict=True)))


def _mixed_by_arcs(corners: Corners, steps: CosineSteps) -> MixedChange:
    pq, pq_, p_q, p_q_ = corners
    at_q, at_q_ = _arc(pq, p_q, steps.dp_q), _arc(pq_, p_q_, steps.dp_q_)  # p moves
    at_p, at_p_ = _arc(pq, pq_, steps.p_dq), _arc(p_q, p_q_, steps.p__dq)  # q moves
    x, y = at_q.half_sine, at_q_.half_sine
    # The mean angles of the two moves of p differ by the mean of the two moves of q.
    half_mean_step = (jnp.arcsin(at_p.half_sine) + jnp.arcsin(at_p_.half_sine)) / 2
    centre = (at_q.mean + at_q_.mean) / 2
    d_mean_sine = 2 * jnp.cos(centre) * jnp.sin(half_mean_step)
    d_mean_cos = -2 * jnp.sin(centre) * jnp.sin(half_mean_step)
    dd_half_sine = (-steps.dp_dq / 2 - y * d_mean_sine) * inverse_or_zero(at_q.mean_sine)
    cos_x, cos_y = jnp.sqrt((1 - x) * (1 + x)), jnp.sqrt((1 - y) * (1 + y))
    dd_theta = 2 * jnp.arcsin(
        jnp.clip(dd_half_sine * (cos_y + y * (x + y) * inverse_or_zero(cos_x + cos_y)), -1.0, 1.0)
    )
    dd_sin = 2 * (d_mean_cos * x + jnp.cos(at_q_.mean) * dd_half_sine)
    dd_supplement_cos = (
        p_q_.supplement * steps.dp_dq
        - dd_theta * pq.cos
        - 2 * jnp.arcsin(y) * steps.p_dq
        - 2 * jnp.arcsin(at_p_.half_sine) * steps.dp_q
    )
    return MixedChange(dd_supplement_cos, dd_sin + dd_supplement_cos)


def _mixed_by_values(corners: Corners, d_cos: Float[Array, "*pairs"]) -> MixedChange:
    """For angles near 0 split off pi cos, whose difference is known; near pi nothing needs splitting."""
    acute = corners.pq.cos > 0
    whole = jnp.where(acute, jnp.pi * d_cos, 0.0)

    angles = jnp.stack([jnp.where(acute, c.theta, c.supplement) for c in corners])
    linear = jnp.where(acute, -angles, angles) * jnp.stack([c.cos for c in corners])
    excess = sine_excess(angles)
    by_pairs = [(x[0] - x[1]) - (x[2] - x[3]) for x in (linear, excess)]
    return MixedChange(*(whole + x for x in by_pairs))


def arc_excess(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x - sin(x) = x^3/6 - x^5/120 + ..., to relative accuracy for small x."""
    series = _cubic(x, [-((-1) ** n) / factorial(2 * n + 1) for n in TERMS])
    return jnp.where(jnp.abs(x) < 0.5, series, x - jnp.sin(x))


def sine_excess(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """sin(x) - x cos(x) = x^3/3 - x^5/30 + ..., to relative accuracy for small x >= 0."""
    series = _cubic(x, [-((-1) ** n) * 2 * n / factorial(2 * n + 1) for n in TERMS])
    return jnp.where(x < 0.5, series, jnp.sin(x) - x * jnp.cos(x))


TERMS = range(1, 9)  # of series up to x = 1/2: the next one is below 1e-18 of the first


def _cubic(x: Float[Array, "*shape"], coefficients: list[float]) -> Float[Array, "*shape"]:
    """x^3 (c_1 + c_2 x^2 + ...) by Horner's rule."""
    square = x * x
    value = jnp.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * square + coefficient
    return value * square * x
