"""A problem whose quadrature has been found to converge, before anything is computed from it.

An activation without a closed form is integrated numerically; the error is estimated by the same loss and gradient
with three quarters of the nodes, and by whether these nodes can have seen its functions at all.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..kernels.quadrature import require_converged
from ..kernels.resolution import unresolved
from ..model.inputs import GaussianInput
from ..model.losses import SobolevLoss
from ..model.networks import Network
from ..model.norms import check_norms
from . import engine
from .general_sums import general_sums
from .problem import Problem, problem
from .relu.sums import ReluSums


def posed(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, mesh: Mesh | None = None
) -> Problem:
    """The problem, checked.

    Raises:
        ValueError: neurons too large or too small for the precision, where their values are known.
        RuntimeError: with the estimate of the error; under jit and vmap when the compiled function runs, without it.
    """
    p = problem(student, teacher, loss, inputs, mesh)
    _check_norms(p)
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
    return jnp.maximum(jnp.max(jnp.abs(fine - rough)) / jnp.max(jnp.abs(size)), _unresolved(p))


def _unresolved(p: Problem) -> Float[Array, ""]:
    """How far quadrature is from seeing the functions of both networks, with two derivatives beyond the loss."""
    sums, errors = general_sums(p.student, p.teacher, p.orders), []
    for groups, network in ((sums.student, p.student), (sums.teacher, p.teacher)):
        mean, norm = engine.means_and_norms(p, network)
        for sigma, rows in groups:
            own = mean[np.array(rows)], norm[np.array(rows)]
            errors += [unresolved(sigma, m, *own, sums.nodes(sigma, sigma)) for m in p.orders]
    return jnp.max(jnp.stack(errors))


def _check_norms(p: Problem) -> None:
    """The sums of ReLU go by powers of two, and have no limits."""
    if isinstance(engine.sums(p), ReluSums):
        return
    for name, network in (("student", p.student), ("teacher", p.teacher)):
        mean, norm = engine.means_and_norms(p, network)
        if not isinstance(mean + norm, jax.core.Tracer):
            check_norms(name, network.activation, np.asarray(mean), np.asarray(norm))


def _values(p: Problem, coarse: bool = False) -> Float[Array, " n"]:
    found = engine.loss(p, coarse), engine.gradient(p, "population", coarse)
    return jnp.concatenate([jnp.ravel(x).astype(p.dtype) for x in jax.tree.leaves(found)])
