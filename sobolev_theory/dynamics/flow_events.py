"""What ends a smooth piece of a gradient flow: sizes that fall to 1, of neurons on the way to kinks or to nothing."""

from enum import Enum
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..geometry.angles import direction, polar
from .clusters import FREE
from .kinks import Motion, Present, WeightLoss, distance_to_teacher
from .trained import distance_of_neurons

NAMES = ("near", "short", "vanished", "distance", "line")
ENDS = ("distance", "vanished")  # of a flow, the others only of a piece
NEAR = 1e-2  # of the teacher's norm: from here on the error is measured against the distance from it
SHORT = 0.25  # of its distance from its teacher neuron: a shorter neuron's error is measured against its norm
VANISHED = 1e-10  # of the teacher's norm: a shorter neuron has no direction to rely on


class Outcome(Enum):
    """How a flow, or SGD in order parameters, ended."""

    TIME = "reached t1"
    DISTANCE = "reached until_distance"
    VANISHED = "a neuron vanished: its direction is undefined"
    NOT_UNIQUE = "the flow has several continuations from a kink"
    KINKS = "more than max_kinks kinks"
    STEPS = "the solver needed more than max_steps steps"
    FAILED = "the solver failed"
    DIVERGED = "the neurons grew beyond all bounds: the learning rate is too large"


class Tolerances(NamedTuple):
    """until_distance is negative for none."""

    rtol: Float[Array, ""]
    atol: Float[Array, ""]
    until_distance: Float[Array, ""]

    @property
    def snap(self) -> Float[Array, ""]:
        """The angle at which a kink is taken as reached: some local errors, so that no step gets across it."""
        return jnp.clip(32 * self.rtol, 1e-10, 1e-3)


class Course(NamedTuple):
    """What a flow follows.

    Attributes:
        scale: the size of weights, which atol is in units of.
        entries: how many entries of states are those of students that there are, and train.
        present: the neurons that there are; the others fill up the arrays.
        trains: 1 if output weights train too, else 0; None where there are no kinks, and they do not.
        root: 1/p for neurons that may be rescaled, which `trained` explains; else 0, or None.
    """

    loss: WeightLoss
    scale: Float[Array, ""]
    entries: Float[Array, ""]
    present: Present
    trains: Float[Array, ""] | None
    root: Float[Array, ""] | None

    def of(self, output_weights: Float[Array, " K"]) -> "Course":
        return self._replace(loss=self.loss._replace(output_weights=output_weights))

    def distance(self, w: Float[Array, "K n"]) -> Float[Array, ""]:
        """From the teacher."""
        if self.trains is None:
            return distance_to_teacher(w, self.loss.teacher[0], self.present)
        ours = w, self.loss.output_weights
        return distance_of_neurons(self.root, self.trains, ours, self.loss.teacher, self.present)


class Piece(NamedTuple):
    """What lengths are measured by, from where a smooth piece begins.

    Attributes:
        side: of a neuron on the line of another: the sign of its component along it.
        vanished: the length at which a neuron is gone.
    """

    side: Float[Array, " K"]
    vanished: Float[Array, " K"]


def piece(course: Course, w: Float[Array, "K n"], ray: Int[Array, " K"]) -> Piece:
    side = jnp.sign(jnp.sum(w * _lines(course, w, ray), axis=1))
    length = _length(course, side, ray, w)
    # A neuron that starts as short as that has a direction still.
    return Piece(side, VANISHED * jnp.where(length > VANISHED * course.scale, course.scale, length))


def centre(course: Course, w: Float[Array, "K n"], ray: Int[Array, " K"]) -> Float[Array, "K n"]:
    """The nearest teacher neurons, or 0 where that is nearer, and on lines of students.

    The state of a piece is W - centre, so that errors relative to it are errors relative to the distance from the
    teacher, and those of a short neuron's direction are no larger. If output weights train too it is 0.
    """
    teacher = course.loss.teacher[0]
    centres = jnp.concatenate([teacher, jnp.zeros_like(teacher[:1])])
    squares = jnp.sum((w[:, None] - centres[None]) ** 2, axis=-1)
    there = jnp.append(course.present.teachers, True)
    nearest = centres[jnp.argmin(jnp.where(there[None], squares, jnp.inf), axis=1)]
    led = (ray >= len(teacher))[:, None]
    return jnp.where(led if course.trains is None else led | (course.trains > 0), 0.0, nearest)


def _lines(course: Course, w: Float[Array, "K n"], ray: Int[Array, " K"]) -> Float[Array, "K n"]:
    return direction(polar(jnp.concatenate([course.loss.teacher[0], w])))[ray]


def _length(course: Course, side, ray, w) -> Float[Array, " K"]:
    """On a line a neuron meets 0 in general, and would step across it: what falls there has a sign."""
    return jnp.where(ray == FREE, jnp.linalg.norm(w, axis=1), side * jnp.sum(w * _lines(course, w, ray), axis=1))


def sizes(
    course: Course,
    to: Tolerances,
    p: Piece,
    near,
    here: Float[Array, "K n"],
    w: Float[Array, "K n"],
    ray,
    found: Motion,
) -> Float[Array, " E"]:
    """Quantities over the size at which they end a piece, less 1: events are where they fall to 0. See NAMES.

    Args:
        near: whether the flow has been near the teacher.
        here: the centre of the piece.
        found: the motion at w.
    """
    scale, present = course.scale, course.present
    distance, length = course.distance(w), _length(course, p.side, ray, w)
    wanted = to.until_distance > 0
    shrinks = present.students & jnp.any(here != 0, axis=1)
    found_sizes = [
        jnp.where(near, jnp.inf, distance / (NEAR * scale)),
        jnp.min(jnp.where(shrinks, length / (SHORT * jnp.linalg.norm(w - here, axis=1)), jnp.inf)),
        jnp.min(jnp.where(present.students, length / p.vanished, jnp.inf)),
        jnp.where(wanted, distance / jnp.where(wanted, to.until_distance, 1.0), jnp.inf),
        found.sin / to.snap,
    ]
    return jnp.stack(found_sizes) - 1
