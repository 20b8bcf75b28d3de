"""Means of independent groups of samples in a stream of batches: standard errors, when to stop, progress.

Memory does not depend on the number of samples: only their moments are kept. Group means are independent, identically
distributed and nearly Gaussian.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh
from jaxtyping import Array, Float, PyTree

from ..runs.checkpoints import add_arrays
from ..runs.progress import bars
from . import stream_checkpoints
from .batches import Batches
from .moments import merge, nothing
from .plan import FEWEST_GROUPS, Plan
from .stream_checkpoints import Checkpoint, State


@jax.tree_util.register_static
class Method(str):
    """A name that is no leaf of a pytree: an estimate remains one of arrays."""


class Estimate(NamedTuple):
    """A Monte-Carlo mean and how far to trust it.

    Attributes:
        mean: structured as the exact function's result: a scalar, an array, or a Network.
        standard_error: of every component of the mean; the same structure.
        covariance: [D, D] of the mean, in the order of `jax.flatten_util.ravel_pytree(mean)`; None unless asked for.
        samples: how many were drawn.
        groups: how many independent group means the standard errors come from, their degrees of freedom plus 1.
        method: how the points of a group were drawn; a str, no leaf of the pytree.
    """

    mean: PyTree
    standard_error: PyTree
    covariance: Float[Array, "D D"] | None
    samples: int
    groups: int
    method: Method = Method("independent")


def estimate(
    average: Callable,
    arguments: PyTree,
    like: PyTree,
    plan: Plan,
    key: jax.Array,
    mesh: Mesh | None = None,
    checkpoint: Checkpoint | None = None,
    known: PyTree = None,
) -> Estimate:
    """The mean of `average(arguments, key, size)` over independent groups.

    Args:
        average: static; the mean over `size` samples drawn from a key, a pytree of arrays structured as `like`.
        mesh: devices, also of several processes, each of which takes the next batch; the host merges them in order.
        checkpoint: where the moments are kept, to go on from after an interruption, or to more samples.
        known: the arguments that tell problems apart, without those that were sampled themselves, which change by
            rounding from mesh to mesh; all of them by default.

    Returns:
        Estimate: of the method "independent", whatever `average` draws.

    Raises:
        TypeError, OverflowError, FloatingPointError: those of `Batches.moments`.
        ValueError, OSError: a checkpoint that is not of this problem, has more samples, or cannot be written.
    """
    flat, unravel = ravel_pytree(like)
    batches = Batches(average, plan, arguments, key)
    state = State(0, nothing(np.zeros(flat.shape), plan.covariance))
    fingerprint = "" if checkpoint is None else _fingerprint(batches, arguments if known is None else known)

    def is_over(state: State) -> bool:
        if state.batches >= plan.batches:
            return True
        if plan.standard_error is None or state.moments.count < FEWEST_GROUPS:
            return False
        return state.moments.largest_error <= plan.standard_error

    state, take = stream_checkpoints.begin(checkpoint, fingerprint, state, is_over, mesh)
    if checkpoint is not None and state.batches > plan.batches:
        wanted, kept = plan.batches * plan.batch, state.batches * plan.batch
        raise ValueError(f"samples: got {wanted} in whole batches; needs at least the {kept} in {checkpoint.path}")
    parts = batches.moments(mesh, state.batches)
    samples = plan.batch
    with bars(plan.progress) as bar, bar("samples", plan.batches * samples, state.batches * samples) as report:
        while not is_over(state):
            state = State(state.batches + 1, merge(state.moments, next(parts)))
            take(state)
            report(state.batches * samples, f"largest standard error {state.moments.largest_error:.1e}")
    moments = state.moments

    def cast(values):
        return None if values is None else jnp.asarray(values, flat.dtype)

    groups = int(moments.count)
    mean, error = unravel(cast(moments.mean)), unravel(cast(moments.standard_error))
    return Estimate(mean, error, cast(moments.covariance), groups * plan.group, groups)


def _fingerprint(batches: Batches, known: PyTree) -> str:
    """Of everything that the moments of a batch depend on but the mesh, which changes no more than their rounding.

    How many batches there are to be is none of it: a run goes on to more.
    """
    portions = batches.plan._replace(batches=0, standard_error=None, progress=False)
    settings = jax.__version__, portions, batches.program()
    digest = hashlib.sha256(repr(settings).encode())
    add_arrays(digest, (known, batches.key))
    return digest.hexdigest()
