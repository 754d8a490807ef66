"""What phases explain of the results of a zoo."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.beyond import beyond, squared_errors
from phasezoo.phases.cells import Replicated
from phasezoo.phases.quantities import QUANTITIES
from phasezoo.store import schema
from phasezoo.store.variables.explained import EXPLAINED
from report.mock import CRITERIA, mock


@pytest.fixture(scope="module")
def groups() -> dict[str, xr.Dataset]:
    results = mock(widths=(4, 8, 16, 32), batch_sizes=(8, 16, 32, 64, 128), epochs=(0, 9))
    return {name: getattr(results, name) for name in ("metrics", "merging", "transfer", "phases")}


@pytest.fixture(scope="module")
def table(groups: dict[str, xr.Dataset]) -> xr.Dataset:
    return beyond(
        {n: g for n, g in groups.items() if n != "phases"}, groups["phases"]["phase"], CRITERIA
    )


def test_every_quantity_is_told_as_the_schema_says(table: xr.Dataset) -> None:
    schema.check(table, {v.name: v for v in EXPLAINED})
    assert table["quantity"].values.tolist() == [
        q.name for q in QUANTITIES if q.name in table["quantity"]
    ]
    assert {"test_error", "barrier_aligned", "transfer_gain"} <= set(table["quantity"].values)


def test_cells_and_models_are_counted(groups: dict, table: xr.Dataset) -> None:
    errors = groups["metrics"]["test_error"].sel(epoch=9)
    labelled = groups["phases"]["phase"].sel(epoch=9) > 0
    found = table.sel(quantity="test_error")
    assert found["explained_values"] == (np.isfinite(errors) & labelled).sum()
    assert found["explained_cells"] == (np.isfinite(errors).any("seed") & labelled).sum()


def test_a_group_that_was_measured_at_other_epochs_is_taken_at_its_last(groups: dict) -> None:
    later = groups["transfer"].assign_coords(epoch=groups["transfer"]["epoch"] + 5)
    found = beyond({"transfer": later}, groups["phases"]["phase"], CRITERIA)
    assert found["explained_epoch"].sel(quantity="transfer_gain") == 14
    assert found["explained_cells"].sel(quantity="transfer_gain") > 0


def test_order_of_the_axes_does_not_matter(groups: dict, table: xr.Dataset) -> None:
    turned = groups["phases"]["phase"].transpose("epoch", "temperature", "load")
    found = beyond({n: g for n, g in groups.items() if n != "phases"}, turned, CRITERIA)
    xr.testing.assert_equal(found, table)


def test_errors_of_seeds_are_those_of_their_mean() -> None:
    values = np.random.default_rng(3).standard_normal((2, 3, 5))
    values[0, 0, 1] = np.nan
    found = squared_errors(Replicated(values, "seed", np.empty((0, 2), dtype=np.intp)))
    assert found[1] == pytest.approx(values[1].var(axis=-1, ddof=1) / 5)
    assert found[0, 0] == pytest.approx(np.nanvar(values[0, 0], ddof=1) / 4)


def test_errors_of_pairs_let_a_seed_leave_with_its_pairs() -> None:
    values = np.random.default_rng(4).standard_normal((1, 1, 3))
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    without = values[0, 0, ::-1]  # of three seeds, each leaves the one pair of the others
    expected = 2 / 3 * np.square(without - without.mean()).sum()
    assert squared_errors(Replicated(values, "pair", pairs)).item() == pytest.approx(expected)


def test_errors_of_pairs_that_share_no_seed_are_those_of_their_mean() -> None:
    values = np.random.default_rng(5).standard_normal((1, 1, 3))
    found = squared_errors(Replicated(values, "pair", np.array([[0, 1], [2, 3], [4, 5]])))
    assert found.item() == pytest.approx(values.var(ddof=1) / 3)


def test_one_number_a_cell_has_no_error() -> None:
    found = squared_errors(Replicated(np.ones((2, 3, 1)), "cell", np.empty((0, 2), dtype=np.intp)))
    assert np.isnan(found).all()
