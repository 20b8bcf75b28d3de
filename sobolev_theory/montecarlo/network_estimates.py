"""What a call of an estimator runs: its problem, in the span or not, with a control or without, in a stream."""

import jax
import jax.numpy as jnp
import numpy as np

from ..geometry import span
from ..geometry.span import reduction
from ..model.arguments import common_dtype
from ..model.inputs import GaussianInput, LowRank, check_dimension
from ..model.losses import SobolevLoss, check_order
from ..model.networks import Network, check_same_inputs
from ..runs import first_process
from . import control_variates, estimands, integrands
from .batches import OUTSIDE
from .control_variates import Control
from .normal_points import at_least_single
from .options import Options, checked_key, checkpoint_of, mesh_of, sampling_of
from .plan import plan_of
from .stream import Estimate, Method, estimate


def estimate_of(
    estimand: estimands.Estimand,
    student: Network,
    teacher: Network,
    loss: SobolevLoss,
    inputs: GaussianInput,
    key: jax.Array,
    options: Options,
) -> Estimate:
    """The estimate, checked before the first sample.

    Raises:
        TypeError, ValueError, OSError, OverflowError, FloatingPointError: those of the package.
    """
    problem = _problem(student, teacher, loss, inputs)
    if estimand.hyperplanes:
        _check_hyperplanes(problem)
    key, sampling, mesh = checked_key(key), sampling_of(options), mesh_of(options)
    checkpoint = checkpoint_of(options)
    like = estimand.like(problem.student)
    control = _control(estimand, problem, options)
    problem, basis = _in_the_span(estimand, problem) if sampling == "span" else (problem, None)
    plan, points = plan_of(options, problem.inputs.whitened_dimension(problem.student.dimension))
    arguments = estimands.Arguments(problem, basis, points, control)
    if checkpoint is not None:
        first_process.joined(mesh, "checkpoint")  # refuses some meshes, before the pilot
    known: tuple = (arguments,)
    if control is not None:
        known = arguments, np.int64(control_variates.pilot_groups(plan))  # on which the slope depends
        slope = control_variates.best_slopes(estimands.WithControl(estimand), arguments, like, plan, key, mesh)
        arguments = arguments._replace(control=control._replace(slope=slope))
    method = points.name + (" in the span" if sampling == "span" else "")
    method += "" if control is None else f", control {options['control']}"
    found = estimate(estimand, arguments, like, plan, key, mesh, checkpoint, known)
    return found._replace(method=Method(method))


def _in_the_span(
    estimand: estimands.Estimand, problem: integrands.SampledProblem
) -> tuple[integrands.SampledProblem, span.Basis]:
    lambdas, student, teacher, inputs = problem
    if not inputs.is_standard:
        raise ValueError(f"sampling: got 'span' for {inputs}; needs 'ambient' for an input that is not N(0, I)")
    basis = reduction(student, teacher).basis
    extra = estimand.complement and basis.shape[1] < student.dimension
    ours, theirs = (span.into_span(network, basis, extra) for network in (student, teacher))
    return integrands.SampledProblem(lambdas, ours, theirs), basis


def _control(estimand: estimands.Estimand, problem: integrands.SampledProblem, options: Options) -> Control | None:
    """With the closed form of its mean; the slopes are not known yet."""
    loss = options.get("control")
    if loss is None:
        return None
    _, student, teacher, inputs = problem
    lambdas = _lambdas("control", loss, student, teacher)
    return Control(lambdas, None, estimand.exact(student, teacher, loss, inputs))


# Checks.


def _problem(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput
) -> integrands.SampledProblem:
    check_same_inputs(student, teacher)
    check_dimension(inputs, student.dimension)
    lambdas = _lambdas("loss", loss, student, teacher)
    named = {"student": student, "teacher": teacher, "loss": loss, "inputs": inputs}
    for name, value in named.items():
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value)):
            raise TypeError(f"{name}: got traced values; needs numbers: {OUTSIDE}")
    dtype = at_least_single(common_dtype(*jax.tree.leaves((student, teacher))))
    student, teacher, inputs = jax.tree.map(lambda leaf: leaf.astype(dtype), (student, teacher, inputs))
    lambdas = tuple(jnp.asarray(value, dtype) for value in lambdas)
    return integrands.SampledProblem(lambdas, student, teacher, inputs)


def _lambdas(name: str, loss: SobolevLoss, student: Network, teacher: Network):
    for network in (student, teacher):
        check_order(loss, network.activation, name)
    return loss.lambdas[: loss.order + 1]


def _check_hyperplanes(problem: integrands.SampledProblem) -> None:
    student, inputs = problem.student, problem.inputs
    sizes = np.max(np.abs(student.weights), axis=1)
    moved = np.max(np.abs(inputs.whitened(student.weights)), axis=1)
    rounding = integrands.ROUNDING * student.dimension * np.finfo(sizes.dtype).eps
    still = np.flatnonzero(moved <= rounding * sizes * _deviation(inputs))
    if student.activation.kinks and still.size:
        what = "a vector across all inputs" if sizes[still[0]] else "the zero vector"
        raise ValueError(
            f"student: got {what} as weights[{still[0]}]; needs pre-activations that change with the input: the "
            f"derivative is estimated on the hyperplane where {student.activation} has its kink, which it has not"
        )


def _deviation(inputs: GaussianInput) -> float:
    """The largest standard deviation of an input."""
    if inputs.covariance is None:
        return 1.0
    covariance = inputs.covariance
    variances = (
        covariance.diagonal + jnp.sum(covariance.factor**2, axis=1)
        if isinstance(covariance, LowRank)
        else jnp.diagonal(covariance)
        if covariance.ndim == 2
        else covariance
    )
    return float(jnp.sqrt(jnp.max(variances)))
