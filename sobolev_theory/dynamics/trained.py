"""Which parameters train, and what symmetry of rescaling they then have.

An activation with s(c t) = c^p s(t) for c > 0 gives the same network for (c w, c b, c^-p a) as for (w, b, a). Where
all of a neuron's parameters train, every gradient obeys w.G_w + b G_b = p a G_a, also the population gradient, whose
samples do: so flows conserve a^2 - (|w|^2 + b^2) / p of each neuron, its balance, and a Jacobian at a critical point
is 0 along the change of scale (w, b, -p a).
"""

from collections.abc import Sequence
from typing import Literal, get_args

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.activations import Activation
from ..model.networks import Network, Neurons, parameters
from .kinks import Present, distance_to_teacher

Trained = Literal["weights", "output_weights", "biases"]
Train = Trained | Sequence[Trained]
TRAINED: tuple[Trained, ...] = get_args(Trained)


def checked_train(train: Train, student: Network) -> tuple[Trained, ...]:
    """In the order of a Network's parameters.

    Raises:
        TypeError, ValueError: no names, unknown ones, or biases of a student without.
    """
    needs = f"needs one or more of {', '.join(map(repr, TRAINED))}"
    names = (train,) if isinstance(train, str) else train
    if isinstance(names, bytes) or not isinstance(names, Sequence | set | frozenset):
        raise TypeError(f"train: got {train!r}; {needs}")
    unknown = [name for name in names if name not in TRAINED]
    if unknown or not names:
        raise ValueError(f"train: got {train!r}; {needs}")
    if "biases" in names and student.biases is None:
        raise ValueError(
            f"train: got {train!r}, and a student without biases; needs a student with biases, which may be zeros"
        )
    return tuple(name for name in TRAINED if name in names)


def rescaling_power(student: Network, train: tuple[Trained, ...]) -> int | None:
    """The p of the module, of student neurons whose parameters all train; None without such a symmetry."""
    if set(train) != set(TRAINED) - ({"biases"} if student.biases is None else set()):
        return None
    return degree(student.activation)


def degree(sigma: Activation) -> int | None:
    """The p >= 1 with s(c t) = c^p s(t) for c > 0, one and the same of all neurons of a network; else None."""
    if hasattr(sigma, "activations"):
        degrees = {degree(one) for one in sigma.activations}
        return degrees.pop() if len(degrees) == 1 else None
    powers = set()
    for coefficient, factor in sigma.terms:
        is_power = factor.kind in ("power", "truncated power") and factor.width == 0 and factor.kink == 0
        if coefficient:
            powers.add(factor.power if is_power else 0)
    return (powers.pop() or None) if len(powers) == 1 else None


def points(root, counts, w: Float[Array, "K d"], a: Float[Array, " K"], b: Float[Array, " K"]) -> Float[Array, "K q"]:
    """Neurons as points, whose distances are those of neurons.

    Args:
        root: 1/p for neurons that may be rescaled: then |a|^(1/p) (w, b), which no rescaling moves, those of output
            weights of opposite signs in two spaces that meet in 0. Else 0.
        counts: 1 for the columns of (w, a, b) that count if they may not be, else 0.
    """
    a, row = a[:, None], jnp.concatenate([w, b[:, None]], axis=1)
    size = jnp.abs(a) ** root
    rescaled = jnp.concatenate([jnp.where(a >= 0, size * row, 0.0), jnp.where(a < 0, size * row, 0.0)], axis=1)
    plain = counts[None] * jnp.concatenate([w, a, b[:, None]], axis=1)
    return jnp.where(root > 0, rescaled, jnp.pad(plain, [(0, 0), (0, rescaled.shape[1] - plain.shape[1])]))


def distance_of_points(
    root, ours: Float[Array, "K q"], theirs: Float[Array, "K_star q"], present: Present
) -> Float[Array, ""]:
    """As `distance_to_teacher`; neurons that may be rescaled are also near nothing, at 0, where they add nothing."""
    (ours, students), (theirs, teachers) = (
        (jnp.pad(x, [(0, 1), (0, 0)]), jnp.append(there, root > 0))
        for x, there in ((ours, present.students), (theirs, present.teachers))
    )
    return distance_to_teacher(ours, theirs, Present(students, teachers))


def distance_of_neurons(root, trains, ours: Neurons, theirs: Neurons, present: Present) -> Float[Array, ""]:
    """Without biases.

    Args:
        root, trains: as in `points`; the second of the output weights.
    """
    rows = ours[0]
    counts = jnp.concatenate([jnp.ones_like(rows[0]), jnp.stack([trains, jnp.zeros_like(trains)])])
    one, other = (points(root, counts, w, a, jnp.zeros_like(a)) for w, a in (ours, theirs))
    return distance_of_points(root, one, other, present)


def distance_of_networks(
    student: Network, teacher: Network, train: tuple[Trained, ...], power: int | None
) -> Float[Array, ""]:
    """Of the weights and what else trains."""
    if train == ("weights",):
        return distance_to_teacher(student.weights, teacher.weights)
    dtype, root = student.weights.dtype, 0.0 if power is None else 1 / power
    counts = jnp.array([1.0] * student.dimension + [float(name in train) for name in TRAINED[1:]], dtype)
    ours, theirs = (
        points(jnp.asarray(root, dtype), counts, w, a, jnp.zeros_like(a) if b is None else b)
        for w, a, b in map(parameters, (student, teacher))
    )
    everyone = Present(jnp.ones(student.neurons, bool), jnp.ones(teacher.neurons, bool))
    return distance_of_points(root, ours, theirs, everyone)
