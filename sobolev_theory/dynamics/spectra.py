"""Spectra of population Jacobians and loss Hessians in any dimension, and condition numbers; see `curvature_blocks`.

The spectrum in the weights has at most K (n + 1) different values, K of them of multiplicity d - n.
"""

from functools import partial
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact, Int

from ..closed_forms import single_neuron
from ..geometry.angles import angles_between, inverse_or_zero, inverse_sine, polar
from ..geometry.span import orthogonal_to
from ..model.activations import ReLU
from ..model.arguments import check_choice
from ..model.inputs import GaussianInput
from ..model.losses import H1, Of, SobolevLoss
from ..model.networks import Network
from ..model.precision import full_products
from .curvature_blocks import Blocks, blocks
from .trained import Train, checked_train
from .zero_eigenvalues import ROUNDINGS, conditions, is_zero

Definition = Literal["eigenvalue_ratio", "two_norm", "symmetric_part"]


class Spectrum(eqx.Module):
    """Eigenvalues with multiplicities.

    Attributes:
        values: first those in the span, then those orthogonal to it; real for a symmetric matrix, else complex;
            exactly 0 where rounding cannot tell them from it.
        multiplicities: ints that sum to K d, or to the number of parameters that train; one per value.
        gauge: how many of the values that are 0 belong to changes of scale between the output weight and the other
            parameters of a neuron, which leave the network as it is; all others that are 0 are `flat`.
        departure_from_normality: Henrici's, the Frobenius norm of the Schur form above its diagonal; 0 if normal.
        blocks: the matrices behind the values.
    """

    values: Inexact[Array, " m"]
    multiplicities: Int[Array, " m"]
    departure_from_normality: Float[Array, ""]
    blocks: Blocks

    @property
    def gauge(self) -> Int[Array, ""]:
        return self.blocks.gauge

    @property
    def flat(self) -> Int[Array, ""]:
        """How many eigenvalues are 0 for no such reason, with multiplicity."""
        return jnp.sum(jnp.where(self.values == 0, self.multiplicities, 0)) - self.gauge

    @full_products
    def eigenpairs(self) -> tuple[Inexact[Array, " m"], Inexact[Array, "m K d"]]:
        """The values, those in the span first, each with a unit eigenvector lifted to the weights.

        For a value of multiplicity d - n it is one of them: a vector over the neurons times one direction
        orthogonal to the span, and any other such direction serves as well. Needs the memory of m networks.

        Raises:
            ValueError: a spectrum in other parameters than the weights.
        """
        if self.blocks.train != ("weights",):
            raise ValueError(f"train: got the spectrum in {self.blocks.train}; eigenpairs needs one in the weights")
        basis, neurons = self.blocks.reduction.basis, self.blocks.orthogonal.shape[0]
        eig = jnp.linalg.eigh if self.blocks.symmetric else jnp.linalg.eig
        values, vectors = eig(self.blocks.in_span)
        rows = vectors.reshape(neurons, basis.shape[1], -1)
        lifted = jnp.einsum("kni,dn->ikd", rows, basis.astype(rows.dtype))
        if self.blocks.copies:
            values_across, vectors = eig(self.blocks.orthogonal)
            across = jnp.einsum("ki,d->ikd", vectors, orthogonal_to(basis).astype(rows.dtype))
            values, lifted = jnp.concatenate([values, values_across]), jnp.concatenate([lifted, across])
        return values, lifted


