"""Paired comparisons of ways of tuning: on one data set, and over data sets and their families."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from phasezoo.transfer.regions.comparisons import holm, over_datasets, paired


def test_a_pair_of_equals_gains_nothing() -> None:
    errors = np.random.default_rng(0).random(7)
    found = paired(errors, errors, "x")
    assert found.gain.value == found.gain.low == found.gain.high == 0
    assert found.p == 1


def test_p_of_pairs_is_the_share_of_all_flips_of_signs() -> None:
    gains = np.array([0.3, 0.1, -0.05, 0.2, 0.15])
    found = paired(gains, np.zeros(5), "x")
    signs = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1)
    means = np.abs(signs.T @ gains / 5)
    assert found.p == pytest.approx((means >= abs(gains.mean()) - 1e-12).mean())
    assert found.gain.value == pytest.approx(gains.mean())
    assert found.gain.low < found.gain.value < found.gain.high
    all_positive = paired(np.abs(gains), np.zeros(5), "x")
    assert all_positive.p == 2 / 2**5


def test_pairs_that_diverged_are_left_out() -> None:
    first = np.array([0.3, np.nan, 0.2, 0.5])
    second = np.array([0.1, 0.1, np.nan, 0.4])
    assert paired(first, second, "x").gain.value == pytest.approx(0.15)
    assert np.isnan(paired(first[1:2], second[1:2], "x").p)


def test_over_data_sets_each_is_a_unit() -> None:
    gains = [0.3, 0.11, -0.04, 0.23, 0.17, 0.02]
    pairs = [(np.full(n + 2, gain), np.zeros(n + 2)) for n, gain in enumerate(gains)]
    found = over_datasets([*pairs, (np.array([np.nan]), np.zeros(1))], "abcdefg", 500, "x")
    assert found.gain.value == pytest.approx(np.mean(gains))
    assert found.gain.low < found.gain.value < found.gain.high
    assert found.signed_rank_p == pytest.approx(stats.wilcoxon(gains).pvalue)
    assert found.sign_p == pytest.approx(stats.binomtest(5, 6).pvalue)
    assert (found.won, found.tied, found.lost) == (5, 0, 1)
    mirrored = over_datasets([(b, a) for a, b in pairs], "abcdef", 500, "x")
    assert mirrored.signed_rank_p == pytest.approx(found.signed_rank_p)
    assert (mirrored.won, mirrored.lost) == (1, 5)


def test_families_have_means_of_their_own_and_are_what_is_drawn() -> None:
    gains = {"a": [0.3, 0.2, 0.1], "b": [-0.1, -0.3], "c": [0.5]}
    pairs = [(np.full(3, gain), np.zeros(3)) for of in gains.values() for gain in of]
    families = [family for family, of in gains.items() for _ in of]
    found = over_datasets([*pairs, (np.array([np.nan]), np.ones(1))], [*families, "d"], 2000, "x")
    assert found.of_family == pytest.approx({"a": 0.2, "b": -0.2, "c": 0.5})
    assert found.gain.value == pytest.approx(0.7 / 6)
    apart = over_datasets(pairs, "abcdef", 2000, "x")
    assert found.gain.high - found.gain.low > apart.gain.high - apart.gain.low
    assert found.signed_rank_p == apart.signed_rank_p


def test_a_small_difference_of_rounding_is_a_tie() -> None:
    found = over_datasets([(np.full(3, 1e-14), np.zeros(3))] * 2, "ab", 200, "x")
    assert (found.won, found.tied, found.lost) == (0, 2, 0)


def test_the_interval_of_pairs_is_students() -> None:
    gains = np.random.default_rng(4).standard_normal(9)
    expected = stats.ttest_1samp(gains, 0).confidence_interval()
    found = paired(gains, np.zeros(9), "x").gain
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    one = paired(gains[:1], np.zeros(1), "x").gain
    assert one.value == gains[0]
    assert np.isnan(one.low)


def test_data_sets_without_a_difference_are_ties() -> None:
    found = over_datasets([(np.ones(3), np.ones(3))] * 4, "aabb", 200, "x")
    assert (found.won, found.tied, found.lost) == (0, 4, 0)
    assert np.isnan(found.signed_rank_p)
    assert np.isnan(found.sign_p)
    nothing = over_datasets([], [], 200, "x")
    assert np.isnan(nothing.gain.value)


def test_holm_by_hand() -> None:
    found = holm(np.array([0.04, np.nan, 0.01, 0.03, 0.5]))
    assert found[[0, 2, 3, 4]] == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert np.isnan(found[1])
    assert holm(np.array([0.2])) == pytest.approx([0.2])
    assert holm(np.array([0.9, 0.9])).max() == 1
