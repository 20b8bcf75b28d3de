"""From what users pass to what is compiled: networks, losses, inputs and meshes, checked against each other."""

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..model.activations import Activation, ReLU, has_jumps
from ..model.inputs import GaussianInput, check_dimension
from ..model.losses import OrderWeights, SobolevLoss, check_order
from ..model.mixed import Mixed
from ..model.networks import Network, Neurons, Parameters, check_same_inputs, parameters
from .engine import Engine, checked_quadrature, engine_of


def problem(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, mesh: Mesh | None = None
) -> tuple[Engine, OrderWeights, Parameters, Parameters, GaussianInput, Mesh | None]:
    """What is compiled and what it is called with, checked."""
    check_same_inputs(student, teacher)
    check_dimension(inputs, student.dimension)
    check_order(loss, student.activation)
    check_order(loss, teacher.activation)
    engine = engine_of(student, teacher, loss, inputs)
    ours, theirs, mesh = _on_devices(mesh, parameters(student), parameters(teacher))
    lambdas = engine.lambdas(loss)
    engine.check_norms("student", student.activation, ours, inputs)
    engine.check_norms("teacher", teacher.activation, theirs, inputs)
    if engine.by_quadrature:
        lambdas = checked_quadrature(engine, lambdas, ours, theirs, inputs)
    return engine, lambdas, ours, theirs, inputs, mesh


def isotropic_problem(
    name: str, student: Network, teacher: Network, loss: SobolevLoss
) -> tuple[Activation, OrderWeights, Neurons, Neurons]:
    """For what follows flows, by `Activation.sums`: one activation, no biases, input N(0, I).

    Raises:
        NotImplementedError: other networks; kinked activations other than ReLU, if the loss has its highest order.
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
    if not isinstance(activation, ReLU) and has_jumps(activation, loss.order):
        raise NotImplementedError(
            f"student: got activation {activation} and a loss of order {loss.order}; {name} knows the kinks of "
            "such a loss for ReLU only, and needs a lower order"
        )
    lambdas, highest = loss.lambdas[: loss.order + 1], activation.highest_order
    if isinstance(activation, ReLU) and highest is not None:
        lambdas = lambdas + (0.0,) * (highest + 1 - len(lambdas))
    return activation, lambdas, parameters(student)[:2], parameters(teacher)[:2]


def _on_devices(mesh: Mesh | None, *networks: Parameters) -> tuple:
    """Neurons as whole copies on every device, and the mesh without the types of its axes: rows are divided by us."""
    if mesh is None:
        return *networks, None
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh: got {mesh!r}; needs a jax.sharding.Mesh, or None")
    mesh = Mesh(mesh.devices, mesh.axis_names)
    return *jax.device_put(networks, NamedSharding(mesh, PartitionSpec())), mesh


def tangent_parameters(student: Network, tangent: Network) -> Parameters:
    if not isinstance(tangent, Network):
        raise TypeError(f"tangent: got {type(tangent).__name__}; needs a Network of the student's structure")
    if tangent.weights.shape != student.weights.shape:
        raise ValueError(
            f"tangent: got weights of shape {tangent.weights.shape}; needs the student's {student.weights.shape}"
        )
    rows, output, biases = parameters(tangent)
    if student.biases is None:
        biases = None
    elif biases is None:
        biases = jnp.zeros_like(student.biases)
    steps = rows, output, biases
    return jax.tree.map(lambda step, own: step.astype(own.dtype), steps, parameters(student))
