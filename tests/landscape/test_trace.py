"""Estimated traces are unbiased, and their standard error is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import oracles
from phasezoo import rng
from phasezoo.landscape.estimate import Estimate, mean_of
from phasezoo.landscape.lanczos import lanczos, normal_like
from phasezoo.landscape.trace import PILOT, Trace, estimated_traces, signs_like

SIZE = 97
# a few large eigenvalues and many small ones of both signs, like that of a network
SPECTRUM = np.r_[12.0, 9.0, 7.0, 5.0, 4.0, np.linspace(-0.3, 0.8, SIZE - 5)]
MATRIX = oracles.symmetric(SPECTRUM, 0)
TRACE = SPECTRUM.sum()


def traces(
    matrix: Tensor,
    names: list[tuple[object, ...]],
    steps: int = 8,
    target: float = 0.02,
    most: int = 1000,
) -> list[Trace]:
    """Of one matrix, a row for each name."""
    chances = [rng.generator("trace", *name) for name in names]
    like = torch.zeros(len(matrix), dtype=matrix.dtype)
    starts = torch.stack([normal_like(like, chance) for chance in chances])

    def product(v: Tensor) -> Tensor:
        return v @ matrix

    spaces, basis = lanczos(product, starts, steps, lambda space: False, chances)
    return estimated_traces(product, spaces, basis, target, most, chances)


def one(matrix: Tensor, **given: float | int) -> Trace:
    (found,) = traces(matrix, [("one",)], **given)  # type: ignore[arg-type]
    return found


def test_a_space_that_holds_all_leaves_nothing_to_chance() -> None:
    found = one(MATRIX, steps=SIZE)
    assert found.estimate.value == pytest.approx(TRACE, rel=1e-12)
    assert found.estimate.standard_error < 1e-10
    assert (found.converged, found.probes) == (True, PILOT)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_trace_lies_within_four_standard_errors(sign: float) -> None:
    found = traces(sign * MATRIX, [(i,) for i in range(31)])
    for trace in found:
        assert trace.converged
        assert trace.estimate.standard_error <= 0.02 * abs(trace.estimate.value)
        assert abs(trace.estimate.value - sign * TRACE) < 4 * trace.estimate.standard_error


def test_two_standard_errors_cover_the_trace_as_often_as_they_should() -> None:
    found = traces(MATRIX, [("repetition", i) for i in range(2000)], steps=3, target=0.035)
    errors = np.array([t.estimate.value - TRACE for t in found])
    told = np.array([t.estimate.standard_error for t in found])
    assert np.mean([t.probes > PILOT for t in found]) > 0.5  # else nothing is stopped early
    covered = np.mean(np.abs(errors) <= 2 * told)
    assert 0.93 <= covered <= 0.97  # 2,000 repetitions have a deviation of 0.5 %
    assert abs(errors.mean()) < 4 * errors.std() / math.sqrt(len(errors))
    assert errors.std() == pytest.approx(told.mean(), rel=0.1)  # slightly wider, by Student


def test_the_variance_of_a_probe_is_that_of_what_is_left() -> None:
    found = one(MATRIX, steps=1, target=1e-6, most=4001)
    chance = rng.generator("trace", "one")
    start = normal_like(MATRIX[0], chance)
    q = start / start.norm()
    left = torch.eye(SIZE, dtype=torch.float64) - q.outer(q)
    rest = left @ MATRIX @ left
    variance = 2 * (rest.square().sum() - rest.diag().square().sum()).item()
    assert (found.probes, found.converged) == (4001, False)
    assert found.estimate.standard_error**2 * 4001 == pytest.approx(variance, rel=0.1)


def test_a_space_saves_probes() -> None:
    few, many = (one(MATRIX, steps=steps, target=0.01, most=10**4) for steps in (12, 1))
    assert many.probes > 5 * few.probes


@pytest.mark.parametrize("most", [2, 7, PILOT, PILOT + 1])
def test_no_more_probes_are_drawn_than_allowed(most: int) -> None:
    found = one(MATRIX, steps=1, target=1e-9, most=most)
    assert (found.probes, found.converged) == (most, False)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    together = traces(MATRIX, [("a",), ("b",), ("c",)])
    alone = [traces(MATRIX, [(name,)])[0] for name in "abc"]
    assert [t.probes for t in together] == [t.probes for t in alone]
    found = [t.estimate.value for t in together]
    assert found == pytest.approx([t.estimate.value for t in alone], rel=1e-12)
    assert len(set(found)) == 3


def test_zero_has_the_trace_zero() -> None:
    found = one(torch.zeros(SIZE, SIZE, dtype=torch.float64))
    assert found == Trace(Estimate(0.0, 0.0), True, PILOT)


def test_a_trace_of_zero_takes_all_probes_and_does_not_converge() -> None:
    balanced = oracles.symmetric(np.r_[np.ones(48), 0, -np.ones(48)], 0)
    found = one(balanced, steps=2, most=60)
    assert (found.probes, found.converged) == (60, False)
    assert abs(found.estimate.value) < 4 * found.estimate.standard_error


def test_what_is_not_finite_has_no_trace() -> None:
    found = one(MATRIX * math.nan)
    assert math.isnan(found.estimate.value)
    assert math.isnan(found.estimate.standard_error)
    assert (found.converged, found.probes) == (False, 0)


def test_probes_are_signs() -> None:
    found = signs_like(torch.zeros(4999, dtype=torch.float64), rng.generator("signs"))
    assert set(found.tolist()) == {-1.0, 1.0}
    assert abs(found.mean().item()) < 4 / math.sqrt(4999)


def test_the_standard_error_is_the_deviation_over_the_root_of_the_number() -> None:
    assert mean_of([1.0, 2.0, 6.0]) == Estimate(3.0, pytest.approx(math.sqrt(7 / 3), rel=1e-15))


@pytest.mark.parametrize("samples", [[], [1.0]])
def test_fewer_than_two_samples_have_no_standard_error(samples: list[float]) -> None:
    with pytest.raises(ValueError, match=f"samples: got {len(samples)}"):
        mean_of(samples)
