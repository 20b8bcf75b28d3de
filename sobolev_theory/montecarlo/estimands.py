"""What the estimators of `montecarlo` average: means of a group's samples, with a control variate or without."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..geometry import span
from ..model.networks import Network
from ..population import gradients, jacobians
from . import integrands
from .control_variates import Control
from .normal_points import NormalPoints


class Arguments(NamedTuple):
    """What a group mean depends on; traced under jit."""

    problem: integrands.SampledProblem
    basis: span.Basis | None
    points: NormalPoints
    control: Control | None = None


@dataclass(frozen=True)
class Estimand:
    """A group mean, how it leaves the span, and what it asks for; static under jit."""

    mean: Callable[[integrands.SampledProblem, integrands.Samples], Any]
    lift: Callable[..., Any]
    like: Callable[[Network], Any]
    exact: Callable[..., Any]
    hyperplanes: bool = False
    complement: bool = False

    def __call__(self, arguments: Arguments, key: jax.Array, size: int):
        if arguments.control is None:
            samples = integrands.draw(arguments.problem, key, size, arguments.points)
            return self.lifted(arguments, arguments.problem, samples)
        return arguments.control.applied(*WithControl(self)(arguments, key, size))

    def lifted(self, arguments: Arguments, problem: integrands.SampledProblem, samples: integrands.Samples):
        value = self.mean(problem, samples)
        return value if arguments.basis is None else self.lift(value, arguments.basis)


@dataclass(frozen=True)
class WithControl:
    """A group mean and that of its control, at the same samples."""

    estimand: Estimand

    def __call__(self, arguments: Arguments, key: jax.Array, size: int):
        problem, control = arguments.problem, arguments.control
        assert control is not None
        samples = integrands.draw(problem, key, size, arguments.points)
        other = problem._replace(lambdas=control.lambdas)
        return tuple(self.estimand.lifted(arguments, each, samples) for each in (problem, other))


def _blocks(student: Network) -> jax.Array:
    return jnp.zeros(student.weights.shape * 2, student.weights.dtype)


LOSS = Estimand(integrands.loss, span.lift_scalar, lambda student: student.weights[0, 0], gradients.population_loss)
POPULATION_GRADIENT = Estimand(
    integrands.population_gradient, span.lift_network, lambda student: student, gradients.population_gradient
)
LOSS_GRADIENT = Estimand(
    integrands.loss_gradient, span.lift_network, lambda student: student, gradients.loss_gradient, hyperplanes=True
)
BOUNDARY_TERM = Estimand(
    integrands.boundary_term,
    span.lift_rows,
    lambda student: student.weights,
    gradients.boundary_term,
    hyperplanes=True,
)
POPULATION_JACOBIAN = Estimand(
    integrands.population_jacobian,
    span.lift_blocks,
    _blocks,
    jacobians.population_jacobian,
    hyperplanes=True,
    complement=True,
)
