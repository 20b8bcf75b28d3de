"""From networks and an input distribution to sums over pairs, and back: linear maps around one of two kinds of sums.

ReLU networks without biases have sums of their own (`relu.sums`), which keep digits near an optimum. Everything else
goes by `general_sums`. A covariance, a mean and biases enter through the fields that the sums are taken over
(`preactivations`), linear in the parameters; a gradient goes back through the transposed map.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..geometry.angles import polar
from ..geometry.line_angles import LineAngles
from ..kernels import activation_pairs
from ..kernels.activation_pairs import Part
from ..model.activations import Activation, ReLU
from ..model.losses import OrderWeights
from ..model.networks import Network, Neurons
from ..model.precision import full_products
from .general_sums import GeneralSums, activations, general_sums
from .pair_sums import Sums
from .preactivations import Fields, fields
from .problem import Problem
from .relu.rounded_sums import rounded_gradient
from .relu.sums import ReluSums


@full_products
def loss(p: Problem) -> Float[Array, ""]:
    """The population loss."""
    ours, theirs = (fields_of(p, network) for network in (p.student, p.teacher))
    return sums(p).loss(p.lambdas, ours, theirs, p.mesh)


@full_products
def gradient(p: Problem, part: Part) -> Network:
    """One part of its gradient, of the student's structure."""
    ours, pull_back = jax.vjp(lambda student: fields_of(p, student), p.student)
    found = sums(p).gradient(part, p.lambdas, ours, fields_of(p, p.teacher), p.mesh)
    return pull_back(found)[0]


def fields_of(p: Problem, network: Network) -> Fields:
    """The pre-activations of one of the networks."""
    return fields(network, p.inputs, max(p.orders), p.has_means, p.dtype)


@jax.jit
def means_and_norms(p: Problem, network: Network) -> tuple[Float[Array, " K"], Float[Array, " K"]]:
    """Means and standard deviations of the pre-activations of one of the networks."""
    seen = fields_of(p, network)
    norm = polar(seen.whitened).norm
    return (jnp.zeros_like(norm) if seen.means is None else seen.means), norm


def sums(p: Problem) -> Sums:
    """Those of ReLU where they apply."""
    everyone = {*activations(p.student.activation), *activations(p.teacher.activation)}
    if all(isinstance(sigma, ReLU) for sigma in everyone) and p.has_one_metric and not p.has_means:
        return ReluSums()
    return general_sums(p.student, p.teacher, p.orders)


def by_quadrature(p: Problem) -> bool:
    """Whether some pair of neurons has no closed form in some order; derivatives of a closed form have one."""
    everyone = {*activations(p.student.activation), *activations(p.teacher.activation)}
    return any(
        activation_pairs.by_quadrature(sigma, tau, m, not p.has_means)
        for sigma, tau in itertools.product(everyone, repeat=2)
        for m in p.orders
    )


class IsotropicSums(NamedTuple):
    """Loss and population gradient of networks of one activation without biases, for N(0, I): what flows follow."""

    activation: Activation

    @full_products
    def loss(
        self, lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None = None
    ) -> Float[Array, ""]:
        return self._sums(lambdas, student, teacher).loss(lambdas, Fields(*student), Fields(*teacher), mesh)

    @full_products
    def gradient(
        self, lambdas: OrderWeights, student: Neurons, teacher: Neurons, mesh: Mesh | None = None
    ) -> Neurons:
        both = self._sums(lambdas, student, teacher)
        found = both.gradient("population", lambdas, Fields(*student), Fields(*teacher), mesh)
        return found.whitened, found.output_weights

    def rounded_gradient(
        self, lambdas: OrderWeights, student: Neurons, teacher: Neurons, lines: LineAngles | None, in_output: bool
    ) -> Neurons:
        """The population gradient, to some eps of the neurons' sizes; see `relu.rounded_sums`."""
        if isinstance(self.activation, ReLU):
            return rounded_gradient((*lambdas, 0.0)[:2], student, teacher, lines, in_output)
        return self.gradient(lambdas, student, teacher)

    def _sums(self, lambdas: OrderWeights, student: Neurons, teacher: Neurons) -> Sums:
        if isinstance(self.activation, ReLU):
            return ReluSums()
        neurons = tuple(range(len(student[1]) + len(teacher[1])))
        return GeneralSums(((self.activation, neurons),), tuple(range(len(lambdas))))


def sums_of(activation: Activation) -> IsotropicSums:
    return IsotropicSums(activation)
