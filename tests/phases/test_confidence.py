"""Confidence is what exact enumeration of the resamples gives, and noise what was put in."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import xarray as xr

from phasezoo import PhaseCriteria, classify_phases
from phasezoo.phases.confidence import roughness
from phasezoo.vocabulary import Phase

GIVEN = {"train_loss": 0.1, "mode_connectivity": 0.02, "cka": 0.6}


def grid(loss: list[float], curve: list[float], cka: list[float]) -> xr.Dataset:
    """One cell of three seeds."""
    cell = ("load", "temperature")
    return xr.Dataset(
        {
            "train_loss": ((*cell, "seed"), [[loss]]),
            "mode_connectivity": ((*cell, "pair"), [[curve]]),
            "cka": ((*cell, "pair"), [[cka]]),
        },
        coords={"load": [8], "temperature": [32]},
    )


@pytest.mark.parametrize("how", ["mean", "median"])
def test_confidence_is_the_share_of_all_resamples(how: str) -> None:
    loss, curve, cka = [0.01, 0.02, 0.15], [0.0, -0.03, 0.0], [0.9, 0.7, 0.4]
    position = {(0, 1): 0, (0, 2): 1, (1, 2): 2}
    join = {"mean": np.mean, "median": np.median}[how]
    criteria = PhaseCriteria(seeds=how, resamples=4000, **GIVEN)
    label = Phase(classify_phases(grid(loss, curve, cka), criteria)["phase"].item())
    same = []
    for draw in product(range(3), repeat=3):
        pairs = [
            position[tuple(sorted((draw[a], draw[b])))] for a, b in position if draw[a] != draw[b]
        ]
        if pairs:
            low = join([loss[i] for i in draw]) < 0.1
            connected = join([curve[p] for p in pairs]) >= -0.02
            four = Phase.IV_B if join([cka[p] for p in pairs]) >= 0.6 else Phase.IV_A
            found = (
                (four if connected else Phase.III) if low else (Phase.II if connected else Phase.I)
            )
            same.append(found == label)
    found = classify_phases(grid(loss, curve, cka), criteria)["confidence"].item()
    assert 0.1 < np.mean(same) < 0.9  # else there is nothing to see
    assert found == pytest.approx(np.mean(same), abs=4 * 0.5 / np.sqrt(4000))


def test_seeds_that_agree_leave_no_doubt() -> None:
    sure = grid([0.01] * 3, [0.0] * 3, [0.9] * 3)
    assert classify_phases(sure, PhaseCriteria(**GIVEN))["confidence"].item() == 1


def test_a_cell_without_a_label_has_none() -> None:
    found = classify_phases(grid([np.nan] * 3, [0.0] * 3, [0.9] * 3), PhaseCriteria(**GIVEN))
    assert (found["phase"].item(), found["confidence"].item()) == (Phase.MISSING, 0)


def table(noise: float = 0.0, size: int = 12) -> xr.Dataset:
    """A grid of one number per cell: CKA rises with the load."""
    chance = np.random.default_rng(0)
    cka = np.linspace(0.2, 1.0, size)[:, None] + noise * chance.standard_normal((size, size))
    dims = ("load", "temperature")
    return xr.Dataset(
        {
            "train_loss": (dims, np.full((size, size), 0.01)),
            "mode_connectivity": (dims, np.zeros((size, size))),
            "cka": (dims, np.minimum(cka, 1.0)),
        },
        coords={"load": 2 ** np.arange(size), "temperature": 2 ** np.arange(size)},
    )


def test_numbers_per_cell_are_as_certain_as_the_grid_is_smooth() -> None:
    criteria = PhaseCriteria(**GIVEN)
    smooth, rough = (classify_phases(table(noise), criteria) for noise in (0.0, 0.05))
    assert (smooth["confidence"] == 1).all()
    away = np.abs(rough["cka_of_cell"] - 0.6) > 0.25
    close = np.abs(rough["cka_of_cell"] - 0.6) < 0.04
    four = rough["phase"] == Phase.IV_A
    assert (rough["confidence"].where(away & four, 1) > 0.98).all()
    assert float(rough["confidence"].where(close & four).min()) < 0.9
    assert "cka: one number per cell" in rough.attrs["notes"]


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_roughness_is_the_noise_of_a_smooth_function(noise: float) -> None:
    chance = np.random.default_rng(5)
    x, y = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 30))
    values = np.sin(x) + y + noise * chance.standard_normal(x.shape)
    assert roughness(values) == pytest.approx(noise, rel=0.12)


def test_roughness_needs_three_values_in_a_row() -> None:
    assert roughness(np.array([[1.0, 5.0], [2.0, 9.0]])) == 0
    assert roughness(np.array([[1.0, np.nan, 5.0, 7.0]])) == 0


def test_a_failed_seed_takes_the_certainty_from_numbers_that_it_is_in() -> None:
    data = table()
    loss = np.full((12, 12, 3), 0.01)
    loss[5, 6, 1] = 2.0
    data["train_loss"] = (("load", "temperature", "seed"), loss)
    found = classify_phases(data, PhaseCriteria(**GIVEN))
    assert found["dissenting_models"].values[5, 6] == 1
    assert found["dissenting_models"].sum() == 1
    # (2/3)^3 of the draws are without it
    assert found["confidence"].values[5, 6] == pytest.approx((2 / 3) ** 3, abs=0.1)
    assert (np.delete(found["confidence"].values.ravel(), 5 * 12 + 6) == 1).all()


def test_the_doubt_of_calibrated_thresholds_is_in_it() -> None:
    given = classify_phases(table(0.03), PhaseCriteria(**GIVEN | {"cka": 0.6}))
    chosen = classify_phases(table(0.03), PhaseCriteria(**GIVEN | {"cka": "calibrated"}))
    assert "calibrated" in chosen.attrs["thresholds"]
    assert (given["confidence"] < 1).any()
    assert (chosen["confidence"] < 1).any()


def test_the_same_table_gives_the_same_confidence() -> None:
    first, second = (classify_phases(table(0.05), PhaseCriteria(**GIVEN)) for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_an_epoch_without_labels_costs_no_draws() -> None:
    nothing = grid([np.nan] * 3, [np.nan] * 3, [np.nan] * 3)
    criteria = PhaseCriteria(resamples=10**12, **GIVEN)  # would fill any memory
    assert (classify_phases(nothing, criteria)["confidence"] == 0).all()
