"""Splits: what stays together, and that nothing moves when a zoo grows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import xarray as xr

from phasezoo.learning.sides import By, LearningError, check, labels, place, side, unit, units

SHARES = (0.7, 0.15, 0.15)
BY: tuple[By, ...] = ("model", "cell", "seed")


def grid(loads: int, heats: int, seeds: int, epochs: int = 2) -> xr.Dataset:
    axes = {
        "load": ("load", np.arange(1, loads + 1), {"hyperparameter": "width"}),
        "temperature": ("temperature", np.arange(heats) / 8, {"hyperparameter": "learning_rate"}),
        "seed": np.arange(seeds),
        "epoch": np.arange(epochs),
    }
    return xr.Dataset(coords=axes)


def sides(by: By, of: xr.Dataset, seed: int = 0) -> np.ndarray:
    found = [side(place(name, seed), SHARES) for name in units(by, "zoo", of)]
    return np.array(found).reshape([of.sizes[a] for a in ("load", "temperature", "seed", "epoch")])


@pytest.mark.parametrize("by", BY)
def test_epochs_of_a_model_are_on_one_side(by: By) -> None:
    found = sides(by, grid(5, 7, 23))
    assert (found == found[..., :1]).all()
    assert len(np.unique(found)) > 1


def test_a_cell_and_a_seed_stay_together_where_they_are_asked_to() -> None:
    cells, seeds, models = (sides(by, grid(5, 7, 23)) for by in ("cell", "seed", "model"))
    assert (cells == cells[:, :, :1]).all()
    assert (seeds == seeds[:1, :1]).all()
    assert not (models == models[:, :, :1]).all()
    assert len(np.unique(cells)) == len(np.unique(seeds)) == 3


@pytest.mark.parametrize("by", BY)
def test_growth_moves_no_model(by: By) -> None:
    small, large = sides(by, grid(3, 5, 2)), sides(by, grid(7, 11, 5, 3))
    assert (large[:3, :5, :2, :2] == small).all()


def test_places_are_even_and_other_seeds_and_zoos_have_others() -> None:
    names = [
        unit("model", zoo, f"width={w}", "batch_size=8", s)
        for zoo, w, s in product("ab", range(100), range(20))
    ]
    found = np.array([place(name) for name in names])
    counts = np.histogram(found, bins=10, range=(0, 1))[0]
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi-squared with 9 degrees: p = 0.001
    assert not np.isclose(found, [place(name, 1) for name in names]).any()
    assert abs(np.corrcoef(found[:2000], found[2000:])[0, 1]) < 0.08


def test_names_are_those_that_training_has() -> None:
    of = grid(2, 2, 1, 1)
    assert list(labels(of["temperature"]).values()) == ["learning_rate=0", "learning_rate=0.125"]
    assert units("model", "zoo", of)[-1] == "zoo/width=2/learning_rate=0.125/seed=0"


@pytest.mark.parametrize(
    ("split", "by", "shares", "said"),
    [
        ("dev", "model", SHARES, "split: got 'dev', allowed are train, validation, test"),
        ("test", "width", SHARES, "by: got 'width', allowed are model, cell, seed"),
        ("test", "cell", (0.7, 0.3), "shares: got 0.7, 0.3; allowed are three"),
        ("test", "cell", (0.7, 0.3, 0.1), "add up to 1"),
        ("test", "cell", (1.2, -0.1, -0.1), "from 0 on"),
    ],
)
def test_what_is_no_split_is_refused(
    split: str, by: str, shares: tuple[float, ...], said: str
) -> None:
    with pytest.raises(LearningError, match=said):
        check(split, by, shares)
