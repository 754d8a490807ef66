"""The quadrature has the moments of the eigenvalues."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import oracles
from phasezoo import rng
from phasezoo.landscape.density import Density, densities

SIZE = 61
SPECTRUM = np.r_[np.linspace(-2, 3, SIZE - 2), 8, 11]


def density(matrix: Tensor, steps: int, probes: int, rows: int = 1) -> list[Density]:
    like = torch.zeros(rows, len(matrix), dtype=matrix.dtype)
    chances = [rng.generator("density", row) for row in range(rows)]
    return densities(lambda v: v @ matrix, like, steps, probes, chances)


@pytest.mark.parametrize("power", [0, 1, 2, 3, 4])
def test_moments_are_those_of_the_eigenvalues(power: int) -> None:
    matrix = oracles.symmetric(SPECTRUM, 0)
    probes = 40
    (found,) = density(matrix, 5, probes)
    per_probe = torch.linalg.matrix_power(matrix, power)
    variance = 2 * (per_probe.square().sum() - per_probe.diag().square().sum()).item()
    error = math.sqrt(variance / probes) / SIZE
    expected = np.mean(SPECTRUM**power)
    assert abs(np.sum(found.weights * found.nodes**power) - expected) <= 4 * error + 1e-12


def test_a_diagonal_matrix_has_moments_without_error() -> None:
    (found,) = density(torch.from_numpy(SPECTRUM).diag(), 4, 1)  # signs have the same square
    for power in range(2 * 4):
        expected = np.mean(SPECTRUM**power)
        assert np.sum(found.weights * found.nodes**power) == pytest.approx(expected, rel=1e-10)


def test_nodes_ascend_and_lie_within_the_spectrum() -> None:
    (found,) = density(oracles.symmetric(SPECTRUM, 0), 7, 3)
    assert found.nodes.shape == found.weights.shape == (21,)
    assert (np.diff(found.nodes) >= 0).all()
    assert found.nodes[0] >= -2 - 1e-9
    assert found.nodes[-1] <= 11 + 1e-9
    assert found.weights.sum() == pytest.approx(1, rel=1e-12)
    assert (found.weights >= 0).all()


def test_a_space_that_closes_has_fewer_nodes() -> None:
    matrix = oracles.symmetric(np.r_[np.zeros(SIZE - 1), 3.0], 0)
    (found,) = density(matrix, 6, 1)
    assert np.isnan(found.nodes).tolist() == [False] * 2 + [True] * 4
    np.testing.assert_allclose(found.nodes[:2], [0, 3], atol=1e-12)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights[2:] == 0).all()


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    matrix = oracles.symmetric(SPECTRUM, 0)
    first, second = density(matrix, 4, 2, rows=2)
    (alone,) = density(matrix, 4, 2)
    np.testing.assert_allclose(first.nodes, alone.nodes, rtol=1e-12)
    assert not np.allclose(first.nodes, second.nodes)


def test_what_is_not_finite_has_no_density() -> None:
    (found,) = density(torch.full((SIZE, SIZE), math.nan, dtype=torch.float64), 4, 2)
    assert np.isnan(found.nodes).all()
    assert np.isnan(found.weights).all()
