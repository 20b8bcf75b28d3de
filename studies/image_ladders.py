"""How much of the effect on images is Sobolev: `python -m studies.image_ladders denoising` (or diffusion).

From the comparison of the paper's public code to a clean one, a row a step, on the digits of scikit-learn. The
networks of a ladder see the same starts and draws and are trained side by side; learning rates are chosen on other
seeds, by the mean error there. A row is the error of the L2 loss over that of the other: the median over seeds of
paired ratios, with its interval of order statistics. What is done is kept, and the same command goes on.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from figures.experiments import denoising
from figures.measures import image_losses, published_losses
from figures.measures.published_losses import Row, weights
from figures.measures.statistics import ratio_of_medians
from figures.networks.denoiser import Autoencoder
from figures.networks.layers import normal
from figures.networks.unet import UNet
from figures.problems import ddpm, labelled_images
from sobolev_theory.runs import command_lines

from . import tables
from .lanes import Lanes, Trained, cost, train

FOLDER = Path(__file__).parent
TUNING = 1000  # the first seed of those that choose rates
COLUMNS = [
    "row",
    "change",
    "l2_loss",
    "loss",
    "l2_rate",
    "rate",
    "steps",
    "l2_error",
    "error",
    "factor",
    "low",
    "high",
    "level",
    "h1_norm_factor",
    "seeds",
    "seconds",
]


class Ladder(NamedTuple):
    """An experiment: the losses by name, the steps of the ladder, and how its networks are trained."""

    losses: dict[str, dict[str, np.ndarray]]
    rows: tuple[Row, ...]
    rate: float
    rates: tuple[float, ...]
    steps: int
    every: int
    late: int  # records at the end whose mean is the error
    run: Callable[..., Trained]  # (lanes, steps, every)
    cost: Callable[[], float]  # of a step of H1 over one of L2 that takes no transform


def _squares(error: Float[Array, "N H W C"], weight) -> Float[Array, " N"]:
    """Of each image; without a transform where no weights are given."""
    return jnp.mean(error**2, axis=(1, 2, 3)) if weight is None else published_losses.mean_square(error, weight)


def denoising_ladder() -> Ladder:
    """The paper's batch, rate and epochs, its wave and network; images of 8 x 8 in place of MNIST's."""
    known = denoising.images(None, None)
    side, batch = known.train.shape[-1], 128
    noise, clean, test = (jnp.asarray(x) for x in (denoising.wave(side), known.train, known.test))

    def objective(network, setting, key):
        images = clean[jax.random.randint(key, (batch,), 0, len(clean))]
        error = jax.vmap(network)(images + noise) - images
        return jnp.mean(_squares(error[..., None], setting["weight"]))

    def measure(network):
        error = denoising.outputs(network, test + noise) - test
        return {"square": jnp.mean(error**2), "h1": denoising.mean_square(error, 1.0)}

    def make(key):
        return Autoencoder(side, leak=0.01, key=key)

    run, costs = _with(make, objective, measure, {"weight": weights("H1", side)}, {"weight": None})
    losses = {step: {"weight": weights(step, side)} for step in ("L2", "paper", "value once", "H1")}
    rows = (
        Row("the paper's comparison", "L2", "paper"),
        Row("value part counted once", "L2", "value once"),
        Row("signed frequencies: H1", "L2", "H1"),
    )
    steps = 20 * (len(clean) // batch)
    return Ladder(losses, rows, 5e-3, (1e-3, 2.5e-3, 5e-3, 1e-2), steps, 10, 3, run, costs)


def diffusion_ladder() -> Ladder:
    """A small U-Net on 8 x 8 digits: neither the paper's images nor its size, but its losses."""
    train_images, test_images = labelled_images.split(labelled_images.digits(), 0.28, 256)
    clean, test = jnp.asarray(train_images.images), jnp.asarray(test_images.images)
    side, noise_steps, batch = clean.shape[1], 200, 32
    alpha_bar = jnp.asarray(ddpm.cosine_schedule(noise_steps))
    signal = ddpm.signal_to_noise(alpha_bar)
    times = 1 + jnp.arange(len(test)) * noise_steps // len(test)
    noisy_test = jax.vmap(ddpm.noised, (None, 0, 0, 0))(alpha_bar, times, test, normal(jax.random.key(2), test.shape))

    def objective(network, setting, key):
        rows, of_time, noise = jax.random.split(key, 3)
        images = clean[jax.random.randint(rows, (batch,), 0, len(clean))]
        t = jax.random.randint(of_time, (batch,), 1, noise_steps + 1)
        noisy = jax.vmap(ddpm.noised, (None, 0, 0, 0))(alpha_bar, t, images, normal(noise, images.shape))
        error = jax.vmap(network)(noisy, t / noise_steps) - images
        each = _squares(error, setting["weight"])
        if "absolute" in setting:
            each = jnp.where(setting["absolute"], published_losses.mean_absolute(error), each)
            each = jnp.where(setting["timed"], signal[t], 1.0) * each
        return jnp.mean(each)

    def measure(network):
        error = jax.lax.map(lambda pair: network(pair[0], pair[1] / noise_steps), (noisy_test, times), batch_size=64)
        error = error - test
        return {"square": jnp.mean(error**2), "h1": image_losses.mean_square(error, 1.0)}

    def loss(step, absolute=False, timed=False):
        return {"weight": weights(step, side), "absolute": np.array(absolute), "timed": np.array(timed)}

    losses = {
        "L2 weighted in time": loss("L2", timed=True),
        "paper": loss("paper", absolute=True),
        "L2": loss("L2"),
        "paper squared": loss("paper"),
        "value once": loss("value once"),
        "H1": loss("H1"),
    }
    rows = (
        Row("the paper's comparison", "L2 weighted in time", "paper"),
        Row("same weight of time: none", "L2", "paper"),
        Row("squared instead of absolute", "L2", "paper squared"),
        Row("value part counted once", "L2", "value once"),
        Row("signed frequencies: H1", "L2", "H1"),
    )

    def make(key):
        return UNet(clean.shape[-1], 16, (1, 2), key=key)

    run, costs = _with(make, objective, measure, {"weight": weights("H1", side)}, {"weight": None})
    return Ladder(losses, rows, 1e-3, (3e-4, 1e-3, 3e-3), 300, 25, 1, run, costs)


