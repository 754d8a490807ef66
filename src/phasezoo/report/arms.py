"""Tables of the arms of merging: every way of aligning with every correction."""

from __future__ import annotations

from itertools import product

import xarray as xr

from phasezoo.report.panels import ERROR, Panel
from phasezoo.report.summary import Row, row_of
from phasezoo.report.tables import Table, table

ALIGNED = {
    "none": "as they are",
    "weights": "weight matching",
    "activations": "activation matching, correlations",
    "products": "activation matching, products",
    "straight_through": "straight-through estimation",
    "merge_many": "MergeMany",
    "universe": "one frame, layer by layer",
    "exhaustive": "all permutations tried",
}
CORRECTED = {"kept": "statistics averaged", "reset": "statistics reset", "repair": "REPAIR"}
BESIDE = {
    "single": "models alone",
    "best": "the best model alone",
    "with_prior": "models alone, told how often classes come",
    "ensemble": "ensemble of outputs",
    "full": "models of all data",
}


def arms_tables(merging: xr.Dataset, loss: str) -> dict[str, Table]:
    """Means over the cells for each arm, and for what they are compared with; none without arms.

    Args:
        merging: results at one epoch.
        loss: what the loss of the zoo is.
    """
    if "alignment" not in merging.dims:
        return {}
    corner = "aligned, corrected"
    return {
        "arms": table("Ways of merging", corner, _arms(loss), merging, _per_arm),
        "baselines": table("Beside them", "model", _baselines(loss), merging, _per_baseline),
    }


def _arms(loss: str) -> list[Panel]:
    return [
        Panel("Barrier on the line", loss, _barrier),
        Panel(
            "Midpoint",
            ERROR,
            lambda data: 100 * data["path_test_error"].sel(t=0.5, method="nearest"),
        ),
        Panel("Midpoint, test, calibrated", loss, lambda data: data["midpoint_calibrated_loss"]),
        Panel("Uniform soup", ERROR, lambda data: 100 * data["soup_error"].sel(soup="uniform")),
        Panel("Greedy soup", ERROR, lambda data: 100 * data["soup_error"].sel(soup="greedy")),
    ]


def _barrier(data: xr.Dataset) -> xr.DataArray:
    """Largest training loss on the straight line over the mean of its ends."""
    along = data["path_train_loss"]
    return along.max("t", skipna=False) - along.isel(t=[0, -1]).mean("t", skipna=False)


def _midpoint(data: xr.Dataset) -> xr.DataArray:
    return 100 * data["path_test_error"].sel(t=0.5, method="nearest")


def _baselines(loss: str) -> list[Panel]:
    return [
        Panel("Test", ERROR, lambda data: 100 * data["baseline_error"]),
        Panel("Test, calibrated", loss, lambda data: data["baseline_calibrated_loss"]),
    ]


def _per_arm(values: xr.DataArray) -> list[Row]:
    names = product(values["alignment"].values, values["correction"].values)
    return [
        row_of(f"{ALIGNED[a]}, {CORRECTED[c]}", values.sel(alignment=a, correction=c))
        for a, c in names
    ]


def _per_baseline(values: xr.DataArray) -> list[Row]:
    return [row_of(BESIDE[b], values.sel(baseline=b)) for b in values["baseline"].values]
