"""Intervals of a ratio over paired seeds hold what they promise, and the words follow the interval."""

import numpy as np
import pytest

from figures.measures.statistics import Ratio, phrase, ratio_of_medians, reached, verdict


def test_ratios_are_paired_by_seed():
    ratio = ratio_of_medians([1.0, 20.0, 300.0], [0.5, 10.0, 150.0])
    assert (ratio.value, ratio.low, ratio.high) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("seeds", "rank", "level"),
    # The ranks and levels of the tables of the sign test.
    [
        (1, 1, 0.0),
        (4, 1, 0.875),
        (5, 1, 0.9375),
        (6, 1, 0.96875),
        (8, 1, 0.9921875),
        (9, 2, 0.9609375),
        (20, 6, 0.9586),
    ],
)
def test_the_interval_is_the_shortest_of_order_statistics_that_has_the_level(seeds, rank, level):
    ratio = ratio_of_medians(np.random.default_rng(0).permutation(seeds) + 1.0, np.ones(seeds))
    assert (ratio.low, ratio.high) == (rank, seeds + 1 - rank)
    assert ratio.level == pytest.approx(level, abs=1e-4)  # of the four digits in the table


def test_the_interval_misses_the_median_as_rarely_as_its_level_says():
    rng = np.random.default_rng(1)
    draws = np.exp(3 * rng.standard_normal((2000, 10)))  # of median 1 and mean 90
    missed = 0
    for draw in draws:
        ratio = ratio_of_medians(draw, np.ones(10))
        missed += not ratio.low <= 1 <= ratio.high
    # Binomial with mean 2000 * 0.0215 = 43: within four standard deviations of 6.5.
    assert abs(missed - 2000 * (1 - ratio.level)) < 26


def test_a_tolerance_never_reached_is_infinitely_worse_and_twice_never_no_difference():
    ratio = ratio_of_medians([np.inf, np.inf, 4.0], [2.0, np.inf, 2.0])
    assert (ratio.low, ratio.value, ratio.high) == (1.0, 2.0, np.inf)


@pytest.mark.parametrize(("a", "value"), [([1.0, np.inf], 1.0), ([np.inf, np.inf], np.inf)])
def test_between_a_finite_and_an_infinite_ratio_the_finite_counts(a, value):
    assert ratio_of_medians(a, np.ones(2)).value == value


@pytest.mark.parametrize(
    ("low", "high", "seeds", "word"),
    [
        (1.01, 3.0, 6, "supported"),
        (0.9, 3.0, 6, "no effect seen"),
        (0.2, 0.99, 6, "not supported, the opposite is seen"),
        (2.0, 3.0, 4, "too few seeds to tell"),
    ],
)
def test_the_verdict_follows_the_interval(low, high, seeds, word):
    ratio = Ratio((low + high) / 2, low, high, 1 - 2.0 ** (1 - seeds), seeds)
    assert verdict(ratio) == word
    assert phrase("error", ratio).startswith(f"{word}: error is ")


def test_the_phrase_has_factor_interval_level_and_seeds():
    line = phrase("error", Ratio(3.14159, 2.0, 5.0, 0.96875, 6))
    assert line == "supported: error is 3.14 (97% interval 2 to 5, 6 seeds)"


@pytest.mark.parametrize(
    ("a", "b", "level", "message"),
    [
        ([1.0], [1.0, 2.0], 0.95, r"a, b: got shapes \(1,\) and \(2,\)"),
        ([], [], 0.95, r"a, b: got shapes \(0,\)"),
        ([1.0, 0.0], [1.0, 1.0], 0.95, "a: got 0.0; needs numbers > 0"),
        ([1.0, 1.0], [1.0, np.nan], 0.95, "b: got nan; needs numbers > 0"),
        ([1.0], [1.0], 1.0, "level: got 1.0"),
    ],
)
def test_what_is_no_ratio_is_named(a, b, level, message):
    with pytest.raises(ValueError, match=message):
        ratio_of_medians(a, b, level)


def test_a_tolerance_is_reached_at_its_first_record():
    error = np.array([[1.0, 1e-3, 1e-2, 1e-4], [1.0, 0.5, 0.1, 0.01]])
    np.testing.assert_array_equal(reached(np.array([0, 10, 20, 30]), error, 1e-3), [10, np.inf])


def test_every_seed_has_its_own_tolerance():
    error = np.array([[9.0, 3.0, 1.0, 2.0], [9.0, 8.0, 7.0, 6.0]])
    np.testing.assert_array_equal(reached(np.array([0, 10, 20, 30]), error, np.array([3.0, 5.0])), [10, np.inf])
