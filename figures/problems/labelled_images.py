"""Images with labels, and a small classifier of them whose features measure distances between sets of images.

Labels are those of the digits, the names of the subfolders of a folder, or, for a folder without subfolders, by how
many quarter turns each image was turned (Gidaris et al., arXiv 1803.07728): features need no people to label images.
"""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, Int

from sobolev_theory import training

from ..kept import Arrays, Keep
from ..kept.folders import visible_files, visible_folders
from ..networks.classifier import Classifier
from . import datasets
from .datasets import DataError

FEWEST = 20  # images of a folder


class Labelled(NamedTuple):
    """Images with values in [-1, 1], in random order."""

    images: Float[np.ndarray, "N H W C"]
    labels: Int[np.ndarray, " N"] | None  # from 0 on; None for quarter turns
    classes: str  # what the labels are, in words


def digits() -> Labelled:
    """The 1797 digits of scikit-learn, 8 x 8 x 1."""
    found = datasets.digits()
    return _mixed(found.images[..., None], found.labels, "the ten digits")


def folder(path: Path, size: int) -> Labelled:
    """The pictures of a folder, in RGB; its subfolders with pictures are classes if there are at least two.

    Raises:
        DataError: damaged pictures, fewer than 20, or pictures beside the subfolders, which have no class.
    """
    found = Path(path)
    subfolders = visible_folders(found) if found.is_dir() else []
    if len(subfolders) < 2:
        images, labels, classes = datasets.image_folder(found, size), None, "quarter turns"
    else:
        beside = [file for file in visible_files(found) if file.parent == found and datasets.is_picture(file)]
        if beside:
            raise DataError(
                f"{beside[0]}: is beside {len(subfolders)} folders; needs to be in one, which is its class"
            )
        parts = [datasets.image_folder(each, size) for each in subfolders]
        images, classes = np.concatenate(parts), f"{len(parts)} folders"
        labels = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if len(images) < FEWEST:
        raise DataError(f"{found}: has {len(images)} pictures; needs at least {FEWEST}")
    return _mixed(images, labels, classes)


def _mixed(images: np.ndarray, labels: np.ndarray | None, classes: str) -> Labelled:
    """Images in [0, 1], to [-1, 1] and in random order."""
    order = np.random.default_rng(0).permutation(len(images))
    return Labelled((2 * images[order] - 1).astype(np.float32), None if labels is None else labels[order], classes)


def split(found: Labelled, share: float, most: int) -> tuple[Labelled, Labelled]:
    """Training images, and for testing a share of all or `most` of them, the first."""
    count = min(max(int(share * len(found.images)), 2), most)
    first, rest = (
        Labelled(found.images[part], None if found.labels is None else found.labels[part], found.classes)
        for part in (slice(count), slice(count, None))
    )
    return rest, first


def train_classifier(
    train: Labelled,
    test: Labelled,
    steps: int,
    batch: int = 64,
    keep: Keep = Keep(),
) -> tuple[Classifier, float]:
    """A classifier after so many steps of Adam, and its accuracy on the test images.

    It is a cell of `keep`: what is resumed needs the same one, and on a GPU another training rounds otherwise.
    """
    images, labels = _with_labels(train)
    count = int(labels.max()) + 1
    key = jax.random.key(1)
    start = Classifier(images.shape[1], images.shape[-1], count, key=key)
    leaves, structure = jax.tree.flatten(start)
    names = [f"leaf{number}" for number in range(len(leaves))]

    def objective(network, key):
        rows = jax.random.randint(key, (batch,), 0, len(images))
        logits = jax.vmap(network)(images[rows])
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]))

    def trained() -> Arrays:
        run = training.fit(
            jax.tree.map(lambda leaf: leaf[None], start),
            objective,
            keys=key[None],
            stages=[training.Stage(optax.adam(optax.cosine_decay_schedule(3e-3, steps)), steps)],
            every=steps,
        )
        return {name: np.asarray(leaf[0]) for name, leaf in zip(names, jax.tree.leaves(run.networks), strict=True)}

    found = keep.cell("classifier", trained)
    network = jax.tree.unflatten(structure, [jnp.asarray(found[name]) for name in names])
    held_out, truth = _with_labels(test)
    right = jnp.argmax(jax.vmap(network)(held_out), axis=-1) == truth
    return network, float(jnp.mean(right))


def _with_labels(found: Labelled) -> tuple[jax.Array, jax.Array]:
    if found.labels is not None:
        return jnp.asarray(found.images), jnp.asarray(found.labels)
    turned = np.concatenate([np.rot90(found.images, turns, axes=(1, 2)) for turns in range(4)])
    return jnp.asarray(turned), jnp.repeat(jnp.arange(4), len(found.images))
