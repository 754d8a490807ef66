"""Merges beside what they are compared with: models alone, ensembles, models of all data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import xarray as xr

from phasezoo.report.arms import BESIDE
from phasezoo.report.intervals import means_over
from phasezoo.report.merging.entries import arm_title, basis, entry, labels_of, name_of
from phasezoo.report.merging.measures import ARM, arms_of, in_unit
from phasezoo.report.panels import ERROR, LOSS, POINTS, Panel
from phasezoo.report.tables import Table
from phasezoo.vocabulary import LOAD

SOUPS = {"uniform": "uniform soup", "greedy": "greedy soup"}
TOLD = "with_prior"  # the baseline to beat where models saw different classes


@dataclass(frozen=True)
class Judged:
    """Which stored variables are compared, both with an axis `outputs`.

    Attributes:
        merge: prefix of what is told of merges.
        beside: prefix of what is told of baselines.
    """

    merge: str
    beside: str

    def there(self, merging: xr.Dataset) -> bool:
        """Whether it was measured."""
        error = f"{self.merge}_error"
        return error in merging and "outputs" in merging[error].dims and _any(merging[error])


PAIRS = Judged("judged_midpoint", "judged_pair_baseline")
BLOCKS = Judged("judged_soup", "judged_baseline")


def _any(values: xr.DataArray) -> bool:
    return bool(values.notnull().any())


def _number(data: xr.Dataset, name: str, outputs: str, factor: float) -> xr.DataArray:
    return factor * data[name].sel(outputs=outputs, drop=True).astype("float64")


def _panel(title: str, unit: str, name: str, outputs: str) -> Panel:
    factor = 100.0 if unit == ERROR else 1.0
    return Panel(title, unit, partial(_number, name=name, outputs=outputs, factor=factor))


PANELS = (  # of datasets with the names that remain without their prefix
    _panel("Test error", ERROR, "error", "test"),
    _panel("Top-5 error", ERROR, "top5_error", "test"),
    _panel("Test loss", LOSS, "loss", "test"),
    _panel("Calibration error", ERROR, "calibration_error", "test"),
    _panel("Test loss, calibrated", LOSS, "loss", "calibrated"),
    _panel("Calibration error, calibrated", ERROR, "calibration_error", "calibrated"),
)


def under(merging: xr.Dataset, prefix: str) -> xr.Dataset:
    """The numbers that are told under a prefix, without it."""
    names = ("error", "top5_error", "loss", "calibration_error")
    return xr.Dataset({name: merging[f"{prefix}_{name}"] for name in names})


def reference(merging: xr.Dataset) -> str:
    """The baseline that merges are set against, pair by pair."""
    return TOLD if TOLD in merging["baseline"].values else "single"


def against(merges: xr.Dataset, beside: xr.Dataset, baseline: str) -> xr.DataArray:
    """Test error of each merge minus that of a baseline of the same pair or block, in points."""
    difference = merges["error"] - beside["error"].sel(baseline=baseline, drop=True)
    return 100 * difference.sel(outputs="test", drop=True).astype("float64")


def beside_tables(merging: xr.Dataset, of: Judged, loss: str) -> list[Table]:
    """A table per load: a line per baseline and per merge, a column per number.

    Args:
        merging: results at one epoch.
        of: what is compared.
        loss: unit of the loss.
    """
    ordered = merging.sortby(LOAD)
    return [
        _table(ordered.isel({LOAD: place}), of, loss, f"{name_of(ordered[LOAD])} {label}")
        for place, label in enumerate(labels_of(ordered[LOAD]))
    ]


def _table(data: xr.Dataset, of: Judged, loss: str, title: str) -> Table:
    merges, beside, told = under(data, of.merge), under(data, of.beside), reference(data)
    panels = [in_unit(panel, loss) for panel in PANELS if _any(panel.of(merges))]
    minus = Panel(f"Test error minus that of {BESIDE[told]}", POINTS, _difference, "signed")
    merges["minus"] = against(merges, beside, told)
    beside["minus"] = against(beside, beside, told)
    columns = [*panels, minus]
    axes = [axis for axis in (*ARM, "soup") if axis in merges.dims]
    means = [_means(merges, axes, panel) for panel in columns]
    levels = [_means(beside, ["baseline"], panel) for panel in columns]
    named = [(name, at, levels) for name, at in _baselines(beside)]
    named += [(name, at, means) for name, at in _merges(merges)]
    usual = int(means[0]["values"].max())
    lines = [
        (name, [entry(of.sel(at), p, usual) for of, p in zip(found, columns, strict=True)])
        for name, at, found in named
    ]
    heads = [(panel.title, panel.unit, "") for panel in columns]
    return Table(f"{title}: {basis(means[0])}", "model", heads, lines)


def _means(data: xr.Dataset, axes: Sequence[str], panel: Panel) -> xr.Dataset:
    return means_over(panel.of(data), axes, -100.0 if panel.scale == "signed" else 0.0)


def _difference(data: xr.Dataset) -> xr.DataArray:
    return data["minus"]


def _baselines(beside: xr.Dataset) -> Iterator[tuple[str, dict[str, str]]]:
    """Names of the baselines of which there is any value, and where they lie."""
    for name in BESIDE:
        if name in beside["baseline"].values and _any(beside["error"].sel(baseline=name)):
            yield BESIDE[name], {"baseline": name}


def _merges(merges: xr.Dataset) -> Iterator[tuple[str, dict[str, str]]]:
    """Names of the merges of which there is any value, and where they lie."""
    for arm in arms_of(merges[["error"]]):
        title, at = arm_title(*arm), dict(zip(ARM, arm, strict=True))
        if "soup" not in merges.dims:
            yield title, at
        for soup in merges["soup"].values.tolist() if "soup" in merges.dims else ():
            yield f"{SOUPS[soup]}: {title}", {**at, "soup": soup}
