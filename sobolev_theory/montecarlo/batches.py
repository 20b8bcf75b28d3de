"""The compiled steps of a stream: the moments of one batch after another, on one device or on all of a mesh.

A step draws its batch group by group, so that its memory is that of one group. Group g is drawn from fold_in(key, g),
in whatever batch it falls and on whatever device.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, PyTree

from ..model.precision import full_products
from .moments import Moments, merge, nothing, on_host
from .plan import Plan


class Batches(NamedTuple):
    """What is drawn: the mean `average(arguments, key, size)` over a group, static, and all that it depends on."""

    average: Callable
    plan: Plan
    arguments: PyTree
    key: jax.Array

    def program(self) -> str:
        """The text of a step, with all constants."""
        return _batch.lower(*self._static, self.arguments, self.key, np.uint32(0)).as_text()

    def moments(self, mesh: Mesh | None, begin: int) -> Iterator[Moments]:
        """Of every batch from `begin` on, in order, whatever the number of devices.

        Raises:
            OverflowError: a group mean, or its square where a covariance is asked for, exceeds the dtype.
            FloatingPointError: a group mean is NaN. Both name the batch and the key of the group.
            TypeError: the mean is traced, of a function that knows traced numbers.
        """
        for batch, part in enumerate(self._parts(mesh, begin), begin):
            if isinstance(part.mean, jax.core.Tracer):
                raise TypeError(f"{self._names}: got traced values; needs numbers: {OUTSIDE}")
            part = on_host(part)
            if not part.is_finite:
                raise self._failure(batch)
            yield part

    @property
    def _static(self):
        return self.average, self.plan.group, self.plan.groups, self.plan.covariance

    @property
    def _names(self) -> str:
        return getattr(self.average, "names", "student, teacher")

    def _parts(self, mesh: Mesh | None, begin: int) -> Iterator[Moments]:
        plan, key = self.plan, self.key
        if mesh is None:
            for batch in range(begin, plan.batches):
                yield _batch(*self._static, self.arguments, key, np.uint32(batch * plan.groups))
            return
        everywhere = NamedSharding(mesh, PartitionSpec())

        def shared(leaf):
            values = np.asarray(leaf)
            return jax.make_array_from_callback(values.shape, everywhere, lambda index: values[index])

        arguments, words = jax.tree.map(shared, (self.arguments, jax.random.key_data(key)))
        # Every batch on the device that it would have been on without an interruption.
        for first in range(begin - begin % mesh.size, plan.batches, mesh.size):
            impl = str(jax.random.key_impl(key))
            stacked = _batches(*self._static, mesh, impl, arguments, words, np.uint32(first))
            stacked = jax.tree.map(np.asarray, stacked)
            for device in range(max(0, begin - first), min(mesh.size, plan.batches - first)):
                yield jax.tree.map(lambda x, device=device: x[device], stacked)

    def _failure(self, batch: int) -> ArithmeticError:
        """What is wrong with a batch: its groups are drawn again one by one, up to the first that is not finite."""
        first = batch * self.plan.groups
        for g in range(first, first + self.plan.groups):
            mean = np.asarray(_group_mean(self.average, self.plan.group, self.arguments, self.key, np.uint32(g)))
            if not np.all(np.isfinite(mean)):
                break
        else:
            g, mean = -1, np.full(1, np.inf, mean.dtype)
        key = getattr(self.average, "key", "key")
        where = f"fold_in({key}, {g})"
        if g < 0:
            where = f"fold_in({key}, g), g = {first} ... {first + self.plan.groups - 1}"
        where = f"it is in batch {batch}, in the {self.plan.group} samples of jax.random.{where}"
        if np.any(np.isnan(mean)):
            return FloatingPointError(
                f"{self._names}: got NaN for a sample; needs functions without NaN, and "
                f"numbers whose products do not exceed {mean.dtype}; {where}"
            )
        what = "a sample" if g >= 0 else "the square of a mean, for the covariance,"
        return OverflowError(
            f"{self._names}: got {what} that exceeds {mean.dtype}; needs smaller numbers or a wider dtype; {where}"
        )


OUTSIDE = "Monte Carlo runs outside jit, vmap and grad"


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
        one = Moments(jnp.ones((), mean.dtype), mean, jnp.zeros_like(mean), 0.0)
        return merge(moments, one, jnp), None

    shape = jax.eval_shape(group_mean, first)
    start = nothing(jnp.zeros(shape.shape, shape.dtype), covariance, jnp)
    return jax.lax.scan(step, start, first + jnp.arange(groups, dtype=jnp.uint32))[0]


@partial(jax.jit, static_argnums=(0, 1))
@full_products
def _group_mean(average, size: int, arguments, key, index) -> Float[Array, " D"]:
    return ravel_pytree(average(arguments, jax.random.fold_in(key, index), size))[0]
