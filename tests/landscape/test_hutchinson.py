"""The trace is unbiased, and its standard error is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import oracles
from phasezoo import rng
from phasezoo.landscape.estimate import Estimate, mean_of
from phasezoo.landscape.hutchinson import hutchinson_trace

CPU = torch.device("cpu")
SIZE = 23
MATRIX = oracles.symmetric(np.linspace(-3, 7, SIZE), 0)
TRACE = MATRIX.trace().item()


def estimate(matrix: torch.Tensor, probes: int, *names: object) -> Estimate:
    chance = rng.generator("probes", *names)
    return hutchinson_trace(oracles.operator_of(matrix), len(matrix), probes, chance, CPU)


def test_a_diagonal_matrix_is_exact() -> None:
    diagonal = torch.arange(-5, 18, dtype=torch.float64)
    assert estimate(diagonal.diag(), 3) == Estimate(diagonal.sum().item(), 0.0)


def test_a_negative_trace_is_returned_as_it_is() -> None:
    assert estimate(-3 * torch.eye(SIZE, dtype=torch.float64), 2) == Estimate(-3.0 * SIZE, 0.0)


@pytest.mark.parametrize("seed", range(7))
def test_the_trace_lies_within_four_standard_errors(seed: int) -> None:
    found = estimate(MATRIX, 101, seed)
    assert abs(found.value - TRACE) < 4 * found.standard_error


def test_two_standard_errors_cover_the_trace_as_often_as_they_should() -> None:
    found = [estimate(MATRIX, 40, "repetition", i) for i in range(200)]
    covered = np.mean([abs(e.value - TRACE) <= 2 * e.standard_error for e in found])
    assert 0.90 <= covered <= 0.98  # 95 % expected; 200 repetitions have a deviation of 1.5 %
    spread = np.std([e.value for e in found], ddof=1)
    typical = np.mean([e.standard_error for e in found])
    assert spread == pytest.approx(typical, rel=0.15)  # three deviations of a spread of 200


def test_the_variance_of_a_probe_is_hutchinsons() -> None:
    probes = 4001
    found = estimate(MATRIX, probes)
    variance = 2 * (MATRIX.square().sum() - MATRIX.diag().square().sum()).item()
    assert found.standard_error**2 * probes == pytest.approx(variance, rel=0.1)


def test_probes_are_signs() -> None:
    seen: list[torch.Tensor] = []

    def watched(vector: torch.Tensor) -> torch.Tensor:
        seen.append(vector.clone())
        return vector

    hutchinson_trace(watched, 499, 5, rng.generator("signs"), CPU)
    values = torch.stack(seen)
    assert set(values.flatten().tolist()) == {-1.0, 1.0}
    assert abs(values.mean().item()) < 4 / math.sqrt(5 * 499)


def test_the_same_generator_gives_the_same_estimate() -> None:
    assert estimate(MATRIX, 5, "a") == estimate(MATRIX, 5, "a")
    assert estimate(MATRIX, 5, "a") != estimate(MATRIX, 5, "b")


def test_the_standard_error_is_the_deviation_over_the_root_of_the_number() -> None:
    assert mean_of([1.0, 2.0, 6.0]) == Estimate(3.0, pytest.approx(math.sqrt(7 / 3), rel=1e-15))


@pytest.mark.parametrize("samples", [[], [1.0]])
def test_fewer_than_two_samples_have_no_standard_error(samples: list[float]) -> None:
    with pytest.raises(ValueError, match=f"samples: got {len(samples)}"):
        mean_of(samples)
