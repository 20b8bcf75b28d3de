"""How many samples SGD needs under L2 and H1, each at its best learning rate: `python -m studies.sgd_samples`.

Two ReLU neurons learn from an orthonormal teacher of two, from fixed overlaps, one sample a step; done is when the L2
loss has fallen to one per cent. Learning rates are swept by the equation for overlaps (`st.online_sgd`), at each d;
plain SGD in NumPy, from the definition of the gradient, confirms the samples at the best one and measures how far
SGD is from the equation; beyond d = 3000 it is run by the law of its Gram matrices (`sgd_in_span`). Drift alone is
compared at a small common rate. The table is `sgd_samples.csv`.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float
from scipy import stats

import sobolev_theory as st

from . import tables
from .sgd_in_span import sgd_in_span

TABLE = Path(__file__).parent / "sgd_samples.csv"
LOSSES = {"L2": st.L2, "H1": st.H1}
START = st.Overlaps(np.array([[0.35, 0.05], [0.05, 0.35]]), np.array([[0.15, 0.02], [0.05, 0.1]]), np.eye(2))
RUNS = {30: 64, 100: 32, 300: 16, 1000: 8, 3000: 3, 10_000: 16}  # of each dimension
PLAIN = 3000  # the largest in which SGD is run by its definition
SWEEP = {"L2": np.linspace(0.5, 1.2, 15), "H1": np.linspace(0.6, 2.0, 15)}
DRIFT = 0.02  # a learning rate at which noise is small; the ratio of times is extrapolated from it and its half
LEVEL = 0.01  # of the first L2 loss
EARLY = 3.0  # the time at which overlaps are compared with the equation


class Row(NamedTuple):
    """Of one loss in one dimension; intervals are at 95 %.

    Attributes:
        rate: the best learning rate eta, a step being eta / d.
        predicted: samples over d by the equation, with its terms of order 1 / d.
        found, low, high: samples over d by SGD, their mean.
        distance, distance_low, distance_high: root mean square of all entries of Q and R less those of the
            equation's limit d -> infinity, at t = 3 and the best rate of the limit.
        seconds: of the runs.
    """

    loss: str
    d: int
    rate: float
    predicted: float
    runs: int
    found: float
    low: float
    high: float
    distance: float
    distance_low: float
    distance_high: float
    seconds: float


def networks() -> tuple[st.Network, st.Network]:
    return st.networks_from_overlaps(START)


def time_to_level(loss: str, rate: float, d: int | None, t1: float = 60.0) -> float:
    """By the equation; infinite if it is not reached."""
    times = np.linspace(0.0, t1, 601)
    found = st.online_sgd(
        *networks(), LOSSES[loss], learning_rate=rate, t1=t1, saveat=times.tolist(), dimension=d, measure=st.L2
    )
    return reached(times, np.asarray(found.loss))


def reached(times: Float[np.ndarray, " T"], losses: Float[np.ndarray, " T"]) -> float:
    """When the logarithm of the loss, a straight line between times, falls to LEVEL."""
    below = np.flatnonzero(losses <= LEVEL * losses[0])
    if not len(below):
        return np.inf
    after = below[0]
    high, low = np.log(losses[after - 1]), np.log(losses[after])
    share = (high - np.log(LEVEL * losses[0])) / (high - low)
    return float(times[after - 1] + share * (times[after] - times[after - 1]))


def best(loss: str, d: int | None) -> tuple[float, float]:
    """The learning rate of the sweep that needs the fewest samples, and samples over d."""
    needed = [time_to_level(loss, float(rate), d) for rate in SWEEP[loss]]
    return float(SWEEP[loss][int(np.argmin(needed))]), min(needed)


def drift(loss: str) -> float:
    """eta times the time to the level, as eta -> 0: a distance on the flow."""
    times = [rate * time_to_level(loss, rate, None, 30.0 / rate) for rate in (DRIFT, DRIFT / 2)]
    return 2 * times[1] - times[0]


def sgd(
    loss: str, rate: float, d: int, runs: int, t1: float, seed: int = 0
) -> Iterator[tuple[float, Float[np.ndarray, "B 4 4"]]]:
    """Times and Gram matrices of so many runs, ten per unit of time, by the definition of the sample gradient."""
    generator = np.random.default_rng([seed, d])
    student, teacher = st.networks_from_overlaps(START, dimension=d)
    w = np.repeat(np.asarray(student.weights)[None], runs, axis=0)
    v, slope = np.asarray(teacher.weights), (*LOSSES[loss].lambdas, 0.0)[1]
    every = d // 10
    for step in range(round(t1 * d) + 1):
        if step % every == 0:
            rows = np.concatenate([w, np.broadcast_to(v, w.shape)], axis=1)
            yield step / d, rows @ rows.transpose(0, 2, 1)
        x = generator.standard_normal((runs, d))
        u, u_star = (w @ x[:, :, None])[:, :, 0], x @ v.T
        on, on_star = (u > 0).astype(float), (u_star > 0).astype(float)
        difference = (u * on).sum(1) - (u_star * on_star).sum(1)
        gradient = difference[:, None] * x
        if slope:
            gradient = gradient + slope * ((on[:, None] @ w)[:, 0] - on_star @ v)
        w = w - (rate / d) * on[:, :, None] * gradient[:, None, :]


def runs_of(
    loss: str, rate: float, d: int, runs: int, t1: float, seed: int = 0
) -> Iterator[tuple[float, Float[np.ndarray, "B 4 4"]]]:
    """As `sgd`, or in many dimensions by the law of its Gram matrices."""
    if d <= PLAIN:
        return sgd(loss, rate, d, runs, t1, seed)
    slope = (*LOSSES[loss].lambdas, 0.0)[1]
    return sgd_in_span(np.asarray(START.gram), 2, np.full(runs, slope), np.full(runs, rate), d, t1, 0.1, seed)


def l2_loss(grams: Float[np.ndarray, "B 4 4"]) -> Float[np.ndarray, " B"]:
    """Of Gram matrices, by the arc-cosine kernel."""
    norms = np.sqrt(np.einsum("bii->bi", grams))
    sizes = norms[:, :, None] * norms[:, None, :]
    cos = np.clip(grams / sizes, -1.0, 1.0)
    theta = np.arccos(cos)
    c = np.array([1.0, 1.0, -1.0, -1.0])
    return np.einsum("i,bij,j->b", c, sizes * (np.sin(theta) + (np.pi - theta) * cos), c) / (4 * np.pi)


def measured(loss: str, d: int, rate: float, predicted: float, limit: float, runs: int) -> Row:
    """SGD at the best rate until all runs are done, and at the rate of the limit until t = EARLY."""
    begin = time.perf_counter()
    times, losses = zip(*((t, l2_loss(g)) for t, g in runs_of(loss, rate, d, runs, 2.0 * predicted)), strict=True)
    each = np.array([reached(np.array(times), one) for one in np.array(losses).T])
    finished = each[np.isfinite(each)]
    error = stats.t.ppf(0.975, len(finished) - 1) * finished.std(ddof=1) / np.sqrt(len(finished))
    mean = finished.mean() if len(finished) == runs else np.inf

    many = max(runs, 8)
    *_, (_, grams) = runs_of(loss, limit, d, many, EARLY, seed=1)
    equation = st.online_sgd(*networks(), LOSSES[loss], learning_rate=limit, t1=EARLY, saveat=[0.0, EARLY])
    gap = grams[:, :2] - np.concatenate([equation.Q[-1], equation.R[-1]], axis=1)
    squares = (gap**2).mean(axis=(1, 2))
    scatter = stats.t.ppf(0.975, many - 1) * squares.std(ddof=1) / np.sqrt(many)
    distance, near, far = (float(max(squares.mean() + x, 0.0) ** 0.5) for x in (0.0, -scatter, scatter))
    seconds = time.perf_counter() - begin
    return Row(loss, d, rate, predicted, runs, mean, mean - error, mean + error, distance, near, far, seconds)


def sentence(rows: list[Row], drifts: dict[str, float], limits: dict[str, tuple[float, float]]) -> str:
    """What the table says."""
    ratio = limits["L2"][1] / limits["H1"][1]
    equal = drifts["L2"] / drifts["H1"]
    by_d = {}
    for d in RUNS:
        a, b = (next(row for row in rows if (row.loss, row.d) == (loss, d)).found for loss in ("L2", "H1"))
        by_d[d] = a / b
    found = ", ".join(f"{x:.2f} (d = {d})" for d, x in by_d.items())
    return (
        f"Each at its best learning rate ({limits['L2'][0]:.2f} and {limits['H1'][0]:.2f}), L2 needs {ratio:.2f} "
        "times "
        f"the samples of H1 as d -> infinity, and {found} by SGD: a factor {equal:.2f} is drift at equal steps, and "
        f"{ratio / equal:.2f} that noise lets H1 take larger ones."
    )


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    rows = []
    limits = {loss: best(loss, None) for loss in LOSSES}
    for d, runs in RUNS.items():
        for loss in LOSSES:
            rate, predicted = best(loss, d)
            rows.append(measured(loss, d, rate, predicted, limits[loss][0], runs))
            tables.write(
                TABLE, Row._fields, [[f"{x:.5g}" if isinstance(x, float) else x for x in row] for row in rows]
            )
            print(rows[-1], flush=True)
    print(sentence(rows, {loss: drift(loss) for loss in LOSSES}, limits))


if __name__ == "__main__":
    main()
