"""Calibrated phases on two published grids that were measured quite differently.

Yang et al. 2021: ResNet-18 on CIFAR-10, 14 widths, 8 batch sizes, 5 seeds, curves of one pair. The
zoo paper's ResNet-18 on CIFAR-10: 8 widths, 8 batch sizes, 3 seeds, landscape metrics per cell.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.classify import classify_phases
from phasezoo.phases.coverage import coverage, text_map
from phasezoo.spec.phases import PhaseCriteria
from phasezoo.vocabulary import FIVE_PHASES, Phase

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
YANG, ZOO = "yang2021_resnet18_cifar10.nc", "ptmz_cifar10_resnet18.nc"

pytestmark = pytest.mark.skipif(not (REFERENCE / YANG).exists(), reason="no published grid here")


def read(name: str) -> xr.Dataset:
    with xr.open_dataset(REFERENCE / name) as data:
        return data.load()


@pytest.fixture(scope="module")
def yang() -> xr.Dataset:
    return read(YANG)


@pytest.fixture(scope="module")
def zoo() -> xr.Dataset:
    return read(ZOO)


def accuracy(grid: xr.Dataset, phase: xr.DataArray) -> dict[Phase, float]:
    """Mean test accuracy of the cells of every phase."""
    of_cell = 1 - grid["test_error"].mean("seed")
    return {p: float(of_cell.where(phase == p).mean()) for p in FIVE_PHASES}


def test_all_five_phases_are_there_and_certain(yang: xr.Dataset) -> None:
    found = coverage(classify_phases(yang), PhaseCriteria())
    assert found["lacking"] == {}
    assert found["missing"] == 0
    assert min(found["certain"].values()) >= 10


def test_accuracy_rises_from_phase_to_phase(yang: xr.Dataset) -> None:
    found = accuracy(yang, classify_phases(yang)["phase"])
    middle = found[Phase.II], found[Phase.III]
    assert found[Phase.I] < min(middle)
    assert max(middle) < found[Phase.IV_A] < found[Phase.IV_B]


# the order is no feat of one choice
@pytest.mark.parametrize("seeds", ["mean", "median"])
@pytest.mark.parametrize("train_loss", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("connected", [0.01, 0.02, 0.04])
@pytest.mark.parametrize("cka", [0.6, 0.65, 0.7])
def test_it_does_so_for_a_range_of_thresholds(
    yang: xr.Dataset, seeds: str, train_loss: float, connected: float, cka: float
) -> None:
    thresholds = {"train_loss": train_loss, "mode_connectivity": connected, "cka": cka}
    criteria = PhaseCriteria(seeds=seeds, resamples=20, **thresholds)
    found = accuracy(yang, classify_phases(yang, criteria)["phase"])
    middle = found[Phase.II], found[Phase.III]
    assert found[Phase.I] < min(middle)
    assert max(middle) < found[Phase.IV_A] < found[Phase.IV_B]


def test_the_regions_of_the_map_are_the_published_ones(yang: xr.Dataset) -> None:
    phase = classify_phases(yang)["phase"]
    assert (phase.sel(load=slice(1, 2)) == Phase.I).all()  # narrow: undersized and underfitted
    assert (phase.sel(load=slice(8, None), temperature=[16, 24]) == Phase.II).all()  # hot and wide
    assert (phase.sel(load=[8, 11], temperature=slice(128, None)) == Phase.III).all()
    assert (phase.sel(load=slice(32, None), temperature=slice(64, 256)) == Phase.IV_B).all()
    assert (phase.sel(load=slice(16, None), temperature=1024) == Phase.IV_A).all()  # cold and wide
    # at batch size 32 the paper draws the border of II and IV-B: nothing there is overfitted
    assert not (phase.sel(temperature=32) == Phase.IV_A).any()


@pytest.mark.parametrize("axis", ["load", "temperature"])
@pytest.mark.parametrize("first", [0, 1])
def test_half_of_the_grid_is_labelled_as_in_the_whole(
    yang: xr.Dataset, axis: str, first: int
) -> None:
    half = {axis: slice(first, None, 2)}
    found = classify_phases(yang.isel(half))["phase"]
    whole = classify_phases(yang).isel(half)
    differ = found != whole["phase"]
    assert differ.sum() <= 3  # of 56
    assert (whole["near_border"].where(differ, 1) == 1).all()  # only near borders


def test_a_zoo_that_is_too_small_throughout_is_not_connected(yang: xr.Dataset) -> None:
    narrow = {"load": slice(0, 7)}
    found = classify_phases(yang.isel(narrow))["phase"]
    whole = classify_phases(yang).isel(narrow)
    assert not found.isin([Phase.IV_A, Phase.IV_B]).any()
    differ = found != whole["phase"]
    assert differ.sum() <= 2
    assert (whole["near_border"].where(differ, 1) == 1).all()


def test_a_curve_of_one_pair_is_said_to_be_that(yang: xr.Dataset) -> None:
    assert "mode_connectivity: measured on one pair" in classify_phases(yang).attrs["notes"]


def test_the_text_map_has_a_row_for_every_batch_size(yang: xr.Dataset) -> None:
    lines = text_map(classify_phases(yang)).splitlines()[2:]
    assert [int(line.split()[0]) for line in lines] == [16, 24, 32, 64, 128, 256, 512, 1024]


def test_a_zoo_without_the_second_phase_gets_none(zoo: xr.Dataset) -> None:
    labels = classify_phases(zoo)
    found = coverage(labels, PhaseCriteria())
    assert found["absent"] == ["II"]
    assert list(found["lacking"]) == ["II"]
    assert (labels["phase"].sel(load=2) == Phase.I).all()
    assert (labels["phase"].sel(load=[8, 16], temperature=slice(64, 512)) == Phase.III).all()
    assert (labels["phase"].sel(load=[128, 256], temperature=slice(8, 256)) == Phase.IV_B).all()
    by = accuracy(zoo, labels["phase"])
    assert by[Phase.I] < by[Phase.III] < by[Phase.IV_A] < by[Phase.IV_B]


def test_the_cell_with_the_failed_seed_is_not_certain(zoo: xr.Dataset) -> None:
    found = classify_phases(zoo)
    spoilt = found.sel(load=32, temperature=16)
    assert spoilt["dissenting_models"] == 1
    assert spoilt["confidence"] < 0.5
    assert found["dissenting_models"].sum() == 1


def test_the_thresholds_differ_as_the_measurements_do(yang: xr.Dataset, zoo: xr.Dataset) -> None:
    first, second = (
        {n: c["value"] for n, c in json.loads(classify_phases(d).attrs["thresholds"]).items()}
        for d in (yang, zoo)
    )
    assert 0.6 < first["cka"] < 0.7 < 0.9 < second["cka"] < 0.95
    np.testing.assert_allclose(first["train_loss"], second["train_loss"], rtol=0.5)


@pytest.mark.parametrize("grid", [YANG, ZOO])
def test_the_form_of_a_table_does_not_matter(grid: str) -> None:
    data = read(grid)
    expected = classify_phases(data)["phase"]
    chance = np.random.default_rng(0)
    mixed = data.isel({a: chance.permutation(data.sizes[a]) for a in ("load", "temperature")})
    points = data.assign(mode_connectivity=100 * data["mode_connectivity"])
    axes = {axis: data[axis].astype(float) for axis in ("load", "temperature")}
    for table in (
        mixed,
        points,
        data.assign_coords(axes),
        data.astype("float32"),
        data.transpose(..., "temperature", "load"),
        data.expand_dims(epoch=[150]),
        data.assign_coords(epoch=150),
    ):
        found = classify_phases(table)["phase"].squeeze(drop=True).transpose(*expected.dims)
        np.testing.assert_array_equal(found.sortby(["load", "temperature"]), expected)


@pytest.mark.parametrize("name", ["cka", "mode_connectivity"])
def test_metrics_missing_in_some_cells_are_passed_over(zoo: xr.Dataset, name: str) -> None:
    holes = zoo.copy(deep=True)
    holes[name][::3, ::2] = np.nan
    found, whole = classify_phases(holes), classify_phases(zoo)
    assert f"{name}: missing in 12 of 64 cells" in found.attrs["notes"]
    there = found["phase"] != Phase.MISSING
    assert (found["phase"] == whole["phase"]).where(there).mean() > 0.9
    assert (whole["phase"].where(~there & (holes[name].notnull())).isnull()).all()
