"""From what users pass to what is compiled: networks, losses, inputs and meshes, checked against each other."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..model.activations import Activation, ReLU
from ..model.arguments import common_dtype
from ..model.inputs import GaussianInput, check_dimension
from ..model.losses import OrderWeights, SobolevLoss, check_order, known_zero
from ..model.mixed import Mixed
from ..model.networks import Network, Neurons, check_same_inputs, parameters, with_parameters


class Problem(eqx.Module):
    """A student, its teacher, the loss between them and the distribution of their inputs; a pytree, passed to jit.

    Attributes:
        orders: those whose lambdas are not known to be 0.
        mesh: the devices that share out the students, or None.
    """

    student: Network
    teacher: Network
    loss: SobolevLoss
    inputs: GaussianInput
    orders: tuple[int, ...] = eqx.field(static=True)
    mesh: Mesh | None = eqx.field(static=True)

    @property
    def dtype(self):
        """Of the sums: what holds networks and inputs."""
        return common_dtype(*jax.tree.leaves((self.student, self.teacher, self.inputs)))

    @property
    def lambdas(self) -> OrderWeights:
        return tuple(jnp.asarray(value, self.dtype) for value in self.loss.lambdas)

    @property
    def has_means(self) -> bool:
        """Whether pre-activations have means: from biases, or the mean of the input."""
        biases = self.student.biases, self.teacher.biases
        return self.inputs.mean is not None or any(b is not None for b in biases)

    @property
    def has_one_metric(self) -> bool:
        """Whether derivatives are measured in the metric of the covariance."""
        return self.inputs.is_isotropic or self.inputs.metric == "mahalanobis" or max(self.orders) == 0

    def of(self, student: Network) -> "Problem":
        """The same of another student."""
        return eqx.tree_at(lambda p: p.student, self, student)


def problem(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, mesh: Mesh | None = None
) -> Problem:
    """Checked, all but the quadrature of an activation: that is `posed`."""
    check_same_inputs(student, teacher)
    check_dimension(inputs, student.dimension)
    check_order(loss, student.activation)
    check_order(loss, teacher.activation)
    orders = tuple(m for m, value in enumerate(loss.lambdas) if not known_zero(value)) or (0,)
    if mesh is not None:
        student, teacher, mesh = _on_devices(mesh, student, teacher)
    return Problem(student, teacher, loss, inputs, orders, mesh)


def isotropic_problem(
    name: str, student: Network, teacher: Network, loss: SobolevLoss
) -> tuple[Activation, OrderWeights, Neurons, Neurons]:
    """For what follows flows, by `sums_of`: one activation, no biases, input N(0, I).

    Raises:
        NotImplementedError: other networks.
    """
    check_same_inputs(student, teacher)
    check_order(loss, student.activation)
    activation = student.activation
    if student.biases is not None or teacher.biases is not None:
        raise NotImplementedError(f"student: got networks with biases; {name} needs networks without")
    if activation != teacher.activation or isinstance(activation, Mixed):
        raise NotImplementedError(
            f"teacher: got activation {teacher.activation}; {name} needs one activation, the student's {activation}"
        )
    lambdas, highest = loss.lambdas, activation.highest_order
    if isinstance(activation, ReLU) and highest is not None:
        lambdas = lambdas + (0.0,) * (highest + 1 - len(lambdas))
    return activation, lambdas, parameters(student)[:2], parameters(teacher)[:2]


def _on_devices(mesh: Mesh, student: Network, teacher: Network) -> tuple[Network, Network, Mesh]:
    """Neurons as whole copies on every device, and the mesh without the types of its axes: rows are divided by us."""
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh: got {mesh!r}; needs a jax.sharding.Mesh, or None")
    mesh = Mesh(mesh.devices, mesh.axis_names)
    return *jax.device_put((student, teacher), NamedSharding(mesh, PartitionSpec())), mesh


def as_tangent(student: Network, tangent: Network) -> Network:
    """A direction of the student's own structure and precision; without biases they stay."""
    if not isinstance(tangent, Network):
        raise TypeError(f"tangent: got {type(tangent).__name__}; needs a Network of the student's structure")
    if tangent.weights.shape != student.weights.shape:
        raise ValueError(
            f"tangent: got weights of shape {tangent.weights.shape}; needs the student's {student.weights.shape}"
        )
    steps = with_parameters(student, *parameters(tangent))
    return jax.tree.map(lambda step, own: step.astype(own.dtype), steps, student)
