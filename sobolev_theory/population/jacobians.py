"""Jacobians of the two gradients in the student: dense in the weights, and as products with a tangent."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..kernels.activation_pairs import Part
from ..model.inputs import GaussianInput
from ..model.losses import H1, SobolevLoss
from ..model.networks import Network, with_parameters
from .gradients import gradient
from .posing import posed
from .problem import Problem, as_tangent
from .rooms import in_a_room


def population_jacobian(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
) -> Float[Array, "K d K d"]:
    """Jacobian of `population_gradient` in the weights.

    What the paper calls the Hessian of the H1 loss. It is not symmetric for H1, and not normal.
    See `population_jacobian_product` for products without the matrix. Args and errors are those of `population_loss`.

    Returns:
        [K, d, K, d], laid out as `jax.jacobian`: gradient entry first.

    Source: arXiv 2509.19773 for one neuron; pair formulas in `pair`.

    Example:
        >>> import sobolev_theory as st
        >>> student = st.Network([1.0, 0.0])
        >>> st.population_jacobian(student, student, loss=st.L2)[0, :, 0, :].tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """
    return _dense(posed(student, teacher, loss, inputs), "population")


def loss_hessian(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
) -> Float[Array, "K d K d"]:
    """Hessian of `population_loss` in the weights.

    For ReLU and H1 an eigenvalue grows like |w*| / (2 pi |w| theta) where a student neuron approaches the
    direction of a teacher neuron: the loss has a kink there, and at the kink itself that term is dropped. Args and
    errors are those of `population_loss`.

    Returns:
        [K, d, K, d], symmetric.

    Example:
        >>> import sobolev_theory as st
        >>> student, teacher = st.Network([1.0, 0.0]), st.Network([-1.0, 0.0])
        >>> st.loss_hessian(student, teacher)[0, :, 0, :].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return _dense(posed(student, teacher, loss, inputs), "loss")


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

    Other arguments and errors are those of `population_loss`. Costs about two gradients.

    Returns:
        A Network of the student's structure.

    Example:
        >>> import sobolev_theory as st
        >>> student, tangent = st.Network([1.0, 0.0]), st.Network([0.0, 2.0], output_weights=[0.0])
        >>> st.population_jacobian_product(student, student, tangent, loss=st.L2).weights.tolist()
        [[0.0, 1.0]]
    """
    p = posed(student, teacher, loss, inputs, mesh)
    return _product(p, as_tangent(student, tangent), "population")


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

    Other arguments and errors are those of `population_loss`.

    Returns:
        A Network of the student's structure.

    Example:
        >>> import sobolev_theory as st
        >>> student, tangent = st.Network([1.0, 0.0]), st.Network([0.0, 2.0], output_weights=[0.0])
        >>> st.loss_hessian_product(student, student, tangent, loss=st.L2).weights.tolist()
        [[0.0, 1.0]]
    """
    p = posed(student, teacher, loss, inputs, mesh)
    return _product(p, as_tangent(student, tangent), "loss")


@partial(jax.jit, static_argnames="part")
def _product(p: Problem, tangent: Network, part: Part) -> Network:
    return jax.jvp(lambda student: gradient(p.of(student), part), (p.student,), (tangent,))[1]


@in_a_room
@partial(jax.jit, static_argnums=1)
def _dense(p: Problem, part: Part) -> Float[Array, "K d K d"]:
    """All columns of the product, as the last two axes."""
    rows = p.student.weights

    def of_rows(moved: Float[Array, "K d"]) -> Float[Array, "K d"]:
        return gradient(
            p.of(with_parameters(p.student, moved, p.student.output_weights, p.student.biases)), part
        ).weights

    _, column = jax.linearize(of_rows, rows)
    basis = jnp.eye(rows.size, dtype=rows.dtype).reshape(-1, *rows.shape)
    return jax.vmap(column, out_axes=-1)(basis).reshape(rows.shape * 2)


def parameter_jacobian(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, part: Part, names: tuple[str, ...]
) -> Float[Array, "P P"]:
    """Of the gradient in the named parameters of a Network by them, each flattened, one after another."""
    return _dense_in(posed(student, teacher, loss, inputs), part, names)


@partial(jax.jit, static_argnums=(1, 2))
def _dense_in(p: Problem, part: Part, names: tuple[str, ...]) -> Float[Array, "P P"]:
    own = p.student.weights, p.student.output_weights, p.student.biases
    here = [getattr(p.student, name) for name in names]
    ends = list(itertools.accumulate(x.size for x in here))

    def of_vector(x: Float[Array, " P"]) -> Float[Array, " P"]:
        parts = jnp.split(x, ends[:-1])
        moved = {name: new.reshape(old.shape) for name, new, old in zip(names, parts, here, strict=True)}
        values = [
            moved.get(name, old) for name, old in zip(("weights", "output_weights", "biases"), own, strict=True)
        ]
        found = gradient(p.of(with_parameters(p.student, *values)), part)
        return jnp.concatenate([jnp.ravel(getattr(found, name)) for name in names])

    _, column = jax.linearize(of_vector, jnp.concatenate([jnp.ravel(x) for x in here]))
    return jax.vmap(column, out_axes=-1)(jnp.eye(ends[-1], dtype=p.dtype))
