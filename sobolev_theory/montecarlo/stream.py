"""Means of independent groups of samples in a stream: moments, standard errors, when to stop.

Memory does not depend on the number of samples. A compiled step draws one batch, group by group, and keeps the mean
of the group means and their scatter; batches are merged on the host in 64 bit whatever the dtype of the samples
(Chan, Golub & LeVeque 1983). Group means are independent, identically distributed and nearly Gaussian.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, PyTree

from ..runs.checkpoints import add_arrays
from ..runs.progress import bars
from . import stream_checkpoints
from .stream_checkpoints import Checkpoint, State

# Fewer groups than this say too little about their own spread to stop on it.
FEWEST_GROUPS = 32


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


class Plan(NamedTuple):
    """How many samples are drawn, in which portions, and when to stop."""

    group: int
    groups: int  # in a batch
    batches: int  # at most
    standard_error: float | None
    covariance: bool
    progress: bool

    @property
    def batch(self) -> int:
        return self.group * self.groups

    def is_over(self, state: State) -> bool:
        if state.batches == self.batches:
            return True
        if self.standard_error is None or state.moments.count < FEWEST_GROUPS:
            return False
        return _largest_error(state.moments) <= self.standard_error


class Moments(NamedTuple):
    """Of `count` vectors: mean, root of the sum of squared deviations, sum of their outer products or None.

    The root, summed by hypot, neither overflows nor underflows before the vectors themselves do.
    """

    count: Any
    mean: Any
    spread: Any
    scatter: Any


def merge(a: Moments, b: Moments, xp: ModuleType = np) -> Moments:
    """The moments of two sets together."""
    count = a.count + b.count
    step = b.mean - a.mean
    share = b.count / count
    between = a.count * share
    spread = xp.hypot(xp.hypot(a.spread, b.spread), step * xp.sqrt(between))
    scatter = None if a.scatter is None else a.scatter + b.scatter + xp.outer(step, step) * between
    return Moments(count, a.mean + step * share, spread, scatter)


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
        key: group g is drawn from fold_in(key, g), in whatever batch it falls and on whatever device.
        mesh: devices, also of several processes, each of which takes the next batch; the host merges them in order.
        checkpoint: where the moments are kept, to go on from after an interruption.
        known: the arguments that tell problems apart, without those that were sampled themselves, which change by
            rounding from mesh to mesh; all of them by default.

    Raises:
        OverflowError: a group mean, or its square where a covariance is asked for, exceeds the dtype.
        FloatingPointError: a group mean is NaN. Both name the batch and the key of the group.
        ValueError, OSError: a checkpoint that is not of this problem, or cannot be written.
    """
    flat, unravel = ravel_pytree(like)
    state = State(0, _nothing(np.zeros(flat.shape), plan.covariance))
    fingerprint = "" if checkpoint is None else _fingerprint(average, plan, arguments, key, known)
    state, take = stream_checkpoints.begin(checkpoint, fingerprint, state, plan.is_over, mesh)
    parts = _parts(average, plan, arguments, key, mesh, state.batches)
    with bars(plan.progress) as bar, bar("samples", plan.batches * plan.batch) as report:
        while not plan.is_over(state):
            part = _on_host(next(parts))
            if not _is_finite(part):
                raise _failure(average, plan, arguments, key, state.batches)
            state = State(state.batches + 1, merge(state.moments, part))
            take(state)
            report(state.batches * plan.batch, f"largest standard error {_largest_error(state.moments):.1e}")
    moments = state.moments

    def cast(values):
        return jnp.asarray(values, flat.dtype)

    groups = int(moments.count)
    covariance = None if moments.scatter is None else cast(moments.scatter / (groups * (groups - 1)))
    mean, error = unravel(cast(moments.mean)), unravel(cast(_standard_error(moments)))
    return Estimate(mean, error, covariance, groups * plan.group, groups)


def _fingerprint(average: Callable, plan: Plan, arguments: PyTree, key: jax.Array, known: PyTree) -> str:
    """Of everything that the moments depend on but the mesh, which changes no more than their rounding."""
    program = _batch.lower(average, plan.group, plan.groups, plan.covariance, arguments, key, np.uint32(0))
    settings = jax.__version__, plan._replace(progress=False), program.as_text()
    digest = hashlib.sha256(repr(settings).encode())
    add_arrays(digest, (arguments if known is None else known, key))
    return digest.hexdigest()


