"""Where the gradient flow of an H1 loss has no gradient to follow: neurons in the direction of a teacher neuron.

The loss has a cone there, |w_k| |w*| theta / (2 pi) per unit of output weights and lambda_1. If its slope S is larger
than the part f of all other forces that is orthogonal to w_k, the element of least norm among the subgradients has
no such part at all: the neuron has arrived in finite time and slides along the ray, only its norm moves. It leaves
when |f| exceeds S. Both rays of a line attract, also that of -w*; student neurons on one line weaken each other.

Directions here come from differences of unit vectors, and are formed for all pairs: memory K (K + K*) n.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..closed_forms.vectors import TWO_PI
from ..geometry.angles import direction, inverse_or_zero, parallel_below, polar
from ..geometry.line_angles import LineAngles, line_angles, towards
from ..model.activations import Activation
from ..model.losses import OrderWeights
from ..model.networks import Neurons
from ..model.precision import full_products
from ..population.engine import sums_of

FREE = -1


class WeightLoss(NamedTuple):
    """A loss as a function of the student's weights alone; `parallel` says which teacher neurons share a line."""

    lambdas: OrderWeights
    output_weights: Float[Array, " K"]
    teacher: Neurons
    parallel: Bool[Array, "K_star K_star"] | np.ndarray


class Present(NamedTuple):
    """The neurons that there are, among those that fill up arrays: these are 0 and have output weight 0."""

    students: Bool[Array, " K"]
    teachers: Bool[Array, " K_star"]


class Motion(NamedTuple):
    """The velocity of all neurons, and how far kinks are.

    Attributes:
        across, slack: for neurons on a ray the force across it, and by how much S exceeds its size.
        line, sin: the nearest line that attracts a free neuron, and the sine between them; 2 for none.
        meeting: the least sine of two student neurons that attract each other: with output weights of opposite signs.
    """

    velocity: Float[Array, "K n"]
    across: Float[Array, "K n"]
    slack: Float[Array, " K"]
    line: Int[Array, " K"]
    sin: Float[Array, " K"]
    meeting: Float[Array, ""]


@jax.jit
def weight_loss(lambdas: OrderWeights, output_weights: Float[Array, " K"], teacher: Neurons) -> WeightLoss:
    u = direction(polar(teacher[0]))
    parallel = line_angles(u, u).sin <= parallel_below(u.dtype)
    alive = jnp.any(u != 0, axis=1)
    return WeightLoss(lambdas, output_weights, teacher, parallel & alive[:, None] & alive[None])


def posed(has_kinks: bool, lambdas: OrderWeights, output_weights: Float[Array, " K"], teacher: Neurons) -> WeightLoss:
    """The same, and without kinks nothing known of lines."""
    if has_kinks:
        return weight_loss(lambdas, output_weights, teacher)
    count = len(teacher[1])
    return WeightLoss(lambdas, output_weights, teacher, np.zeros((count, count), bool))


def lines_of(f: WeightLoss, w: Float[Array, "K n"]) -> LineAngles:
    """Of all students to students and teachers."""
    u = direction(polar(jnp.concatenate([w, f.teacher[0]])))
    return line_angles(u[: len(w)], u)


@partial(jax.jit, static_argnums=0)  # traced once for all the places of a solver that need it
def population_velocity(activation: Activation, f: WeightLoss, w: Float[Array, "K n"]) -> Float[Array, "K n"]:
    """Minus the population gradient."""
    return -sums_of(activation).gradient(f.lambdas, (w, f.output_weights), f.teacher, None)[0]


def rounded_velocity(
    activation: Activation, f: WeightLoss, w: Float[Array, "K n"], lines: LineAngles | None
) -> Float[Array, "K n"]:
    """The same of weights that are rounded: to a few eps of the neurons' sizes, not of the velocity's."""
    return -sums_of(activation).rounded_gradient(f.lambdas, (w, f.output_weights), f.teacher, lines)


@partial(jax.jit, static_argnums=0)
def motion(activation: Activation, f: WeightLoss, w: Float[Array, "K n"], ray: Int[Array, " K"]) -> Motion:
    """Minus the subgradient of least norm of the loss, for neurons on the rays of teacher neurons `ray`, or FREE."""
    return along_rays(f, w, ray, population_velocity(activation, f, w), lines_of(f, w))


def along_rays(f: WeightLoss, w: Float[Array, "K n"], ray: Int[Array, " K"], smooth, lines: LineAngles) -> Motion:
    """The motion, from minus the population gradient."""
    seen = polar(w)
    norm, u = seen.norm, direction(seen)
    among, between = lines.columns(slice(0, len(w))), lines.columns(slice(len(w), None))
    force = smooth - _boundary(f, norm, among, between, ray)
    along = jnp.sum(force * u, axis=1, keepdims=True) * u
    across = force - along
    on_ray, slopes, a = ray != FREE, cone_slopes(f, norm, ray), f.output_weights
    slack = slopes[jnp.arange(ray.size), ray] - jnp.linalg.norm(across, axis=1)
    attracts = (slopes > 0) & ~on_ray[:, None]
    sin = jnp.where(attracts, between.sin, 2.0)
    meeting = jnp.min(jnp.where(a[:, None] * a[None] < 0, among.sin, 2.0))
    return Motion(
        jnp.where(on_ray[:, None], along, force),
        across,
        jnp.where(on_ray, slack, jnp.inf),
        jnp.argmin(sin, axis=1).astype(ray.dtype),
        jnp.min(sin, axis=1),
        meeting,
    )


