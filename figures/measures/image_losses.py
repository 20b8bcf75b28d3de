"""L2 against H1 in the image plane: one training run for both losses, errors in both norms, and their ratios.

H1 is that of the periodic image by Fourier with pixels of size 1 (`st.differentiation.fourier`): the mean over the
pixels of |e|^2 + |grad e|^2, e the difference of two images. Opposite edges of e meet there; where they differ, the
jump counts as a derivative.
"""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PyTree

from sobolev_theory import training
from sobolev_theory.differentiation import fourier

from ..kept import Keep
from .statistics import phrase, ratio_of_medians, reached

LOSSES = ("L2", "H1")  # of orders s = 0, 1
SPACE = (-3, -2)  # axes of images [..., height, width, channels]


def mean_square(error: Float[Array, "N H W C"], order: float | Array) -> Float[Array, ""]:
    """The squared H^s norm over the number of pixels, meant over images and channels."""
    return jnp.mean(fourier.sobolev_mean_square(error, order, axes=SPACE))


def errors(error: Float[Array, "N H W C"]) -> dict[str, Float[Array, ""]]:
    """Root mean squares in L2 and in H1, named error_L2 and error_H1."""
    return {f"error_{loss}": jnp.sqrt(mean_square(error, order)) for order, loss in enumerate(LOSSES)}


class Learner(eqx.Module):
    """A network and the order s of the loss it learns with."""

    network: PyTree
    order: Float[Array, ""]


def train(
    make: Callable[[jax.Array], PyTree],
    objective: Callable[[PyTree, Array, jax.Array], Float[Array, ""]],
    measure: Callable[[PyTree], dict[str, Array]],
    *,
    orders: Sequence[float] = (0, 1),
    seeds: int,
    steps: int,
    rate: optax.ScalarOrSchedule,
    every: int,
    networks_at_once: int | None = None,
    keep: Keep,
) -> dict[str, np.ndarray]:
    """Losses of several orders s from the same networks with the same draws, by Adam; they compile once.

    Args:
        make: key -> network.
        objective: (network, order s of the loss, key) -> scalar; the key is the same for all losses.
        measure: network -> what is recorded of it.
        every: so many steps there is a record.
        keep: gets the checkpoints of the cell "training".
        networks_at_once: None for all of them; large ones fit in memory one at a time.

    Returns:
        step [T], and each measure as [orders, seeds, T, ...].
    """
    keys = jax.random.split(jax.random.key(0), seeds)
    networks = eqx.filter_vmap(make)(keys)
    count = len(orders)
    every_one = jax.tree.map(lambda leaf: jnp.concatenate(count * [leaf]) if eqx.is_array(leaf) else leaf, networks)
    run = training.fit(
        Learner(every_one, jnp.repeat(jnp.asarray(orders, jnp.float32), seeds)),
        # The order is an array of floating point: it would be trained too, and every loss become another in time.
        lambda learner, key: objective(learner.network, jax.lax.stop_gradient(learner.order), key),
        keys=jnp.concatenate(count * [keys]),
        stages=[training.Stage(optax.adam(rate), steps)],
        measure=lambda learner: measure(learner.network) | {"order": learner.order},
        every=every,
        seeds_at_once=networks_at_once,
        checkpoint=keep.checkpoint("training"),
        track=keep.track,
    )
    measures = {name: found.reshape(count, seeds, *found.shape[1:]) for name, found in run.measures.items()}
    assert np.array_equal(measures.pop("order")[:, 0, -1], np.asarray(orders, np.float32))
    return {"step": run.step, **measures}


def compare(data: dict[str, np.ndarray], what: str) -> list[str]:
    """Lines for `finding`: errors at the end in both norms, and steps to the error that L2 ended with."""
    lines, step = [], data["step"]
    for norm in LOSSES:
        l2, h1 = data[f"error_{norm}"]
        ratio = ratio_of_medians(l2[:, -1], h1[:, -1])
        lines.append(phrase(f"{what} in {norm} after {step[-1]} steps, L2 loss over H1 loss,", ratio))
    ends = data["error_L2"][0, :, -1]
    # The start counts as the first record after it, so that ratios of steps exist.
    l2, h1 = (reached(step[1:], error[:, 1:], ends) for error in data["error_L2"])
    quantity = f"steps to the {what} in L2 that the L2 loss ended with, L2 loss over H1 loss,"
    return [*lines, phrase(quantity, ratio_of_medians(l2, h1))]
