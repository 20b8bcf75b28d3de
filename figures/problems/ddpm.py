"""Denoising diffusion (Ho et al., arXiv 2006.11239): the schedule of noise, the noisy image, and the way back.

At step t = 0 ... T the image is x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise, where a_t, the paper's alpha-bar, falls
from a_0 = 1. The network predicts x_0; the step back to any earlier s is the Gaussian of x_s given x_t and x_0.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..networks.layers import normal

LARGEST_BETA = 0.999  # share of variance that one step may replace
COSINE_OFFSET = 0.008


def cosine_schedule(steps: int) -> Float[np.ndarray, " steps+1"]:
    """a_t of Nichol & Dhariwal (arXiv 2102.09672, eq. 17), with betas up to 0.999.

    Raises:
        ValueError: fewer than 1 step.
    """
    if steps < 1:
        raise ValueError(f"steps: got {steps}; needs at least 1")
    angle = (np.arange(steps + 1) / steps + COSINE_OFFSET) / (1 + COSINE_OFFSET) * np.pi / 2
    share = np.cos(angle) ** 2
    betas = np.minimum(1 - share[1:] / share[:-1], LARGEST_BETA)
    return np.concatenate([[1.0], np.cumprod(1 - betas)]).astype(np.float32)


def signal_to_noise(alpha_bar: Float[Array, " T+1"]) -> Float[Array, " T+1"]:
    """a_t/(1 - a_t), by which the squared error of x_0 is that of the noise; 0 where there is none, at t = 0."""
    noise = 1 - alpha_bar
    return jnp.where(noise > 0, alpha_bar / jnp.where(noise > 0, noise, 1.0), 0.0)


def noised(
    alpha_bar: Float[Array, " T+1"], t: Int[Array, ""], clean: Float[Array, "..."], noise: Float[Array, "..."]
) -> Float[Array, "..."]:
    """x_t."""
    return jnp.sqrt(alpha_bar[t]) * clean + jnp.sqrt(1 - alpha_bar[t]) * noise


class Gaussian(NamedTuple):
    mean: Float[Array, "..."]
    variance: Float[Array, ""]


def step_back(
    alpha_bar: Float[Array, " T+1"], t: Int[Array, ""], s: Int[Array, ""], noisy: Array, clean: Array
) -> Gaussian:
    """x_s given x_t = noisy and x_0 = clean, for s < t.

    Source: Ho et al., eq. 7, where s = t - 1; Bayes' rule gives the same for every s < t with a_t/a_s for alpha_t.
    """
    a, b = alpha_bar[t], alpha_bar[s]
    kept = a / b
    mean = (jnp.sqrt(b) * (1 - kept) * clean + jnp.sqrt(kept) * (1 - b) * noisy) / (1 - a)
    return Gaussian(mean, (1 - b) * (1 - kept) / (1 - a))


def sample(
    predict: Callable[[Float[Array, "N H W C"], Int[Array, ""]], Float[Array, "N H W C"]],
    alpha_bar: Float[Array, " T+1"],
    times: Sequence[int],
    shape: tuple[int, ...],
    key: Array,
) -> Float[Array, "N H W C"]:
    """Images from noise.

    Args:
        predict: (x_t, t) -> x_0, which is cut to [-1, 1] as the images are.
        times: falling steps from T to 0 at which to stop.
        shape: of the result.

    Raises:
        ValueError: times that do not fall from T to 0.
    """
    last = len(alpha_bar) - 1
    if len(times) < 2 or times[0] != last or times[-1] != 0 or any(s >= t for t, s in pairwise(times)):
        raise ValueError(f"times: got {list(times)}; needs steps that fall from {last} to 0")

    def back(noisy, now):
        t, s, key = now
        clean = jnp.clip(predict(noisy, t), -1.0, 1.0)
        mean, variance = step_back(alpha_bar, t, s, noisy, clean)
        return mean + jnp.sqrt(variance) * normal(key, shape), None

    start, *keys = jax.random.split(key, len(times))
    steps = jnp.asarray(times[:-1]), jnp.asarray(times[1:]), jnp.stack(keys)
    return jax.lax.scan(back, normal(start, shape), steps)[0]


def fewer_steps(steps: int, count: int) -> list[int]:
    """`count` steps back from `steps` to 0, as even as whole numbers are.

    Raises:
        ValueError: a count that is not from 1 to steps.

    Example:
        >>> fewer_steps(10, 4)
        [10, 8, 5, 2, 0]
    """
    if not 1 <= count <= steps:
        raise ValueError(f"count: got {count}; needs 1 to {steps}")
    return [round(steps * (count - i) / count) for i in range(count + 1)]
