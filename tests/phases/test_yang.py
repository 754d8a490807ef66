"""The phase table finds the published phases on a published grid (Yang et al. 2021).

ResNet-18 on CIFAR-10: 14 widths, 8 batch sizes, 5 seeds. Its curves were measured on one pair.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.classify import classify_phases
from phasezoo.phases.coverage import coverage, text_map
from phasezoo.spec.metrics import PhaseCriteria
from phasezoo.vocabulary import FIVE_PHASES, Phase

GRID = Path(__file__).parents[3] / "shared" / "reference" / "yang2021_resnet18_cifar10.nc"
CRITERIA = PhaseCriteria(seeds="mean", train_loss=0.05, mode_connectivity=0.01, cka=0.6)

pytestmark = pytest.mark.skipif(not GRID.exists(), reason="the published grid is not here")


@pytest.fixture(scope="module")
def grid() -> xr.Dataset:
    with xr.open_dataset(GRID) as data:
        return data.load()


def accuracy(grid: xr.Dataset, phase: xr.DataArray) -> dict[Phase, float]:
    """Mean test accuracy of the cells of every phase."""
    of_cell = 1 - grid["test_error"].mean("seed")
    return {p: float(of_cell.where(phase == p).mean()) for p in FIVE_PHASES}


def test_all_five_phases_are_found_and_next_to_no_cell_is_left(grid: xr.Dataset) -> None:
    found = coverage(classify_phases(grid, CRITERIA)["phase"])
    assert found["absent"] == []
    # one cell on the border of II and IV: low loss, and ends a little worse than the middle
    assert (found["cells"], found["missing"], found["unclassified"]) == (14 * 8, 0, 1)


# the order holds over a range of thresholds, and is no feat of one choice
@pytest.mark.parametrize("seeds", ["mean", "median"])
@pytest.mark.parametrize("train_loss", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("connected", [0.01, 0.02, 0.04])
@pytest.mark.parametrize("cka", [0.6, 0.65, 0.7])
def test_accuracy_rises_from_phase_to_phase(
    grid: xr.Dataset, seeds: str, train_loss: float, connected: float, cka: float
) -> None:
    criteria = PhaseCriteria.model_validate(
        {"seeds": seeds, "train_loss": train_loss, "mode_connectivity": connected, "cka": cka}
    )
    found = accuracy(grid, classify_phases(grid, criteria)["phase"])
    middle = found[Phase.II], found[Phase.III]
    assert found[Phase.I] < min(middle)
    assert max(middle) < found[Phase.IV_A] < found[Phase.IV_B]


def test_the_corners_of_the_map_are_the_published_ones(grid: xr.Dataset) -> None:
    phase = classify_phases(grid, CRITERIA)["phase"]
    assert (phase.sel(load=1) == Phase.I).all()  # narrow: undersized and underfitted
    assert (phase.sel(load=128, temperature=[16]) == Phase.II).all()  # wide and hot
    assert (phase.sel(load=128, temperature=slice(32, None)) == Phase.IV_B).all()  # wide and cold
    assert (phase.sel(load=8, temperature=slice(128, None)) == Phase.III).all()  # narrow and cold


def test_seeds_are_averaged_before_the_table_is_read(grid: xr.Dataset) -> None:
    averaged = xr.Dataset(
        {
            "train_loss": grid["train_loss"].mean("seed"),
            "mode_connectivity": grid["mode_connectivity"].mean("pair"),
            "cka": grid["cka"].mean("pair"),
        }
    )
    phase = classify_phases(grid, CRITERIA)["phase"]
    assert np.array_equal(classify_phases(averaged, CRITERIA)["phase"], phase)


def test_the_text_map_has_a_row_for_every_batch_size(grid: xr.Dataset) -> None:
    lines = text_map(classify_phases(grid, CRITERIA)["phase"]).splitlines()[2:]
    assert [int(line.split()[0]) for line in lines] == [16, 24, 32, 64, 128, 256, 512, 1024]
    assert lines[2].split()[-3:] == ["IV-B"] * 3