@full_products
def cone_slopes(f: WeightLoss, norm: Float[Array, " K"], ray: Int[Array, " K"]) -> Float[Array, "K K_star"]:
    """S of every student at the line of every teacher, negative where it repels."""
    rows, output = f.teacher
    pull = f.parallel.astype(rows.dtype) @ (output * jnp.linalg.norm(rows, axis=1))
    there = f.parallel[ray].T & (ray != FREE)[None]  # [K*, K]
    masses = jnp.where(there, (f.output_weights * norm)[None], 0.0)
    weaken = masses.sum(axis=1)[None, :] - masses.T
    return f.lambdas[1] * f.output_weights[:, None] * (pull[None] - weaken) / TWO_PI


@full_products
def _boundary(f: WeightLoss, norm, among: LineAngles, between: LineAngles, ray) -> Float[Array, "K n"]:
    """The boundary term of the loss gradient without the cones of the rays that neurons are on."""
    rows, output = f.teacher
    on_ray = (ray != FREE)[:, None]
    own = f.parallel[ray] & on_ray
    same = f.parallel[ray][:, ray] & on_ray & on_ray.T
    # cos e, with e towards the other neuron, is |cos| e with e towards the nearer ray
    students = jnp.where(same, 0.0, (f.output_weights * norm)[None] * jnp.abs(among.cos))
    teachers = jnp.where(own, 0.0, (output * jnp.linalg.norm(rows, axis=1))[None] * jnp.abs(between.cos))
    total = jnp.einsum("km,kmn->kn", students, among.e) - jnp.einsum("km,kmn->kn", teachers, between.e)
    return f.lambdas[1] / TWO_PI * f.output_weights[:, None] * total


def release(snap: Float[Array, ""]) -> Float[Array, ""]:
    """How far the slack falls below 0 before a neuron is let go: no force of order `snap` then brings it back."""
    return 10 * snap


class Arrival(NamedTuple):
    """Neurons moved on by a time `left`, those that are at an attracting line put on it."""

    w: Float[Array, "K n"]
    ray: Int[Array, " K"]
    left: Float[Array, ""]


class Settled(NamedTuple):
    w: Float[Array, "K n"]
    ray: Int[Array, " K"]
    unique: Bool[Array, ""]


def arrived(f: WeightLoss, here: Motion, time, w, ray, snap: Float[Array, ""]) -> Arrival:
    """At a kink: put neurons within an angle `snap` of an attracting line on it.

    What is left of the way to the line is followed as a straight line.
    """
    norm, u = jnp.linalg.norm(w, axis=1), direction(polar(w))
    arrives = here.sin <= 1.5 * snap
    line = direction(polar(f.teacher[0]))[here.line]
    e = towards(u, line, jnp.sum(u * line, axis=1))[1]

    closing = jnp.sum(here.velocity * e, axis=1) * inverse_or_zero(norm)
    left = jnp.where(arrives & (closing > 0), here.sin * inverse_or_zero(closing), 0.0)
    step = jnp.max(jnp.where(left < jnp.sqrt(snap), left, 0.0))
    # Neither: a force jumps here, since a neuron crosses a line that repels it. On to the other side.
    crosses = ~jnp.any(arrives) & jnp.all(here.slack > -0.99 * release(snap)) & (time > 0)
    step = jnp.where(crosses, snap, step)
    moved = w + step * here.velocity
    moved = jnp.where(arrives[:, None], jnp.sum(moved * line, axis=1, keepdims=True) * line, moved)
    return Arrival(moved, jnp.where(arrives, here.line, ray), step)


def settled(there: Motion, w, ray, snap: Float[Array, ""]) -> Settled:
    """After `arrived`: let go those neurons that their lines cannot hold."""
    leaves = (ray != FREE) & (there.slack <= -0.99 * release(snap))
    size = jnp.linalg.norm(there.across, axis=1, keepdims=True)
    away = there.across * inverse_or_zero(size) * jnp.linalg.norm(w, axis=1, keepdims=True)
    moved = w + jnp.where(leaves[:, None], 2 * snap * away, 0.0)
    unique = ~jnp.any(leaves & (size[:, 0] <= 64 * jnp.finfo(w.dtype).eps))
    return Settled(moved, jnp.where(leaves, FREE, ray), unique)


@jax.jit
def distance_to_teacher(
    w: Float[Array, "K n"], teacher: Float[Array, "K_star n"], present: Present | None = None
) -> Float[Array, ""]:
    """0 only where student and teacher are the same set; near a permutation P it is |W - P W*|.

    The root of sum_k min_l |w_k - w*_l|^2, or of the same with student and teacher exchanged if larger.
    """
    squares = jnp.sum((w[:, None] - teacher[None]) ** 2, axis=-1)
    if present is None:
        return jnp.sqrt(jnp.maximum(squares.min(axis=1).sum(), squares.min(axis=0).sum()))
    both = present.students[:, None] & present.teachers[None]
    squares = jnp.where(both, squares, jnp.inf)
    sums = [
        jnp.where(each, squares.min(axis=axis), 0.0).sum()
        for axis, each in ((1, present.students), (0, present.teachers))
    ]
    return jnp.sqrt(jnp.maximum(*sums))
