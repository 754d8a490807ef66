"""What is measured between two models, for every way of aligning and every correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import xarray as xr

from phasezoo.report.panels import LOSS, POINTS, Panel
from phasezoo.vocabulary import EPOCH

ARM = ("alignment", "correction")
TRAIN, TEST, MIDDLE = "train_loss_barrier", "test_loss_barrier", "midpoint_error_excess"
BARRIERS = {
    TRAIN: Panel("Barrier of the training loss", LOSS, lambda data: data[TRAIN], "log"),
    TEST: Panel("Barrier of the test loss", LOSS, lambda data: data[TEST], "log"),
    MIDDLE: Panel("Test error of the midpoint minus that of the ends", POINTS,
                  lambda data: data[MIDDLE], "signed"),
}  # fmt: skip
LEAST = {TRAIN: 0.0, TEST: 0.0, MIDDLE: -100.0}


def barriers(merging: xr.Dataset) -> xr.Dataset:
    """Barriers of every pair, over its axes and `alignment` and `correction`, in float64.

    `train_loss_barrier` and `test_loss_barrier` are the largest loss on the straight line minus the
    mean of its ends (Ainsworth et al. 2023, definition 2.2), which is never negative.
    `midpoint_error_excess` is the test error of the midpoint minus the mean of that of the ends, in
    percentage points: below 0 where the merge is the better model.

    A zoo without arms has two, as they are and after weight matching, with statistics re-estimated;
    the test loss was not measured along them.

    Args:
        merging: results of the group, at one epoch or at many.
    """
    return _of_arms(merging) if "alignment" in merging.dims else _of_two(merging)


def _of_arms(merging: xr.Dataset) -> xr.Dataset:
    def along(name: str) -> xr.DataArray:
        return merging[name].astype("float64")

    def barrier(path: xr.DataArray) -> xr.DataArray:
        return path.max("t", skipna=False) - _ends(path)

    error = along("path_test_error")
    return xr.Dataset(
        {
            TRAIN: barrier(along("path_train_loss")),
            TEST: barrier(along("path_test_loss")),
            MIDDLE: 100 * (middle(error) - _ends(error)),
        }
    )


def middle(path: xr.DataArray) -> xr.DataArray:
    """What lies at the middle of a path; the nearest point where none is there."""
    return path.sel(t=0.5, method="nearest", drop=True)


def _ends(path: xr.DataArray) -> xr.DataArray:
    return path.isel(t=[0, -1]).mean("t", skipna=False)


def _of_two(merging: xr.Dataset) -> xr.Dataset:
    ways = {"none": "naive", "weights": "aligned"}
    arms = []
    for arm in ways.values():
        barrier = merging[f"barrier_{arm}"].astype("float64")
        error = merging[f"midpoint_error_{arm}"].astype("float64")
        excess = 100 * (error - merging["ends_error"].astype("float64"))
        arms.append(xr.Dataset({TRAIN: barrier, TEST: barrier * float("nan"), MIDDLE: excess}))
    joined = xr.concat(arms, xr.Variable("alignment", list(ways)))
    return joined.expand_dims({"correction": ["reset"]}, axis=-1)


def measured(found: xr.Dataset, loss: str) -> dict[str, Panel]:
    """The measures of which there is any value, losses in the unit of the zoo.

    Args:
        found: of `barriers`.
        loss: unit of the loss.
    """
    there = {name: panel for name, panel in BARRIERS.items() if found[name].notnull().any()}
    return {name: in_unit(panel, loss) for name, panel in there.items()}


def in_unit(panel: Panel, loss: str) -> Panel:
    """A panel whose loss, if it is one, is in the unit of a zoo."""
    return replace(panel, unit=loss) if panel.unit == LOSS else panel


def arms_of(found: xr.Dataset) -> list[tuple[str, str]]:
    """The arms of which there is any value, in the order of the results."""
    return [
        (str(a), str(c))
        for a in found["alignment"].values
        for c in found["correction"].values
        if any(v.notnull().any() for v in found.sel(alignment=a, correction=c).values())
    ]


def epochs_of(found: xr.Dataset) -> Sequence[int]:
    """The epochs at which any barrier was measured."""
    other = [dim for dim in found.dims if dim != EPOCH]
    there = found[TRAIN].notnull().any(other)
    return [int(epoch) for epoch in found[EPOCH].values[there.values]]
