"""Condensed features have the products of centred samples of the wide ones they stand for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import oracles
from phasezoo.landscape.cka import cka_as_published, debiased_cka, linear_cka
from phasezoo.landscape.condensed import Condensed, Spread

WIDE = oracles.vector(2 * 23 * 101, 0).reshape(2, 23, 101)
WIDE[1] += WIDE[0]


def in_blocks(features: Tensor, size: int, each: int = 1) -> Condensed:
    """Given block by block, as inputs of `each` samples."""
    inputs = len(features) // each
    found = Condensed(inputs, features[:each])
    blocks = dict(zip(range(0, inputs, size), features.split(size * each), strict=True))
    for at, block in blocks.items():
        found.add(at, block)
        for later in (start for start in blocks if start > at and found.wide):
            found.cross(at, block, later, blocks[later])
    return found


@pytest.mark.parametrize("size", [1, 5, 23, 29])
def test_a_wide_layer_is_condensed_without_a_change_of_cka(size: int) -> None:
    narrow = torch.stack([in_blocks(side, size).features() for side in WIDE])
    assert narrow.shape == (2, 23, 23)
    for found in (linear_cka, debiased_cka):
        torch.testing.assert_close(found(narrow), found(WIDE), rtol=1e-10, atol=0)


def test_cka_of_batches_is_kept_too() -> None:
    wide = oracles.vector(2 * 257 * 301, 1).reshape(2, 257, 301)
    wide[1] += wide[0]
    narrow = torch.stack([in_blocks(side, 100).features() for side in wide])
    assert narrow.shape == (2, 257, 257)
    expected = cka_as_published(wide)
    torch.testing.assert_close(cka_as_published(narrow), expected, rtol=1e-10, atol=0)


def test_a_large_common_value_costs_no_digits() -> None:
    """A product of samples is 1e10 times that of their differences."""
    far = WIDE + 1e5
    narrow = torch.stack([in_blocks(side, 7).features() for side in far])
    torch.testing.assert_close(linear_cka(narrow), linear_cka(WIDE), rtol=1e-8, atol=0)


@pytest.mark.parametrize("columns", [1, 10, 101, 500])
def test_products_are_summed_over_columns(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr("phasezoo.landscape.condensed._COLUMNS", columns)
    narrow = Condensed.of(WIDE[0]).features()
    centred = narrow - narrow.mean(0), WIDE[0] - WIDE[0].mean(0)
    products = [side @ side.T for side in centred]
    torch.testing.assert_close(products[0], products[1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [1, 4, 23])
def test_a_narrow_layer_is_only_widened_to_float64(size: int) -> None:
    narrow = oracles.vector(23 * 5, 0).reshape(23, 5).float()
    assert torch.equal(in_blocks(narrow, size).features(), narrow.double())


def test_an_input_may_be_several_samples() -> None:
    narrow = in_blocks(WIDE[0][:21], 2, each=3).features()
    expected = Condensed.of(WIDE[0][:21]).features()
    torch.testing.assert_close(
        narrow @ narrow.T, _from_first(WIDE[0][:21], 6), rtol=1e-10, atol=1e-10
    )
    assert narrow.shape == expected.shape == (21, 21)


def _from_first(features: Tensor, first: int) -> Tensor:
    taken = features - features[:first].mean(0)
    return taken @ taken.T


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("width", [3, 101])
@pytest.mark.parametrize("size", [5, 23])
def test_one_number_that_is_not_finite_leaves_nothing_to_compare(
    value: float, width: int, size: int
) -> None:
    features = WIDE[0][:, :width].clone()
    features[17, 1] = value
    found = in_blocks(features, size)
    assert not found.telling
    assert found.features().shape == (23, min(23, width))
    assert found.features().isnan().all()


@pytest.mark.parametrize("width", [3, 101])
def test_features_that_are_the_same_for_every_sample_have_nothing_to_compare(width: int) -> None:
    same = oracles.vector(width, 3).expand(23, width)
    assert not in_blocks(same, 5).telling
    assert in_blocks(same + 0.01 * WIDE[0][:, :width], 5).telling


def test_the_spread_is_that_of_all_blocks() -> None:
    found = Spread()
    for block in WIDE[0].split(5):
        found.add(block)
    torch.testing.assert_close(found.mean, WIDE[0].mean(0), rtol=1e-12, atol=1e-12)
    largest = (WIDE[0] - WIDE[0].mean(0)).abs().max() / WIDE[0].abs().max()
    assert found.collapsed(float(largest) * 1.001)
    assert not found.collapsed(float(largest) * 0.999)
