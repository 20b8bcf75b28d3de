"""Exact population loss and its two gradients, for Gaussian input.

Two gradients, never to be confused. The population gradient is the expectation of the per-sample gradient:
what autodiff and SGD see, and what the paper's formulas state. The loss gradient is the gradient of the
expected loss. They agree unless the highest derivative in the loss jumps, as in H1 with ReLU: then
  loss gradient = population gradient + boundary term,
and the population gradient is not the gradient of any function: its Jacobian is not symmetric.

Values at the points where a formula has several one-sided limits, for ReLU:
* two neurons of equal or opposite direction: the H1 loss has a kink there, a cone in their angle, and the
  direction e between them does not exist. Terms in e are 0, the mean of the one-sided values. This holds for
  angles within 8 eps of 0 and pi; in gradients, a student next to its own teacher keeps e at any angle.
* a zero neuron: no sample activates it; its gradient, and its row and column of the Jacobians, are 0.
"""

from functools import partial

import jax
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..kernels.activation_pairs import Part
from ..model.inputs import GaussianInput
from ..model.losses import H1, SobolevLoss
from ..model.networks import Network
from . import engine
from .posing import posed
from .problem import Problem
from .rooms import in_a_room


def population_loss(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Float[Array, ""]:
    """sum_m lambda_m E[ 1/2 || D_x^m (student - teacher)(x) ||^2 ], x ~ N(0, I_d) or another Gaussian `inputs`.

    `jax.grad` of it is `loss_gradient`. For ReLU without biases and student = teacher + delta it keeps its digits for
    |delta| down to 1e-12; else it is accurate to a few eps of its largest term: near its teacher the loss of other
    activations may come out a hair below 0.

    Args:
        loss: its lambdas; differentiable, as networks and inputs are. Default H1.
        inputs: the distribution of x, and the metric in which derivatives are measured.
        mesh: devices that share out the student's neurons, each with all weights in its memory; here and in the
            gradients and products below. On one device neurons are taken in blocks: besides the networks memory
            does not grow with the number of pairs of neurons.

    Returns:
        A scalar []; for ReLU in units of (output weight x norm of a neuron)^2.

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
    return _loss(posed(student, teacher, loss, inputs, mesh))


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

    Args and errors are those of `population_loss`.

    Returns:
        A Network of the student's structure, holding d/d weights [K, d], d/d output_weights [K], and d/d biases [K]
        if the student has any.

    Source: arXiv 2509.19773 (H1) and Tian, arXiv 1703.00560 (L2), for one neuron; theory of many neurons
    from the pair formulas in `pair`.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> st.population_gradient(student, teacher).weights.tolist()
        [[1.0, 0.0]]
    """
    return gradient(posed(student, teacher, loss, inputs, mesh), "population")


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

    Args and errors are those of `population_loss`.

    Returns:
        A Network of the student's structure, holding d/d weights [K, d], d/d output_weights [K], and d/d biases [K]
        if the student has any.

    Source: boundary term from the derivative of the orthant probability; derived in `boundary_term`.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([1.0, 1.0])
        >>> gap = st.loss_gradient(student, teacher).weights - st.population_gradient(student, teacher).weights
        >>> round(float(gap[0, 1]), 4)
        -0.1592
    """
    return gradient(posed(student, teacher, loss, inputs, mesh), "loss")


def boundary_term(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    mesh: Mesh | None = None,
) -> Float[Array, "K d"]:
    """`loss_gradient` minus `population_gradient`, in the weights; it has no part in the output weights.

    That in the biases, if there are any, is the difference of the two gradients. The highest derivative of a ReLU
    network jumps across the hyperplanes w_k.x = 0, which move with w_k:
      a_k sum_j c_j (w_k.v_j) grad_w P(theta_kj),  P = (pi - theta) / (2 pi),  grad_w P = e / (2 pi |w|),
    times lambda_1, over student (c = a) and teacher (c = -a*) neurons v. Args and errors are those of
    `population_loss`.

    Returns:
        d/d weights [K, d]; 0 for L2.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
        >>> st.boundary_term(student, teacher).tolist()
        [[0.0, 0.0]]
    """
    return gradient(posed(student, teacher, loss, inputs, mesh), "boundary").weights


# Compiled once per activations, orders, and sizes.


@in_a_room
@jax.jit
def _loss(p: Problem) -> Float[Array, ""]:
    return engine.loss(p)


@in_a_room
@partial(jax.jit, static_argnums=1)
def gradient(p: Problem, part: Part) -> Network:
    """One part of the gradient of a problem."""
    return engine.gradient(p, part)
