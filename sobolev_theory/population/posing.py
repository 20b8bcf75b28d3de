"""A problem whose quadrature has been found to converge, before anything is computed from it.

An activation without a closed form is integrated numerically; the error is estimated by the same loss and gradient
with three quarters of the nodes.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..kernels.quadrature import require_converged
from ..model.inputs import GaussianInput
from ..model.losses import SobolevLoss
from ..model.networks import Network
from . import engine
from .problem import Problem, problem


def posed(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, mesh: Mesh | None = None
) -> Problem:
    """The problem, checked.

    Raises:
        RuntimeError: with the estimate of the error; under jit and vmap when the compiled function runs, without it.
    """
    p = problem(student, teacher, loss, inputs, mesh)
    if not engine.by_quadrature(p):
        return p
    checked = require_converged(p.loss, _estimated_error(p), "student")
    return eqx.tree_at(lambda p: p.loss, p, checked)


@jax.jit
def _estimated_error(p: Problem) -> Float[Array, ""]:
    """Of loss and gradient, relative to those of the student without a teacher."""
    fine = _values(p)
    rough = _values(p, coarse=True)
    size = _values(eqx.tree_at(lambda p: p.teacher, p, jax.tree.map(jnp.zeros_like, p.teacher)))
    return jnp.max(jnp.abs(fine - rough)) / jnp.max(jnp.abs(size))


def _values(p: Problem, coarse: bool = False) -> Float[Array, " n"]:
    found = engine.loss(p, coarse), engine.gradient(p, "population", coarse)
    return jnp.concatenate([jnp.ravel(x).astype(p.dtype) for x in jax.tree.leaves(found)])
