"""The probability of being better, and what its intervals hold fixed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from phasezoo.transfer.regions.better import Side, better, mean_better


def side(*scores: float, strata: list[str] | None = None) -> Side:
    return Side(np.array(scores, dtype=np.float64), strata)


def test_identical_groups_are_better_by_half() -> None:
    losses = side(*np.random.default_rng(0).random(13))
    found = better(losses, losses, 500, "x")
    assert found.value == 0.5
    assert found.low < 0.5 < found.high
    same = side(*np.ones(7))
    assert better(same, same, 200, "x").value == 0.5


def test_the_probability_is_that_of_mann_and_whitney() -> None:
    random = np.random.default_rng(1)
    first, second = random.integers(9, size=17) / 8, random.integers(9, size=11) / 8
    expected = mannwhitneyu(second, first).statistic / (17 * 11)
    one, other = side(*first), side(*second)
    assert better(one, other, 100, "x").value == pytest.approx(expected)
    assert better(other, one, 100, "x").value == pytest.approx(1 - expected)
    assert better(one, side(*(first + 2)), 100, "x").low == pytest.approx(1)


def test_a_loss_that_is_no_number_is_the_highest() -> None:
    assert better(side(1), side(np.nan), 100, "x").value == 1
    assert better(side(np.nan), side(np.nan), 100, "x").value == 0.5
    assert np.isnan(better(side(), side(1, 1, 1), 100, "x").value)


def test_members_of_settled_data_sets_make_no_chance_of_which_there_are() -> None:
    """Five models of the target are best, ten of others worst: 2 of 3, whichever are drawn."""
    strata = ["own"] * 5 + ["other"] * 5 + ["third"] * 5
    losses = np.array([1.0] * 5 + [3.0] * 10)
    middle = side(*np.full(15, 2.0))
    found = better(middle, Side(losses, strata), 500, "x")
    assert (found.low, found.value, found.high) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    loose = better(middle, Side(losses), 500, "x")
    assert loose.value == found.value
    assert loose.high - loose.low > 0.3


def test_within_data_sets_members_vary_as_they_do() -> None:
    """The variance of a mean over strata of equal size is that of the means of the strata."""
    random = np.random.default_rng(2)
    strata = [name for name in "abc" for _ in range(7)]
    losses = random.random(21)
    found = better(side(0.5), Side(losses, strata), 4000, "x")
    lost = (losses > 0.5).reshape(3, 7).mean(axis=1)  # a share, whose variance is p (1 - p) / n
    deviation = np.sqrt((lost * (1 - lost) / 7).sum() / 9)
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(deviation, rel=0.15)


def test_means_over_targets_count_each_alike() -> None:
    low, high = side(*np.zeros(3)), side(*np.ones(97))
    pairs = [(low, high), (high, low), (low, high), (side(), high)]
    found = mean_better(pairs, "abcd", 500, "x")
    assert found.value == pytest.approx(2 / 3)
    assert found.low <= 1 / 3
    assert found.high == pytest.approx(1)
    assert np.isnan(mean_better([], "", 100, "x").value)


def test_targets_of_one_family_are_no_independent_ones() -> None:
    low, high = side(*np.zeros(3)), side(*np.ones(5))
    pairs = [(low, high)] * 8 + [(high, low)] * 8
    alone = mean_better(pairs, [str(place) for place in range(16)], 500, "x")
    of_two = mean_better(pairs, ["a"] * 8 + ["b"] * 8, 500, "x")
    assert (of_two.low, of_two.value, of_two.high) == (0, 0.5, 1)
    assert 0.15 < alone.low < 0.4 < 0.6 < alone.high < 0.85
