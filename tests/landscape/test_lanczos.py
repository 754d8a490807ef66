"""The largest eigenvalue is numpy's, and its doubt is honest."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import oracles
from phasezoo.landscape.lanczos import top_eigenvalue

SIZE = 31
SPECTRA = {
    "positive": np.linspace(0.5, 7, SIZE),
    "indefinite": np.linspace(-11, 5, SIZE),  # the largest in magnitude is negative
    "negative": np.linspace(-7, -0.5, SIZE),
    "top three times": np.r_[np.linspace(-3, 3, SIZE - 3), 5, 5, 5],
    "close": np.r_[np.linspace(-3, 3, SIZE - 2), 5, 5.01],
    "low rank": np.r_[np.zeros(SIZE - 2), 2, 3],
    "huge": 1e9 * np.linspace(-2, 7, SIZE),
    "tiny": 1e-9 * np.linspace(-2, 7, SIZE),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_largest_eigenvalue_is_numpys(name: str, seed: int) -> None:
    matrix = oracles.symmetric(SPECTRA[name], seed)
    found = top_eigenvalue(oracles.operator_of(matrix), oracles.vector(SIZE, seed), 2 * SIZE, 1e-9)
    assert found.converged
    assert found.value == pytest.approx(np.linalg.eigvalsh(matrix.numpy())[-1], rel=1e-9)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("iterations", [1, 2, 5, 11, 23])
def test_some_eigenvalue_lies_within_the_residual(name: str, iterations: int) -> None:
    matrix = oracles.symmetric(SPECTRA[name], 3)
    found = top_eigenvalue(oracles.operator_of(matrix), oracles.vector(SIZE, 4), iterations, 1e-9)
    eigenvalues = np.linalg.eigvalsh(matrix.numpy())
    rounding = 1e-12 * np.abs(eigenvalues).max()
    assert np.abs(eigenvalues - found.value).min() <= found.residual + rounding
    assert found.value <= eigenvalues[-1] + rounding  # Rayleigh


@pytest.mark.parametrize("iterations", [1, 3, 7, 13])
def test_the_residual_is_that_of_the_ritz_pair(iterations: int) -> None:
    matrix = oracles.symmetric(SPECTRA["indefinite"], 5).numpy()
    start = oracles.vector(SIZE, 6)
    krylov = [start.numpy()]
    for _ in range(iterations - 1):
        krylov.append(matrix @ krylov[-1] / np.linalg.norm(krylov[-1]))
    basis, _ = np.linalg.qr(np.array(krylov).T)
    values, vectors = np.linalg.eigh(basis.T @ matrix @ basis)
    ritz = basis @ vectors[:, -1]
    found = top_eigenvalue(lambda v: torch.from_numpy(matrix) @ v, start, iterations, 1e-15)
    # the powers of `krylov` lose digits that Lanczos keeps
    assert found.value == pytest.approx(values[-1], rel=1e-6)
    assert found.residual == pytest.approx(
        np.linalg.norm(matrix @ ritz - values[-1] * ritz), rel=1e-4
    )


def test_too_few_iterations_are_not_converged() -> None:
    matrix = oracles.symmetric(SPECTRA["close"], 0)
    found = top_eigenvalue(oracles.operator_of(matrix), oracles.vector(SIZE, 0), 5, 1e-9)
    assert not found.converged
    assert found.residual > 1e-9 * found.value
    assert found.value < 5


def test_the_tolerance_is_relative_to_the_eigenvalue() -> None:
    matrix = oracles.symmetric(SPECTRA["positive"], 0)
    for scale in (1e-6, 1.0, 1e6):
        found = top_eigenvalue(
            oracles.operator_of(scale * matrix), oracles.vector(SIZE, 0), SIZE, 1e-3
        )
        assert found.converged
        assert 1e-9 * scale < found.residual <= 1e-3 * found.value


def test_the_products_stop_when_it_has_converged() -> None:
    calls = 0
    matrix = oracles.symmetric(np.r_[np.zeros(SIZE - 1), 3.0], 0)

    def counted(vector: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return matrix @ vector

    assert top_eigenvalue(counted, oracles.vector(SIZE, 1), 29, 1e-6).value == pytest.approx(3)
    assert calls == 2  # a matrix of rank 1 spans two directions with the start


def test_float32_finds_the_same_within_its_precision() -> None:
    matrix = oracles.symmetric(SPECTRA["indefinite"], 2)
    start = oracles.vector(SIZE, 2).float()
    found = top_eigenvalue(oracles.operator_of(matrix.float()), start, 2 * SIZE, 1e-5)
    assert found.converged
    assert found.value == pytest.approx(5, rel=1e-5)


@pytest.mark.parametrize("value", [-2.0, 0.0, 3.0])
def test_a_multiple_of_the_identity_has_its_factor(value: float) -> None:
    found = top_eigenvalue(lambda v: value * v, oracles.vector(SIZE, 0), 7, 1e-6)
    assert found.converged
    assert found.value == pytest.approx(value, rel=1e-12)


def test_one_dimension_has_one_eigenvalue() -> None:
    found = top_eigenvalue(lambda v: -3 * v, torch.tensor([2.0]), 7, 1e-6)
    assert (found.value, found.converged) == (-3, True)


def test_an_operator_that_is_not_finite_has_no_eigenvalue() -> None:
    found = top_eigenvalue(lambda v: v * math.nan, oracles.vector(SIZE, 0), 7, 1e-6)
    assert math.isnan(found.value)
    assert not found.converged


@pytest.mark.parametrize(
    "start", [torch.zeros(5), torch.tensor([1.0, math.nan]), torch.tensor([math.inf])]
)
def test_a_start_that_is_no_direction_is_refused(start: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="start: got a vector that is zero or not finite"):
        top_eigenvalue(lambda v: v, start, 3, 1e-3)


def test_no_iterations_are_refused() -> None:
    with pytest.raises(ValueError, match="iterations: got 0"):
        top_eigenvalue(lambda v: v, torch.ones(3), 0, 1e-3)
