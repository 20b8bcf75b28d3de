"""Results of two losses over paired seeds: when a tolerance is reached, ratios, intervals, and the words for them.

The interval is that of order statistics: between the k-th smallest and the k-th largest of n independent ratios lies
the median of their distribution, whatever that is, with probability 1 - 2 P(Binomial(n, 1/2) < k).
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import binom

LEVEL = 0.95
LEAST_LEVEL = 0.9  # of an interval that is said to show something: 5 seeds have 0.94, 4 have 0.88

Verdict = Literal["supported", "not supported, the opposite is seen", "no effect seen", "too few seeds to tell"]


def reached(
    at: Shaped[np.ndarray, " T"], error: Float[np.ndarray, "S T"], tolerance: float | Float[np.ndarray, " S"]
) -> Float[np.ndarray, " S"]:
    """Where among `at`, steps or times, each seed first had an error within its tolerance; infinite where none was.

    Example:
        >>> reached(np.array([0, 10, 20]), np.array([[1.0, 0.2, 0.1], [1.0, 0.9, 0.8]]), 0.2)
        array([10., inf])
    """
    within = error <= np.reshape(tolerance, (-1, 1))
    return np.where(within.any(axis=1), at[within.argmax(axis=1)], np.inf)


class Ratio(NamedTuple):
    """A median over seeds and an interval that holds it with probability `level`."""

    value: float
    low: float
    high: float
    level: float
    seeds: int

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.level:.0%} interval {self.low:.3g} to {self.high:.3g}, {self.seeds} seeds)"


def ratio_of_medians(a: Float[np.ndarray, " S"], b: Float[np.ndarray, " S"], level: float = LEVEL) -> Ratio:
    """The median of a / b over seeds that a and b share, with the shortest interval of at least this level.

    Fewer than 6 seeds have no interval of 95 per cent. Theirs goes from the least to the greatest ratio, and its
    `level`, 1 - 2^(1 - S), says what it is worth.

    Args:
        a, b: one positive number a seed, such as errors or times; infinite where a tolerance was never reached. Where
            both are infinite the seed shows no difference and counts as 1.

    Raises:
        ValueError: other shapes, a number that is not positive, a level outside (0, 1).

    Example:
        >>> print(ratio_of_medians([2.0, 6.0, 3.0, 4.0, 5.0, 3.0], [1.0, 2.0, 1.0, 1.0, 1.0, 1.0]))
        3 (97% interval 2 to 5, 6 seeds)
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or a.size == 0:
        raise ValueError(f"a, b: got shapes {a.shape} and {b.shape}; needs one number a seed, for the same seeds")
    for name, numbers in (("a", a), ("b", b)):
        if not np.all(numbers > 0):
            raise ValueError(f"{name}: got {numbers[~(numbers > 0)][0]}; needs numbers > 0")
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}; needs a probability inside (0, 1)")
    both = np.isinf(a) & np.isinf(b)
    ratios = np.sort(np.where(both, 1.0, a / np.where(both, 1.0, b)))
    n = len(ratios)
    k, achieved = _rank(n, level)
    # Between two middle ratios of which one is infinite stands no number: the lower one counts.
    value = np.median(ratios) if np.isfinite(ratios[n // 2]) else ratios[(n - 1) // 2]
    return Ratio(float(value), float(ratios[k - 1]), float(ratios[n - k]), achieved, n)


def median_with_interval(x: Float[np.ndarray, " n"], level: float = LEVEL) -> tuple[float, float, float, float]:
    """The median of numbers, the shortest interval of at least this level for that of their law, and its level.

    Example:
        >>> median_with_interval(np.arange(7.0))
        (3.0, 0.0, 6.0, 0.984375)
    """
    ordered = np.sort(np.asarray(x, dtype=float))
    k, achieved = _rank(len(ordered), level)
    return float(np.median(ordered)), float(ordered[k - 1]), float(ordered[-k]), achieved


def _rank(n: int, level: float) -> tuple[int, float]:
    """The greatest k for which the k-th smallest and the k-th greatest of n have the level, or 1, and theirs."""
    levels = 1 - 2 * binom.cdf(np.arange(max(n // 2, 1)), n, 0.5)  # falling with k
    k = max(int(np.sum(levels >= level)), 1)
    return k, max(float(levels[k - 1]), 0.0)


def verdict(ratio: Ratio) -> Verdict:
    """What the interval says of the statement that the ratio is greater than 1."""
    if ratio.level < LEAST_LEVEL:
        return "too few seeds to tell"
    if ratio.low > 1:
        return "supported"
    return "not supported, the opposite is seen" if ratio.high < 1 else "no effect seen"


def phrase(quantity: str, ratio: Ratio) -> str:
    """One line for `finding`: the verdict, the quantity, its factor and interval.

    Example:
        >>> phrase("test error of L2 over that of H1", Ratio(3.0, 2.0, 5.0, 0.97, 6))
        'supported: test error of L2 over that of H1 is 3 (97% interval 2 to 5, 6 seeds)'
    """
    return f"{verdict(ratio)}: {quantity} is {ratio}"
