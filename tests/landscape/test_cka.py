"""CKA is its definition by Gram matrices: biased, unbiased, and by batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import oracles
from phasezoo.landscape.cka import (
    cka_as_published,
    cka_standard_error,
    debiased_cka,
    linear_cka,
)

Floats = NDArray[np.float64]
X = oracles.vector(37 * 5, 0).reshape(37, 5) + 3
Y = oracles.vector(37 * 5, 1).reshape(37, 5) + 0.7 * X
Z = oracles.vector(37 * 5, 2).reshape(37, 5) * 4 - Y
ALL = torch.stack([X, Y, Z])


def biased_hsic(K: Floats, L: Floats) -> float:
    """tr(K H L H) (Kornblith et al. 2019, equation 3)."""
    H = np.eye(len(K)) - 1 / len(K)
    return float(np.trace(K @ H @ L @ H))


def unbiased_hsic(K: Floats, L: Floats) -> float:
    """The U-statistic as it stands in Song et al. 2012, equation 5."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    return float(
        np.trace(K @ L)
        + (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ K @ L @ one)
    ) / (n * (n - 3))


def u_statistic(K: Floats, L: Floats) -> float:
    """The same by its definition: the mean over all four different samples."""
    n = len(K)
    values = [
        K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q])
        for i in range(n)
        for j in range(n)
        for q in range(n)
        for r in range(n)
        if len({i, j, q, r}) == 4
    ]
    return float(np.mean(values))


def by_kernels(first: Tensor, second: Tensor, hsic: object) -> float:
    K, L = (side.numpy() @ side.numpy().T for side in (first, second))
    assert callable(hsic)
    return float(hsic(K, L) / math.sqrt(hsic(K, K) * hsic(L, L)))


@pytest.mark.parametrize(
    ("found", "hsic"), [(linear_cka, biased_hsic), (debiased_cka, unbiased_hsic)]
)
def test_cka_is_that_of_kernels_for_all_pairs_at_once(found: object, hsic: object) -> None:
    assert callable(found)
    expected = [[by_kernels(a, b, hsic) for b in ALL] for a in ALL]
    np.testing.assert_allclose(found(ALL), expected, rtol=1e-10)
    assert 0.1 < expected[0][1] < 0.95


def test_the_unbiased_estimate_is_the_u_statistic() -> None:
    few = ALL[:, :7]
    expected = [[by_kernels(a, b, u_statistic) for b in few] for a in few]
    np.testing.assert_allclose(debiased_cka(few), expected, rtol=1e-10)


def test_unbiased_cka_of_unrelated_sides_is_0_on_average_and_the_biased_is_not() -> None:
    draws = oracles.vector(200 * 2 * 20 * 9, 3).reshape(200, 2, 20, 9)
    biased = np.array([linear_cka(pair)[0, 1] for pair in draws])
    debiased = np.array([debiased_cka(pair)[0, 1] for pair in draws])
    assert biased.mean() > 0.3
    assert abs(debiased.mean()) < 4 * debiased.std() / math.sqrt(200)


@pytest.mark.parametrize("found", [linear_cka, debiased_cka])
def test_cka_of_a_model_with_itself_is_1_and_is_symmetric(found: object) -> None:
    assert callable(found)
    matrix = found(ALL)
    np.testing.assert_allclose(matrix.diagonal(), 1, rtol=1e-12)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12)


def orthogonal(size: int) -> Tensor:
    return torch.linalg.qr(oracles.vector(size * size, 9).reshape(size, size)).Q


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(X @ orthogonal(5), id="orthogonal"),
        pytest.param(X[:, [2, 0, 4, 1, 3]], id="permuted units"),
        pytest.param(-3e3 * X, id="scale"),
        pytest.param(1e-9 * X, id="small scale"),
        pytest.param(X + oracles.vector(5, 3), id="shift"),
    ],
)
@pytest.mark.parametrize("found", [linear_cka, debiased_cka, cka_standard_error])
def test_cka_does_not_change_with_what_keeps_the_representation(
    found: object, changed: Tensor
) -> None:
    assert callable(found)
    before, after = found(torch.stack([X, Y])), found(torch.stack([changed, Y]))
    np.testing.assert_allclose(after[0, 1], before[0, 1], rtol=1e-8)


def test_cka_changes_with_a_map_that_is_not_orthogonal() -> None:
    stretched = X * torch.tensor([10.0, *[1.0] * 4])
    assert linear_cka(torch.stack([X, stretched]))[0, 1] < 0.99


def test_a_constant_side_has_no_cka() -> None:
    sides = torch.stack([X, torch.full_like(X, 2.0)])
    for found in (linear_cka, debiased_cka):
        assert found(sides)[0, 0] == pytest.approx(1)
        assert found(sides)[0, 1].isnan()
        assert found(sides)[1, 1].isnan()


def test_the_unbiased_estimate_needs_four_samples() -> None:
    with pytest.raises(ValueError, match="samples: got 3, allowed are at least 4"):
        debiased_cka(ALL[:, :3])


def test_the_published_cka_is_the_mean_over_full_batches_in_their_order() -> None:
    sides = oracles.vector(2 * 1500 * 3, 4).reshape(2, 1500, 3)
    sides[1] += sides[0] * torch.linspace(0, 3, 1500)[:, None]  # the order matters
    for samples, batches in ((1500, 10), (300, 2), (128, 1)):
        expected = [
            by_kernels(*sides[:, i * 128 : (i + 1) * 128], biased_hsic) for i in range(batches)
        ]
        found = cka_as_published(sides[:, :samples])
        assert found[0, 1] == pytest.approx(np.mean(expected), rel=1e-10)
    assert cka_as_published(sides[:, :127]).isnan().all()


def test_the_standard_error_is_that_of_leaving_samples_out() -> None:
    n = 37
    without = np.stack(
        [np.asarray(linear_cka(ALL[:, np.arange(n) != i])) for i in range(n)]
    )  # [n, M, M]
    expected = np.sqrt((n - 1) / n * ((without - without.mean(0)) ** 2).sum(0))
    found = cka_standard_error(ALL)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    assert found[0, 1] > 0.01


def test_the_standard_error_covers_the_cka_of_the_population() -> None:
    """Normal sides: the population's CKA is ||S_xy||^2 / (||S_xx|| ||S_yy||), here 0.683."""
    mixing = torch.tensor([[1.0, 0.3, 0.0], [0.0, 0.8, 0.2], [0.5, 0.0, 0.6]]).double()
    own = mixing.T @ mixing + 0.5**2 * torch.eye(3)
    truth = float(mixing.square().sum() / (math.sqrt(3) * torch.linalg.matrix_norm(own)))
    hits = []
    for noise in oracles.vector(300 * 400 * 6, 5).reshape(300, 400, 6):
        x = noise[:, :3]
        sides = torch.stack([x, x @ mixing + 0.5 * noise[:, 3:]])
        off = float(linear_cka(sides)[0, 1]) - truth
        hits.append(abs(off) < 1.96 * float(cka_standard_error(sides)[0, 1]))
    assert 0.90 < np.mean(hits) < 0.99
