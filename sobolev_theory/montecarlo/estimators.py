"""The estimators that have an exact function beside them; the package says what their keywords are."""

from typing import Unpack

import equinox as eqx
import jax

from ..model.arguments import flag
from ..model.inputs import GaussianInput
from ..model.losses import H1, SobolevLoss
from ..model.networks import Network
from . import estimands
from .exact_errors import exact_noise
from .network_estimates import estimate_of
from .options import Options
from .stream import Estimate


def population_loss(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Mean of the sample loss sum_m lambda_m 1/2 || D_x^m (student - teacher)(x) ||^2.

    Returns:
        Estimate: of a scalar.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> estimate = st.montecarlo.population_loss(student, teacher, key=jax.random.key(0), samples=2**12)
        >>> bool(abs(estimate.mean - st.population_loss(student, teacher)) < 5 * estimate.standard_error)
        True
    """
    return estimate_of(estimands.LOSS, student, teacher, loss, inputs, key, options)


def population_gradient(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Mean of the sample loss's gradient by JAX: what SGD follows.

    For ReLU and H1 it does not converge to the gradient of the population loss: that is `loss_gradient`.

    With `exact_error=True` the standard errors of the weights are those of `st.gradient_noise`, not estimated, and
    how many samples a `standard_error` of them takes is known before the first: for ReLU, H1 at most, N(0, I).

    Returns:
        Estimate: of a Network of the student's structure.

    Raises:
        NotImplementedError: exact errors of what `st.gradient_noise` does not know.
        ValueError: exact errors of samples that are not independent, or of a control variate.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> estimate = st.montecarlo.population_gradient(student, teacher, key=jax.random.key(0), samples=2**12)
        >>> estimate.mean.weights.shape, estimate.standard_error.weights.shape
        ((1, 2), (1, 2))
    """
    exact = options.pop("exact_error", False)
    if not flag("exact_error", exact):
        return estimate_of(estimands.POPULATION_GRADIENT, student, teacher, loss, inputs, key, options)
    noise = exact_noise(student, teacher, loss, inputs, options)
    found = estimate_of(estimands.POPULATION_GRADIENT, student, teacher, loss, inputs, key, options)
    error = noise.standard_error(found.samples).astype(found.mean.weights.dtype)
    return found._replace(standard_error=eqx.tree_at(lambda network: network.weights, found.standard_error, error))


def loss_gradient(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Gradient of the population loss: mean gradient and boundary term.

    Returns:
        Estimate: of a Network of the student's structure.

    Raises:
        ValueError: a zero student neuron, whose activation has kinks: it has no hyperplane.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> estimate = st.montecarlo.loss_gradient(student, teacher, key=jax.random.key(0), samples=2**12)
        >>> estimate.mean.weights.shape, estimate.method
        ((1, 2), 'independent')
    """
    return estimate_of(estimands.LOSS_GRADIENT, student, teacher, loss, inputs, key, options)


def boundary_term(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """`loss_gradient` minus `population_gradient` in the weights: mean jumps on the neurons' hyperplanes.

    Every sample lies on a hyperplane, so that an angle of 1e-6 between two neurons is as easy as one of 1.

    Returns:
        Estimate: of an array [K, d].

    Raises:
        ValueError: a zero student neuron, whose activation has kinks: it has no hyperplane.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> estimate = st.montecarlo.boundary_term(student, teacher, key=jax.random.key(0), samples=2**12)
        >>> error = abs(estimate.mean - st.boundary_term(student, teacher))
        >>> bool(error[0, 1] < 5 * estimate.standard_error[0, 1])
        True
    """
    return estimate_of(estimands.BOUNDARY_TERM, student, teacher, loss, inputs, key, options)


def population_jacobian(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    key: jax.Array,
    **options: Unpack[Options],
) -> Estimate:
    """Jacobian of the population gradient in the weights.

    Mean Hessian of the sample loss, and mean jumps of its gradient on the neurons' hyperplanes.

    Returns:
        Estimate: of an array [K, d, K, d], gradient entry first.

    Raises:
        ValueError: a zero student neuron, whose activation has kinks: it has no hyperplane.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> estimate = st.montecarlo.population_jacobian(student, teacher, key=jax.random.key(0), samples=2**12)
        >>> estimate.mean.shape
        (1, 2, 1, 2)
    """
    return estimate_of(estimands.POPULATION_JACOBIAN, student, teacher, loss, inputs, key, options)
