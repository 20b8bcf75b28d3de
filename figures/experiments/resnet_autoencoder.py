"""ResNet-18 autoencoder of natural images: test error over steps of L2 and H1, and pictures.

The embedded images are crops of the two photographs that scikit-learn ships: training crops from their left three
quarters, test crops from the rest, so that no pixel is in both. Two photographs are no sample of natural images; a
folder of one's own is one.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from .. import panels, style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures import image_losses, picture_quality, published_losses
from ..measures.image_losses import LOSSES
from ..networks import resnet
from ..problems import datasets
from ..style import Picture

EXAMPLES = 6
TEST_SHARE, MOST_TESTS = 0.1, 512  # of a folder of images
AT_ONCE = 64  # test images, to bound memory
REDUCTION = 4  # of the photographs, 427 x 640, before they are cut: crops of few pixels then show something


class Setting(NamedTuple):
    """How the networks are trained; the default is embedded and small."""

    size: int = 16  # pixels along a side
    width: int = 8  # channels of the first stage
    stem: int = 1
    seeds: int = 6
    steps: int = 600
    batch: int = 16
    rate: float = 2e-3
    records: int = 20
    networks_at_once: int | None = None  # all 12, two losses and six seeds


EPOCHS = 300  # of the public code, which stops early
PAPER = Setting(size=64, width=64, stem=4, seeds=3, batch=128, rate=1e-4, records=50, networks_at_once=1)


def data(
    *,
    paper: bool = False,
    setting: Setting | None = None,
    images: Path | None = None,
    keep: Keep = Keep(),
) -> Arrays:
    """Test errors [2, S, T] of the losses L2 and H1, for S seeds and T numbers of steps.

    Args:
        paper: losses, batch, rate and 300 epochs of the public code, on images of 64 x 64; needs `images`.
        setting: instead of the default or of paper.
        images: a folder of pictures, of which a tenth are test images; None for crops of two photographs.

    Returns arrays: step [T], error_L2 and error_H1 [2, S, T], root mean squares of the difference of reconstruction
    and image, which is in [0, 1]; examples of the test images [P, H, W, 3], and their reconstructions by the first
    seed's networks [2, P, H, W, 3].

    Raises:
        DataError: paper without a folder; a folder with damaged pictures, or fewer than 10.
        ValueError: a size that the network cannot halve as often as it does.
    """
    if paper and images is None:
        raise datasets.DataError(
            "images: got no folder; the paper's setting of the autoencoder needs one with pictures"
        )
    given, setting = setting, setting or (PAPER if paper else Setting())
    reduction = setting.stem * 2 ** (resnet.STAGES - 1)
    if setting.size < reduction or setting.size % reduction:
        raise ValueError(f"size: got {setting.size}; needs a multiple of {reduction}, for a stem of {setting.stem}")
    train, test = photographs(setting.size) if images is None else split(images, setting.size)
    test = test[np.argsort(-test.std(axis=(1, 2, 3)), kind="stable")]
    if paper and given is None:
        setting = setting._replace(steps=EPOCHS * max(len(train) // setting.batch, 1))
    found = keep.cell("training", partial(_train, setting, train, test, keep, paper))
    return found | {"examples": test[:EXAMPLES]}


def photographs(size: int) -> tuple[Float[np.ndarray, "N size size 3"], Float[np.ndarray, "M size size 3"]]:
    """Training and test crops of the photographs at a quarter of their resolution; values in [-1, 1].

    Training crops begin every 4 pixels and overlap, test crops every `size/2`.

    Example:
        >>> train, test = photographs(16)
        >>> train.shape, test.shape
        ((1242, 16, 16, 3), (96, 16, 16, 3))
    """
    from sklearn.datasets import load_sample_images

    shipped = load_sample_images().images
    reduced = [_reduced(photograph.astype(np.float32) / 127.5 - 1) for photograph in shipped]
    edge = 3 * reduced[0].shape[1] // 4
    return (
        np.concatenate([crops(photograph[:, :edge], size, 4) for photograph in reduced]),
        np.concatenate([crops(photograph[:, edge:], size, size // 2) for photograph in reduced]),
    )


def crops(image: Float[np.ndarray, "H W C"], size: int, apart: int) -> Float[np.ndarray, "N size size C"]:
    """All squares whose corners are multiples of `apart`."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size), axis=(0, 1))[::apart, ::apart]
    return np.moveaxis(windows, 2, -1).reshape(-1, size, size, image.shape[-1])


