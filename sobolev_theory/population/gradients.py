"""Exact population loss, its gradients, and their Jacobians, for Gaussian input.

Two gradients, never to be confused. The population gradient is the expectation of the per-sample gradient:
what autodiff and SGD see, and what the paper's formulas state. The loss gradient is the gradient of the
expected loss. They agree unless the highest derivative in the loss jumps, as in H1 with ReLU: then
  loss gradient = population gradient + boundary term,
and the population gradient is not the gradient of any function: its Jacobian is not symmetric.

Values at the points where a formula has several one-sided limits, for ReLU:
* two neurons of equal or opposite direction: the H1 loss has a kink there, a cone in their angle, and the
  direction e between them does not exist. Terms in e are 0, the mean of the one-sided values. This holds for
  angles within 8 eps of 0 and pi; in gradients, a student next to its own teacher keeps e at any angle.
* a zero neuron: no sample activates it; its gradient, and its row and column of the Jacobian, are 0.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..model.inputs import GaussianInput
from ..model.losses import H1, OrderWeights, SobolevLoss
from ..model.networks import Network, Parameters, with_parameters
from .engine import Engine
from .problem import problem, tangent_parameters


def population_loss(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Float[Array, ""]:
    """sum_m lambda_m E[ 1/2 || D_x^m (student - teacher)(x) ||^2 ], x ~ N(0, I_d) or another Gaussian `inputs`.

    A scalar, for ReLU in units of (output weight x norm of a neuron)^2. `jax.grad` of it is `loss_gradient`. For ReLU
    without biases and student = teacher + delta it keeps its digits for |delta| down to 1e-12; else it is
    accurate to a few eps of its largest term, so that near the teacher it may be a hair below 0: down to -1e-13 for
    terms of size 1 in double precision. It is not clipped: the clipped loss would not have `loss_gradient` for its
    gradient there.

    Args:
        inputs: the distribution of x, and the metric in which derivatives are measured.
        mesh: devices that share out the student's neurons, each with all weights in its memory; here and in the
            gradients and products below. On one device neurons are taken in blocks: besides the networks memory
            does not grow with the number of pairs of neurons.

    Raises:
        TypeError, ValueError: arguments that do not fit each other; a loss that is infinite for the activation.
        RuntimeError: the quadrature of an activation without closed form has not converged; with the estimate.

    Source: arXiv 2509.19773; arc-cosine kernels of Cho & Saul (2009).

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> float(st.population_loss(student, teacher, loss=st.L2))
        0.5
    """
    return _loss(*problem(student, teacher, loss, inputs, mesh))


def population_gradient(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Network:
    """E_x[ grad l(student; x) ], the per-sample loss differentiated almost everywhere.

    What Monte-Carlo averages of `jax.grad` converge to, and what SGD follows. For ReLU and H1 it is NOT the
    gradient of `population_loss`: that is `loss_gradient`.

    Returns a Network of the student's structure holding d/d weights [K, d], d/d output_weights [K], and d/d biases
    [K] if the student has any.

    Source: arXiv 2509.19773 (H1) and Tian, arXiv 1703.00560 (L2), for one neuron; theory of many neurons
    from the pair formulas in `pair`.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> st.population_gradient(student, teacher).weights.tolist()
        [[1.0, 0.0]]
    """
    return with_parameters(student, *_population_gradient(*problem(student, teacher, loss, inputs, mesh)))


def loss_gradient(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Network:
    """grad E_x[ l(student; x) ], the gradient of `population_loss`; equal to `jax.grad` of it.

    It is `population_gradient` plus `boundary_term`. No average of per-sample gradients converges to it when
    the boundary term is not 0.

    Returns a Network of the student's structure holding d/d weights [K, d], d/d output_weights [K], and d/d biases
    [K] if the student has any.

    Source: boundary term from the derivative of the orthant probability; derived in `boundary_term`.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([1.0, 1.0])
        >>> gap = st.loss_gradient(student, teacher).weights - st.population_gradient(student, teacher).weights
        >>> [round(float(g), 4) for g in gap[0]]
        [0.0, -0.1592]
    """
    return with_parameters(student, *_loss_gradient(*problem(student, teacher, loss, inputs, mesh)))


def boundary_term(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Float[Array, "K d"]:
    """`loss_gradient` minus `population_gradient`, in the weights [K, d]; it has no part in the output weights.

    That in the biases, if there are any, is the difference of the two gradients. The highest derivative of a ReLU
    network jumps across the hyperplanes w_k.x = 0, which move with w_k:
      a_k sum_j c_j (w_k.v_j) grad_w P(theta_kj),  P = (pi - theta) / (2 pi),  grad_w P = e / (2 pi |w|),
    times lambda_1, over student (c = a) and teacher (c = -a*) neurons v. 0 for L2.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> st.boundary_term(student, teacher).tolist()
        [[0.0, 0.0]]
    """
    return _boundary(*problem(student, teacher, loss, inputs, mesh))[0]


def population_jacobian(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
) -> Float[Array, "K d K d"]:
    """Jacobian of `population_gradient` in the weights, laid out as `jax.jacobian`: gradient entry first.

    What the paper calls the Hessian of the H1 loss. It is not symmetric for H1, and not normal.
    Memory (K d)^2; see `population_jacobian_product` for products without the matrix.

    Source: arXiv 2509.19773 for one neuron; pair formulas in `pair`.

    Example:
        >>> import sobolev_theory as st
        >>> student = st.Network([1.0, 0.0])
        >>> st.population_jacobian(student, student, loss=st.L2)[0, :, 0, :].tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """
    return _dense(_population_gradient, *problem(student, teacher, loss, inputs))


def loss_hessian(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
) -> Float[Array, "K d K d"]:
    """Hessian of `population_loss` in the weights, [K, d, K, d]; symmetric.

    For ReLU and H1 an eigenvalue grows like |w*| / (2 pi |w| theta) where a student neuron approaches the
    direction of a teacher neuron: the loss has a kink there, and at the kink itself that term is dropped.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> st.loss_hessian(student, teacher)[0, :, 0, :].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return _dense(_loss_gradient, *problem(student, teacher, loss, inputs))


