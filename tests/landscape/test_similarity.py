"""CKA and distance are their definitions, with the invariances that they are chosen for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import oracles
from phasezoo.landscape.similarity import l2_distance, linear_cka

X = oracles.vector(37 * 7, 0).reshape(37, 7) + 3
Y = oracles.vector(37 * 5, 1).reshape(37, 5) + X[:, :5]


def by_gram_matrices(first: Tensor, second: Tensor) -> float:
    """HSIC of centred Gram matrices [N, N] (Kornblith et al. 2019, equations 3 and 4)."""
    n = len(first)
    centre = np.eye(n) - 1 / n
    k, m = (centre @ (x.double().numpy() @ x.double().numpy().T) @ centre for x in (first, second))
    return float(np.trace(k @ m) / math.sqrt(np.trace(k @ k) * np.trace(m @ m)))


def orthogonal(size: int) -> Tensor:
    return torch.linalg.qr(oracles.vector(size * size, 9).reshape(size, size)).Q


def test_cka_is_that_of_gram_matrices() -> None:
    found = linear_cka(X, Y)
    assert found == pytest.approx(by_gram_matrices(X, Y), rel=1e-12)
    assert 0.1 < found < 0.9


def test_cka_of_a_model_with_itself_is_1() -> None:
    assert linear_cka(X, X) == pytest.approx(1, rel=1e-12)


def test_cka_is_symmetric() -> None:
    assert linear_cka(X, Y) == pytest.approx(linear_cka(Y, X), rel=1e-12)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(X @ orthogonal(7), id="orthogonal"),
        pytest.param(-3e3 * X, id="scale"),
        pytest.param(1e-9 * X, id="small scale"),
        pytest.param(X + oracles.vector(7, 3), id="shift"),
    ],
)
def test_cka_does_not_change_with_what_keeps_the_representation(changed: Tensor) -> None:
    assert linear_cka(changed, Y) == pytest.approx(linear_cka(X, Y), rel=1e-9)
    assert linear_cka(changed, X) == pytest.approx(1, rel=1e-9)


def test_cka_changes_with_a_map_that_is_not_orthogonal() -> None:
    stretched = X * torch.tensor([10.0, *[1.0] * 6])
    assert linear_cka(stretched, X) < 0.99


def test_cka_of_unrelated_features_is_0() -> None:
    basis = torch.linalg.qr(
        torch.cat([torch.ones(37, 1).double(), oracles.vector(37 * 4, 5).reshape(37, 4)], 1)
    ).Q
    assert linear_cka(basis[:, 1:3], basis[:, 3:5]) == pytest.approx(0, abs=1e-15)


def test_cka_of_float32_is_computed_in_float64() -> None:
    x, y = X.float(), Y.float()
    assert linear_cka(x, y) == pytest.approx(by_gram_matrices(x, y), rel=1e-12)


@pytest.mark.parametrize(
    "collapsed",
    [
        pytest.param(torch.zeros(37, 7), id="zero"),
        pytest.param(torch.full((37, 7), 0.1), id="constant"),
        pytest.param(
            torch.full((37, 7), 5.0) + 1e-7 * oracles.vector(37 * 7, 2).reshape(37, 7),
            id="rounding",
        ),
        pytest.param(torch.full((37, 7), math.nan), id="not a number"),
        pytest.param(torch.cat([X[:1] * math.inf, X[1:]]), id="infinite"),
    ],
)
def test_a_collapsed_model_is_similar_to_nothing(collapsed: Tensor) -> None:
    assert math.isnan(linear_cka(collapsed, Y))
    assert math.isnan(linear_cka(Y, collapsed))
    assert math.isnan(linear_cka(collapsed, collapsed))


def test_the_distance_is_euclidean() -> None:
    assert l2_distance(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 5.0, 7.0])) == 5
    assert l2_distance(X.flatten(), X.flatten()) == 0


def test_the_distance_of_float32_is_computed_in_float64() -> None:
    first = torch.full((10_007,), 1e-3)
    expected = 1e-3 * math.sqrt(10_007)
    assert l2_distance(first, torch.zeros_like(first)) == pytest.approx(expected, rel=1e-7)
    far = torch.full((3,), 1e30)  # its square is no float32
    assert l2_distance(far, torch.zeros(3)) == pytest.approx(math.sqrt(3) * 1e30, rel=1e-6)