def _parts(average, plan: Plan, arguments, key: jax.Array, mesh: Mesh | None, begin: int = 0) -> Iterator[Moments]:
    """The moments of every batch from `begin` on, in order, whatever the number of devices."""
    static = average, plan.group, plan.groups, plan.covariance
    if mesh is None:
        for batch in range(begin, plan.batches):
            yield _batch(*static, arguments, key, np.uint32(batch * plan.groups))
        return
    everywhere = NamedSharding(mesh, PartitionSpec())

    def shared(leaf):
        values = np.asarray(leaf)
        return jax.make_array_from_callback(values.shape, everywhere, lambda index: values[index])

    arguments, words = jax.tree.map(shared, (arguments, jax.random.key_data(key)))
    # Every batch on the device that it would have been on without an interruption.
    for first in range(begin - begin % mesh.size, plan.batches, mesh.size):
        stacked = _batches(*static, mesh, str(jax.random.key_impl(key)), arguments, words, np.uint32(first))
        stacked = jax.tree.map(np.asarray, stacked)
        for device in range(max(0, begin - first), min(mesh.size, plan.batches - first)):
            yield jax.tree.map(lambda x, device=device: x[device], stacked)


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4, 5))
def _batches(average, size, groups, covariance, mesh: Mesh, impl: str, arguments, words, first) -> Moments:
    """Of as many batches as there are devices, along a first axis, on all of them."""

    def on_one_device(arguments, words, first):
        batch = first + jax.lax.axis_index(mesh.axis_names).astype(jnp.uint32)
        key = jax.random.wrap_key_data(words, impl=impl)
        part = _batch(average, size, groups, covariance, arguments, key, batch * jnp.uint32(groups))
        return jax.lax.all_gather(part, mesh.axis_names)

    everywhere = PartitionSpec()
    return jax.shard_map(on_one_device, mesh=mesh, in_specs=everywhere, out_specs=everywhere, check_vma=False)(
        arguments, words, first
    )


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _batch(average, size: int, groups: int, covariance: bool, arguments, key, first) -> Moments:
    group_mean = partial(_group_mean, average, size, arguments, key)

    def step(moments, index):
        mean = group_mean(index)
        one = Moments(1.0, mean, jnp.zeros_like(mean), 0.0)
        return merge(moments, one, jnp), None

    shape = jax.eval_shape(group_mean, first)
    nothing = _nothing(jnp.zeros(shape.shape, shape.dtype), covariance, jnp)
    return jax.lax.scan(step, nothing, first + jnp.arange(groups, dtype=jnp.uint32))[0]


@partial(jax.jit, static_argnums=(0, 1))
def _group_mean(average, size: int, arguments, key, index) -> Float[Array, " D"]:
    return ravel_pytree(average(arguments, jax.random.fold_in(key, index), size))[0]


def _nothing(zeros, covariance: bool, xp: ModuleType = np) -> Moments:
    """Of no vectors."""
    return Moments(xp.zeros((), zeros.dtype), zeros, zeros, xp.outer(zeros, zeros) if covariance else None)


def _on_host(part: Moments) -> Moments:
    return Moments(*(None if field is None else np.asarray(field, np.float64) for field in part))


def _is_finite(part: Moments) -> bool:
    return all(np.all(np.isfinite(field)) for field in part if field is not None)


def _failure(average, plan: Plan, arguments, key: jax.Array, batch: int) -> ArithmeticError:
    """What is wrong with a batch: its groups are drawn again one by one, up to the first that is not finite."""
    first = batch * plan.groups
    for g in range(first, first + plan.groups):
        mean = np.asarray(_group_mean(average, plan.group, arguments, key, np.uint32(g)))
        if not np.all(np.isfinite(mean)):
            break
    else:
        g, mean = -1, np.full(1, np.inf, mean.dtype)
    key_name = getattr(average, "key", "key")
    where = f"fold_in({key_name}, {g})"
    if g < 0:
        where = f"fold_in({key_name}, g), g = {first} ... {first + plan.groups - 1}"
    where = f"it is in batch {batch}, in the {plan.group} samples of jax.random.{where}"
    names = getattr(average, "names", "student, teacher")
    if np.any(np.isnan(mean)):
        return FloatingPointError(
            f"{names}: got NaN for a sample; needs functions without NaN, and "
            f"numbers whose products do not exceed {mean.dtype}; {where}"
        )
    what = "a sample" if g >= 0 else "the square of a mean, for the covariance,"
    return OverflowError(
        f"{names}: got {what} that exceeds {mean.dtype}; needs smaller numbers or a wider dtype; {where}"
    )


def _standard_error(moments: Moments) -> np.ndarray:
    """Of the mean, from the group means; before a second group it is unknown."""
    if moments.count < 2:
        return np.full_like(moments.mean, np.inf)
    return moments.spread / np.sqrt(moments.count * (moments.count - 1))


def _largest_error(moments: Moments) -> float:
    return float(np.max(_standard_error(moments)))
