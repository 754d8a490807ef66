"""Grids are refined where a path deviates most, by points of the path itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from phasezoo.landscape.curve import mode_connectivity
from phasezoo.landscape.refine import Samples, sampled

Floats = NDArray[np.float64]
PEAKS = np.array([0.137, 0.5, 0.881])


def bumps(paths: NDArray[np.intp], t: Floats) -> Floats:
    """Two values per path: a narrow peak of height 1, and a dip beside it."""
    peak = np.exp(-(((t - PEAKS[paths]) / 0.02) ** 2))
    return np.stack([peak, -0.5 * np.exp(-(((t - 0.71) / 0.05) ** 2))], axis=1)


def test_without_rounds_there_is_the_grid_only() -> None:
    found = sampled(bumps, 3, 11, rounds=0)
    for path, samples in enumerate(found):
        np.testing.assert_array_equal(samples.t, np.linspace(0, 1, 11))
        np.testing.assert_array_equal(samples.values, bumps(np.full(11, path), samples.t))


@pytest.mark.parametrize("rounds", [1, 4, 7])
def test_the_peak_is_found_to_the_spacing_of_the_last_round(rounds: int) -> None:
    for path, samples in enumerate(sampled(bumps, 3, 11, rounds)):
        at = samples.t[samples.values[:, 0].argmax()]
        assert abs(at - PEAKS[path]) <= 0.1 / 2**rounds
        assert (np.diff(samples.t) > 0).all()
        np.testing.assert_array_equal(
            samples.values, bumps(np.full(len(samples.t), path), samples.t)
        )


def test_refinement_finds_what_the_grid_misses_and_never_loses_height() -> None:
    coarse, fine = (sampled(bumps, 3, 11, rounds)[0] for rounds in (0, 6))
    assert mode_connectivity(coarse.values[:, 0]) > -0.05
    assert mode_connectivity(fine.values[:, 0]) == pytest.approx(-1, abs=0.01)
    assert mode_connectivity(fine.values[:, 1]) == pytest.approx(0.5, abs=1e-3)


def test_the_grid_keeps_its_values_among_the_refined_points() -> None:
    grid = np.linspace(0, 1, 11)
    found = sampled(bumps, 1, 11, rounds=5)[0]
    assert len(found.t) > 11
    np.testing.assert_array_equal(found.at(grid), bumps(np.zeros(11, dtype=np.intp), grid))


def test_every_path_of_a_round_is_asked_for_at_once_and_no_point_twice() -> None:
    asked: list[list[tuple[int, float]]] = []

    def watched(paths: NDArray[np.intp], t: Floats) -> Floats:
        asked.append(list(zip(paths.tolist(), t.tolist(), strict=True)))
        return bumps(paths, t)

    sampled(watched, 3, 11, rounds=4)
    assert len(asked) == 5
    every = [point for points in asked for point in points]
    assert len(set(every)) == len(every)
    assert all(len(points) <= 3 * 4 for points in asked[1:])  # both sides of two extremes


def test_a_path_does_not_depend_on_the_others() -> None:
    together = sampled(bumps, 3, 11, rounds=3)[0]
    alone = sampled(bumps, 1, 11, rounds=3)[0]
    np.testing.assert_array_equal(together.t, alone.t)


def test_an_extreme_at_an_end_is_refined_on_its_only_side() -> None:
    samples = Samples(np.array([0.0, 0.5, 1.0]), np.array([[0.0], [0.5], [1.0]]))
    assert samples.extremes == [0]
    assert samples.halves().tolist() == [0.25]


def test_a_path_that_is_not_finite_is_not_refined() -> None:
    def holed(paths: NDArray[np.intp], t: Floats) -> Floats:
        return np.where((paths == 1)[:, None], np.nan, bumps(paths, t))

    found = sampled(holed, 3, 5, rounds=2)
    assert [len(samples.t) > 5 for samples in found] == [True, False, True]
