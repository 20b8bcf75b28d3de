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
from jaxtyping import Array, Bool, Float, Int

from ..closed_forms.vectors import TWO_PI
from ..geometry.angles import direction, inverse_or_zero, parallel_below, polar
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
    parallel: Bool[Array, "K_star K_star"]


class Motion(NamedTuple):
    """The velocity of all neurons; for neurons on a ray the force across it, and by how much S exceeds its size."""

    velocity: Float[Array, "K n"]
    across: Float[Array, "K n"]
    slack: Float[Array, " K"]


class LineAngles(NamedTuple):
    """Cosines, sines and unit vectors orthogonal to u_k towards the nearer ray of another neuron's line."""

    cos: Float[Array, "K m"]
    sin: Float[Array, "K m"]
    e: Float[Array, "K m n"]


@jax.jit
def weight_loss(lambdas: OrderWeights, output_weights: Float[Array, " K"], teacher: Neurons) -> WeightLoss:
    u = direction(polar(teacher[0]))
    parallel = line_angles(u, u).sin <= parallel_below(u.dtype)
    alive = jnp.any(u != 0, axis=1)
    return WeightLoss(lambdas, output_weights, teacher, parallel & alive[:, None] & alive[None])


@full_products
def line_angles(u: Float[Array, "K n"], others: Float[Array, "m n"]) -> LineAngles:
    """For unit vectors; e, and its sine, are 0 to rounding where two are parallel."""
    cos = u @ others.T
    step = jnp.where(cos < 0, -1.0, 1.0)[..., None].astype(u.dtype) * others[None] - u[:, None]
    across = step - jnp.sum(step * u[:, None], axis=-1, keepdims=True) * u[:, None]
    square = jnp.sum(across**2, axis=-1)
    sin = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)  # its derivative at 0 is 0
    return LineAngles(cos, sin, across * inverse_or_zero(sin, parallel_below(sin.dtype))[..., None])


def loss_value(activation: Activation, f: WeightLoss, w: Float[Array, "K n"]) -> Float[Array, ""]:
    return sums_of(activation).loss(f.lambdas, (w, f.output_weights), f.teacher, None)


@partial(jax.jit, static_argnums=0)  # traced once for all the places of a solver that need it
def population_velocity(activation: Activation, f: WeightLoss, w: Float[Array, "K n"]) -> Float[Array, "K n"]:
    """Minus the population gradient."""
    return -sums_of(activation).gradient(f.lambdas, (w, f.output_weights), f.teacher, None)[0]


@partial(jax.jit, static_argnums=0)
def motion(activation: Activation, f: WeightLoss, w: Float[Array, "K n"], ray: Int[Array, " K"]) -> Motion:
    """Minus the subgradient of least norm of the loss, for neurons on the rays of teacher neurons `ray`, or FREE."""
    norm, u = jnp.linalg.norm(w, axis=1), direction(polar(w))
    force = population_velocity(activation, f, w) - _boundary(f, norm, u, ray)
    along = jnp.sum(force * u, axis=1, keepdims=True) * u
    across = force - along
    on_ray = ray != FREE
    slack = cone_slopes(f, norm, ray)[jnp.arange(ray.size), ray] - jnp.linalg.norm(across, axis=1)
    return Motion(jnp.where(on_ray[:, None], along, force), across, jnp.where(on_ray, slack, jnp.inf))


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
def _boundary(f: WeightLoss, norm, u, ray) -> Float[Array, "K n"]:
    """The boundary term of the loss gradient without the cones of the rays that neurons are on."""
    rows, output = f.teacher
    on_ray = (ray != FREE)[:, None]
    own = f.parallel[ray] & on_ray
    same = f.parallel[ray][:, ray] & on_ray & on_ray.T
    among, between = line_angles(u, u), line_angles(u, direction(polar(rows)))
    # cos e, with e towards the other neuron, is |cos| e with e towards the nearer ray
    students = jnp.where(same, 0.0, (f.output_weights * norm)[None] * jnp.abs(among.cos))
    teachers = jnp.where(own, 0.0, (output * jnp.linalg.norm(rows, axis=1))[None] * jnp.abs(between.cos))
    total = jnp.einsum("km,kmn->kn", students, among.e) - jnp.einsum("km,kmn->kn", teachers, between.e)
    return f.lambdas[1] / TWO_PI * f.output_weights[:, None] * total


