"""Monte-Carlo averages on request, each drawn once per run, reproducible whatever else the run does."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

import sobolev_theory as st

SMALLEST = 2**14  # samples: the omnibus statistic needs more group means than components, here at least 64
MOST_COMPONENTS = 44


@dataclass(frozen=True, eq=False)
class Request:
    """One average: an estimator of sobolev_theory.montecarlo and its arguments.

    `effort` multiplies the samples of the run, for averages that are cheap or noisy.
    """

    estimator: str
    student: st.Network
    teacher: st.Network
    loss: st.SobolevLoss
    effort: float = 1.0

    @property
    def label(self) -> bytes:
        """The same for equal requests of different claims, and nothing else."""
        arrays = [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((self.student, self.teacher))]
        return b"|".join([self.estimator.encode(), repr((self.loss.weights, self.effort)).encode(), *arrays])


class Average(NamedTuple):
    """A mean as a flat vector, the covariance of its error, the number of group means, and the way back."""

    mean: Float[np.ndarray, " D"]
    covariance: Float[np.ndarray, "D D"]
    groups: int
    unravel: Callable[[Any], Any]


class Estimates:
    """Averages by request; two threads that ask for the same one share it."""

    def __init__(self, seed: int, samples: int):
        self.samples = samples
        self._seed = seed
        self._futures: dict[bytes, Future[Average]] = {}
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Average:
        with self._lock:
            future = self._futures.get(request.label)
            mine = future is None
            if future is None:
                future = self._futures[request.label] = Future()
        if mine:
            try:
                future.set_result(self._draw(request))
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()

    def _draw(self, request: Request) -> Average:
        digest = hashlib.sha256(request.label).digest()
        key = jax.random.fold_in(jax.random.key(self._seed), int.from_bytes(digest[:4], "big"))
        samples = max(SMALLEST, int(self.samples * request.effort))
        estimate = getattr(st.montecarlo, request.estimator)(
            request.student,
            request.teacher,
            loss=request.loss,
            key=key,
            samples=samples,
            covariance=True,
            progress=False,
        )
        mean, unravel = ravel_pytree(estimate.mean)
        covariance = np.asarray(estimate.covariance).reshape(mean.size, mean.size)
        return Average(np.asarray(mean), covariance, int(estimate.groups), unravel)
