"""Small problems in arrays of a few sizes, so that those of 5, 6 and 7 neurons are one compiled program.

A zero neuron with output weight 0 adds exactly nothing to a sum over pairs, a column of zeros nothing to a product
of weights. What a function of the larger problem says of the neurons that are there is what it says without the
others, and is taken out. NumPy does both: it compiles nothing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from ..model.mixed import Mixed
from ..model.networks import Network, parameters, with_parameters
from . import engine
from .problem import Problem

SIZES = (1, 2, 3, 4, 8, 16)  # of neurons, and of inputs; the few and the many keep their own


def in_a_room(function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function of a problem, called with the problem filled up with zeros to the next of the sizes.

    It may return a scalar, a Network of the student's structure, or a matrix [K, d, K, d] of its weights.
    """

    @wraps(function)
    def of_problem(p: Problem, *options: Any) -> Any:
        larger = filled(p)
        found = function(larger, *options)
        return found if larger is p else _cut(found, *p.student.weights.shape)

    return of_problem


def filled(p: Problem) -> Problem:
    """With zeros, where the numbers of the problem are known and N(0, I) is its input; else as it is."""
    (k, d), k_star = p.student.weights.shape, p.teacher.neurons
    rooms = size_for(k), size_for(k_star), size_for(d)
    if rooms == (k, k_star, d) or 0 in rooms or not _is_plain(p):
        return p
    student, teacher = _filled(p.student, rooms[0], rooms[2]), _filled(p.teacher, rooms[1], rooms[2])
    return Problem(student, teacher, p.loss, p.inputs, p.orders, p.mesh)


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
    leaves = [leaf for leaf in jax.tree.leaves(p) if isinstance(leaf, jax.Array)]
    return not any(isinstance(leaf, jax.core.Tracer) or leaf.devices() != here for leaf in leaves)


def _filled(network: Network, neurons: int, inputs: int) -> Network:
    def fill(x: Array | None, *shape: int) -> Array | None:
        if x is None:
            return None
        return jax.device_put(np.pad(x, [(0, size - n) for size, n in zip(shape, x.shape, strict=True)]))

    rows, output, biases = parameters(network)
    return with_parameters(network, fill(rows, neurons, inputs), fill(output, neurons), fill(biases, neurons))


def _cut(found: Any, neurons: int, inputs: int) -> Any:
    def cut(x: Array) -> Array:
        sizes = [(), (neurons,), (neurons, inputs), (), 2 * (neurons, inputs)][x.ndim]
        return jax.device_put(np.asarray(x)[tuple(map(slice, sizes))])

    return jax.tree.map(cut, found)
