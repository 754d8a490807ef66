"""Scores against scikit-learn, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from phasezoo.learning.scores import accuracy, balanced_accuracy, r2

CHANCE = np.random.default_rng(5)


def names(of: np.ndarray) -> np.ndarray:
    return np.array([f"unit {i}" for i in of])


def test_values_are_those_of_scikit_learn() -> None:
    true = CHANCE.normal(3, 2, 101)
    told = true + CHANCE.normal(size=101)
    of = names(np.arange(101) // 3)
    assert r2(true, told, of, 100).value == pytest.approx(metrics.r2_score(true, told), rel=1e-12)
    labels, guesses = CHANCE.integers(0, 4, (2, 101)).astype(float)
    found = (
        accuracy(labels, guesses, of, 100).value,
        balanced_accuracy(labels, guesses, of, 100).value,
    )
    expected = (
        metrics.accuracy_score(labels, guesses),
        metrics.balanced_accuracy_score(labels, guesses),
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_an_interval_is_that_of_resamples_of_whole_units() -> None:
    """Rows that are copies of each other add nothing, if they are known to be of one unit."""
    true = CHANCE.normal(size=37)
    told = true + CHANCE.normal(size=37) / 2
    one, copied = np.arange(37), np.repeat(np.arange(37), 5)
    once = r2(true, told, names(one), 500)
    whole = r2(true[copied], told[copied], names(copied), 500)
    apart = r2(true[copied], told[copied], names(np.arange(185)), 500)
    assert (whole.value, whole.low, whole.high) == pytest.approx((once.value, once.low, once.high))
    assert (apart.high - apart.low) < 0.6 * (once.high - once.low)
    assert once.low < once.value < once.high


def test_an_interval_holds_the_accuracy_it_was_drawn_with() -> None:
    held = 0
    for _ in range(200):
        right = (CHANCE.random(61) < 0.7).astype(float)
        found = accuracy(np.ones(61), right, names(np.arange(61)), 300)
        held += found.low <= 0.7 <= found.high
    assert held >= 178  # of 200, where 95 % are aimed at: three standard errors and its bias


@pytest.mark.parametrize("score", [r2, accuracy, balanced_accuracy])
def test_of_nothing_and_of_one_unit_there_is_no_interval(score: object) -> None:
    none = score(np.empty(0), np.empty(0), names(np.empty(0)), 100)
    assert np.isnan([none.value, none.low, none.high]).all()
    one = score(np.array([1.0, 2.0]), np.array([1.0, 2.0]), names(np.zeros(2)), 100)
    assert one.value == 1
    assert np.isnan([one.low, one.high]).all()


def test_what_does_not_vary_has_no_coefficient_of_determination() -> None:
    found = r2(np.full(7, 0.3), CHANCE.normal(size=7), names(np.arange(7)), 100)
    assert np.isnan(found.value)
