"""What a smoothed step in the derivative makes of a Sobolev loss: the theory of `st.training.smoothed_relu`.

The student's values are ReLU's, its derivatives Phi(u/h) for the step 1(u > 0); the teacher is left as it is. For
x ~ N(0, I_d) a step so smoothed is that of u + h Z, Z standard normal and independent: expectations of two of them
are orthant probabilities again, P = 1/4 + arcsin(rho)/(2 pi) with rho = w.v / (R R') and R^2 = |w|^2 + h^2.
  loss              L + J_h: the slopes' part J_h = 1/2 sum_ij c_i c_j (v_i.v_j) P_ij is smooth in the weights
  autodiff follows  E[(g - g*) a_k Phi(u_k/h) x] + grad J_h: the second part is a gradient, the first is one up to h^2
  bias              of the loss gradient, -h sqrt(2)/(4 pi) lambda_1 a_k^2 w_k/|w_k| + O(h^2): from E[Phi^2] < 1/2
  variance          of a sample, V/h + O(1): from the square of the density that stands for the delta
Both orders hold where no two neurons are parallel to within h/|w|. There the kink of the loss is rounded off: that,
and not the bias, is what a width must be small for.

Source: derived in `st.symbolic.smoothed_step`.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import Angles, angles_between, direction, inverse_or_zero, polar
from ..model.activations import ReLU
from ..model.arguments import finite, real_array, whole
from ..model.losses import H1, SobolevLoss, check_order
from ..model.networks import Network, check_same_inputs

__all__ = ["best_width", "bias", "boundary_term", "population_gradient", "population_loss", "variance"]
__dir__ = __all__.copy

TWO_PI = 2 * math.pi
BIAS = math.sqrt(2) / (4 * math.pi)  # half of int Phi (1 - Phi), times the density of u/|w| at 0
SQUARE = 1 / (2 * math.sqrt(math.pi))  # int phi^2
OWN = math.asin(1 / 3) / TWO_PI  # the variance of Phi(s) under phi^2 / int phi^2


def population_loss(
    student: Network, teacher: Network, width: float | Float[Array, ""], loss: SobolevLoss = H1
) -> Float[Array, ""]:
    """lambda_0 L + lambda_1 J_h: what a batch measures in expectation, the student's slopes being smoothed.

    At student = teacher it is not 0 but h sqrt(2)/(4 pi) (sqrt(2) - 1) lambda_1 sum_k a_k^2 |w_k| + O(h^3).

    Args:
        student: ReLU, without biases; as the teacher.
        width: h > 0, that of the smoothed step.
        loss: of order 1.

    Returns:
        A scalar.

    Raises:
        TypeError, ValueError: networks, a width or a loss that are none of these.

    Example:
        >>> import sobolev_theory as st
        >>> w = st.Network([1.0, 0.0])
        >>> round(float(st.smoothed_step.population_loss(w, w, 0.01)), 6)  # 0.0112540 (sqrt(2) - 1) * 0.1
        0.000466
    """
    return _loss(student, teacher, *_checked(student, teacher, width, loss))


def population_gradient(
    student: Network, teacher: Network, width: float | Float[Array, ""], loss: SobolevLoss = H1
) -> Float[Array, "K d"]:
    """What `jax.grad` of the batch's loss follows in the weights, in expectation.

    As the width falls it tends to `st.loss_gradient`, and not to `st.population_gradient`.

    Args and errors are those of `population_loss`.

    Returns:
        d/d weights [K, d].

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([1.0, 1.0])
        >>> narrow = st.smoothed_step.population_gradient(student, teacher, 1e-3)
        >>> exact = st.loss_gradient(student, teacher).weights
        >>> [round(float(x), 3) for x in (narrow - exact)[0]]  # of order 1e-3 * sqrt(2)/(4 pi)
        [-0.0, 0.0]
    """
    return sum(_gradient(student, teacher, *_checked(student, teacher, width, loss)))


def boundary_term(
    student: Network, teacher: Network, width: float | Float[Array, ""], loss: SobolevLoss = H1
) -> Float[Array, "K d"]:
    """The share of `population_gradient` due to the slope of the smoothed step; it tends to `st.boundary_term`.

    Args and errors are those of `population_loss`.

    Returns:
        d/d weights [K, d].

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([1.0, 1.0])
        >>> round(float(st.smoothed_step.boundary_term(student, teacher, 1e-3)[0, 1]), 3)  # -1/(2 pi)
        -0.159
    """
    return _gradient(student, teacher, *_checked(student, teacher, width, loss))[1]


def bias(student: Network, loss: SobolevLoss = H1) -> Float[Array, "K d"]:
    """By how much the smoothed gradient leaves the loss gradient, per unit of width as it falls: along each neuron.

    It makes neurons too long, by some tenth of the width. Valid where no two neurons are parallel.

    Args:
        student: ReLU, without biases.
        loss: of order 1.

    Returns:
        [K, d].

    Example:
        >>> import sobolev_theory as st
        >>> round(float(st.smoothed_step.bias(st.Network([2.0, 0.0]))[0, 0]), 4)
        -0.1125
    """
    _, lambdas = _checked(student, student, 1.0, loss)
    return -BIAS * lambdas[1] * student.output_weights[:, None] ** 2 * direction(polar(student.weights))


def variance(student: Network, teacher: Network, loss: SobolevLoss = H1) -> Float[Array, " K"]:
    """The trace of the covariance of one sample's gradient in w_k, times the width, as it falls.

    lambda_1^2 a_k^2 (d - 1) / (sqrt(2 pi) |w_k|) / (2 sqrt(pi)) { E[m^2 | u_k = 0] + m_k^2 arcsin(1/3)/(2 pi) }, with
    m = sum_j m_j 1(u_j > 0), m_j = c_j w_k.v_j, and 1/2 for the step of k itself. Valid where no two are parallel.

    Args and errors are those of `population_loss`.

    Returns:
        [K].

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> round(float(st.smoothed_step.variance(student, teacher)[0]), 4)
        0.0342
    """
    _, lambdas = _checked(student, teacher, 1.0, loss)
    return lambdas[1] ** 2 * _variance(student, teacher)


def best_width(student: Network, teacher: Network, samples: int, loss: SobolevLoss = H1) -> Float[Array, ""]:
    """(V / (2 n |B|^2))^(1/3): of least mean squared error for the mean over n samples, with B `bias`, V `variance`.

    An upper end for training, not a recipe: minima that the exact gradient leaves are kept by a landscape rounded off
    at far smaller widths (docs/which_gradient.md), and a run of small steps averages over many batches.

    Args:
        samples: n, 1 at least.

    Other arguments and errors are those of `population_loss`.

    Returns:
        A scalar; it falls as n^(-1/3).

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> round(float(st.smoothed_step.best_width(student, teacher, 1000)), 3)
        0.111
    """
    total = jnp.sum(variance(student, teacher, loss))
    squared = jnp.sum(bias(student, loss) ** 2)
    return jnp.cbrt(total / (2 * whole("samples", samples, least=1) * squared))


class _Sums(NamedTuple):
    """Student and teacher neurons side by side: signed output weights times norms, directions, and angles."""

    sizes: Float[Array, " J"]
    directions: Float[Array, "J d"]
    norms: Float[Array, " J"]
    angles: Angles  # [K J], or of all with all [J J]


def _sums(student: Network, teacher: Network, of_all: bool = False) -> _Sums:
    rows = polar(jnp.concatenate([student.weights, teacher.weights]))
    signed = jnp.concatenate([student.output_weights, -teacher.output_weights])
    first = len(signed) if of_all else student.neurons
    itself = jnp.eye(first, len(signed), dtype=bool)
    angles = angles_between(rows.take(slice(first)), rows, itself)
    return _Sums(signed * rows.norm, direction(rows), rows.norm, angles)


class _Smoothed(NamedTuple):
    """Of steps of u_k + h Z and u_j + h_j Z': the orthant probability, and the new angle's sine and cosine."""

    probability: Float[Array, "K J"]
    sin: Float[Array, "K J"]
    cos: Float[Array, "K J"]


def _smoothed(angles: Angles, own: Float[Array, "K 2"], other: Float[Array, "J 2"]) -> _Smoothed:
    """`own` and `other` are what |w| and h are of R."""
    (s, t), (s_, t_) = own.T[:, :, None], other.T[:, None, :]
    cos = s * s_ * angles.cos
    # 1 - cos^2 as a sum of squares, of which none cancels
    sin = jnp.sqrt((s * s_ * angles.sin) ** 2 + (s * t_) ** 2 + (t * s_) ** 2 + (t * t_) ** 2)
    return _Smoothed(jnp.arctan2(sin, -cos) / TWO_PI, sin, cos)


def _shares(norms: Float[Array, " J"], width: Float[Array, ""]) -> Float[Array, "J 2"]:
    larger = jnp.maximum(norms, width)
    parts = jnp.stack([norms / larger, width / larger], axis=1)
    return parts / jnp.sqrt(jnp.sum(parts**2, axis=1, keepdims=True))


def _sharp(norms: Float[Array, " J"]) -> Float[Array, "J 2"]:
    return jnp.stack([jnp.ones_like(norms), jnp.zeros_like(norms)], axis=1)


@jax.jit
def _loss(student: Network, teacher: Network, width: Float[Array, ""], lambdas: Float[Array, " 2"]):
    sums, K = _sums(student, teacher, of_all=True), student.neurons
    angles = sums.angles
    shares = jnp.concatenate([_shares(sums.norms[:K], width), _sharp(sums.norms[K:])])
    values = (angles.sin + angles.supplement * angles.cos) / TWO_PI
    slopes = angles.cos * _smoothed(angles, shares, shares).probability
    # Of teacher neurons the steps are sharp: parallel ones have the probability 1/2 or 0, as the angle has it.
    slopes = slopes.at[K:, K:].set((angles.cos * angles.supplement / TWO_PI)[K:, K:])
    return sums.sizes @ (lambdas[0] * values + lambdas[1] * slopes) @ sums.sizes / 2


@jax.jit
def _gradient(student: Network, teacher: Network, width: Float[Array, ""], lambdas: Float[Array, " 2"]):
    """Without the share of the boundary, and that share."""
    sums, K = _sums(student, teacher), student.neurons
    own = _shares(sums.norms[:K], width)
    sharp = _sharp(sums.norms)
    both = jnp.concatenate([own, sharp[K:]])
    of_values, of_slopes = (_smoothed(sums.angles, own, other) for other in (sharp, both))
    u, a = sums.directions, student.output_weights[:, None]

    def pull(towards, along):
        """sum_j sizes_j [towards_kj u_j + along_kj u_k], times a_k."""
        return a * ((towards * sums.sizes[None]) @ u + (along @ sums.sizes)[:, None] * u[:K])

    smooth = pull(
        lambdas[0] * of_values.probability + lambdas[1] * of_slopes.probability,
        lambdas[0] * own[:, :1] * of_values.sin / TWO_PI,
    )
    turn = lambdas[1] * own[:, :1] * sums.angles.cos * inverse_or_zero(of_slopes.sin) / TWO_PI
    return smooth, pull(turn * both[None, :, 0], -turn * of_slopes.cos * own[:, :1])


@jax.jit
def _variance(student: Network, teacher: Network) -> Float[Array, " K"]:
    sums, K = _sums(student, teacher, of_all=True), student.neurons
    cos, sin = sums.angles.cos, sums.angles.sin

    def of_neuron(k):
        jumps = sums.sizes * cos[k] * sums.norms[k]
        own = jnp.arange(len(jumps)) == k
        # The correlation of u_i and u_j on u_k = 0; a neuron without variance there is uncorrelated to all.
        left = inverse_or_zero(sin[k], 1e-12)
        partial_correlation = jnp.clip((cos - cos[k][:, None] * cos[k][None]) * left[:, None] * left[None], -1.0, 1.0)
        both = 0.25 + jnp.arcsin(jnp.where(jnp.eye(len(jumps), dtype=bool), 1.0, partial_correlation)) / TWO_PI
        both = jnp.where(own[:, None] | own[None], 0.25, both)  # 1/2 for the step of k itself
        second = jumps @ both @ jumps + jumps[k] ** 2 * OWN
        density = inverse_or_zero(sums.norms[k]) / math.sqrt(TWO_PI)
        return student.output_weights[k] ** 2 * (student.dimension - 1) * density * SQUARE * second

    return jax.vmap(of_neuron)(jnp.arange(K))


def _checked(student, teacher, width, loss: SobolevLoss) -> tuple[Float[Array, ""], Float[Array, " 2"]]:
    """The width and both lambdas, of the networks' precision."""
    check_same_inputs(student, teacher)
    for name, network in (("student", student), ("teacher", teacher)):
        check_order(loss, network.activation)
        if not isinstance(network.activation, ReLU) or network.biases is not None:
            raise ValueError(f"{name}: got {network.activation}, biases {network.biases}; needs ReLU without biases")
    width = real_array("width", width) if isinstance(width, jax.Array) else finite("width", width, above=0.0)
    dtype = jnp.result_type(student.weights, teacher.weights)
    lambdas = (*loss.lambdas, 0.0)[:2]
    return jnp.asarray(width, dtype), jnp.stack([jnp.asarray(value, dtype) for value in lambdas])