# Distances to what ends a smooth piece of the flow: each is positive before it and changes sign there.


def to_a_ray(f: WeightLoss, w, ray) -> Float[Array, " K"]:
    """The least sine between a free neuron and a line that attracts it."""
    attracts = (cone_slopes(f, jnp.linalg.norm(w, axis=1), ray) > 0) & (ray == FREE)[:, None]
    sin = line_angles(direction(polar(w)), direction(polar(f.teacher[0]))).sin
    return jnp.min(jnp.where(attracts, sin, 2.0), axis=1)


def to_an_opposite_student(f: WeightLoss, w) -> Float[Array, ""]:
    """The least sine of two student neurons that attract each other: with output weights of opposite signs."""
    u, a = direction(polar(w)), f.output_weights
    return jnp.min(jnp.where(a[:, None] * a[None] < 0, line_angles(u, u).sin, 2.0))


def release(snap: Float[Array, ""]) -> Float[Array, ""]:
    """How far the slack falls below 0 before a neuron is let go: no force of order `snap` then brings it back."""
    return 10 * snap


class Settled(NamedTuple):
    time: Float[Array, ""]
    w: Float[Array, "K n"]
    ray: Int[Array, " K"]
    unique: Bool[Array, ""]


def settle(activation: Activation, f: WeightLoss, time, w, ray, snap: Float[Array, ""]) -> Settled:
    """At a kink: put neurons within an angle `snap` of an attracting line on it, and let go those it cannot hold.

    What is left of the way to the line is followed as a straight line.
    """
    here = motion(activation, f, w, ray)
    norm, u = jnp.linalg.norm(w, axis=1), direction(polar(w))
    lines = direction(polar(f.teacher[0]))
    attracts = (cone_slopes(f, norm, ray) > 0) & (ray == FREE)[:, None]
    near = line_angles(u, lines)
    sin = jnp.where(attracts, near.sin, 2.0)
    target = jnp.argmin(sin, axis=1)
    index = jnp.arange(ray.size)
    arrives = sin[index, target] <= 1.5 * snap

    closing = jnp.sum(here.velocity * near.e[index, target], axis=1) * inverse_or_zero(norm)
    left = jnp.where(arrives & (closing > 0), sin[index, target] * inverse_or_zero(closing), 0.0)
    step = jnp.max(jnp.where(left < jnp.sqrt(snap), left, 0.0))
    # Neither: a force jumps here, since a neuron crosses a line that repels it. On to the other side.
    crosses = ~jnp.any(arrives) & jnp.all(here.slack > -0.99 * release(snap)) & (time > 0)
    step = jnp.where(crosses, snap, step)
    moved = w + step * here.velocity
    line = lines[target]
    moved = jnp.where(arrives[:, None], jnp.sum(moved * line, axis=1, keepdims=True) * line, moved)

    candidate = jnp.where(arrives, target.astype(ray.dtype), ray)
    there = motion(activation, f, moved, candidate)
    leaves = (candidate != FREE) & (there.slack <= -0.99 * release(snap))
    size = jnp.linalg.norm(there.across, axis=1, keepdims=True)
    away = there.across * inverse_or_zero(size) * jnp.linalg.norm(moved, axis=1, keepdims=True)
    moved = moved + jnp.where(leaves[:, None], 2 * snap * away, 0.0)
    unique = ~jnp.any(leaves & (size[:, 0] <= 64 * jnp.finfo(w.dtype).eps))
    return Settled(time + step, moved, jnp.where(leaves, FREE, candidate), unique)


@jax.jit
def distance_to_teacher(w: Float[Array, "K n"], teacher: Float[Array, "K_star n"]) -> Float[Array, ""]:
    """0 only where student and teacher are the same set; near a permutation P it is |W - P W*|.

    The root of sum_k min_l |w_k - w*_l|^2, or of the same with student and teacher exchanged if larger.
    """
    squares = jnp.sum((w[:, None] - teacher[None]) ** 2, axis=-1)
    return jnp.sqrt(jnp.maximum(squares.min(axis=1).sum(), squares.min(axis=0).sum()))
