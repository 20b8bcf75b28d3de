"""Forward derivatives that do no work for what does not move.

A rule of `jax.custom_jvp` is by default handed zeros for the arguments that are held fixed, and multiplies with
them. In a Hessian-vector product the teacher is held fixed: half of the matrix products.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero


def is_fixed(tangents: Any) -> bool:
    """Whether all of a pytree of tangents are symbolic zeros."""
    return all(isinstance(t, SymbolicZero) for t in jax.tree.leaves(tangents))


def instantiated(tangents: Any) -> Any:
    """With arrays in the place of symbolic zeros."""
    return jax.tree.map(lambda t: jnp.zeros(t.shape, t.dtype) if isinstance(t, SymbolicZero) else t, tangents)


def jvp_along_moving(function: Callable[..., Any], primals: tuple, tangents: tuple) -> tuple[bool, Any, Any]:
    """Whether any argument moves, the value of function(*primals), and its derivative along those that do."""
    leaves, structure = jax.tree.flatten(primals)
    steps = jax.tree.leaves(tangents)  # a symbolic zero is a leaf
    moving = [k for k, step in enumerate(steps) if not isinstance(step, SymbolicZero)]

    def of_moving(moved):
        changed = dict(zip(moving, moved, strict=True))
        return function(*jax.tree.unflatten(structure, [changed.get(k, x) for k, x in enumerate(leaves)]))

    value, derivative = jax.jvp(of_moving, ([leaves[k] for k in moving],), ([steps[k] for k in moving],))
    return bool(moving), value, derivative
