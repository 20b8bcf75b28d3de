"""Diffusion on images (DDPM, prediction of x0): Frechet distance of L2 and H1, and samples.

What is drawn from the trained networks is compared with test images by the Frechet distance in the features of a
small classifier that the same command trains. That is no FID: FID has the features of Inception, and other numbers.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float
from matplotlib.axes import Axes

from .. import panels, style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures import image_losses, published_losses
from ..measures.frechet import Moments, frechet_distance, moments
from ..measures.image_losses import LOSSES
from ..measures.statistics import phrase, ratio_of_medians
from ..networks.classifier import Classifier
from ..networks.layers import normal
from ..networks.unet import UNet
from ..problems import datasets, ddpm, labelled_images
from ..problems.labelled_images import Labelled
from ..style import Picture

EXAMPLES = 10
TEST_SHARE = 0.28  # of the images: 503 digits


class Setting(NamedTuple):
    """How the networks are trained and sampled; the default is embedded and small."""

    size: int = 8  # pixels along a side; digits are 8
    width: int = 16
    multiples: tuple[int, ...] = (1, 2)
    noise_steps: int = 200  # T
    sampling_steps: int = 20
    samples: int = 256  # for each Frechet distance
    seeds: int = 6
    steps: int = 600
    batch: int = 32
    rate: float = 2e-3
    records: int = 6
    classifier_steps: int = 600
    most_tests: int = 1024
    at_once: int = 128  # samples drawn, or test images denoised, at a time
    networks_at_once: int | None = None  # all 12, two losses and six seeds


EPOCHS = 100  # of the public code
PAPER = Setting(
    size=128,
    width=64,
    multiples=(1, 2, 4, 8),
    noise_steps=1000,
    samples=1024,
    seeds=1,
    batch=48,
    rate=1e-4,
    records=20,
    classifier_steps=5000,
    at_once=16,
    networks_at_once=1,
)


def data(
    *,
    paper: bool = False,
    setting: Setting | None = None,
    images: Path | None = None,
    keep: Keep = Keep(),
) -> Arrays:
    """Errors and Frechet distances [2, S, T] of the losses L2 and H1, for S seeds and T numbers of steps.

    Args:
        paper: images of 128 x 128, and the losses, batch, rate and 100 epochs of the public code; needs `images`.
        setting: instead of the default or of paper.
        images: a folder of pictures; its subfolders, if it has any, are the classifier's classes. None for digits.

    Returns arrays: step [T]; error_L2 and error_H1 [2, S, T], root mean squares of the predicted less the clean test
    image, in [-1, 1], over all times; frechet [2, S, T], squared, of samples against test images; floor, of as many
    training images against them; accuracy of the classifier on test images, and classes, what it was taught; samples
    [2, P, H, W, C] of the first seed and test images examples [P, H, W, C].

    Raises:
        DataError: paper without a folder; damaged pictures, or too few of them.
        ValueError: a size that the networks cannot halve as often as they do.
    """
    if paper and images is None:
        raise datasets.DataError("images: got no folder; the paper's setting of diffusion needs one with pictures")
    given, setting = setting, setting or (PAPER if paper else Setting() if images is None else Setting(size=16))
    smallest = 2 ** (len(setting.multiples) - 1)
    if setting.size < smallest or setting.size % smallest:
        raise ValueError(f"size: got {setting.size}; needs a multiple of {smallest}, for {setting.multiples}")
    found = labelled_images.digits() if images is None else labelled_images.folder(images, setting.size)
    train, test = labelled_images.split(found, TEST_SHARE, setting.most_tests)
    if paper and given is None:
        setting = setting._replace(steps=EPOCHS * max(len(train.images) // setting.batch, 1))
    measured = keep.cell("training", partial(_train, setting, train, test, keep, paper))
    return measured | {"examples": test.images[:EXAMPLES], "classes": np.array(found.classes)}


def _train(setting: Setting, train: Labelled, test: Labelled, keep: Keep, paper: bool = False) -> Arrays:
    classifier, accuracy = labelled_images.train_classifier(train, test, setting.classifier_steps, keep=keep)
    alpha_bar = jnp.asarray(ddpm.cosine_schedule(setting.noise_steps))
    clean = jnp.asarray(train.images)

    def objective(network, order, key):
        rows, times, noise = jax.random.split(key, 3)
        batch = clean[jax.random.randint(rows, (setting.batch,), 0, len(clean))]
        t = jax.random.randint(times, (setting.batch,), 1, setting.noise_steps + 1)
        noisy = jax.vmap(ddpm.noised, (None, 0, 0, 0))(alpha_bar, t, batch, normal(noise, batch.shape))
        error = predict(network, noisy, t, setting) - batch
        if (
            paper
        ):  # the mean square weighted in time, or the absolute value of the filtered fields without that weight
            square = jnp.mean(ddpm.signal_to_noise(alpha_bar)[t] * jnp.mean(error**2, axis=(1, 2, 3)))
            return jnp.where(order == 0, square, jnp.mean(published_losses.mean_absolute(error)))
        return image_losses.mean_square(error, order)

    channels = clean.shape[-1]
    found = image_losses.train(
        lambda key: UNet(channels, setting.width, setting.multiples, key=key),
        objective,
        _measure(setting, test, classifier, alpha_bar),
        seeds=setting.seeds,
        steps=setting.steps,
        rate=setting.rate if paper else optax.cosine_decay_schedule(setting.rate, setting.steps),
        every=max(setting.steps // setting.records, 1),
        networks_at_once=setting.networks_at_once,
        keep=keep,
    )
    features = jax.jit(jax.vmap(classifier.features))
    truth = moments(np.asarray(features(test.images)))
    means, covariances, samples = (found.pop(name) for name in ("mean", "covariance", "samples"))
    distances = [frechet_distance(Moments(means[at], covariances[at]), truth) for at in np.ndindex(means.shape[:-1])]
    floor = frechet_distance(moments(np.asarray(features(train.images[: setting.samples]))), truth)
    return found | {
        "frechet": np.reshape(distances, means.shape[:-1]),
        "floor": np.array(floor),
        "accuracy": np.array(accuracy),
        "samples": samples[:, 0, -1],
    }


def predict(network: UNet, noisy: Float[Array, "N H W C"], t: Array, setting: Setting) -> Float[Array, "N H W C"]:
    """Clean images from noisy ones at steps t, one each or one for all."""
    return jax.vmap(network)(noisy, jnp.broadcast_to(t, noisy.shape[:1]) / setting.noise_steps)


def _measure(setting: Setting, test: Labelled, classifier: Classifier, alpha_bar: Array) -> Callable:
    """Errors on test images at times spread evenly over them; moments of the features of samples, and some samples.

    Test noise and the noise that samples begin with are the same for all networks.
    """
    clean = jnp.asarray(test.images)
    t = 1 + jnp.arange(len(clean)) * setting.noise_steps // len(clean)
    noise = normal(jax.random.key(2), clean.shape)
    noisy = jax.vmap(ddpm.noised, (None, 0, 0, 0))(alpha_bar, t, clean, noise)
    rounds = -(-setting.samples // setting.at_once)
    keys = jax.random.split(jax.random.key(3), rounds)
    shape = (min(setting.at_once, setting.samples), *clean.shape[1:])
    times = ddpm.fewer_steps(setting.noise_steps, setting.sampling_steps)

    def measure(network):
        predicted = jax.lax.map(
            lambda pair: network(pair[0], pair[1] / setting.noise_steps), (noisy, t), batch_size=setting.at_once
        )
        drawn = jax.lax.map(
            lambda key: ddpm.sample(lambda x, t: predict(network, x, t, setting), alpha_bar, times, shape, key), keys
        )
        drawn = drawn.reshape(-1, *clean.shape[1:])[: setting.samples]
        features = jax.vmap(classifier.features)(drawn)
        return {
            **image_losses.errors(predicted - clean),
            "mean": jnp.mean(features, axis=0),
            "covariance": jnp.cov(features, rowvar=False),
            "samples": drawn[: min(EXAMPLES, len(clean))],  # as many as test images are shown
        }

    return measure


def finding(data: Arrays) -> list[str]:
    """Ratios L2 over H1 of errors, of steps to an error, and of Frechet distances in classifier features."""
    l2, h1 = data["frechet"][..., -1]
    ratio = ratio_of_medians(l2, h1)
    what = f"Frechet distance in classifier features (squared) after {data['step'][-1]} steps, L2 loss over H1 loss,"
    return [
        *image_losses.compare(data, "denoising error"),
        phrase(what, ratio),
        f"the classifier of {data['classes']} is right on {data['accuracy']:.1%} of test images; as many training "
        f"images as samples are at a distance of {data['floor']:.3g}, samples at medians of {np.median(l2):.3g} (L2) "
        f"and {np.median(h1):.3g} (H1)",
    ]


@style.paper()
def draw(data: Arrays) -> Picture:
    """Above errors in both norms and Frechet distances, medians and quartiles over seeds; below samples."""
    figure = style.new_figure(4.2)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.25, 1))[:, 0]
    row = above.subplots(1, 3)
    for axes, norm in zip(row, LOSSES, strict=False):
        panels.curves(axes, data["step"], data[f"error_{norm}"])
        axes.set(title=f"denoising error in {style.LOSS_NAMES[norm]}", ylabel="root mean square")
    _distances(row[2], data)
    panels.letters(row)
    row[0].legend()
    rows = {"test images": data["examples"]}
    rows |= {f"{style.LOSS_NAMES[loss]} loss": drawn for loss, drawn in zip(LOSSES, data["samples"], strict=True)}
    grid = below.subplots(len(rows), len(data["examples"]), gridspec_kw={"wspace": 0.03, "hspace": 0.03})
    panels.pictures(grid, rows, -1.0, 1.0)
    below.suptitle("(d)  samples after the last step, first seed, from the same noise", x=0.02, ha="left", fontsize=9)
    return figure


def _distances(axes: Axes, data: Arrays) -> None:
    panels.curves(axes, data["step"], data["frechet"])
    axes.axhline(float(data["floor"]), color=style.REFERENCE, linestyle=(0, (1, 1.2)), label="training images")
    axes.set(title="samples against test images", ylabel="squared Fréchet distance\nin classifier features")
    axes.legend(*(entries[-1:] for entries in axes.get_legend_handles_labels()))


FIGURE = Figure(
    data,
    draw,
    minutes=3.0,
    options=("paper", "images"),
    paper_needs="images",
    differs=(
        "the pictures are those of the folder; the U-Net is ours, of its width; the usual weight of a time is taken "
        "to be the ratio of signal to noise, which makes the error of x0 that of the noise; the distance is in the "
        "features of our classifier, no FID; one seed."
    ),
    statement=(
        "The benefit of Sobolev training extends to generative models: a diffusion model that predicts the clean "
        "image learns faster and samples better with H1 than with L2 (arXiv 2509.19773, experiments on "
        "diffusion)."
    ),
    finding=finding,
)
