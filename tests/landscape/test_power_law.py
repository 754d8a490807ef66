"""The tail of a power law is found where it is, with its exponent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from phasezoo.landscape.power_law import NO_TAIL, PowerLawTail, power_law_tail


def pareto(size: int, exponent: float, seed: int) -> np.ndarray:
    """Draws from p(x) ~ x^-exponent, x >= 1."""
    return stats.pareto.rvs(exponent - 1, size=size, random_state=np.random.default_rng(seed))


def by_loops(values: np.ndarray, fewest: int) -> tuple[float, float, float, int]:
    """The method of Clauset et al. with scipy's fit of the exponent, tail by tail."""
    best = (np.inf, 0.0, 0.0, 0)
    for start in np.sort(values)[: len(values) - fewest + 1]:
        tail = np.sort(values[values >= start])
        shape, _, _ = stats.pareto.fit(tail, floc=0, fscale=start)
        below = np.array([np.mean(tail < x) for x in tail])
        distance = np.abs(below - stats.pareto.cdf(tail, shape, scale=start)).max()
        best = min(best, (distance, shape + 1, start, len(tail)))
    return best


@pytest.mark.parametrize("size", [8, 13, 61])
def test_tail_is_that_of_the_method_written_as_loops(size: int) -> None:
    values = np.random.default_rng(size).lognormal(0, 1.3, size)
    distance, exponent, start, count = by_loops(values, 8)
    found = power_law_tail(values)
    assert found.values == count
    assert found.start == start
    assert found.distance == pytest.approx(distance, rel=1e-9)
    assert found.exponent.value == pytest.approx(exponent, rel=1e-6)
    error = (exponent - 1) / np.sqrt(count)
    assert found.exponent.standard_error == pytest.approx(error, rel=1e-6)


def test_quantiles_of_a_power_law_have_its_exponent() -> None:
    quantiles = (1 - np.arange(2000) / 2000) ** (-1 / 1.7)
    found = power_law_tail(quantiles)
    assert found.exponent.value == pytest.approx(2.7, abs=0.02)
    assert found.distance < 2e-3


def test_a_body_below_the_tail_is_left_out() -> None:
    body = np.random.default_rng(0).uniform(0.2, 1, 400)
    found = power_law_tail(np.concatenate([body, pareto(400, 2.5, 1)]))
    assert found.start == pytest.approx(1, abs=0.15)
    assert abs(found.exponent.value - 2.5) < 4 * found.exponent.standard_error


def test_standard_error_covers_the_exponent_where_the_start_is_known() -> None:
    found = [power_law_tail(pareto(80, 3.1, seed), fewest=80).exponent for seed in range(400)]
    covered = np.mean([abs(e.value - 3.1) <= 2 * e.standard_error for e in found])
    assert 0.92 <= covered <= 0.98  # 95 % expected; 400 repetitions have a deviation of 1.1 %


def test_standard_error_covers_the_exponent_where_the_start_is_searched() -> None:
    """On data that are a power law throughout; on others a search may pick a chance tail."""
    found = [power_law_tail(pareto(80, 3.1, seed)).exponent for seed in range(400)]
    covered = np.mean([abs(e.value - 3.1) <= 2 * e.standard_error for e in found])
    assert 0.90 <= covered <= 0.98


@pytest.mark.parametrize("scale", [1e-9, 3.0, 1e7])
def test_scaling_moves_the_start_and_nothing_else(scale: float) -> None:
    values = pareto(47, 2.2, 5)
    one, other = power_law_tail(values), power_law_tail(scale * values)
    assert other.values == one.values
    assert other.start == pytest.approx(scale * one.start, rel=1e-12)
    assert other.exponent.value == pytest.approx(one.exponent.value, rel=1e-9)
    assert other.distance == pytest.approx(one.distance, rel=1e-9)


def test_order_does_not_matter() -> None:
    values = pareto(31, 2.2, 6)
    assert power_law_tail(values[::-1]) == power_law_tail(values)


@pytest.mark.parametrize("values", [np.empty(0), np.arange(1.0, 8), np.full(20, 3.0)])
def test_too_few_or_equal_values_have_no_tail(values: np.ndarray) -> None:
    found = power_law_tail(values)
    assert found is NO_TAIL
    assert isinstance(found, PowerLawTail)
    assert np.isnan(found.exponent.value)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_what_is_not_positive_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="values: got one that is not"):
        power_law_tail([wrong, *range(1, 20)])


def test_a_tail_of_one_value_is_refused() -> None:
    with pytest.raises(ValueError, match="fewest: got 1, allowed are at least 2"):
        power_law_tail([1.0, 2.0], fewest=1)
