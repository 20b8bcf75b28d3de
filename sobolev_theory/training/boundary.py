"""What autodiff cannot see: the boundary term of a first-order loss, estimated by a batch on the kinks' hyperplanes.

The slopes of a network of ReLUs jump across u_k = w_k.x + b_k = 0, and the hyperplane moves with w_k and b_k. With
e_k the covariance of x and u_k over that of u_k with itself, y = x - u_k(x) e_k lies on the hyperplane, and
  d/dw_k E[l] has besides E[dl/dw_k]   density of u_k at 0 x E[(l+ - l-) x | u_k = 0],
  l+ - l- = lambda_1 a_k w_k . (mean of the two one-sided slopes of g, less that of g*)(y).
For Gaussian x the points y have the conditional law: the batch itself, projected once per neuron. For x of another
density p > 0, the mean over x of F(y) p(y)/p(x) q(u_k(x)) is the integral of F p over the hyperplane, whatever the
density q on the line; here q is the one that u_k has under a Gaussian. Nothing there is rare.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from ..model.activation_terms import deltas, derivative
from ..model.activations import Activation, has_jumps
from ..model.arguments import common_dtype
from ..model.inputs import GaussianInput, check_dimension
from ..model.losses import H1, SobolevLoss, check_order
from ..model.networks import Network, check_same_inputs, with_parameters
from ..model.precision import full_products
from .input_derivatives import output_of
from .objectives import checked_points, sobolev_loss

Function = Callable[[Float[Array, " d"]], Float[Array, ""]]

# A pre-activation within so many eps of its kink, relative to |w||x|, is on the kink to rounding.
ROUNDING = 16


@full_products
def boundary_term(
    student: Network,
    x: Float[Array, "n d"],
    teacher: Network | Function,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    log_density: Function | None = None,
) -> Network:
    """What the gradient of the loss has and autodiff of `sobolev_loss` lacks, from the same batch, without bias.

    For one hidden layer. Added to `jax.grad` of the sample loss it makes a gradient whose expectation is
    `st.loss_gradient`; without it, it is `st.population_gradient`. The exact counterpart is `st.boundary_term`. Its
    variance is of order 1, as that of the sample gradient; the cost is that of the student and the teacher at n K
    points, for a teacher that is a Network of two products and n K (K + K*) comparisons.

    Where data has slopes at its own points alone, or a network is deeper, use `smoothed_relu`.

    Args:
        student: its activation has kinks, as ReLU, LeakyReLU or AbsoluteValue; else the term is 0.
        x: independent draws, two at least, of `inputs` or of the density; the batch of the sample loss itself.
        teacher: a Network, or a function of one point to a scalar, with a slope at every point. A Network may have
            neurons on the student's hyperplanes: there its slope is the mean of both sides.
        loss: of order 1, any lambdas, traced or not. Of order 0 nothing jumps.
        inputs: the law of x, in the Euclidean metric. With a density it only chooses how points are moved to the
            hyperplanes and weighed: best with the mean and the covariance of x.
        log_density: of x where it is not Gaussian, up to a constant; positive density everywhere.

    Returns:
        A Network of the student's structure, to be added to its gradient; 0 in the output weights. A zero neuron
        has 0, as in the exact gradients.

    Raises:
        TypeError, ValueError: arguments that do not fit each other; fewer than two points; a loss that is infinite.
        NotImplementedError: a loss of a higher order whose highest derivative jumps.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([1.0, 1.0])
        >>> x = jax.random.normal(jax.random.key(0), (100_000, 2))
        >>> st.training.boundary_term(student, x, teacher).weights.round(2).tolist()  # exactly 0, -1/(2 pi)
        [[0.0, -0.1599999964237213]]
    """
    x = _checked(student, x, teacher, loss, inputs)
    if loss.order == 0 or not has_jumps(student.activation, 1):
        return jax.tree.map(jnp.zeros_like, student)
    dtype = common_dtype(x, *jax.tree.leaves(student))
    single = jax.tree.map(lambda leaf: leaf.astype(dtype), eqx.filter(student, eqx.is_array))
    lambda_1 = jnp.asarray(loss.lambdas[1], dtype)
    by_weights = by_biases = jnp.zeros((), dtype)
    for kink, jumps in _jumps(student.activation, student.neurons).items():
        planes = _hyperplanes(single, inputs, x.astype(dtype), kink)
        size = jnp.asarray(jumps, dtype) * single.output_weights * lambda_1  # of the slope of a_k sigma(u_k)
        jump = size[:, None] * _mean_slopes(student, teacher, planes)
        of_weights, of_biases = _integrals(planes, jump, inputs, log_density)
        by_weights, by_biases = by_weights + of_weights, by_biases + of_biases
    found = with_parameters(student, by_weights, jnp.zeros_like(single.output_weights), by_biases)
    return jax.tree.map(lambda leaf, own: leaf.astype(own.dtype), found, student)


def loss_with_boundary(
    student: Network,
    x: Float[Array, "n d"],
    teacher: Network | Function,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    log_density: Function | None = None,
) -> Float[Array, ""]:
    """`sobolev_loss` over the batch, with another gradient: `jax.grad` of it has the expectation `st.loss_gradient`.

    The value is that of `sobolev_loss` to the last bit. To its gradient, which follows `st.population_gradient`,
    `boundary_term` of the batch is added; the latter counts as constant in derivatives of higher orders. In a loop of
    training it takes the place of `sobolev_loss`, with the same arguments.

    Args and errors are those of `boundary_term`.

    Returns:
        A scalar, to be differentiated in the student's parameters.

    Example:
        >>> import jax, sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([1.0, 1.0])
        >>> x = jax.random.normal(jax.random.key(0), (100_000, 2))
        >>> losses = st.training.sobolev_loss, st.training.loss_with_boundary
        >>> autodiff, whole = (jax.grad(f)(student, x, teacher).weights[0] for f in losses)
        >>> round(float((whole - autodiff)[1]), 2)  # -1/(2 pi)
        -0.16
    """
    boundary = lax.stop_gradient(boundary_term(student, x, teacher, loss, inputs, log_density=log_density))
    value = sobolev_loss(student, x, teacher, loss)
    still = lax.stop_gradient(student)
    moved = [
        jnp.sum((own - fixed) * slope).astype(value.dtype)  # 0, with the slope as its derivative
        for own, fixed, slope in zip(*map(jax.tree.leaves, (student, still, boundary)), strict=True)
    ]
    return value + sum(moved[1:], moved[0])


class _Hyperplanes(NamedTuple):
    """Where every neuron's pre-activation is at the kink, and the batch moved there.

    `at` is x in units of the distance: u_k = kink + deviation_k at_kn. Point (k, n) is x_n - at_kn along_k.
    """

    x: Float[Array, "n d"]
    at: Float[Array, "K n"]
    along: Float[Array, "K d"]  # the covariance of x and u_k over the standard deviation of u_k
    units: Float[Array, "K d"]  # w_k over that deviation
    offset: Float[Array, " K"]  # of the kink from the mean of u_k, in deviations
    moves: Float[Array, " K"]  # 1, or 0 for a neuron whose pre-activation never changes


def _hyperplanes(student: Network, inputs: GaussianInput, x: Float[Array, "n d"], kink: float) -> _Hyperplanes:
    white = inputs.whitened(student.weights).astype(x.dtype)
    largest = jnp.max(jnp.abs(white), axis=1, keepdims=True)
    largest = jnp.where(largest > 0, largest, jnp.ones_like(largest))
    size = jnp.sum((white / largest) ** 2, axis=1, keepdims=True)
    moves = size > 0
    deviation = jnp.where(moves, largest * jnp.sqrt(jnp.where(moves, size, jnp.ones_like(size))), 1.0)
    units = student.weights / deviation
    biases = jnp.zeros_like(deviation) if student.biases is None else student.biases[:, None]
    rest = (biases - kink) / deviation  # of the pre-activation, beside units.x
    mean = rest if inputs.mean is None else rest + units @ inputs.mean.astype(x.dtype)[:, None]
    along = inputs.stretched(white / deviation).astype(x.dtype)
    return _Hyperplanes(x, units @ x.T + rest, along, units, -mean[:, 0], moves[:, 0].astype(x.dtype))


def _mean_slopes(student: Network, teacher: Network | Function, planes: _Hyperplanes) -> Float[Array, "K n"]:
    """units_k . (slope of the student less the teacher's) at the points (k, n); on a kink the mean of both sides."""
    found = _slopes_of_network(student, planes)
    if isinstance(teacher, Network):
        return found - _slopes_of_network(teacher, planes)

    def of_plane(at, along, unit):
        return jax.vmap(lambda x, at: jax.jvp(teacher, (x - at * along,), (unit,))[1])(planes.x, at)

    return found - jax.vmap(of_plane)(planes.at, planes.along, planes.units).astype(found.dtype)


def _slopes_of_network(network: Network, planes: _Hyperplanes) -> Float[Array, "K n"]:
    """One of its neurons after the other: memory for K n numbers, however many neurons it has."""
    dtype = planes.x.dtype
    rows, outputs = network.weights.astype(dtype), network.output_weights.astype(dtype)
    biases = jnp.zeros_like(outputs) if network.biases is None else network.biases.astype(dtype)
    rounding = ROUNDING * float(jnp.finfo(dtype).eps)
    reach = rounding * (_norm(planes.x)[None] + jnp.abs(planes.at) * _norm(planes.along)[:, None])
    neurons = (
        rows @ planes.x.T + biases[:, None],
        rows @ planes.along.T,
        (rows @ planes.units.T) * outputs[:, None],
        _norm(rows),
        rounding * jnp.abs(biases),
    )

    def of_one(sigma: Activation, total: Float[Array, "K n"], neuron) -> tuple[Float[Array, "K n"], None]:
        fields, along, weight, norm, room = neuron
        slope = _both_sides(sigma, fields[None] - along[:, None] * planes.at, reach * norm + room)
        return total + weight[:, None] * slope, None

    total = jnp.zeros_like(planes.at)
    each = getattr(network.activation, "activations", (network.activation,) * network.neurons)
    for sigma in dict.fromkeys(each):
        of_sigma = np.flatnonzero([other == sigma for other in each])
        total, _ = lax.scan(partial(of_one, sigma), total, tuple(leaf[of_sigma] for leaf in neurons))
    return total


def _both_sides(sigma: Activation, t: Float[Array, "K n"], room: Float[Array, "K n"]) -> Float[Array, "K n"]:
    """sigma', on a kink to rounding the mean of its limits: rounding would choose the side, depending on x."""

    def slope(t):
        return jax.jvp(sigma, (t,), (jnp.ones_like(t),))[1]

    return (slope(t + room) + slope(t - room)) / 2


def _integrals(
    planes: _Hyperplanes, jump: Float[Array, "K n"], inputs: GaussianInput, log_density: Function | None
) -> tuple[Float[Array, "K d"], Float[Array, " K"]]:
    """Of the jump over the hyperplanes, times x and alone."""
    count = len(planes.x)
    if log_density is not None:
        jump = jump * _weights(planes, log_density)
        return _times_x(planes, jump) / count, jnp.sum(jump, axis=1) / count
    density = planes.moves * _normal_density(planes.offset)  # of u_k at its kink, in deviations
    # The mean of x is known there: only the covariance of jump and x is estimated, by the unbiased formula.
    mean = jnp.sum(jump, axis=1) / count
    centre = planes.offset[:, None] * planes.along
    if inputs.mean is not None:
        centre = centre + inputs.mean.astype(jump.dtype)[None]
    by_weights = _times_x(planes, jump - mean[:, None]) / (count - 1) + mean[:, None] * centre
    return density[:, None] * by_weights, density * mean


def _times_x(planes: _Hyperplanes, jump: Float[Array, "K n"]) -> Float[Array, "K d"]:
    """The sum over n of the jump times the point (k, n)."""
    return jump @ planes.x - jnp.sum(jump * planes.at, axis=1)[:, None] * planes.along


def _weights(planes: _Hyperplanes, log_density: Function) -> Float[Array, "K n"]:
    """p(y)/p(x) q(u_k(x)), with the density q that u_k has under the Gaussian, in units of its deviation."""
    here = jax.vmap(log_density)(planes.x)

    def of_plane(at, along, offset, moves):
        there = jax.vmap(lambda x, at: log_density(x - at * along))(planes.x, at)
        return moves * jnp.exp((there - here).astype(at.dtype)) * _normal_density(at + offset)

    return jax.vmap(of_plane)(planes.at, planes.along, planes.offset, planes.moves)


def _normal_density(t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)


def _jumps(sigma: Activation, neurons: int) -> dict[float, list[float]]:
    """The kinks of the activation, and the jump of its slope there for every neuron."""
    each = getattr(sigma, "activations", (sigma,) * neurons)
    found: dict[float, list[float]] = {}
    for neuron, one in enumerate(each):
        for jump, delta in deltas(derivative(one.terms, 2)):
            found.setdefault(delta.kink, [0.0] * neurons)[neuron] += jump
    return found


def _norm(rows: Float[Array, "n d"]) -> Float[Array, " n"]:
    return jnp.max(jnp.abs(rows), axis=1) * float(rows.shape[1]) ** 0.5  # from above, without squares that overflow


def _checked(student, x, teacher, loss: SobolevLoss, inputs: GaussianInput) -> Float[Array, "n d"]:
    check_same_inputs(student, teacher if isinstance(teacher, Network) else student)
    x = checked_points(x, loss)
    check_dimension(inputs, student.dimension)
    if inputs.metric != "euclidean":
        raise ValueError(f"inputs: got the metric {inputs.metric!r}; needs 'euclidean', that of sobolev_loss")
    if x.ndim != 2 or x.shape[1] != student.dimension or len(x) < 2:
        raise ValueError(f"x: got shape {x.shape}; needs [n, {student.dimension}], of two points at least")
    for network in (student, teacher):
        if isinstance(network, Network):
            check_order(loss, network.activation)
    if loss.order > 1 and has_jumps(student.activation, loss.order):
        raise NotImplementedError(
            f"loss: got a derivative of order {loss.order}, which jumps for {student.activation}; needs order 1"
        )
    if not isinstance(teacher, Network):
        if not callable(teacher):
            raise TypeError(
                f"teacher: got {type(teacher).__name__}; needs a Network or a function: slopes are taken on the "
                "hyperplanes, where data has none (smoothed_relu works on data)"
            )
        if output_of("teacher", teacher, x).shape:
            raise ValueError(
                f"teacher: got a function to shape {output_of('teacher', teacher, x).shape}; needs a scalar"
            )
    return x
