"""Means and intervals against hand computation."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from phasezoo.report.summary import cell_means, per_load, per_phase
from phasezoo.vocabulary import Phase

NAN = np.nan


def _grid(values: object, dims: tuple[str, ...] = ("load", "temperature", "seed")) -> xr.DataArray:
    array = np.asarray(values, dtype=float)
    coordinates = {"load": [4, 8][: array.shape[0]], "temperature": [16, 32][: array.shape[1]]}
    out = xr.DataArray(array, dims=dims, coords=coordinates)
    out["load"].attrs = {"hyperparameter": "width", "long_name": "width"}
    return out


VALUES = _grid([[[1, 3], [4, NAN]], [[NAN, NAN], [10, 20]]])
PHASE = _grid([[Phase.I, Phase.I], [Phase.IV_B, Phase.IV_B]], ("load", "temperature"))


def test_mean_is_of_cell_means_and_values_are_counted():
    first, last = per_phase(VALUES, PHASE)
    assert (first.group, first.cells, first.values, first.mean) == ("I", 2, 3, 3.0)
    assert (last.group, last.cells, last.values, last.mean) == ("IV-B", 1, 2, 15.0)


def test_interval_of_two_cells_is_their_range():
    # a resample of two cells is one of the cells twice with probability 1/4, above 2.5 %
    first = per_phase(VALUES, PHASE)[0]
    assert (first.low, first.high) == (2.0, 4.0)


def test_one_cell_has_no_interval():
    last = per_phase(VALUES, PHASE)[1]
    assert np.isnan([last.low, last.high]).all()


def test_interval_of_many_cells_is_that_of_the_normal_law():
    cells = np.random.default_rng(0).normal(5, 2, size=(20, 20))
    coordinates = {"load": np.arange(20), "temperature": np.arange(20)}
    values = xr.DataArray(cells, dims=("load", "temperature"), coords=coordinates)
    row = per_phase(values, xr.full_like(values, Phase.II))[0]
    half = 1.96 * cells.std(ddof=1) / 20
    assert row.low == pytest.approx(cells.mean() - half, abs=0.03)
    assert row.high == pytest.approx(cells.mean() + half, abs=0.03)


def test_interval_of_shares_has_no_negative_bound():
    values = _grid([[0.0, 0.0], [0.0, 0.9]], ("load", "temperature"))
    row = per_phase(values, xr.full_like(values, Phase.II))[0]
    assert row.low == 0.0
    assert row.high <= 0.9


def test_same_values_give_the_same_interval():
    assert per_phase(VALUES, PHASE)[0] == per_phase(VALUES.copy(), PHASE)[0]


def test_phases_stand_in_order_and_the_missing_is_counted():
    phase = _grid([[Phase.MISSING, Phase.IV_A], [Phase.WELL_TRAINED, Phase.II]], PHASE.dims)
    groups = [row.group for row in per_phase(VALUES, phase)]
    assert groups == ["II", "IV-A", "well-trained", "missing"]


def test_nothing_measured_gives_no_mean():
    row = per_phase(VALUES * NAN, PHASE)[0]
    assert (row.cells, row.values) == (0, 0)
    assert np.isnan([row.mean, row.low, row.high]).all()


def test_infinite_values_are_no_values():
    values = VALUES.copy()
    values[0, 0, 1] = np.inf
    assert per_phase(values, PHASE)[0].mean == pytest.approx((1 + 4) / 2)


def test_per_load_follows_the_axis():
    rows = per_load(VALUES.isel(load=[1, 0]))
    assert [(r.group, r.cells, r.values, r.mean) for r in rows] == [
        ("4", 2, 3, 3.0),
        ("8", 1, 2, 15.0),
    ]


def test_cell_means_keep_what_they_are_told():
    assert cell_means(VALUES, keep=("seed",)).dims == VALUES.dims
    assert cell_means(VALUES).values.tolist()[0] == [2.0, 4.0]
