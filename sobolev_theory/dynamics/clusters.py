"""Neurons that share a line: how such a cluster turns as one, and by which cut it comes apart.

With masses m = a |w| of students and -a* |w*| of teachers, the H1 loss near a common line is, to first order in the
neurons' displacements n_i from it,

    h(n) = -sum_i F_i . n_i - s / (2 pi) sum_(i < j) m_i m_j |n_i - n_j|,     F_i = +-|w_i| f_i,

f_i all other forces across the line, s as in `kinks`. Neurons whose masses have opposite signs attract each other,
also by opposite rays of the line; others repel. The metric of the flow is sum |w_i|^2 |dn_i|^2: rigidly, a cluster
without a teacher turns at the rate sum F / sum |w|^2, one with a teacher not at all. Subtract that from the F_i. A
part S then leaves the rest in one direction if |F_S| exceeds the capacity -s m_S (m - m_S) / (2 pi) of the cut, m the
mass of all; the loss falls by (|F_S| - capacity) / sqrt(I) per length, I the reduced moment of inertia. If one neuron
has one sign and all others the other, the cluster holds as soon as no cut of a single one of these others leaves: by
the triangle inequality. Looked at are all cuts of up to five neurons; of more, those of one, two, all but one and all
students.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..closed_forms.vectors import TWO_PI
from ..geometry.angles import inverse_or_zero
from ..model.precision import full_products

FREE = -1


class Clusters(NamedTuple):
    """Who shares a line, of all students and then all teachers.

    Attributes:
        same: whether two do.
        mass: m of every neuron, and `total` of all on its line.
        fixed: whether a student's line is a teacher's.
    """

    same: Bool[Array, "N N"]
    mass: Float[Array, " N"]
    total: Float[Array, " N"]
    fixed: Bool[Array, " K"]

    @property
    def students(self) -> Bool[Array, "K K"]:
        count = self.fixed.size
        return self.same[:count, :count]


class Weakest(NamedTuple):
    """The cut by which a cluster comes apart, or would next.

    Attributes:
        slack: minus the slope at which the loss falls, in units of a force; infinite where no neurons share a line.
        part: the students on one side of it; `away` is the unit vector in which they go, and `force` the slope that
            F alone would give.
    """

    slack: Float[Array, ""]
    part: Bool[Array, " K"]
    away: Float[Array, " n"]
    force: Float[Array, ""]


@full_products
def clusters(parallel, ray: Int[Array, " K"], mass: Float[Array, " N"]) -> Clusters:
    """From `ray`: of a student the teacher l or, as K* + k, the student k whose line it is on, FREE for its own."""
    students, teachers = ray.size, len(parallel)
    own = jnp.arange(students, dtype=ray.dtype)
    first = jnp.where(jnp.any(parallel, axis=1), jnp.argmax(parallel, axis=1), jnp.arange(teachers))
    first = first.astype(ray.dtype)
    theirs = students + first[jnp.clip(ray, 0, teachers - 1)]
    mine = jnp.where(ray == FREE, own, jnp.where(ray < teachers, theirs, ray - teachers))
    label = jnp.concatenate([mine, students + first])
    same = label[:, None] == label[None]
    return Clusters(same, mass, same.astype(mass.dtype) @ mass, mine >= students)


def sides(ray: Int[Array, " K"], cos: Float[Array, "K N"]) -> Float[Array, " K"]:
    """Which ray of its line a student is on: 1 for that of the neuron whose line it is."""
    students = ray.size
    teachers = cos.shape[1] - students
    other = jnp.where(ray < teachers, students + ray, ray - teachers)
    seen = jnp.take_along_axis(cos, jnp.where(ray == FREE, 0, other)[:, None], axis=1)[:, 0]
    return jnp.where((ray != FREE) & (seen < 0), -1.0, 1.0).astype(cos.dtype)


@full_products
def turns(on: Clusters, norm: Float[Array, " K"], torque: Float[Array, "K n"]) -> Float[Array, "K n"]:
    """The angular velocity of every student's line."""
    together = on.students.astype(norm.dtype)
    rate = together @ torque * inverse_or_zero(together @ norm**2)[:, None]
    return jnp.where(on.fixed[:, None], 0.0, rate)


