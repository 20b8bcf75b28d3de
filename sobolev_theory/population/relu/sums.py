"""Population loss and gradients of ReLU networks: the sums of `arc_cosine`, or of `matched_sums` near an optimum.

All of them block by block of student neurons (`rows`). Derivatives are those of the plain sums; the loss's
derivative is its gradient with the boundary term.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ...geometry.angles import angles_between
from ...geometry.fixed_tangents import instantiated, is_fixed, jvp_along_moving
from ...model.losses import OrderWeights
from ...model.networks import Neurons
from ..pair_sums import Sums
from ..row_blocks import EVERY, Rows, all_in_one_block, by_rows
from . import matched_sums, plain_sums
from .matched_sums import Dipoles, Moves, dipoles, moves
from .matching import Free, Nearest, match, nearest
from .plain_sums import Geometry, Layers, geometry, half_energy, layers, mass_unit


class Part(NamedTuple):
    """One part of a gradient, as the plain sum and as the matched one."""

    plain: Callable[[OrderWeights, Geometry], plain_sums.Pull]
    matched: Callable[[OrderWeights, Dipoles], matched_sums.MatchedPull]


ALMOST_EVERYWHERE = Part(plain_sums.plain_gradient, matched_sums.matched_gradient)
JUMPS = Part(plain_sums.plain_boundary, matched_sums.matched_boundary)
Parts = tuple[Part, ...]


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def loss(lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Float[Array, ""]:
    """1/2 sum rho_i rho_j K(theta_ij) over student and teacher neurons."""
    both = layers(student, teacher)
    unit = mass_unit(both)

    def with_teacher(rows: Float[Array, " B"], masses: Float[Array, " K_star"]) -> Float[Array, ""]:
        operands, count = (lambdas, both.teacher, masses), masses.shape[0]
        rest = by_rows(lambda x, rows: half_energy(x[0], x[1], x[2], rows), operands, count, count, mesh)[:count]
        return (jnp.sum(rows) + jnp.sum(rest)) * unit * unit

    def plain(blocks):
        rows = blocks.over((lambdas, unit), lambda x, g: plain_sums.plain_loss(x[0], g, x[1]))
        return with_teacher(rows, both.rho_star / unit)

    def matched(blocks, moved):
        rows = blocks.over(
            (lambdas, unit, moved), lambda x, g: matched_sums.matched_loss(x[0], dipoles(g, x[2]), x[1])
        )
        return with_teacher(rows, moved.excess / unit)

    return _either(both, mesh, plain, matched)


@partial(loss.defjvp, symbolic_zeros=True)
def _loss_jvp(mesh, primals, tangents):
    lambdas, student, teacher = primals
    d_weights, d_student, d_teacher = tangents
    value = loss(lambdas, student, teacher, mesh)
    slope = jnp.zeros_like(value)
    if not is_fixed(d_weights):  # the loss is linear in its weights
        slope += loss(instantiated(d_weights), student, teacher, mesh)
    for neurons, others, d_neurons in ((student, teacher, d_student), (teacher, student, d_teacher)):
        if not is_fixed(d_neurons):
            parts = zip(loss_gradient(lambdas, neurons, others, mesh), instantiated(d_neurons), strict=True)
            slope += sum(jnp.vdot(by, step) for by, step in parts)
    return value, slope


@partial(jax.custom_jvp, nondiff_argnums=(0, 4))
def _gradient(parts: Parts, lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Neurons:
    """The sum of the parts, for the weights; dL/da for the output weights, if it is among them."""
    both = layers(student, teacher)

    def matched(blocks, moved):
        return blocks.over((lambdas, moved), lambda x, g: _matched_rows(parts, x[0], dipoles(g, x[1])))

    return _either(both, mesh, partial(_plain_by_rows, parts, lambdas), matched)


@partial(_gradient.defjvp, symbolic_zeros=True)
def _gradient_jvp(parts, mesh, primals, tangents):
    def plain(lambdas, student, teacher):
        return _plain_by_rows(parts, lambdas, _blocks(layers(student, teacher), mesh))

    return _gradient(parts, *primals, mesh), jvp_along_moving(plain, primals, tangents)[2]


def gradient(lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Neurons:
    """The almost-everywhere part of the gradient, for weights and output weights."""
    return _gradient((ALMOST_EVERYWHERE,), lambdas, student, teacher, mesh)


def boundary(lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Float[Array, "K d"]:
    """What the jumps of the highest derivative on the hyperplanes w_k.x = 0 add to the gradient."""
    return _gradient((JUMPS,), lambdas, student, teacher, mesh)[0]


def loss_gradient(lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None) -> Neurons:
    """Both, in one pass over the angles."""
    return _gradient((ALMOST_EVERYWHERE, JUMPS), lambdas, student, teacher, mesh)


SUMS = Sums(loss, gradient, boundary, loss_gradient)


@dataclass(frozen=True)
class Blocks:
    """The students block by block; `whole` is the geometry if there is only one, taken once for all passes."""

    both: Layers
    mesh: Mesh | None
    whole: Geometry | None

    def over(self, operands: Any, function: Callable[[Any, Geometry], Any]) -> Any:
        """function(operands, geometry of a block), stacked: one entry per student."""
        if self.whole is not None:
            return function(operands, self.whole)

        def block(x, rows):
            return function(x[0], geometry(x[1], rows))

        return jax.tree.map(lambda x: x[: self.students], self._by_rows(block, operands))

    def nearest(self, free: Free) -> Nearest:
        if self.whole is not None:
            return nearest(free, self.both.rho, self.both.rho_star, self.whole.between, EVERY)

        def block(x, rows):
            free, both = x
            angles = angles_between(both.student.take(rows), both.teacher)
            return nearest(free, both.rho, both.rho_star, angles, rows)

        return self._by_rows(block, free)

    @property
    def students(self) -> int:
        return self.both.student.norm.shape[0]

    def _by_rows(self, block: Callable[[Any, Rows], Any], operands: Any) -> Any:
        return by_rows(block, (operands, self.both), self.students, _pairs_per_student(self.both), self.mesh)


def _blocks(both: Layers, mesh: Mesh | None) -> Blocks:
    whole = all_in_one_block(both.student.norm.shape[0], _pairs_per_student(both), mesh)
    return Blocks(both, mesh, geometry(both) if whole else None)


def _pairs_per_student(both: Layers) -> int:
    return both.student.norm.shape[0] + both.teacher.norm.shape[0]


def _either(
    both: Layers, mesh: Mesh | None, plain: Callable[[Blocks], Any], matched: Callable[[Blocks, Moves], Any]
) -> Any:
    """The matched sum if any student is close to a teacher."""
    blocks = _blocks(both, mesh)
    matching = match(both.student.norm.shape[0], both.teacher.norm.shape[0], blocks.nearest)
    return jax.lax.cond(
        jnp.any(matching.matched),
        lambda: matched(blocks, moves(both, matching)),
        lambda: plain(blocks),
    )


def _plain_by_rows(parts: Parts, lambdas: OrderWeights, blocks: Blocks) -> Neurons:
    return blocks.over(lambdas, partial(_plain_rows, parts))


def _plain_rows(parts: Parts, lambdas: OrderWeights, g: Geometry) -> Neurons:
    rows = plain_sums.plain_rows(g, _added([part.plain(lambdas, g) for part in parts]))
    return rows, _if_smooth(parts, lambda: plain_sums.plain_potential(lambdas, g), rows)


def _matched_rows(parts: Parts, lambdas: OrderWeights, p: Dipoles) -> Neurons:
    rows = matched_sums.matched_rows(p, _added([part.matched(lambdas, p) for part in parts]))
    return rows, _if_smooth(parts, lambda: matched_sums.matched_potential(lambdas, p), rows)


def _added(pulls):
    """Before the matrix products, so that two parts cost no more of them than one."""
    return jax.tree.map(lambda *terms: sum(terms), *pulls)


def _if_smooth(parts: Parts, potential: Callable[[], Float[Array, " B"]], rows: Float[Array, "B d"]):
    return potential() if ALMOST_EVERYWHERE in parts else jnp.zeros_like(rows[:, 0])
