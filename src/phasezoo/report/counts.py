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
from phasezoo.vocabulary import (
    EPOCH,
    FIVE_PHASES,
    LOAD,
    PHASE_MEANINGS,
    TEMPERATURE,
    Phase,
    Status,
)


@dataclass(frozen=True)
class Covered:
    """What a zoo has of one phase."""

    title: str
    meaning: str
    colour: str
    cells: int
    models: int
    diverged: int
    collapsed: int


def covered(results: ZooResults) -> list[Covered]:
    """The five phases, absent ones too, then unclassified and missing."""
    phase = results.phase
    counts = results.phases.sel({EPOCH: results.epoch})
    names = ("models", "diverged", "collapsed_models")
    return [
        Covered(
            which.title,
            PHASE_MEANINGS[which],
            PHASE_COLOURS[which],
            int((phase == which).sum()),
            *(int(counts[name].where(phase == which, 0).sum()) for name in names),
        )
        for which in (*FIVE_PHASES, Phase.UNCLASSIFIED, Phase.MISSING)
    ]


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