def _with(make, objective, measure, sobolev, plain) -> tuple[Callable[..., Trained], Callable[[], float]]:
    """What trains lanes, and what measures the cost of a loss."""

    def run(lanes, steps, every):
        return train(make, objective, measure, lanes, steps=steps, every=every)

    def of(setting):
        return lambda network, key: objective(network, setting, key)

    return run, lambda: cost(make, of(plain), of(sobolev))


LADDERS = {"denoising": denoising_ladder, "diffusion": diffusion_ladder}


class Found(NamedTuple):
    """Errors of one loss at one rate [seeds], at the end and, by its norm, all records."""

    error: np.ndarray
    h1: np.ndarray
    curve: np.ndarray
    h1_curve: np.ndarray
    seconds: float

    def until(self, record: int, late: int) -> "Found":
        """As if it had ended there."""
        curves = (curve[:, : record + 1] for curve in (self.curve, self.h1_curve))
        return self._replace(**dict(zip(("error", "h1"), (c[:, -late:].mean(axis=1) for c in curves), strict=True)))


def followed(
    ladder: Ladder, runs: Sequence[tuple[str, float]], seeds: Sequence[int]
) -> dict[tuple[str, float], Found]:
    """Losses at their rates, from the same seeds, side by side."""
    settings = [ladder.losses[loss] for loss, _ in runs for _ in seeds]
    stacked = jax.tree.map(lambda *arrays: np.stack(arrays), *settings)
    rates = np.repeat([rate for _, rate in runs], len(seeds))
    done = ladder.run(Lanes(np.tile(seeds, len(runs)), stacked, rates), ladder.steps, ladder.every)
    found = {}
    for number, key in enumerate(runs):
        own = slice(number * len(seeds), (number + 1) * len(seeds))
        curves = {name: np.where(np.isfinite(m[own]), m[own], np.inf) for name, m in done.measures.items()}
        ends = {name: curve[:, -ladder.late :].mean(axis=1) for name, curve in curves.items()}
        found[key] = Found(ends["square"], ends["h1"], curves["square"], curves["h1"], done.seconds / len(runs))
    return found


