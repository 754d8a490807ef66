"""The largest eigenvalues are numpy's, and their doubt is honest."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

import oracles
from phasezoo import rng
from phasezoo.landscape.eigenvalues import Eigenvalues, all_converged, top_eigenvalues
from phasezoo.landscape.lanczos import Krylov, lanczos

SIZE = 31
ROUNDING = 8 * torch.finfo(torch.float64).eps
SPECTRA = {
    "positive": np.linspace(0.5, 7, SIZE),
    "indefinite": np.linspace(-11, 5, SIZE),  # the largest in magnitude is negative
    "negative": np.linspace(-7, -0.5, SIZE),
    "close": np.r_[np.linspace(-3, 3, SIZE - 2), 5, 5.01],
    "low rank": np.r_[np.zeros(SIZE - 4), 2, 3, 4, 7],
    "huge": 1e9 * np.linspace(-2, 7, SIZE),
    "tiny": 1e-9 * np.linspace(-2, 7, SIZE),
}


def top(
    operator: Tensor | Callable[[Tensor], Tensor],
    start: Tensor,
    k: int = 1,
    iterations: int = 2 * SIZE,
    tolerance: float = 1e-9,
) -> Eigenvalues:
    product = oracles.operator_of(operator) if isinstance(operator, Tensor) else operator
    rounding = 8 * torch.finfo(start.dtype).eps
    (space,), _ = lanczos(
        lambda v: product(v[0])[None],
        start[None],
        iterations,
        all_converged(k, tolerance, rounding),
        [rng.generator("fresh")],
    )
    return top_eigenvalues(space, k, tolerance, rounding)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_largest_eigenvalues_are_numpys(name: str, k: int) -> None:
    matrix = oracles.symmetric(SPECTRA[name], k)
    found = top(matrix, oracles.vector(SIZE, k), k)
    expected = np.linalg.eigvalsh(matrix.numpy())[::-1][:k]
    assert found.converged.all()
    scale = np.abs(SPECTRA[name]).max()
    np.testing.assert_allclose(found.values, expected, rtol=1e-9, atol=1e-13 * scale)


def test_an_eigenvalue_is_found_as_often_as_it_occurs_where_the_space_closes() -> None:
    matrix = oracles.symmetric(np.r_[np.zeros(SIZE - 3), 5, 5, 5], 0)
    np.testing.assert_allclose(top(matrix, oracles.vector(SIZE, 0), 3).values, [5, 5, 0], atol=1e-9)
    identity = torch.eye(SIZE, dtype=torch.float64)
    np.testing.assert_allclose(top(identity, oracles.vector(SIZE, 0), 4).values, np.ones(4))


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("iterations", [5, 11, 23])
def test_some_eigenvalue_lies_within_each_residual(name: str, iterations: int) -> None:
    matrix = oracles.symmetric(SPECTRA[name], 3)
    found = top(matrix, oracles.vector(SIZE, 4), 3, iterations)
    eigenvalues = np.linalg.eigvalsh(matrix.numpy())
    rounding = 1e-12 * np.abs(eigenvalues).max()
    distance = np.abs(eigenvalues[:, None] - found.values).min(axis=0)
    assert (distance <= found.residuals + rounding).all()
    assert (found.values <= eigenvalues[:-4:-1] + rounding).all()  # Cauchy's interlacing


@pytest.mark.parametrize("iterations", [3, 7, 13])
def test_residuals_are_those_of_the_ritz_pairs(iterations: int) -> None:
    matrix = oracles.symmetric(SPECTRA["indefinite"], 5).numpy()
    start = oracles.vector(SIZE, 6)
    krylov = [start.numpy()]
    for _ in range(iterations - 1):
        krylov.append(matrix @ krylov[-1] / np.linalg.norm(krylov[-1]))
    basis, _ = np.linalg.qr(np.array(krylov).T)
    values, vectors = np.linalg.eigh(basis.T @ matrix @ basis)
    ritz = basis @ vectors
    lengths = np.linalg.norm(matrix @ ritz - values * ritz, axis=0)
    found = top(torch.from_numpy(matrix), start, 3, iterations, 1e-15)
    # the powers of `krylov` lose digits that Lanczos keeps
    np.testing.assert_allclose(found.values, values[:-4:-1], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.residuals, lengths[:-4:-1], rtol=1e-3)


def test_each_pair_has_a_flag_of_its_own() -> None:
    matrix = oracles.symmetric(np.r_[np.linspace(-3, 3, SIZE - 1), 50], 0)
    found = top(matrix, oracles.vector(SIZE, 0), 3, 8, 1e-6)
    assert found.converged.tolist() == [True, False, False]
    assert (found.converged == (found.residuals <= 1e-6 * np.abs(found.values))).all()


def test_more_eigenvalues_than_the_space_holds_are_missing() -> None:
    found = top(oracles.symmetric(SPECTRA["positive"], 0), oracles.vector(SIZE, 0), 3, 2)
    assert np.isnan(found.values).tolist() == [False, False, True]
    assert not found.converged[2]


def test_the_tolerance_is_relative_to_the_eigenvalue() -> None:
    matrix = oracles.symmetric(SPECTRA["positive"], 0)
    for scale in (1e-6, 1.0, 1e6):
        found = top(scale * matrix, oracles.vector(SIZE, 0), tolerance=1e-3)
        assert found.converged.all()
        assert 1e-9 * scale < found.residuals[0] <= 1e-3 * found.values[0]


def test_the_products_stop_when_it_has_converged() -> None:
    calls = 0
    matrix = oracles.symmetric(np.r_[np.zeros(SIZE - 1), 3.0], 0)

    def counted(vector: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return matrix @ vector

    assert top(counted, oracles.vector(SIZE, 1), tolerance=1e-6).values == pytest.approx(3)
    assert calls == 2  # a matrix of rank 1 spans two directions with the start


def test_float32_finds_the_same_within_its_precision() -> None:
    matrix = oracles.symmetric(SPECTRA["indefinite"], 2)
    found = top(matrix.float(), oracles.vector(SIZE, 2).float(), 2, tolerance=1e-5)
    assert found.converged.all()
    expected = np.linalg.eigvalsh(matrix.numpy())[:-3:-1]
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)


@pytest.mark.parametrize("value", [-2.0, 0.0, 3.0])
def test_a_multiple_of_the_identity_has_its_factor(value: float) -> None:
    found = top(lambda v: value * v, oracles.vector(SIZE, 0), 2)
    assert found.converged.all()
    assert found.values == pytest.approx([value, value], rel=1e-12)


def test_one_dimension_has_one_eigenvalue() -> None:
    found = top(lambda v: -3 * v, torch.tensor([2.0]))
    assert (found.values.tolist(), found.converged.tolist()) == ([-3.0], [True])


@pytest.mark.parametrize("space", [Krylov(), Krylov([math.nan], [1.0], finite=False)])
def test_a_space_without_numbers_has_no_eigenvalues(space: Krylov) -> None:
    found = top_eigenvalues(space, 2, 1e-3, ROUNDING)
    assert np.isnan(found.values).all()
    assert np.isnan(found.residuals).all()
    assert not found.converged.any()