@full_products
def weakest(
    slope: Float[Array, ""] | float, on: Clusters, norm: Float[Array, " K"], excess: Float[Array, "K n"], tiny: float
) -> Weakest:
    """Of all cuts that of the steepest way down.

    Args:
        slope: the s of the module.
        excess: the F that are left after the rigid turn.
    """
    count = norm.size
    one, two = np.triu_indices(count)
    itself = np.eye(count, dtype=bool)
    together = on.students
    parts = jnp.concatenate([itself[one] | itself[two], together & ~itself, together])
    anchor = np.concatenate([one, np.arange(count), np.arange(count)])
    rest = together[anchor] & ~parts
    fixed = on.fixed[anchor]
    whole = jnp.concatenate([together[one, two], np.ones(2 * count, bool)])
    real = whole & jnp.any(parts, axis=1) & (fixed | jnp.any(rest, axis=1))
    inside, outside = (x.astype(norm.dtype) @ norm**2 for x in (parts, rest))
    reduced = jnp.where(fixed, inside, inside * outside * inverse_or_zero(inside + outside))
    per_length = inverse_or_zero(jnp.sqrt(reduced))
    mass = parts.astype(norm.dtype) @ on.mass[:count]
    capacity = -slope * mass * (on.total[anchor] - mass) / TWO_PI
    force = parts.astype(norm.dtype) @ excess
    size = jnp.linalg.norm(force, axis=1)
    slack = jnp.where(real & (reduced > 0), (capacity - size) * per_length, jnp.inf)
    least = jnp.argmin(slack)
    away = force[least] * inverse_or_zero(size[least], tiny)
    return Weakest(slack[least], parts[least], away, (size * per_length)[least])


def led(ray: Int[Array, " K"], group: Bool[Array, " K"], norm: Float[Array, " K"], teachers: int) -> Int[Array, " K"]:
    """With a group on a line of its own, that of its longest neuron."""
    leader = jnp.argmax(jnp.where(group, norm, -1.0)).astype(ray.dtype)
    others = group & (jnp.arange(ray.size, dtype=ray.dtype) != leader)
    return jnp.where(others, teachers + leader, jnp.where(group, FREE, ray))


# Coordinates of a piece, in which lines stay shared exactly: a neuron on the line of student L is rho times a
# constant vector c, its w_L where the piece began, and its weights are rho w_L. It begins with its weights.


def _leaders(ray: Int[Array, " K"], teachers: int) -> Int[Array, " K"]:
    return jnp.where(ray >= teachers, ray - teachers, 0)


def frame(w: Float[Array, "K n"], ray: Int[Array, " K"], teachers: int) -> Float[Array, "K n"]:
    """The vectors c, 0 for all other neurons."""
    return jnp.where((ray >= teachers)[:, None], w[_leaders(ray, teachers)], 0.0)


def unfolded(c: Float[Array, "K n"], y: Float[Array, "K n"], ray: Int[Array, " K"], teachers: int):
    """The weights."""
    square = jnp.sum(c * c, axis=1)
    rho = jnp.sum(y * c, axis=1) * inverse_or_zero(square)
    return jnp.where((square > 0)[:, None], rho[:, None] * y[_leaders(ray, teachers)], y)


def folded(c: Float[Array, "K n"], w: Float[Array, "K n"], velocity, ray: Int[Array, " K"], teachers: int):
    """The velocity of y, from that of the weights: rho' = (w' - rho w_L') . w_L / |w_L|^2."""
    leader = _leaders(ray, teachers)
    base, drift = w[leader], velocity[leader]
    inverse = inverse_or_zero(jnp.sum(base * base, axis=1))
    rho = jnp.sum(w * base, axis=1) * inverse
    rate = jnp.sum((velocity - rho[:, None] * drift) * base, axis=1) * inverse
    return jnp.where(jnp.any(c != 0, axis=1)[:, None], rate[:, None] * c, velocity)