def population_jacobian_product(
    student: Network,
    teacher: Network,
    tangent: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Network:
    """The derivative of `population_gradient` along `tangent`, without forming the Jacobian.

    Args:
        tangent: a Network of the student's structure; its weights and output weights are the direction.

    Returns a Network of the student's structure. Costs about two gradients.

    Example:
        >>> import sobolev_theory as st
        >>> student, tangent = st.Network([1.0, 0.0]), st.Network([0.0, 2.0], output_weights=[0.0])
        >>> st.population_jacobian_product(student, student, tangent, loss=st.L2).weights.tolist()
        [[0.0, 1.0]]
    """
    posed = problem(student, teacher, loss, inputs, mesh)
    return with_parameters(student, *_product(_population_gradient, *posed, tangent_parameters(student, tangent)))


def loss_hessian_product(
    student: Network,
    teacher: Network,
    tangent: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Network:
    """The derivative of `loss_gradient` along `tangent`, without forming the Hessian.

    Args:
        tangent: a Network of the student's structure; its weights and output weights are the direction.

    Returns a Network of the student's structure.

    Example:
        >>> import sobolev_theory as st
        >>> student, tangent = st.Network([1.0, 0.0]), st.Network([0.0, 2.0], output_weights=[0.0])
        >>> st.loss_hessian_product(student, student, tangent, loss=st.L2).weights.tolist()
        [[0.0, 1.0]]
    """
    posed = problem(student, teacher, loss, inputs, mesh)
    return with_parameters(student, *_product(_loss_gradient, *posed, tangent_parameters(student, tangent)))


# Compiled once per activations, orders, and shapes.


@partial(jax.jit, static_argnums=(0, 5))
def _loss(engine: Engine, lambdas: OrderWeights, student, teacher, inputs: GaussianInput, mesh: Mesh | None):
    return engine.loss(lambdas, student, teacher, inputs, mesh)


@partial(jax.jit, static_argnums=(0, 5))
def _population_gradient(engine: Engine, lambdas: OrderWeights, student, teacher, inputs, mesh) -> Parameters:
    return engine.gradient("population", lambdas, student, teacher, inputs, mesh)


@partial(jax.jit, static_argnums=(0, 5))
def _boundary(engine: Engine, lambdas: OrderWeights, student, teacher, inputs, mesh) -> Parameters:
    return engine.gradient("boundary", lambdas, student, teacher, inputs, mesh)


@partial(jax.jit, static_argnums=(0, 5))
def _loss_gradient(engine: Engine, lambdas: OrderWeights, student, teacher, inputs, mesh) -> Parameters:
    return engine.gradient("loss", lambdas, student, teacher, inputs, mesh)


@partial(jax.jit, static_argnums=(0, 1, 6))
def _product(gradient, engine: Engine, lambdas: OrderWeights, student, teacher, inputs, mesh, tangent) -> Parameters:
    def of_student(moved: Parameters) -> Parameters:
        return gradient(engine, lambdas, moved, teacher, inputs, mesh)

    return jax.jvp(of_student, (student,), (tangent,))[1]


@partial(jax.jit, static_argnums=(0, 1, 6))
def _dense(
    gradient, engine: Engine, lambdas: OrderWeights, student, teacher, inputs, mesh
) -> Float[Array, "K d K d"]:
    """All columns of the product, as the last two axes."""
    rows, *others = student

    def of_rows(moved: Float[Array, "K d"]) -> Float[Array, "K d"]:
        return gradient(engine, lambdas, (moved, *others), teacher, inputs, mesh)[0]

    _, column = jax.linearize(of_rows, rows)
    basis = jnp.eye(rows.size, dtype=rows.dtype).reshape(-1, *rows.shape)
    return jax.vmap(column, out_axes=-1)(basis).reshape(rows.shape * 2)
