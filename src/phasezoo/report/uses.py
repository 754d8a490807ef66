"""What becomes of the models of a zoo when they are used: panels and tables of every use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import xarray as xr

from phasezoo.report.panels import POINTS, Panel
from phasezoo.report.results import ZooResults
from phasezoo.report.summary import Row, per_phase, row_of
from phasezoo.report.tables import Table, table
from phasezoo.report.use_panels import USES, WAYS_OF_PRUNING, Use
from phasezoo.report.words import NOUNS


@dataclass(frozen=True)
class Told:
    """What the page says of one use."""

    key: str
    title: str
    tables: list[Table]


def uses_of(results: ZooResults) -> list[Use]:
    """The uses that a zoo asks for, in the order of the page."""
    return [use for use in USES if results.transfer is not None and results.spec.get(use.key)]


def shown_of(results: ZooResults) -> list[Panel]:
    """Panels over the grid of every use of a zoo."""
    return [panel for use in uses_of(results) for panel in use.shown]


def told_of(results: ZooResults) -> list[Told]:
    """What the page says of every use of a zoo; means per phase, and beside them means per way."""
    noun = NOUNS[results.labelling.criteria.scheme]
    by_phase = partial(per_phase, phase=results.phase)
    found = []
    for use in uses_of(results):
        data = results.at_epoch("transfer")
        caption = f"{use.title} per {noun}"
        tables = [table(caption, noun, use.columns, data, by_phase), *_further(use.key, data)]
        found.append(Told(use.key, use.title, tables))
    return found


def _further(key: str, data: xr.Dataset) -> list[Table]:
    """Means over all cells for each corruption, or for each way of pruning."""
    if key == "robustness" and "corruption" in data.dims:
        places = data["severity"].values.tolist()
        columns = [_severity(place) for place in places]
        return [table("Loss by corruption", "corruption", columns, data, _per_corruption)]
    if key == "pruning" and "sparsity" in data.dims:
        return [table("Ways of pruning", "scope, removed", WAYS_OF_PRUNING, data, _per_pruning)]
    return []


def _severity(place: int) -> Panel:
    def lost(data: xr.Dataset) -> xr.DataArray:
        return 100 * (data["clean_error"] - data["corruption_error"].sel(severity=place))

    return Panel(f"Severity {place}", POINTS, lost, "signed")


def _per_corruption(values: xr.DataArray) -> list[Row]:
    names = values["corruption"].values
    return [row_of(str(name).replace("_", " "), values.sel(corruption=name)) for name in names]


def _per_pruning(values: xr.DataArray) -> list[Row]:
    ways = product(values["scope"].values, values["sparsity"].values)
    return [
        row_of(f"{_SCOPES[scope]}, {share:.3g}", values.sel(scope=scope, sparsity=share))
        for scope, share in ways
    ]


_SCOPES = {"global": "all of the model", "layer": "each layer"}
