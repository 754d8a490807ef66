"""Which phases a zoo covers, with how many certain cells, as numbers and as a map in text."""

from __future__ import annotations

import xarray as xr

from phasezoo.phases.scheme import SCHEMES
from phasezoo.phases.suggest import suggestion
from phasezoo.spec.phases import Criteria
from phasezoo.vocabulary import LOAD, TEMPERATURE, Phase


def coverage(labels: xr.Dataset, criteria: Criteria) -> dict[str, object]:
    """Cells per phase, all and certain ones, and what the zoo lacks.

    A phase is covered by `criteria.confident_cells` cells whose confidence reaches
    `criteria.confidence`. Each one that is not gets a sentence on which values of the grid to add.

    Args:
        labels: what `classify_phases` gave, of one epoch.
        criteria: what it was given.
    """
    phase, certain = labels["phase"], labels["confidence"] >= criteria.confidence
    known = SCHEMES[criteria.scheme].labels
    per_phase = {p.title: int((phase == p).sum()) for p in known}
    trusted = {p.title: int(((phase == p) & certain).sum()) for p in known}
    lacking = [p for p in known if trusted[p.title] < criteria.confident_cells]
    return {
        "cells": int(phase.size),
        "per_phase": per_phase,
        "certain": trusted,
        "near_border": int((labels["near_border"] == 1).sum()),
        "missing": int((phase == Phase.MISSING).sum()),
        "absent": [p.title for p in known if not per_phase[p.title]],
        "lacking": {p.title: suggestion(p, phase) for p in lacking},
    }


def text_map(labels: xr.Dataset) -> str:
    """The phase map in text: loads across, temperatures down; what is not certain has a mark.

    Args:
        labels: what `classify_phases` gave, of one epoch. Near a border stands `*`, `-` for a
            cell without a label.
    """
    phase, border = labels["phase"], labels["near_border"]
    loads = [str(value) for value in phase[LOAD].values]
    lines = [_row(phase[TEMPERATURE].attrs.get("hyperparameter", TEMPERATURE), loads)]
    for temperature in phase[TEMPERATURE].values:
        at = {TEMPERATURE: temperature}
        codes = zip(phase.sel(at).values, border.sel(at).values, strict=True)
        lines.append(_row(str(temperature), [_cell(Phase(int(p)), b == 1) for p, b in codes]))
    across = phase[LOAD].attrs.get("hyperparameter", LOAD)
    return "\n".join([f"{'':>14} {across} ->", *lines])


_SHORT = {
    Phase.MISSING: "-",
    Phase.UNDER_TRAINED: "under",
    Phase.OVER_TRAINED: "over",
    Phase.WELL_TRAINED: "well",
}


def _cell(phase: Phase, near_border: bool) -> str:
    return _SHORT.get(phase, phase.title) + ("*" if near_border else " ")


def _row(head: str, cells: list[str]) -> str:
    return " ".join([f"{head:>14}", *(f"{cell:>6}" for cell in cells)]).rstrip()