def _reduced(image: Float[np.ndarray, "H W C"]) -> Float[np.ndarray, "h w C"]:
    height, width = (length // REDUCTION for length in image.shape[:2])
    blocks = image[: REDUCTION * height, : REDUCTION * width].reshape(height, REDUCTION, width, REDUCTION, -1)
    return blocks.mean(axis=(1, 3))


def split(folder: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and test images of a folder, with values in [-1, 1]."""
    found = 2 * np.random.default_rng(0).permutation(datasets.image_folder(folder, size)) - 1
    if len(found) < 1 / TEST_SHARE:
        raise datasets.DataError(f"{folder}: has {len(found)} pictures; needs at least {1 / TEST_SHARE:g}")
    held_out = min(int(TEST_SHARE * len(found)), MOST_TESTS)
    return found[held_out:], found[:held_out]


def _train(setting: Setting, train: np.ndarray, test: np.ndarray, keep: Keep, paper: bool = False) -> Arrays:
    known, held_out = jnp.asarray(train), jnp.asarray(test)

    def objective(network, order, key):
        batch = known[jax.random.randint(key, (setting.batch,), 0, len(known))]
        error = jax.vmap(network)(batch) - batch
        if paper:
            return jnp.mean(published_losses.mean_square(error, published_losses.weights_of(order, setting.size)))
        return image_losses.mean_square(error, order)

    def measure(network):
        output = jax.lax.map(network, held_out, batch_size=AT_ONCE)
        return {**image_losses.errors(output - held_out), "output": output[:EXAMPLES]}

    found = image_losses.train(
        lambda key: resnet.ResNetAutoencoder(train.shape[-1], setting.width, setting.stem, key=key),
        objective,
        measure,
        seeds=setting.seeds,
        steps=setting.steps,
        rate=setting.rate if paper else optax.cosine_decay_schedule(setting.rate, setting.steps),
        every=max(setting.steps // setting.records, 1),
        networks_at_once=setting.networks_at_once,
        keep=keep,
    )
    return found | {"output": found["output"][:, 0, -1]}


def finding(data: Arrays) -> list[str]:
    """Ratios of errors at the end and of steps to an error, L2 over H1, and what pictures are measured by."""
    outputs = dict(zip(LOSSES, data["output"], strict=True))
    quality = picture_quality.compare(outputs, data["examples"], 2.0)
    return [*image_losses.compare(data, "test error"), *quality]


@style.paper()
def draw(data: Arrays) -> Picture:
    """Above test errors in both norms, medians and quartiles over seeds; below test images and reconstructions."""
    figure = style.new_figure(4.6)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.15))[:, 0]
    row = above.subplots(1, 2)
    for axes, norm in zip(row, LOSSES, strict=True):
        panels.curves(axes, data["step"], data[f"error_{norm}"])
        axes.set(title=f"error on test images in {style.LOSS_NAMES[norm]}", ylabel="root mean square")
    panels.letters(row)
    row[0].legend()
    rows = {"test image": data["examples"]}
    rows |= {f"{style.LOSS_NAMES[loss]} loss": output for loss, output in zip(LOSSES, data["output"], strict=True)}
    grid = below.subplots(len(rows), len(data["examples"]), gridspec_kw={"wspace": 0.03, "hspace": 0.03})
    panels.pictures(grid, rows, -1.0, 1.0)
    below.suptitle("(c)  reconstructions after the last step, first seed", x=0.02, ha="left", fontsize=9)
    return figure


FIGURE = Figure(
    data,
    draw,
    minutes=2.5,
    options=("paper", "images"),
    differs=(
        "the pictures are those of the folder, not Mini-ImageNet; all epochs are run, without an early stop; batches "
        "are drawn with replacement, normalisation is by groups of channels, not by batches; values are in [-1, 1]."
    ),
    paper_needs="images",  # two photographs are too few for so many steps, and too small for squares of 64 pixels
    statement=(
        "The benefit of Sobolev training extends to modern networks: a ResNet-18 autoencoder of natural images "
        "reaches a lower reconstruction error in fewer steps with H1 than with L2 (arXiv 2509.19773, experiments "
        "on autoencoders)."
    ),
    finding=finding,
)
