"""The numbers of a connection are those of its curves, point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasezoo.landscape.connection import connection, not_measured
from phasezoo.landscape.refine import Samples

T = np.array([0, 0.25, 0.5, 0.625, 0.75, 1])
ERRORS = np.array([0.1, 0.2, 0.4, 0.7, 0.3, 0.2])


def samples(errors: np.ndarray, scale: float = 1.0) -> Samples:
    """Training loss, training error, test loss, test error: multiples of the errors."""
    return Samples(T, scale * np.outer(errors, [3, 1, 5, 0.5]))


def on_grid(path: Samples) -> Samples:
    grid = np.linspace(0, 1, 5)
    return Samples(grid, path.at(grid))


def test_refined_points_decide_and_the_profile_is_on_the_grid() -> None:
    found = connection([samples(ERRORS)], on_grid(samples(ERRORS)), 5)
    assert found.mode_connectivity.value == pytest.approx(0.15 - 0.7)
    assert found.mode_connectivity_at == 0.625
    assert found.mode_connectivity_loss == pytest.approx(3 * (0.15 - 0.7))
    assert found.mode_connectivity_test_loss == pytest.approx(5 * (0.15 - 0.7))
    assert found.mode_connectivity_test == pytest.approx(0.5 * (0.15 - 0.7))
    assert found.curve_barrier_error == pytest.approx(0.55)
    assert found.linear_barrier_error == pytest.approx(0.25)
    np.testing.assert_allclose(found.curve.train_error, [0.1, 0.2, 0.4, 0.3, 0.2])
    np.testing.assert_allclose(found.line.test_loss, 5 * np.array([0.1, 0.2, 0.4, 0.3, 0.2]))


def test_where_the_middle_is_better_the_sign_is_positive_and_the_barrier_that_of_the_ends() -> None:
    curve = samples(np.array([0.5, 0.3, 0.2, 0.1, 0.2, 0.4]))
    found = connection([curve], on_grid(curve), 5)
    assert found.mode_connectivity.value == pytest.approx(0.35)
    assert found.curve_barrier_error == pytest.approx(0.05)  # the worse end above the mean


def test_unequal_ends_are_told_by_the_place() -> None:
    curve = samples(np.array([0.0, 0.2, 0.5, 0.6, 0.8, 1.0]))
    found = connection([curve], on_grid(curve), 5)
    assert (found.mode_connectivity.value, found.mode_connectivity_at) == (0.5, 0.0)


def test_repeats_give_a_mean_and_its_standard_error() -> None:
    curves = [samples(ERRORS, scale) for scale in (1, 2, 4)]
    found = connection(curves, on_grid(curves[0]), 5)
    heights = np.array([1, 2, 4]) * (0.15 - 0.7)
    assert found.mode_connectivity.value == pytest.approx(heights.mean())
    assert found.mode_connectivity.standard_error == pytest.approx(
        heights.std(ddof=1) / math.sqrt(3)
    )
    np.testing.assert_allclose(found.curve.train_error[2], 0.4 * 7 / 3)


def test_a_pair_that_was_not_measured_has_no_numbers() -> None:
    assert all(np.isnan(value).all() for value in not_measured(7).row().values())
