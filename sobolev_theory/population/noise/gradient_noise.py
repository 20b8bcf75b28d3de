"""The noise of the sample gradient: its second moments in closed form, and what batch size they ask for."""

from types import ModuleType

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...model.activations import Activation, Erf, Identity, Polynomial, ReLU
from ...model.arguments import common_dtype, finite, whole
from ...model.inputs import GaussianInput, check_dimension
from ...model.losses import H1, SobolevLoss
from ...model.networks import Network
from ..gradients import population_gradient
from ..problem import isotropic_problem
from . import erf, polynomial, relu
from .components import component_moments
from .moments import Moments, Noisy


class GradientNoise(eqx.Module):
    """Second moments of the gradient g of one sample in the student's weights, whose mean is G.

    Attributes:
        squares: [K], E|g_k|^2 of every neuron.
        per_dimension: [K], what each further dimension adds to it, the neurons staying as they are.
        gradient: [K, d], G, the `population_gradient` in the weights.
        problem: what they are of.
    """

    squares: Float[Array, " K"]
    per_dimension: Float[Array, " K"]
    gradient: Float[Array, "K d"]
    problem: Noisy

    @property
    def second_moments(self) -> Float[Array, "K K"]:
        """E[g_k . g_l] of every two neurons; for ReLU by one integral for every four neurons, students or teachers.

        The error beside the diagonal is 1e-12 of the largest term for ReLU, where no neurons nearly coincide or lie
        nearly in a plane; there, at a volume h of three directions, 1e-16 / h, and at worst 1e-8.
        """
        every = jnp.arange(len(self.squares))
        return _block(self.problem).at[every, every].set(self.squares)

    @property
    def covariances(self) -> Float[Array, "K K"]:
        """E[g_k . g_l] - G_k . G_l; its trace is `trace`."""
        return self.second_moments - jnp.matmul(self.gradient, self.gradient.T, precision="highest")

    @property
    def component_variances(self) -> Float[Array, "K d"]:
        """Var(g_ka) of every component, whose sum is `trace`; for ReLU.

        Raises:
            NotImplementedError: another activation.
        """
        activation = self.problem.student.activation
        if not isinstance(activation, ReLU):
            raise NotImplementedError(f"student: got activation {activation}; component_variances needs ReLU()")
        return jnp.maximum(_components(self.problem) - self.gradient**2, 0.0)

    def standard_error(self, samples: int) -> Float[Array, "K d"]:
        """Of every component of the mean gradient of so many independent samples, exactly; for ReLU."""
        return jnp.sqrt(self.component_variances / whole("samples", samples, 1))

    @property
    def trace(self) -> Float[Array, ""]:
        """tr Cov(g) = sum_k E|g_k|^2 - |G|^2."""
        return jnp.maximum(jnp.sum(self.squares) - self.gradient_square, 0.0)

    @property
    def gradient_square(self) -> Float[Array, ""]:
        """|G|^2."""
        return jnp.sum(self.gradient**2)

    @property
    def noise_scale(self) -> Float[Array, ""]:
        """tr Cov / |G|^2, the batch whose mean gradient has as much noise as signal; 0 where there is no noise, and
        infinite at a critical point with noise."""
        no_signal = self.gradient_square == 0
        ratio = self.trace / jnp.where(no_signal, 1.0, self.gradient_square)
        return jnp.where(self.trace == 0, 0.0, jnp.where(no_signal, jnp.inf, ratio))

    @property
    def critical_batch(self) -> Float[Array, ""]:
        """The least whole number of samples, 1 or more, whose mean gradient has no more noise than signal."""
        return jnp.maximum(jnp.ceil(self.noise_scale), 1.0)

    def mean_square_error(self, samples: int) -> Float[Array, ""]:
        """E|G_n - G|^2 of the mean gradient G_n of n independent samples: tr Cov / n."""
        return self.trace / whole("samples", samples, 1)

    def samples_needed(self, error: float) -> Float[Array, ""]:
        """The least whole number n of samples with sqrt(E|G_n - G|^2) <= `error`, known before the first is drawn.

        For independent points, as `st.montecarlo.population_gradient(..., method="independent")` draws them.
        """
        return jnp.maximum(jnp.ceil(self.trace / finite("error", error, above=0.0) ** 2), 1.0)


def gradient_noise(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    label_noise: float = 0.0,
) -> GradientNoise:
    """The second moments of the per-sample gradient in the weights, exactly: no sample is drawn.

    For ReLU the noise of the values grows like d + 2, and that of the derivatives does not depend on d, since their
    gradients lie in the span of the neurons. Output weights are constants here.

    Args:
        loss: L2, H1 or any lambdas of orders 0 and 1.
        inputs: N(0, I).
        label_noise: standard deviation of independent noise on the labels, whose derivatives have none.

    Returns:
        GradientNoise: E|g_k|^2, G, tr Cov, the noise scale, the batch that it asks for, and on demand E[g_k . g_l].

    Raises:
        NotImplementedError: an activation other than ReLU, erf and polynomials, or two of them; biases; another
            input; an order above 1.
        TypeError, ValueError: arguments that do not fit each other; a negative `label_noise`.

    Source: derived in the modules `population.noise.relu`, `.erf` and `.polynomial`; for erf Saad & Solla (1995).

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> [float(st.gradient_noise(student, teacher, loss).trace) for loss in (st.L2, st.SobolevLoss((0.0, 1.0)))]
        [1.75, 0.25]
    """
    return measured(posed_noise("gradient_noise", student, teacher, loss, inputs, label_noise))


def posed_noise(
    name: str, student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, label_noise: float
) -> Noisy:
    """What users give, checked."""
    activation, *_ = isotropic_problem(name, student, teacher, loss)
    check_dimension(inputs, student.dimension)
    moments_of(name, activation)
    if not inputs.is_standard:
        raise NotImplementedError(f"inputs: got {inputs}; {name} needs N(0, I)")
    if loss.order > 1:
        raise NotImplementedError(f"loss: got lambdas {loss.lambdas}; {name} needs orders 0 and 1")
    dtype = common_dtype(student.weights, teacher.weights)
    lambdas = tuple(jnp.asarray(value, dtype) for value in (*loss.lambdas, 0.0)[:2])
    variance = finite("label_noise", label_noise, least=0.0) ** 2
    student, teacher = jax.tree.map(lambda x: x.astype(dtype), (student, teacher))
    return Noisy(student, teacher, (lambdas[0], lambdas[1]), jnp.asarray(variance, dtype))


def moments_of(name: str, activation: Activation) -> ModuleType:
    """The module that has them."""
    if isinstance(activation, ReLU):
        return relu
    if isinstance(activation, Erf):
        return erf
    if isinstance(activation, Polynomial | Identity):
        return polynomial
    raise NotImplementedError(f"student: got activation {activation}; {name} needs ReLU(), Erf() or a Polynomial")


@jax.jit
def measured(p: Noisy) -> GradientNoise:
    found: Moments = moments_of("gradient_noise", p.student.activation).squares(p)
    gradient = population_gradient(p.student, p.teacher, SobolevLoss(p.lambdas))
    return GradientNoise(found.total(p.student.dimension), found.per_dimension, gradient.weights, p)


@jax.jit
def _components(p: Noisy) -> Float[Array, "K d"]:
    return component_moments(p)


@jax.jit
def _block(p: Noisy) -> Float[Array, "K K"]:
    found: Moments = moments_of("gradient_noise", p.student.activation).block(p)
    return found.total(p.student.dimension)