def spectrum(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    of: Of = "loss",
    train: Train = "weights",
) -> Spectrum:
    """All K d eigenvalues of the loss Hessian or the population Jacobian in the weights, with multiplicities.

    Costs one QR of d x (K + K*) and dense eigenvalues of sizes K n and K, n = min(d, K + K*). Works under jit and
    vmap; eigenvalues of a matrix that is not symmetric exist in JAX on the CPU only.

    Args:
        of: "loss" for `loss_hessian`, symmetric; "population" for `population_jacobian`, what the paper calls the
            Hessian, which for H1 and ReLU is neither symmetric nor normal.
        train: the parameters that derivatives are taken in, "weights", "output_weights" or "biases", or several.

    Returns:
        Spectrum: at most K (n + 1) different eigenvalues in the weights, with multiplicities that sum to K d.

    Raises:
        ValueError: an unknown `of`, `train` of what the student does not have; and what `population_loss` raises.

    Source: rotation invariance; derived in the docstrings of `reduction` and `blocks`.

    Example:
        >>> import sobolev_theory as st
        >>> teacher = st.Network([1.0] + 999 * [0.0])
        >>> st.spectrum(teacher, teacher, loss=st.L2).multiplicities.tolist()
        [1, 1, 998]
    """
    matrix = blocks(student, teacher, loss, inputs, of=of, train=checked_train(train, student))
    counts = [copies for part, copies in matrix.parts for _ in range(part.shape[0])]
    values, departures = _eigenvalues_of_parts(student, teacher, loss, inputs, of, matrix)
    squares = [copies * departure**2 for (_, copies), departure in zip(matrix.parts, departures, strict=True)]
    return Spectrum(values, jnp.array(counts), jnp.sqrt(sum(squares)), matrix)


def condition_number(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    inputs: GaussianInput = GaussianInput(),  # noqa: B008 - immutable
    *,
    of: Of = "loss",
    train: Train = "weights",
    definition: Definition = "eigenvalue_ratio",
) -> Float[Array, ""]:
    """How far the curvature is from that of a ball, by a named definition; infinite for a singular matrix.

    Args:
        of, train: as for `spectrum`; directions that only change scale, `Spectrum.gauge`, do not count.
        definition: "eigenvalue_ratio", max |eigenvalue| / min |eigenvalue|, the paper's where all are positive;
            "two_norm", largest / smallest singular value; "symmetric_part", the ratio max |.| / min |.| of the
            eigenvalues of (A + A^T)/2. They agree for a positive definite loss Hessian, not for the population
            Jacobian of H1.

    Returns:
        A number >= 1, or infinity.

    Raises:
        ValueError: an unknown definition or `of`; and what `population_loss` raises.

    Example:
        >>> import sobolev_theory as st
        >>> teacher = st.Network([1.0, 0.0, 0.0])
        >>> float(st.condition_number(teacher, teacher, loss=st.L2))
        1.0
    """
    check_choice("definition", definition, Definition)
    matrix = blocks(student, teacher, loss, inputs, of=of, train=checked_train(train, student))
    if definition == "eigenvalue_ratio":
        return _ratio(_eigenvalues_of_parts(student, teacher, loss, inputs, of, matrix)[0], matrix.gauge)
    return _ratio(_sizes([part for part, _ in matrix.parts], definition), matrix.gauge)


def condition_of(
    matrix: Float[Array, "m m"], definition: Definition = "eigenvalue_ratio", *, symmetric: bool = False
) -> Float[Array, ""]:
    """The condition number of one matrix, by the definitions and with the zeros of `condition_number`."""
    if definition == "eigenvalue_ratio":
        return _ratio(_without_rounding([_eigenvalues(matrix, symmetric)], matrix.shape[0]))
    return _ratio(_sizes([matrix], definition))


def _ratio(values: Inexact[Array, " m"], without=0) -> Float[Array, ""]:
    """Of the largest to the least, but for so many of the least."""
    sizes = jnp.abs(values)
    least = jnp.sort(sizes)[without]
    return jnp.where(least > 0, jnp.max(sizes) / jnp.where(least > 0, least, 1.0), jnp.inf)


class Eigenvalues(NamedTuple):
    """Of one part: ascending if real; their conditions, and the departure from normality."""

    values: Inexact[Array, " m"]
    condition: Float[Array, " m"]
    departure: Float[Array, ""]


def _eigenvalues_of_parts(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, of: Of, matrix: Blocks
) -> tuple[Inexact[Array, " m"], list[Float[Array, ""]]]:
    """All eigenvalues, and each part's departure from normality."""
    in_weights = matrix.train == ("weights",)
    if (
        in_weights
        and student.dimension > 1
        and inputs.is_standard
        and _is_the_papers(student)
        and _is_the_papers(teacher)
    ):
        parts = _of_one_neuron(student, teacher, loss, of, matrix)[: len(matrix.parts)]
    else:
        parts = [_eigenvalues(part, matrix.symmetric) for part, _ in matrix.parts]
    return _without_rounding(parts, matrix.in_span.shape[0]), [part.departure for part in parts]


