"""What there is and what is missing, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from phasezoo.report.colours import PHASE_COLOURS
from phasezoo.report.panels import Panel
from phasezoo.report.results import ZooResults
from phasezoo.report.summary import cell_means
from phasezoo.report.tables import NOTHING, number
from phasezoo.vocabulary import LOAD, PHASE_MEANINGS, TEMPERATURE, Phase, Status


@dataclass(frozen=True)
class Covered:
    """What a zoo has of one label: cells, and the models in them."""

    title: str
    meaning: str
    colour: str
    cells: int
    certain: int
    near_border: int
    models: int
    dissenting: int
    diverged: int
    collapsed: int


def covered(results: ZooResults) -> list[Covered]:
    """Every label of the scheme, absent ones too, then the cells without one."""
    return [_covered(results, label) for label in (*results.labelling.scheme.labels, Phase.MISSING)]


def _covered(results: ZooResults, label: Phase) -> Covered:
    labels, here = results.labels, results.phase == label
    models = ("models", "dissenting_models", "diverged", "collapsed_models")
    return Covered(
        label.title,
        PHASE_MEANINGS[label],
        PHASE_COLOURS[label],
        int(here.sum()),
        int((here & ~results.uncertain).sum()) if label != Phase.MISSING else 0,
        int((here & (labels["near_border"] == 1)).sum()),
        *(int(labels[name].where(here, 0).sum()) for name in models),
    )


def measured(panels: Sequence[Panel], data: xr.Dataset) -> list[tuple[str, int, int]]:
    """Of each panel: title, values there are, values that the grid has room for."""
    values = [panel.of(data) for panel in panels]
    return [
        (panel.title, int(np.isfinite(v).sum()), int(v.size))
        for panel, v in zip(panels, values, strict=True)
    ]


def best_cell(results: ZooResults, panel: Panel) -> str:
    """The lowest cell of a panel of the metrics, in words."""
    cells = cell_means(panel.of(results.at_epoch("metrics")))
    if not cells.notnull().any():
        return NOTHING
    place = cells.where(cells == cells.min(), drop=True).isel({LOAD: 0, TEMPERATURE: 0})
    where = ", ".join(
        f"{place[axis].attrs.get('long_name', axis)} {place[axis].item():g}"
        for axis in (LOAD, TEMPERATURE)
    )
    return f"{number(float(cells.min()), panel)} {panel.unit} ({where})"


def status(results: ZooResults) -> dict[str, int]:
    """How many models were trained, diverged, were never trained."""
    status = results.at_epoch("metrics")["status"]
    return {s.name.lower(): int((status == s).sum()) for s in Status}


def unconverged(results: ZooResults) -> dict[str, int]:
    """How many estimates did not meet their tolerance."""
    flags = {"metrics": "hessian_top_eigenvalue_converged", "merging": "matching_converged"}
    there = {group: flag for group, flag in flags.items() if group in results.groups}
    return {g: int((results.at_epoch(g)[flag] == 0).sum()) for g, flag in there.items()}
