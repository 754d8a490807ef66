"""Distances and angles are exact where Gram matrices are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import oracles
from phasezoo.landscape import distance
from phasezoo.landscape.distance import cosines, distances

VECTORS = oracles.vector(5 * 101, 0).reshape(5, 101).float()


@pytest.mark.parametrize("chunk", [7, 2**20])
def test_all_pairs_are_those_of_numpy(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distance, "CHUNK", chunk)
    wide = VECTORS.double().numpy()
    norms = np.linalg.norm(wide, axis=1)
    expected = np.linalg.norm(wide[:, None] - wide, axis=2)
    np.testing.assert_allclose(distances(VECTORS), expected, rtol=1e-13)
    np.testing.assert_allclose(
        cosines(VECTORS), wide @ wide.T / np.outer(norms, norms), rtol=1e-12, atol=1e-15
    )


def test_a_known_triangle() -> None:
    corners = torch.tensor([[1.0, 2, 3], [1, 5, 7], [0, 0, 0]])
    assert distances(corners)[0, 1] == 5
    assert cosines(corners)[0, 1] == pytest.approx(32 / math.sqrt(14 * 75))
    assert cosines(corners)[0, 2].isnan()


def test_close_models_keep_the_digits_of_their_distance() -> None:
    """Far from the origin: a Gram matrix in float64 is off by more than a tenth."""
    near = torch.full((10_007,), 1e3)
    step = torch.zeros_like(near)
    step[::1000] = 2**-13  # a unit in the last place of 1000 and more
    models = torch.stack([near, near + step, -near])
    expected = 2**-13 * math.sqrt(11)
    assert distances(models)[0, 1] == pytest.approx(expected, rel=1e-12)
    wide = models.double()
    gram = wide @ wide.T
    by_gram = gram[0, 0] + gram[1, 1] - 2 * gram[0, 1]
    assert abs(float(by_gram) - expected**2) > 0.1 * expected**2


def test_squares_that_are_no_float32_are_no_harm() -> None:
    far = torch.stack([torch.full((3,), 1e30), torch.zeros(3)])
    assert distances(far)[0, 1] == pytest.approx(math.sqrt(3) * 1e30, rel=1e-6)


def test_a_model_and_itself() -> None:
    assert (distances(VECTORS).diagonal() == 0).all()
    np.testing.assert_allclose(cosines(VECTORS).diagonal(), 1, rtol=1e-15)
    assert (cosines(VECTORS) <= 1).all()


def test_a_model_that_is_not_finite_has_neither_and_leaves_the_others_as_they_are() -> None:
    vectors = VECTORS.clone()
    vectors[1] = torch.nan
    for found, whole in (
        (distances(vectors), distances(VECTORS)),
        (cosines(vectors), cosines(VECTORS)),
    ):
        assert found[1].isnan().all()
        assert found[:, 1].isnan().all()
        kept = [0, 2, 3, 4]
        np.testing.assert_allclose(found[kept][:, kept], whole[kept][:, kept], rtol=1e-12)
