"""Students and teachers with the angles between them: formed once for all sums, or anew for every block of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int

from ...geometry.angles import Angles, angles_between, polar
from ...model import networks
from ..row_blocks import Rows, all_in_one_block, by_rows
from .plain_sums import Neurons

Indices = slice | Int[Array, " B"]  # into all neurons, students first


@partial(jax.tree_util.register_dataclass, data_fields=["everyone", "kept"], meta_fields=["students"])
@dataclass(frozen=True)
class Geometry:
    """All neurons and their angles.

    Attributes:
        everyone: students, then teachers with minus their output weights.
        kept: the angles of the first neurons to all, if they fit in one block.
        students: how many there are.
    """

    everyone: Neurons
    kept: Angles | None
    students: int

    @property
    def neurons(self) -> int:
        return self.everyone.output_weights.shape[0]

    @property
    def rho(self) -> Float[Array, " K"]:
        return self.everyone.rho[: self.students]

    @property
    def rho_star(self) -> Float[Array, " K_star"]:
        return -self.everyone.rho[self.students :]

    def of_students(self, rows: Rows) -> Indices:
        return slice(0, self.students) if isinstance(rows, slice) else rows

    def of_teachers(self, rows: Rows) -> Indices:
        return slice(self.students, None) if isinstance(rows, slice) else self.students + rows

    def angles(self, indices: Indices) -> Angles:
        """From some neurons to all."""
        if self.kept is not None:
            return self.kept.take(indices)
        each = jnp.arange(self.neurons)
        block = self.everyone.polar.take(indices)
        return angles_between(block, self.everyone.polar, each[indices][:, None] == each[None, :])


def geometry(student: networks.Neurons, teacher: networks.Neurons, mesh: Mesh | None, of_teachers: bool) -> Geometry:
    """Of two networks; keeps the angles between teachers, too, if a sum needs them."""
    rows = jnp.concatenate([student[0], teacher[0]])
    everyone = Neurons(polar(rows), jnp.concatenate([student[1], -teacher[1]]))
    g = Geometry(everyone, None, len(student[1]))
    first = g.neurons if of_teachers else g.students
    if all_in_one_block(first, g.neurons, mesh):
        g = Geometry(everyone, g.angles(slice(0, first)), g.students)
    return g


def by_students(function: Callable[[Any, Geometry, Rows], Any], operands: Any, g: Geometry, mesh: Mesh | None) -> Any:
    """function(operands, geometry, rows), with one entry per student along the first axes of what it returns."""

    def of_block(x, rows: Rows) -> Any:
        return function(x[0], x[1], rows)

    found = by_rows(of_block, (operands, g), g.students, g.neurons, mesh)
    return jax.tree.map(lambda x: x[: g.students], found)
