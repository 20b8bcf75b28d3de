"""From networks and an input distribution to sums over pairs, and back: linear maps, around one of two kinds of sums.

ReLU networks without biases have sums of their own (`relu_sums`), which keep digits near an optimum. Everything else
goes by `pairwise`. A covariance, a mean and biases enter through the fields that the sums are taken over (`fields`),
linear in the parameters; a gradient goes back through the transposed map.
"""

import itertools
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..geometry.angles import polar
from ..kernels.activation_pairs import Part, by_quadrature
from ..kernels.quadrature import require_converged
from ..kernels.resolution import unresolved
from ..model.activations import Activation, ReLU
from ..model.inputs import GaussianInput
from ..model.losses import OrderWeights, SobolevLoss
from ..model.networks import Network, Parameters
from ..model.norms import check_norms
from . import general_sums
from .pair_sums import Sums
from .preactivations import Fields, fields
from .relu import sums as relu_sums


@dataclass(frozen=True)
class Engine:
    """Static under jit.

    Attributes:
        layout: which neurons have which activation, and the orders of the loss.
        with_means: whether fields have means: from biases, or the mean of the input.
        relu: whether the sums are those of ReLU.
    """

    layout: general_sums.Layout
    with_means: bool
    relu: bool

    def lambdas(self, loss: SobolevLoss) -> OrderWeights:
        lambdas = loss.lambdas[: loss.order + 1]
        return lambdas + (0.0,) * (2 - len(lambdas)) if self.relu else lambdas

    def loss(
        self,
        lambdas: OrderWeights,
        student: Parameters,
        teacher: Parameters,
        inputs: GaussianInput,
        mesh: Mesh | None,
    ) -> Float[Array, ""]:
        ours, theirs = (self._fields(network, inputs) for network in (student, teacher))
        if self.relu:
            return relu_sums.SUMS.loss(lambdas, ours[:2], theirs[:2], mesh)
        return general_sums.loss(self.layout, lambdas, ours, theirs, mesh)

    def gradient(
        self, part: Part, lambdas: OrderWeights, student: Parameters, teacher: Parameters, inputs: GaussianInput, mesh
    ) -> Parameters:
        ours, pull_back = jax.vjp(lambda network: self._fields(network, inputs), student)
        theirs = self._fields(teacher, inputs)
        if self.relu:
            found = ours._replace(**_of_relu(part, lambdas, ours, theirs, mesh))
        else:
            found = general_sums.gradient(self.layout, lambdas, ours, theirs, mesh, part)
        return pull_back(found)[0]

    def _fields(self, network: Parameters, inputs: GaussianInput) -> Fields:
        return fields(network, inputs, max(self.layout.orders), self.with_means)

    def check_norms(self, name: str, activation: Activation, network: Parameters, inputs: GaussianInput) -> None:
        """Where values are known; the sums of ReLU go by powers of two, and have no such limits."""
        mean, norm = self._laws(network, inputs)
        if not self.relu and not isinstance(mean + norm, jax.core.Tracer):
            check_norms(name, activation, np.asarray(mean), np.asarray(norm))

    def _laws(self, network: Parameters, inputs: GaussianInput) -> tuple[Float[Array, " K"], Float[Array, " K"]]:
        """Means and standard deviations of the pre-activations."""
        seen = self._fields(network, inputs)
        norm = polar(seen.whitened).norm
        return (jnp.zeros_like(norm) if seen.means is None else seen.means), norm

    def unresolved(self, groups: tuple[general_sums.Group, ...], network: Parameters, inputs) -> Float[Array, ""]:
        """How far quadrature is from seeing the functions of a network, with two derivatives beyond the loss."""
        mean, norm = self._laws(network, inputs)
        errors = [
            unresolved(sigma, m, mean[np.array(rows)], norm[np.array(rows)], self.layout.nodes(sigma, sigma))
            for sigma, rows in groups
            for m in self.layout.orders
        ]
        return jnp.max(jnp.stack(errors))

    @property
    def by_quadrature(self) -> bool:
        """Whether some pair of neurons has no closed form in some order; derivatives of a closed form have one."""
        everyone = [sigma for sigma, _ in self.layout.student + self.layout.teacher]
        return any(
            by_quadrature(sigma, tau, m, not self.with_means)
            for sigma, tau in itertools.product(everyone, repeat=2)
            for m in self.layout.orders
        )


def sums_of(activation: Activation) -> Sums:
    """How losses and gradients of networks of one activation are summed, without biases and for N(0, I)."""
    return relu_sums.SUMS if isinstance(activation, ReLU) else general_sums.sums(activation)


def _of_relu(part: Part, lambdas: OrderWeights, student: Fields, teacher: Fields, mesh: Mesh | None) -> dict:
    ours, theirs = (student.whitened, student.output_weights), (teacher.whitened, teacher.output_weights)
    if part == "boundary":
        return {"whitened": relu_sums.SUMS.boundary(lambdas, ours, theirs, mesh), "output_weights": 0 * ours[1]}
    gradient = {"population": relu_sums.SUMS.gradient, "loss": relu_sums.SUMS.loss_gradient}[part]
    whitened, output = gradient(lambdas, ours, theirs, mesh)
    return {"whitened": whitened, "output_weights": output}


def engine_of(student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput) -> Engine:
    known_zero = [isinstance(value, float) and value == 0.0 for value in loss.lambdas]
    orders = tuple(m for m, zero in enumerate(known_zero[: loss.order + 1]) if not zero) or (0,)
    layout = general_sums.layout(student.activation, student.neurons, teacher.activation, teacher.neurons, orders)
    with_means = inputs.mean is not None or student.biases is not None or teacher.biases is not None
    one_metric = inputs.is_isotropic or inputs.metric == "mahalanobis" or max(orders) == 0
    all_relu = all(isinstance(sigma, ReLU) for sigma, _ in layout.student + layout.teacher)
    return Engine(layout, with_means, all_relu and one_metric and not with_means)


def checked_quadrature(
    engine: Engine, lambdas: OrderWeights, student: Parameters, teacher: Parameters, inputs: GaussianInput
) -> OrderWeights:
    """The weights of the loss, if quadrature with three quarters of the nodes gives the same loss and gradient.

    Raises:
        RuntimeError: with the estimate of the error; under jit and vmap when the compiled function runs, without it.
    """
    return require_converged(lambdas, _estimated_error(engine, lambdas, student, teacher, inputs), "student")


@partial(jax.jit, static_argnums=0)
def _estimated_error(
    engine: Engine, lambdas: OrderWeights, student, teacher, inputs: GaussianInput
) -> Float[Array, ""]:
    """Of loss and gradient, relative to those of the student without a teacher."""
    coarse = replace(engine, layout=replace(engine.layout, coarse=True))
    alone = jax.tree.map(lambda x: 0 * x, teacher)
    fine, rough, size = (
        _flat(
            (
                one.loss(lambdas, student, to, inputs, None),
                one.gradient("population", lambdas, student, to, inputs, None),
            )
        )
        for one, to in ((engine, teacher), (coarse, teacher), (engine, alone))
    )
    error = jnp.max(jnp.abs(fine - rough)) / jnp.max(jnp.abs(size))
    ours, theirs = ((engine.layout.student, student), (engine.layout.teacher, teacher))
    return jnp.max(jnp.stack([error, engine.unresolved(*ours, inputs), engine.unresolved(*theirs, inputs)]))


def _flat(values) -> Float[Array, " n"]:
    return jnp.concatenate([jnp.ravel(x) for x in jax.tree.leaves(values)])
