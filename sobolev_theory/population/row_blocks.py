"""Sums over pairs of neurons, a block of rows at a time, and divided over several devices.

What a neuron's row of a gradient needs are its angles to all other neurons. So rows are computed in blocks: memory
is block x columns instead of rows x columns, and devices that share out the rows need not talk to each other.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Int

PAIRS = 2**22  # in a block: arrays of 32 MiB in double precision

Rows = slice | Int[Array, " B"]  # an index into the neurons; slice(None) for all, without a copy
EVERY = slice(None)


def all_in_one_block(count: int, columns: int, mesh: Mesh | None) -> bool:
    return mesh is None and count * columns <= PAIRS


def by_rows(
    function: Callable[[Any, Rows], Any], operands: Any, count: int, columns: int, mesh: Mesh | None = None
) -> Any:
    """function(operands, rows) over blocks of rows, its results stacked along their first axis.

    Args:
        function: gives arrays with one entry per row along their first axis, or one per block.
        operands: the arrays it reads, a pytree; differentiable, also in reverse without keeping the blocks.
        count, columns: of the rows, and of the pairs that each row needs.
        mesh: the devices that share out the rows, with axes of type Auto; each holds all operands.

    The last block is filled up by the last row: of more than `count` results per row the first ones count.
    """
    if all_in_one_block(count, columns, mesh):
        return function(operands, EVERY)
    devices = 1 if mesh is None else mesh.size
    share = -(-count // devices)
    blocks = -(-share // max(1, PAIRS // columns))
    size = -(-share // blocks)

    def on_one_device(operands, first):
        one_block = jax.checkpoint(lambda rows: function(operands, rows))
        rows = jnp.minimum(first + jnp.arange(blocks * size), count - 1).reshape(blocks, size)
        stacked = jax.lax.map(one_block, rows)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), stacked)

    if mesh is None:
        return on_one_device(operands, 0)
    return jax.shard_map(
        lambda operands: on_one_device(operands, jax.lax.axis_index(mesh.axis_names) * blocks * size),
        mesh=mesh,
        in_specs=PartitionSpec(),
        out_specs=PartitionSpec(mesh.axis_names),
        check_vma=False,
    )(operands)
