"""The estimators, each an estimand in a stream of batches; the package says what their keywords are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from ..geometry import span
from ..geometry.span import reduction
from ..model.inputs import GaussianInput, check_dimension
from ..model.losses import H1, SobolevLoss, check_order
from ..model.networks import Network, check_same_inputs
from . import control_variates, estimands, integrands
from .control_variates import Control
from .normal_points import Points
from .options import Options, checked_key, checkpoint_of, mesh_of, plan_of, sampling_of, whole
from .stream import Estimate, Method, estimate


def population_loss(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Mean of the sample loss sum_m lambda_m 1/2 || D_x^m (student - teacher)(x) ||^2; a scalar."""
    return _run(estimands.LOSS, student, teacher, loss, inputs, key, options)


def population_gradient(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Mean of the sample loss's gradient by JAX: what SGD follows; a Network of the student's structure.

    For ReLU and H1 it does not converge to the gradient of the population loss: that is `loss_gradient`.
    """
    return _run(estimands.POPULATION_GRADIENT, student, teacher, loss, inputs, key, options)


def loss_gradient(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Gradient of the population loss: mean gradient and boundary term; a Network of the student's structure.

    Raises:
        ValueError: a zero student neuron, whose activation has kinks: it has no hyperplane.
    """
    return _run(estimands.LOSS_GRADIENT, student, teacher, loss, inputs, key, options)


def boundary_term(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """`loss_gradient` minus `population_gradient` in the weights, [K, d]: mean jumps on the neurons' hyperplanes.

    Every sample lies on a hyperplane, so that an angle of 1e-6 between two neurons is as easy as one of 1.

    Raises:
        ValueError: a zero student neuron, whose activation has kinks: it has no hyperplane.
    """
    return _run(estimands.BOUNDARY_TERM, student, teacher, loss, inputs, key, options)


def population_jacobian(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Jacobian of the population gradient in the weights, [K, d, K, d], gradient entry first.

    Mean Hessian of the sample loss, and mean jumps of its gradient on the neurons' hyperplanes.

    Raises:
        ValueError: a zero student neuron, whose activation has kinks: it has no hyperplane.
    """
    return _run(estimands.POPULATION_JACOBIAN, student, teacher, loss, inputs, key, options)


def expectation(
    function: Callable[[jax.Array], Any],
    dimension: int,
    *,
    key: jax.Array,
    dtype: Any = float,
    **options: Unpack[Options],
) -> Estimate:
    """E[function(z)], z ~ N(0, I) in R^dimension, of any function that JAX can trace.

    Args:
        function: of one z [d]; a number, an array, or a pytree of real ones. A new function is compiled anew.
        dtype: of z; a 64-bit one only where JAX has these enabled.

    Raises:
        TypeError: the function's values are not real floating numbers; `sampling` or `control`, which need networks.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> estimate = st.montecarlo.expectation(lambda z: jnp.max(z), 2, key=jax.random.key(0), samples=2**16)
        >>> bool(abs(estimate.mean - jnp.pi**-0.5) < 5 * estimate.standard_error)
        True
    """
    for name in ("sampling", "control"):
        if options.get(name) is not None:
            raise TypeError(f"{name}: got {options[name]!r}; needs nothing for a function, which has no neurons")
    sampling_of(options)
    if not callable(function):
        raise TypeError(f"function: got {function!r}; needs a function of z [d]")
    average = _Average(function, whole("dimension", dimension, 1), jnp.zeros((), dtype).dtype)
    shapes = jax.eval_shape(function, jax.ShapeDtypeStruct((average.dimension,), average.dtype))
    like = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    for leaf in jax.tree.leaves(like):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError(f"function: got values of {leaf.dtype}; needs real floating numbers")
    plan, points = plan_of(options, average.dimension)
    found = estimate(average, points, like, plan, checked_key(key), mesh_of(options), checkpoint_of(options))
    return found._replace(method=Method(points.name))


@dataclass(frozen=True)
class _Average:
    """A group mean of a function; static under jit."""

    function: Callable[[jax.Array], Any]
    dimension: int
    dtype: Any
    names: ClassVar[str] = "function"

    def __call__(self, points: Points, key: jax.Array, size: int):
        values = jax.vmap(self.function)(points.normals(key, size, self.dimension, self.dtype))
        return jax.tree.map(lambda value: jnp.mean(value, axis=0), values)


def _run(
    estimand: estimands.Estimand,
    student: Network,
    teacher: Network,
    loss: SobolevLoss,
    inputs: GaussianInput,
    key: jax.Array,
    options: Options,
) -> Estimate:
    problem = _problem(student, teacher, loss, inputs)
    if estimand.hyperplanes:
        _check_hyperplanes(student)
    key, sampling, mesh = checked_key(key), sampling_of(options), mesh_of(options)
    checkpoint = checkpoint_of(options)
    like = estimand.like(problem.student)
    control = _control(estimand, problem, options)
    problem, basis = _in_the_span(estimand, problem) if sampling == "span" else (problem, None)
    plan, points = plan_of(options, problem.inputs.whitened_dimension(problem.student.dimension))
    arguments = estimands.Arguments(problem, basis, points, control)
    known = arguments
    if control is not None:
        slope = control_variates.slopes(estimands.Pair(estimand), arguments, like, plan, key, mesh)
        arguments = arguments._replace(control=control._replace(slope=slope))
    method = points.name + (" in the span" if sampling == "span" else "")
    method += "" if control is None else f", control {options['control']}"
    found = estimate(estimand, arguments, like, plan, key, mesh, checkpoint, known)
    return found._replace(method=Method(method))


def _in_the_span(estimand: estimands.Estimand, problem: integrands.Problem) -> tuple[integrands.Problem, span.Basis]:
    lambdas, student, teacher, inputs = problem
    if not inputs.is_standard:
        raise ValueError(f"sampling: got 'span' for {inputs}; needs 'ambient' for an input that is not N(0, I)")
    basis = reduction(student, teacher).basis
    extra = estimand.complement and basis.shape[1] < student.dimension
    ours, theirs = (span.into_span(network, basis, extra) for network in (student, teacher))
    return integrands.Problem(lambdas, ours, theirs), basis


def _control(estimand: estimands.Estimand, problem: integrands.Problem, options: Options) -> Control | None:
    """With the closed form of its mean; the slopes are not known yet."""
    loss = options.get("control")
    if loss is None:
        return None
    _, student, teacher, inputs = problem
    lambdas = _lambdas("control", loss, student, teacher)
    return Control(lambdas, None, estimand.exact(student, teacher, loss, inputs))


# Checks.


def _problem(student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput) -> integrands.Problem:
    check_same_inputs(student, teacher)
    check_dimension(inputs, student.dimension)
    lambdas = _lambdas("loss", loss, student, teacher)
    named = {"student": student, "teacher": teacher, "loss": loss, "inputs": inputs}
    for name, value in named.items():
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value)):
            raise TypeError(f"{name}: got traced values; needs numbers: Monte Carlo runs outside jit, vmap and grad")
    dtype = jnp.result_type(*jax.tree.leaves((student, teacher)))
    student, teacher, inputs = jax.tree.map(lambda leaf: leaf.astype(dtype), (student, teacher, inputs))
    lambdas = tuple(jnp.asarray(value, dtype) for value in lambdas)
    return integrands.Problem(lambdas, student, teacher, inputs)


def _lambdas(name: str, loss: SobolevLoss, student: Network, teacher: Network):
    for network in (student, teacher):
        check_order(loss, network.activation, name)
    return loss.lambdas[: loss.order + 1]


def _check_hyperplanes(student: Network) -> None:
    zero = np.flatnonzero(~np.any(np.asarray(student.weights), axis=1))
    if student.activation.kinks and zero.size:
        raise ValueError(
            f"student: got the zero vector as weights[{zero[0]}]; needs every neuron of norm > 0: the derivative "
            f"is estimated on the hyperplane where {student.activation} has its kink, and a zero neuron has none"
        )
