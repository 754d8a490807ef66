"""Means over data sets of families: closed forms, and how often intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from phasezoo.transfer.regions.nested import Unit, mean


def unit(family: str, value: float, spread: float = 0.0) -> Unit:
    return Unit(family, value, lambda n, chance: value + spread * chance.standard_normal(n))


def deviation(units: list[Unit], resamples: int = 20000) -> float:
    found = mean(units, resamples, "x")
    return (found.high - found.low) / (2 * 1.96)


def test_one_data_set_a_family_is_the_bootstrap_over_data_sets() -> None:
    values = np.random.default_rng(0).standard_normal(41)
    found = mean([unit(str(place), value) for place, value in enumerate(values)], 20000, "x")
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.02)


def test_families_that_agree_within_vary_as_families() -> None:
    """F equal values each: the variance is that of the bootstrap over F families, sigma^2 / F."""
    of_family = np.random.default_rng(2).standard_normal(23)
    units = [unit(str(f), value) for f, value in enumerate(of_family) for _ in range(5)]
    assert deviation(units) == pytest.approx(of_family.std() / np.sqrt(23), rel=0.05)


def test_variances_between_and_within_families_add_up() -> None:
    """F families of S: (b + w / S) / F, with b between the means of families and w within them."""
    values = np.random.default_rng(6).standard_normal((13, 5)) + np.arange(13)[:, None] / 13
    units = [unit(str(f), value) for f, of in enumerate(values) for value in of]
    expected = (values.mean(axis=1).var() + values.var(axis=1).mean() / 5) / 13
    assert deviation(units) == pytest.approx(np.sqrt(expected), rel=0.04)


def test_what_a_data_set_holds_is_drawn_anew_each_time() -> None:
    """Alike data sets: n draws of n have the variance sigma^2 / n, however often one is drawn."""
    units = [unit(str(f), 0.0, spread=1.0) for f in range(7)]
    assert deviation(units) == pytest.approx(1 / np.sqrt(7), rel=0.03)


def test_data_sets_count_alike_in_families_of_other_sizes() -> None:
    units = [unit("a", 1.0), *[unit("b", 0.0)] * 4]
    found = mean(units, 1000, "x")
    assert (found.low, found.value, found.high) == (0, 0.2, 1)


def test_one_family_has_no_interval_and_no_data_set_no_mean() -> None:
    found = mean([unit("a", 1.0), unit("a", 3.0)], 100, "x")
    assert found.value == 2
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert np.isnan(mean([], 100, "x").value)


def test_intervals_that_know_of_families_hold_the_truth_more_often() -> None:
    """Nine data sets, three of a family, and most of what differs is the family: truth is 0."""
    random = np.random.default_rng(3)
    families = [name for name in "abc" for _ in range(3)]
    held = np.zeros(2)
    for trial in range(200):
        of_family = np.repeat(random.standard_normal(3), 3)
        values = np.sqrt(0.8) * of_family + np.sqrt(0.2) * random.standard_normal(9)
        for place, of in enumerate((families, [str(p) for p in range(9)])):
            found = mean([unit(f, v) for f, v in zip(of, values, strict=True)], 200, trial)
            held[place] += found.low <= 0 <= found.high
    aware, unaware = held / 200
    assert unaware < 0.72
    assert aware > unaware + 0.08
