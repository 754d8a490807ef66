"""The error of a mean over chains covers, and chains that disagree are told."""

from __future__ import annotations

import numpy as np
import pytest

from phasezoo.landscape.chains import ChainMean, chain_mean


def autoregressive(chains: int, steps: int, memory: float, seed: int) -> np.ndarray:
    """Stationary chains x' = memory x + noise, of unit variance and mean 0."""
    random = np.random.default_rng(seed)
    draws = np.empty((chains, steps))
    draws[:, 0] = random.standard_normal(chains)
    for t in range(1, steps):
        fresh = np.sqrt(1 - memory**2) * random.standard_normal(chains)
        draws[:, t] = memory * draws[:, t - 1] + fresh
    return draws


def test_split_r_hat_is_that_of_its_formula() -> None:
    draws = np.random.default_rng(0).standard_normal((3, 20)) + np.array([[0.0], [0.3], [1.0]])
    halves = [half for chain in draws for half in (chain[:10], chain[10:])]
    within = np.mean([np.var(half, ddof=1) for half in halves])
    between = 10 * np.var([half.mean() for half in halves], ddof=1)
    expected = np.sqrt((9 / 10 * within + between / 10) / within)
    assert chain_mean(draws).r_hat == pytest.approx(expected, rel=1e-12)


def test_independent_draws_have_the_error_of_their_deviation() -> None:
    draws = np.random.default_rng(1).standard_normal((4, 5000)) * 3 + 7
    found = chain_mean(draws)
    assert found.mean.value == pytest.approx(draws.mean(), rel=1e-12)
    assert found.mean.standard_error == pytest.approx(3 / np.sqrt(20_000), rel=0.1)
    assert found.r_hat == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("memory", [0.5, 0.9])
def test_correlated_draws_are_worth_as_many_as_theory_says(memory: float) -> None:
    found = chain_mean(autoregressive(4, 20_000, memory, 2))
    expected = 80_000 * (1 - memory) / (1 + memory)
    assert found.effective_samples == pytest.approx(expected, rel=0.15)
    assert found.mean.standard_error == pytest.approx(np.sqrt(1 / expected), rel=0.1)


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_two_standard_errors_cover_as_often_as_they_should(memory: float) -> None:
    everything = autoregressive(4 * 300, 400, memory, 3).reshape(300, 4, 400)
    found = [chain_mean(draws).mean for draws in everything]
    covered = np.mean([abs(e.value) <= 2 * e.standard_error for e in found])
    assert 0.90 <= covered <= 0.985  # 95 % expected; 300 repetitions have a deviation of 1.3 %


def test_anticorrelated_draws_are_not_worth_more_than_they_are() -> None:
    found = chain_mean(autoregressive(4, 1000, -0.7, 4))
    assert found.effective_samples <= 4000


def test_chains_that_stay_apart_are_told() -> None:
    found = chain_mean(autoregressive(4, 200, 0.1, 5) + 3 * np.arange(4)[:, None])
    assert found.r_hat > 2
    assert found.effective_samples < 30


def test_chains_that_drift_together_are_told() -> None:
    found = chain_mean(autoregressive(4, 200, 0.1, 6) + np.linspace(0, 5, 200))
    assert found.r_hat > 1.3


def test_chains_that_do_not_move_have_no_error() -> None:
    found = chain_mean(np.full((3, 10), 2.5))
    assert (found.mean.value, found.mean.standard_error, found.r_hat) == (2.5, 0.0, 1.0)


def test_chains_stuck_at_different_places_never_agree() -> None:
    assert chain_mean(np.arange(3.0)[:, None] * np.ones(10)).r_hat == np.inf


def test_a_chain_that_diverged_gives_no_number() -> None:
    draws = np.ones((2, 8))
    draws[1, 7] = np.inf
    found = chain_mean(draws)
    assert isinstance(found, ChainMean)
    assert np.isnan([found.mean.value, found.mean.standard_error, found.r_hat]).all()


def test_seven_steps_are_too_few() -> None:
    with pytest.raises(ValueError, match="steps: got 7, allowed are at least 8"):
        chain_mean(np.zeros((2, 7)))
