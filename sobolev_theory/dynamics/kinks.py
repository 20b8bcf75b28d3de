"""Where the gradient flow of an H1 loss has no gradient to follow: neurons that share a line.

The loss has a cone there, s |m_i m_j| theta / (2 pi) for masses m = a |w| of students and -a* |w*| of teachers of
opposite signs, s = lambda_1 times the square of the jump of the activation's derivative, which is 1 for ReLU: if its
slope is larger than the part of all other forces that would take them apart, the element of least norm among the
subgradients keeps them together. Neurons arrive in finite time, and go on as one cluster (`clusters`): on a teacher's
line only their norms move, without a teacher the line turns as well. They come apart when forces exceed the slope
(`meetings`). Both rays of a line attract; masses of one sign weaken each other.
The cone has no height where lines meet: the derivative in output weights is continuous there.

Directions here come from differences of unit vectors, and are formed for all pairs: memory K (K + K*) n.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..closed_forms.vectors import TWO_PI
from ..geometry.angles import direction, parallel_below, polar
from ..geometry.line_angles import LineAngles, line_angles
from ..model.activations import Activation, has_jumps, jump_of_slope
from ..model.losses import Of, OrderWeights, SobolevLoss
from ..model.networks import Neurons
from ..model.precision import full_products
from ..population.beside_kinks import bends, beside_kinks
from ..population.engine import sums_of
from .clusters import Clusters, Weakest, clusters, sides, turns, weakest

ROUNDING = 64  # eps of the unit of force: below it a force has no direction


class WeightLoss(NamedTuple):
    """A loss as a function of the student's weights alone.

    Attributes:
        slope: the s of the module; 0 without kinks.
        parallel: which teacher neurons share a line.
    """

    lambdas: OrderWeights
    output_weights: Float[Array, " K"]
    teacher: Neurons
    slope: Float[Array, ""] | float
    parallel: Bool[Array, "K_star K_star"] | np.ndarray


class Present(NamedTuple):
    """The neurons that there are, among those that fill up arrays: these are 0 and have output weight 0."""

    students: Bool[Array, " K"]
    teachers: Bool[Array, " K_star"]


class Moving(NamedTuple):
    """The velocity of all neurons, and what it comes from.

    Attributes:
        side, turn: of every student's line the ray it is on, and the line's angular velocity.
        excess: of every student the torque that is left after the turn.
    """

    velocity: Float[Array, "K n"]
    side: Float[Array, " K"]
    turn: Float[Array, "K n"]
    norm: Float[Array, " K"]
    excess: Float[Array, "K n"]
    on: Clusters


class Motion(NamedTuple):
    """The velocity of all neurons, and how far kinks are.

    Attributes:
        growth: the velocity of output weights.
        weakest: how far the forces are from taking a cluster apart.
        sin, pair: the least sine between lines that attract each other, 2 for none; of a student and a neuron of
            all, students first.
    """

    moving: Moving
    growth: Float[Array, " K"]
    weakest: Weakest
    sin: Float[Array, ""]
    pair: Int[Array, " 2"]

    @property
    def velocity(self) -> Float[Array, "K n"]:
        return self.moving.velocity


@partial(jax.jit, static_argnums=3)
def weight_loss(
    lambdas: OrderWeights, output_weights: Float[Array, " K"], teacher: Neurons, jump: float = 1.0
) -> WeightLoss:
    u = direction(polar(teacher[0]))
    parallel = line_angles(u, u).sin <= parallel_below(u.dtype)
    alive = jnp.any(u != 0, axis=1)
    return WeightLoss(lambdas, output_weights, teacher, lambdas[1] * jump**2, parallel & alive[:, None] & alive[None])


def posed(
    activation: Activation, kinked: bool, lambdas: OrderWeights, output_weights: Float[Array, " K"], teacher: Neurons
) -> WeightLoss:
    """The same, and without kinks nothing known of lines."""
    if kinked:
        jump = jump_of_slope(activation)
        assert jump is not None
        return weight_loss(lambdas, output_weights, teacher, jump)
    count = len(teacher[1])
    return WeightLoss(lambdas, output_weights, teacher, 0.0, np.zeros((count, count), bool))


def has_kinks(name: str, activation: Activation, loss: SobolevLoss, of: Of) -> bool:
    """Whether there are kinks in the way.

    Raises:
        NotImplementedError: others than those known here.
    """
    kinked = of == "loss" and has_jumps(activation, loss.order)
    if kinked and not known(activation, loss):
        raise NotImplementedError(
            f"student: got activation {activation} for the gradient of a loss of order {loss.order}; {name} knows "
            "the kinks of such a loss for order 1 and activations whose slope jumps at 0 alone, and needs a lower "
            "order, or of='population'"
        )
    return kinked


def known(activation: Activation, loss: SobolevLoss) -> bool:
    """Whether kinks are those of the module, if there are any: one at 0, of a loss of order 1."""
    return not has_jumps(activation, loss.order) or (loss.order == 1 and jump_of_slope(activation) is not None)


def packed(w: Float[Array, "K n"], output_weights: Float[Array, " K"]) -> Float[Array, "K m"]:
    """States (w, a)."""
    return jnp.concatenate([w, output_weights[:, None]], axis=1)


def lines_of(f: WeightLoss, w: Float[Array, "K n"]) -> LineAngles:
    """Of all students to students and teachers."""
    u = direction(polar(jnp.concatenate([w, f.teacher[0]])))
    return line_angles(u[: len(w)], u)


@partial(jax.jit, static_argnums=0)
def population_velocity(activation: Activation, f: WeightLoss, w: Float[Array, "K n"]) -> Neurons:
    """Minus the population gradient."""
    found = sums_of(activation).gradient(f.lambdas, (w, f.output_weights), f.teacher, None)
    return -found[0], -found[1]


def rounded_velocity(
    activation: Activation, f: WeightLoss, w: Float[Array, "K n"], lines: LineAngles | None, in_output: bool
) -> Neurons:
    """The same of weights that are rounded: to a few eps of the neurons' sizes, not of the velocity's."""
    found = sums_of(activation).rounded_gradient(f.lambdas, (w, f.output_weights), f.teacher, lines, in_output)
    return -found[0], -found[1]


def smooth_velocity(activation: Activation, f: WeightLoss, w: Float[Array, "K n"], population: Neurons) -> Neurons:
    """From minus the population gradient minus the loss gradient, but for the cones."""
    if not bends(activation):
        return population
    return population[0] - beside_kinks(activation, f.lambdas, (w, f.output_weights), f.teacher), population[1]


def unit_of_force(
    f: WeightLoss, scale: Float[Array, ""], trains: Float[Array, ""], output_weights: Float[Array, " K"]
) -> Float[Array, ""]:
    """The size of forces between neurons as long as `scale`.

    Args:
        trains: 1 if output weights do, from f's to these: they may all pass through 0, where forces are not.
    """
    largest = jnp.maximum(*(jnp.max(jnp.abs(a)) for a in (f.output_weights, output_weights)))
    both = jnp.maximum(largest, jnp.max(jnp.abs(f.teacher[1])))
    return f.slope * jnp.where(trains > 0, both, largest) * both * scale


def masses(f: WeightLoss, norm: Float[Array, " K"]) -> Float[Array, " N"]:
    """m of students, then of teachers."""
    rows, output = f.teacher
    return jnp.concatenate([f.output_weights * norm, -output * jnp.linalg.norm(rows, axis=1)])


@partial(jax.jit, static_argnums=0)
def motion(activation: Activation, f: WeightLoss, w: Float[Array, "K n"], ray: Int[Array, " K"]) -> Motion:
    """Minus the subgradient of least norm of the loss, for neurons on lines `ray` of others (see `clusters`)."""
    smooth = smooth_velocity(activation, f, w, population_velocity(activation, f, w))
    return along_rays(f, w, ray, smooth, lines_of(f, w))


def along_rays(
    f: WeightLoss, w: Float[Array, "K n"], ray: Int[Array, " K"], smooth: Neurons, lines: LineAngles
) -> Motion:
    """The motion, from the velocity without cones."""
    moving = moved_along(f, w, ray, smooth[0], lines)
    on, count = moving.on, len(w)
    attracts = ~on.same[:count] & (on.total[:count, None] * on.total[None] < 0)
    sin = jnp.where(attracts, lines.sin, 2.0)
    tiny = ROUNDING * float(jnp.finfo(w.dtype).eps)
    return Motion(
        moving,
        smooth[1],
        weakest(f.slope, on, moving.norm, moving.excess, tiny),
        jnp.min(sin),
        jnp.stack(jnp.divmod(jnp.argmin(sin), sin.shape[1])).astype(ray.dtype),
    )


@full_products
def moved_along(f: WeightLoss, w: Float[Array, "K n"], ray: Int[Array, " K"], smooth, lines: LineAngles) -> Moving:
    """The velocity alone, from that without cones."""
    seen = polar(w)
    norm, u = seen.norm, direction(seen)
    on = clusters(f.parallel, ray, masses(f, norm))
    # cos e, with e towards the other neuron, is |cos| e with e towards the nearer ray
    pull = jnp.where(on.same[: len(w)], 0.0, on.mass[None] * jnp.abs(lines.cos))
    boundary = jnp.einsum("km,kmn->kn", pull, lines.e)
    force = smooth - f.slope / TWO_PI * f.output_weights[:, None] * boundary
    along = jnp.sum(force * u, axis=1, keepdims=True) * u
    side = sides(ray, lines.cos)
    arm = (side * norm)[:, None]
    torque = arm * (force - along)
    turn = turns(on, norm, torque)
    alone = ~on.fixed & (jnp.sum(on.students, axis=1) == 1)
    velocity = jnp.where(alone[:, None], force, along + arm * turn)
    return Moving(velocity, side, turn, norm, torque - arm**2 * turn, on)


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
