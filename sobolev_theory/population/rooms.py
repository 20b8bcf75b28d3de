"""Small problems in arrays of a few sizes, so that those of 5, 6 and 7 neurons are one compiled program.

A zero neuron with output weight 0 adds exactly nothing to a sum over pairs, a column of zeros nothing to a product
of weights. What a function of the larger problem says of the neurons that are there is what it says without the
others; `Room.cut` takes it out. NumPy does both: it compiles nothing.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..model.mixed import Mixed
from ..model.networks import Network, parameters, with_parameters
from . import engine
from .problem import Problem

SIZES = (4, 8, 16)  # of neurons, and of inputs; what is larger keeps its own


class Room(NamedTuple):
    """What is in the arrays of a problem.

    Attributes:
        neurons, inputs: K and d of the student.
        is_filled: whether there are zeros besides.
    """

    neurons: int
    inputs: int
    is_filled: bool

    def cut(self, found: Network) -> Network:
        """Out of a Network of the larger student's structure."""
        if not self.is_filled:
            return found
        shapes = (self.neurons, self.inputs), (self.neurons,), (self.neurons,)
        return with_parameters(found, *(_cut(x, shape) for x, shape in zip(parameters(found), shapes, strict=True)))

    def cut_matrix(self, found: Float[Array, "K d K d"]) -> Float[Array, "k n k n"]:
        """Out of a matrix of the larger student's weights."""
        if not self.is_filled:
            return found
        return _cut(found, 2 * (self.neurons, self.inputs))


def in_a_room(p: Problem) -> tuple[Problem, Room]:
    """The problem with zeros to the next of the sizes, where its numbers are known and N(0, I) is its input."""
    k, d = p.student.weights.shape
    rooms = size_for(k), size_for(p.teacher.neurons), size_for(d)
    if rooms == (k, p.teacher.neurons, d) or 0 in rooms or not _is_plain(p):
        return p, Room(k, d, False)
    student, teacher = _filled(p.student, rooms[0], rooms[2]), _filled(p.teacher, rooms[1], rooms[2])
    return Problem(student, teacher, p.loss, p.inputs, p.orders, p.mesh), Room(k, d, True)


def size_for(count: int) -> int:
    """The next of the sizes, 0 beyond them."""
    return next((size for size in SIZES if count <= size), 0)


def _is_plain(p: Problem) -> bool:
    """Of known numbers on the device that all arrays are on unless told otherwise, and in closed form: quadrature
    takes its time for every pair of neurons."""
    is_mixed = any(isinstance(network.activation, Mixed) for network in (p.student, p.teacher))
    if p.mesh is not None or not p.inputs.is_standard or is_mixed or engine.by_quadrature(p):
        return False
    here = {jax.local_devices()[0]}
    leaves = [leaf for leaf in jax.tree.leaves((p.student, p.teacher)) if isinstance(leaf, jax.Array)]
    return not any(isinstance(leaf, jax.core.Tracer) or leaf.devices() != here for leaf in leaves)


def _filled(network: Network, neurons: int, inputs: int) -> Network:
    shapes = (neurons, inputs), (neurons,), (neurons,)
    return with_parameters(network, *(_fill(x, shape) for x, shape in zip(parameters(network), shapes, strict=True)))


def _fill(x: Array | None, shape: tuple[int, ...]) -> Array | None:
    if x is None:
        return None
    return jnp.asarray(np.pad(x, [(0, size - n) for size, n in zip(shape, x.shape, strict=True)]))


def _cut(x: Array | None, shape: tuple[int, ...]) -> Array | None:
    return None if x is None else jnp.asarray(np.asarray(x)[tuple(map(slice, shape))])
