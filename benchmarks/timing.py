"""Time two computations in turn, so that their ratio holds when the machine's speed drifts."""

import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np


class Ratio(NamedTuple):
    """Median seconds of both, and median and quartiles of the ratio first / second, pair by pair."""

    first: float
    second: float
    median: float
    lower: float
    upper: float


def side_by_side(first: Callable[[], object], second: Callable[[], object], seconds: float = 2.0) -> Ratio:
    """Run both in turn for about so many seconds, at least 7 times, after a warm-up that compiles."""
    seconds_of(first), seconds_of(second)
    once = seconds_of(first) + seconds_of(second)
    repeats = max(7, min(400, int(seconds / max(once, 1e-6))))
    times = np.array([(seconds_of(first), seconds_of(second)) for _ in range(repeats)])
    lower, median, upper = np.quantile(times[:, 0] / times[:, 1], [0.25, 0.5, 0.75])
    return Ratio(*(float(x) for x in (*np.median(times, axis=0), median, lower, upper)))


def seconds_of(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start