@partial(jax.jit, static_argnums=1)  # once per shape, also for a caller outside jit, as what follows
def _without_rounding(parts: list[Eigenvalues], size: int) -> Inexact[Array, " m"]:
    """With exact zeros where rounding would decide the sign."""
    values, condition = (jnp.concatenate(side) for side in zip(*(part[:2] for part in parts), strict=True))
    return jnp.where(is_zero(values, size, condition), 0.0, values)


def _is_the_papers(network: Network) -> bool:
    """One ReLU neuron without a bias."""
    return network.neurons == 1 and network.biases is None and isinstance(network.activation, ReLU)


@partial(jax.jit, static_argnums=3)
def _of_one_neuron(
    student: Network, teacher: Network, loss: SobolevLoss, of: Of, matrix: Blocks
) -> list[Eigenvalues]:
    """In closed form: near a teacher H's matrix is a Jordan block, and numerical eigenvalues keep half the digits."""
    w, w_star = polar(student.weights), polar(teacher.weights)
    angles = angles_between(w, w_star).take(0, 0)
    alive, lambdas = w.norm[0] > 0, (*loss.lambdas, 0.0)[:2]
    a, a_star = student.output_weights[0], teacher.output_weights[0]
    rho = a * a_star * (w_star.norm * inverse_or_zero(w.norm))[0]
    if of == "loss":
        kink = angles.cos**2 * inverse_sine(angles)
        terms = single_neuron.loss_hessian_eigenvalues(lambdas, rho, angles.sin, kink, a**2)
    else:
        terms = single_neuron.population_eigenvalues(lambdas, rho, angles.sin, a**2)
    values, half = jnp.stack(terms), jnp.asarray(terms.radial)
    rounding = ROUNDINGS * float(jnp.finfo(half.dtype).eps) * (jnp.abs(half) + jnp.abs(values - half))
    values = jnp.where(alive & (jnp.abs(values) > rounding), values, 0.0)  # what a sum loses, whatever the others are
    above_diagonal = jnp.abs(lambdas[1] * rho * angles.cos) / (2 * jnp.pi)
    departure = jnp.where(alive & (not matrix.symmetric), above_diagonal, 0.0)
    kind = matrix.in_span.dtype if matrix.symmetric else np.result_type(matrix.in_span.dtype, np.complex64)
    in_span = jnp.sort(values[:2]).astype(kind)
    own, across = jnp.zeros_like(values), values[2:].astype(kind)
    return [Eigenvalues(in_span, own[:2], departure), Eigenvalues(across, own[2:], 0 * departure)]


@partial(jax.jit, static_argnums=1)
def _eigenvalues(matrix: Float[Array, "m m"], symmetric: bool) -> Eigenvalues:
    if symmetric:
        values = jnp.linalg.eigvalsh(matrix)
        return Eigenvalues(values, jnp.ones_like(values), jnp.zeros((), matrix.dtype))
    triangle, _ = jax.scipy.linalg.schur(matrix, output="complex")
    return Eigenvalues(jnp.diagonal(triangle), conditions(triangle), jnp.linalg.norm(jnp.triu(triangle, 1)))


def _sizes(matrices: list[Float[Array, "m m"]], definition: Definition) -> Float[Array, " m"]:
    """Of a matrix with these diagonal blocks: singular values, or absolute eigenvalues of the symmetric part."""
    if definition == "two_norm":
        found = [jnp.linalg.svd(matrix, compute_uv=False) for matrix in matrices]
    else:
        found = [jnp.abs(jnp.linalg.eigvalsh((matrix + matrix.T) / 2)) for matrix in matrices]
    sizes = jnp.concatenate(found)
    return jnp.where(is_zero(sizes, sizes.size), 0.0, sizes)
