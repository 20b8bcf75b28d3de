"""What Monte Carlo averages: losses of single samples, their derivatives, and their jumps on hyperplanes.

A network is used as a function alone: its value, differentiated by JAX in x and in the parameters, and the
places where its activation has kinks. None of the closed forms of the population functions is used.

For F(W, x) smooth but for jumps where w_l.x + b_l = t, t a kink of the activation,
  d/dw_l E[F] = E[dF/dw_l] + exp(-s^2/2) / (sqrt(2 pi) |w_l|) E[ (F+ - F-) x | w_l.x + b_l = t ],
with s = (t - b_l) / |w_l|, for x ~ N(0, I): F = F- + (F+ - F-) 1[w_l.x + b_l > t], whose indicator has the derivative
delta(w_l.x + b_l - t) x, and w_l.x has the density exp(-s^2/2) / (sqrt(2 pi) |w_l|) at t - b_l. On the hyperplane
x = z - (z.u)u + s u with z ~ N(0, I), u = w_l/|w_l|. In general |w_l| is the standard deviation of w_l.x, and u the
covariance of x with w_l.x over it. Nothing there is rare, however close two neurons are.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from ..geometry.angles import direction, polar
from ..model.inputs import GaussianInput
from ..model.losses import OrderWeights
from ..model.networks import Network
from .normal_points import INDEPENDENT, NormalPoints

Function = Callable[[Float[Array, " d"]], Float[Array, "..."]]

# A pre-activation within so many eps of its kink, relative to |w||x|, is on the kink to rounding.
ROUNDING = 16

# Elements of the largest temporary array while columns of a Jacobian are computed side by side.
COLUMN_ELEMENTS = 2**20


class SampledProblem(NamedTuple):
    """sum_m lambdas[m] E[ 1/2 || D_x^m (student - teacher)(x) ||^2 ]: leaves of one dtype, whose x is drawn."""

    lambdas: OrderWeights
    student: Network
    teacher: Network
    inputs: GaussianInput = GaussianInput()


class Samples(NamedTuple):
    """x of the input, and a fair coin (1 or -1) for each."""

    x: Float[Array, "n d"]
    coin: Float[Array, " n"]


def draw(problem: SampledProblem, key: jax.Array, size: int, points: NormalPoints = INDEPENDENT) -> Samples:
    rows = problem.student.weights
    for_x, for_coin = jax.random.split(key)
    z = points.normals(for_x, size, problem.inputs.whitened_dimension(rows.shape[1]), rows.dtype)
    return Samples(problem.inputs.coloured(z), points.coins(for_coin, size, rows.dtype))


def sample_loss(problem: SampledProblem, difference: Function, x: Float[Array, " d"]) -> Float[Array, ""]:
    """l(x) = sum_m lambdas[m] 1/2 |D^m difference(x)|^2, in the metric of the input."""
    lambdas, inputs = problem.lambdas, problem.inputs
    if inputs.metric == "mahalanobis":
        at = x
        whole, difference = difference, lambda z: whole(at + inputs.stretched(z))
        x = jnp.zeros(inputs.whitened_dimension(len(x)), x.dtype)
    total, derivative = jnp.zeros((), x.dtype), difference
    for order, weight in enumerate(lambdas):
        total = total + weight * jnp.sum(derivative(x) ** 2) / 2
        derivative = jax.grad(derivative) if order == 0 else jax.jacfwd(derivative)
    return total


# Group means: functions of (problem, samples).


def loss(problem: SampledProblem, samples: Samples) -> Float[Array, ""]:
    return _mean_loss(problem.student, problem, samples)


def population_gradient(problem: SampledProblem, samples: Samples) -> Network:
    """The mean of per-sample gradients, by the gradient of the mean: one matrix product for all samples."""
    return jax.grad(_mean_loss)(problem.student, problem, samples)


def boundary_term(problem: SampledProblem, samples: Samples) -> Float[Array, "K d"]:
    return _loss_jumps(problem, samples)[0]


def loss_gradient(problem: SampledProblem, samples: Samples) -> Network:
    """Mean gradient and jumps, from the same z."""
    gradient = population_gradient(problem, samples)
    by_weights, by_biases = _loss_jumps(problem, samples)
    gradient = eqx.tree_at(lambda network: network.weights, gradient, gradient.weights + by_weights)
    if gradient.biases is None:
        return gradient
    return eqx.tree_at(lambda network: network.biases, gradient, gradient.biases + by_biases)


def population_jacobian(problem: SampledProblem, samples: Samples) -> Float[Array, "K d K d"]:
    """The mean Hessian of the sample loss in the weights, and the jumps of its gradient."""
    student, rows = problem.student, problem.student.weights

    def mean_loss(moved):
        return _mean_loss(_with_weights(student, moved), problem, samples)

    _, column = jax.linearize(jax.grad(mean_loss), rows)
    basis = jnp.eye(rows.size, dtype=rows.dtype).reshape(-1, *rows.shape)
    size = len(samples.x) * (rows.shape[1] + student.neurons + problem.teacher.neurons)
    columns = lax.map(column, basis, batch_size=max(1, COLUMN_ELEMENTS // size))
    smooth = jnp.moveaxis(columns, 0, -1).reshape(rows.shape * 2)
    by_weights, _ = _jumps(problem, samples, lambda of_rows: jax.grad(of_rows)(rows), jnp.zeros_like(rows))
    return smooth + jnp.moveaxis(by_weights, 0, 2)


def _mean_loss(student: Network, problem: SampledProblem, samples: Samples) -> Float[Array, ""]:
    def of_sample(x):
        return sample_loss(problem, lambda y: student(y) - problem.teacher(y), x)

    return jnp.mean(jax.vmap(of_sample)(samples.x))


def _with_weights(network: Network, weights: Float[Array, "K d"]) -> Network:
    return eqx.tree_at(lambda network: network.weights, network, weights)


# Jumps.


class Pins(NamedTuple):
    """Pre-activations set by hand: where `held`, to `fields`. Their derivatives remain those of w.x + b."""

    held: Bool[Array, " K"]
    fields: Float[Array, " K"]


def _loss_jumps(problem: SampledProblem, samples: Samples):
    rows = problem.student.weights
    return _jumps(problem, samples, lambda of_rows: of_rows(rows), jnp.zeros((), rows.dtype))


def _jumps(problem: SampledProblem, samples: Samples, integrand, zero: Float[Array, "*shape"]):
    """What the jumps of F add to the derivatives of E[F] in w_l, [K, *shape, d], and in b_l, [K, *shape].

    `integrand` makes F out of the sample loss as a function of the student's weights; `zero` has F's shape.
    """
    _, student, teacher, inputs = problem
    whitened = polar(inputs.whitened(student.weights))
    norms, units = whitened.norm, inputs.stretched(direction(whitened))  # of u = w.x + b, and Cov(x, u) / norm
    biases = jnp.zeros_like(norms) if student.biases is None else student.biases
    if inputs.mean is not None:
        biases = biases + student.weights @ inputs.mean

    def at_kink(neuron, kink):
        s = (kink - biases[neuron]) / norms[neuron]
        density = jnp.exp(-(s**2) / 2) / (jnp.sqrt(2 * jnp.pi) * norms[neuron])
        s = jnp.where(density > 0, s, 0.0)  # else s may be too large to be squared
        u = units[neuron]

        def jump(z, coin):
            x = z - (_centred(inputs, z) @ student.weights[neuron] / norms[neuron]) * u + s * u
            reach = jnp.linalg.norm(z) + jnp.abs(s) * jnp.linalg.norm(u)
            undecided = _undecided(student, x, reach, coin)
            theirs = _undecided(teacher, x, reach, coin)

            def side(sign):
                this = jnp.arange(student.neurons) == neuron
                ours = Pins(undecided.held | this, jnp.where(this, _beside(kink, sign), undecided.fields))

                def of_rows(rows):
                    ours_at, theirs_at = _pinned(_with_weights(student, rows), ours), _pinned(teacher, theirs)
                    return sample_loss(problem, lambda y: ours_at(y) - theirs_at(y), x)

                return integrand(of_rows)

            return side(jnp.ones_like(coin)) - side(-jnp.ones_like(coin)), x

        jumps, x = jax.vmap(jump)(*samples)
        scale = density / len(x)
        return scale * jnp.tensordot(jumps, x, axes=(0, 0)), scale * jnp.sum(jumps, axis=0)

    def of_neuron(neuron):
        total = jnp.zeros((*zero.shape, student.dimension), zero.dtype), zero
        for kink in student.activation.kinks:
            total = jax.tree.map(jnp.add, total, at_kink(neuron, kink))
        return total

    return lax.map(of_neuron, jnp.arange(student.neurons))


def _centred(inputs: GaussianInput, x: Float[Array, " d"]) -> Float[Array, " d"]:
    return x if inputs.mean is None else x - inputs.mean


def _undecided(network: Network, x: Float[Array, " d"], reach: Float[Array, ""], coin: Float[Array, ""]) -> Pins:
    """Neurons whose kink x is on to rounding, as those that coincide with the neuron of the hyperplane.

    Rounding would choose their side, not independently of x. The coin does: the mean of the one-sided values.
    """
    fields = lax.stop_gradient(_fields(network, x))
    eps = float(jnp.finfo(x.dtype).eps)
    room = polar(network.weights).norm * reach
    if network.biases is not None:
        room = room + jnp.abs(network.biases)
    held = jnp.zeros(fields.shape, bool)
    for kink in network.activation.kinks:
        near = jnp.abs(fields - kink) <= ROUNDING * eps * (room + abs(kink))
        held, fields = held | near, jnp.where(near, _beside(kink, coin), fields)
    return Pins(held, fields)


def _beside(kink: float, sign: Float[Array, ""]) -> Float[Array, ""]:
    """The number next to a kink on the side of the sign, so close that only the jump tells it from the kink."""
    limits = jnp.finfo(sign.dtype)
    return kink + sign * (4 * float(limits.eps) * abs(kink) + 256 * float(limits.tiny))


def _pinned(network: Network, pins: Pins) -> Function:
    def output(x):
        fields = _fields(network, x)
        pinned = pins.fields + (fields - lax.stop_gradient(fields))
        return network.output_weights @ network.activation(jnp.where(pins.held, pinned, fields))

    return output


def _fields(network: Network, x: Float[Array, " d"]) -> Float[Array, " K"]:
    fields = network.weights @ x
    return fields if network.biases is None else fields + network.biases