def line(number: int, row: Row, l2: Found, other: Found, rates: tuple[float, float], steps: int) -> dict[str, str]:
    ratio, of_h1 = ratio_of_medians(l2.error, other.error), ratio_of_medians(l2.h1, other.h1)
    errors = np.median(l2.error), np.median(other.error)
    numbers = (*rates, steps, *errors, ratio.value, ratio.low, ratio.high, ratio.level, of_h1.value)
    said = [f"{x:.4g}" for x in numbers]
    end = [str(ratio.seeds), f"{l2.seconds + other.seconds:.3g}"]
    return dict(zip(COLUMNS, [str(number), row.change, row.l2, row.sobolev, *said, *end], strict=True))


def _best(rates: Sequence[float], tried: dict[tuple[str, float], Found], loss: str) -> float:
    return min(rates, key=lambda rate: float(tried[loss, rate].error.mean()))


def ladder_rows(ladder: Ladder, seeds: int, tuning: int):
    """A row as soon as it is known."""
    rate, number = ladder.rate, 0
    names = list(dict.fromkeys(name for row in ladder.rows for name in (row.l2, row.sobolev)))
    found = followed(ladder, [(name, rate) for name in names], range(seeds))
    for number, row in enumerate(ladder.rows):
        yield line(number, row, found[row.l2, rate], found[row.sobolev, rate], (rate, rate), ladder.steps)
    clean = ladder.rows[-1]
    pair = (clean.l2, clean.sobolev)
    tried = followed(ladder, [(n, r) for n in pair for r in ladder.rates], range(TUNING, TUNING + tuning))
    best = (_best(ladder.rates, tried, clean.l2), _best(ladder.rates, tried, clean.sobolev))
    needed = [key for key in zip(pair, best, strict=True) if key not in found]
    found |= followed(ladder, needed, range(seeds)) if needed else {}
    l2, sobolev = (found[key] for key in zip(pair, best, strict=True))
    change = "each at its best rate of " + " ".join(f"{r:g}" for r in ladder.rates)
    yield line(number + 1, Row(change, *pair), l2, sobolev, best, ladder.steps)
    longer = max(ladder.cost(), 1.0)
    records = int((sobolev.curve.shape[1] - 1) / longer)
    change = f"equal time: a step of H1 takes {longer:.3g} times as long"
    shorter = sobolev.until(records, ladder.late)
    yield line(number + 2, Row(change, *pair), l2, shorter, best, records * ladder.every)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.image_ladders", description="Take effects apart.")
    parser.add_argument("name", choices=LADDERS)
    parser.add_argument("--seeds", type=int, default=6, help="(default: %(default)s)")
    parser.add_argument("--tuning-seeds", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the table (default: %(default)s)")
    request = parser.parse_args(arguments)
    path = request.folder / f"ladder_{request.name}.csv"
    table, began = [], time.perf_counter()
    for row in ladder_rows(LADDERS[request.name](), request.seeds, request.tuning_seeds):
        table.append(row)
        tables.write(path, COLUMNS, [list(each.values()) for each in table])
        print(", ".join(f"{name} {row[name]}" for name in ("change", "factor", "low", "high")), flush=True)
    print(f"studies.image_ladders: {path} has {len(table)} rows after {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.image_ladders"))
