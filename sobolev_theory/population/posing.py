"""A problem whose quadrature has been found to converge, before anything is computed from it.

An activation without a closed form is integrated numerically; the error is estimated by the same loss and gradient
with three quarters of the nodes, and by whether these nodes can have seen its functions at all.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Float

from ..kernels.quadrature import require_converged
from ..kernels.resolution import unresolved
from ..model.inputs import GaussianInput
from ..model.losses import SobolevLoss
from ..model.networks import Network
from ..model.norms import check_norms
from . import engine
from .general_sums import difference, general_sums
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
    """Of the gradient of student and teacher as one network, relative to that of the student alone.

    It has the values and slopes of all pairs of neurons: all that losses and gradients are sums of.
    """
    everyone = difference(*(engine.fields_of(p, network) for network in (p.student, p.teacher)))
    c = everyone.output_weights
    alone = jnp.where(np.arange(len(c)) < p.student.neurons, c, 0.0)

    sums = general_sums(p.student, p.teacher, p.orders)

    def gradient(x: tuple[Float[Array, " n"], Bool[Array, ""]]) -> Float[Array, " m"]:
        output_weights, coarse = x
        found = sums.of_all(p.lambdas, everyone._replace(output_weights=output_weights), coarse)
        return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(found)])

    coarse = jnp.array([False, True, False])
    fine, rough, size = jax.lax.map(gradient, (jnp.stack([c, c, alone]), coarse))
    error = jnp.max(jnp.abs(fine - rough)) / jnp.max(jnp.abs(size))
    return jnp.maximum(error, _unresolved(p))


def _unresolved(p: Problem) -> Float[Array, ""]:
    """How far quadrature is from seeing the functions of both networks, with two derivatives beyond the loss."""
    sums, errors = general_sums(p.student, p.teacher, p.orders), []
    both = (engine.means_and_norms(p, network) for network in (p.student, p.teacher))
    mean, norm = (jnp.concatenate(sides) for sides in zip(*both, strict=True))
    for sigma, rows in sums.groups:
        own = mean[np.array(rows)], norm[np.array(rows)]
        errors += [unresolved(sigma, m, *own, sigma.nodes) for m in p.orders]
    return jnp.max(jnp.stack(errors))


def _check_norms(p: Problem) -> None:
    """The sums of ReLU go by powers of two, and have no limits."""
    if isinstance(engine.sums(p), ReluSums):
        return
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((p.student, p.teacher, p.inputs))):
        return
    for name, network in (("student", p.student), ("teacher", p.teacher)):
        with jax.ensure_compile_time_eval():  # known numbers stay so in a function that is being compiled
            mean, norm = _known(network) if p.inputs.is_standard else engine.means_and_norms(p, network)
        check_norms(name, network.activation, np.asarray(mean, p.dtype), np.asarray(norm, p.dtype))


def _known(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Means and norms for N(0, I), without a program; in double precision, of norms that it holds."""
    rows = np.asarray(network.weights, np.float64)
    scale = np.max(np.abs(rows), axis=1, initial=np.finfo(np.float64).tiny)
    norm = scale * np.linalg.norm(rows / scale[:, None], axis=1)
    biases = network.biases
    return (np.zeros_like(norm) if biases is None else np.asarray(biases, np.float64)), norm
