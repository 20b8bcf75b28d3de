"""What a flow does at a kink: lines that have met become one, and a cluster that its forces tear apart becomes two.

Two lines merge at a time, and the weakest cut goes first, the one along which the loss falls most steeply; the flow
looks again after each. So symmetric cases, where several are equal, end as one of them does.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..geometry.angles import direction, inverse_or_zero, polar
from ..geometry.line_angles import towards
from . import kinks
from .clusters import led
from .kinks import Motion, WeightLoss

MERGES = 1.5  # of the angle at which an event is taken, which is good to a part of it


def release(snap: Float[Array, ""]) -> Float[Array, ""]:
    """How far the slack falls below 0, in units of force, before neurons are let go: no force of order `snap` then
    brings them back."""
    return 10 * snap


class Arrival(NamedTuple):
    """Neurons moved on by a time `left`, those whose lines have met put on one."""

    w: Float[Array, "K n"]
    ray: Int[Array, " K"]
    left: Float[Array, ""]


class Settled(NamedTuple):
    """Whether neurons were let go, and whether there was one direction to go."""

    w: Float[Array, "K n"]
    ray: Int[Array, " K"]
    parted: Bool[Array, ""]
    unique: Bool[Array, ""]


def met(here: Motion, snap: Float[Array, ""]) -> Bool[Array, ""]:
    return here.sin <= MERGES * snap


def arrived(
    f: WeightLoss,
    here: Motion,
    time,
    w: Float[Array, "K n"],
    ray,
    snap: Float[Array, ""],
    unit: Float[Array, ""],
    second: Float[Array, ""],
) -> Arrival:
    """At a kink: make one line of the two nearest that attract each other, if they are within an angle `snap`.

    What is left of the way is followed as a straight line. Without a teacher among them they meet where the sum of
    |w|^2 times their displacements is kept, as the flow keeps it.

    Args:
        unit, second: of force and of time.
    """
    count, teachers = len(w), len(f.teacher[1])
    moving, on, norm = here.moving, here.moving.on, here.moving.norm
    one, two = here.pair
    joins = on.same[one] | on.same[two]
    group, theirs = joins[:count], joins[count:]
    fixed, first = jnp.any(theirs), jnp.argmax(theirs)
    units = direction(polar(jnp.concatenate([w, f.teacher[0]])))
    rates = jnp.concatenate([moving.side[:, None] * moving.turn, jnp.zeros_like(f.teacher[0])])  # of unit vectors

    cos = jnp.sum(units[one] * units[two])
    e = towards(units[one], units[two], cos)[1]
    closing = jnp.sum((rates[one] - jnp.where(cos < 0, -1.0, 1.0) * rates[two]) * e)
    left = jnp.where(closing > 0, here.sin * inverse_or_zero(closing), 0.0)
    left = jnp.where(left < jnp.sqrt(snap) * second, left, 0.0)
    arrives = met(here, snap)
    # Neither: a force jumps here, since a neuron crosses a line that repels it. On to the other side.
    held = here.weakest.slack > -0.99 * release(snap) * unit
    step = jnp.where(arrives, left, jnp.where(held & (time > 0), snap * second, 0.0))
    moved = w + step * here.velocity

    nearest = jnp.where(jnp.sum(units[:count] * units[one][None], axis=1) < 0, -1.0, 1.0)
    mean = jnp.sum(jnp.where(group, norm * nearest, 0.0)[:, None] * moved, axis=0)
    line = jnp.where(fixed, units[count + first], direction(polar(mean[None]))[0])
    on_line = jnp.sum(moved * line[None], axis=1, keepdims=True) * line[None]
    joined = jnp.where(fixed, jnp.where(group, first.astype(ray.dtype), ray), led(ray, group, norm, teachers))
    return Arrival(jnp.where((arrives & group)[:, None], on_line, moved), jnp.where(arrives, joined, ray), step)


def settled(
    f: WeightLoss, there: Motion, w: Float[Array, "K n"], ray, snap: Float[Array, ""], unit: Float[Array, ""]
) -> Settled:
    """After `arrived`: let go those neurons that the slopes cannot hold."""
    cut, on, norm, teachers = there.weakest, there.moving.on, there.moving.norm, len(f.teacher[1])
    parts = cut.slack <= -0.99 * release(snap) * unit
    rest = jnp.any(on.students & cut.part[:, None], axis=0) & ~cut.part
    moved = w + jnp.where(cut.part, 2 * snap * there.moving.side * norm, 0.0)[:, None] * cut.away[None]
    apart = led(ray, cut.part, norm, teachers)
    apart = jnp.where(jnp.any(rest & ~on.fixed), led(apart, rest, norm, teachers), apart)
    unique = ~parts | (cut.force > kinks.ROUNDING * jnp.finfo(w.dtype).eps * unit)
    return Settled(jnp.where(parts, moved, w), jnp.where(parts, apart, ray), parts, unique)
