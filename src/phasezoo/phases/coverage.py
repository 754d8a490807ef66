"""Which phases a zoo covers, as numbers and as a map in text."""

from __future__ import annotations

import xarray as xr

from phasezoo.vocabulary import FIVE_PHASES, LOAD, TEMPERATURE, Phase


def coverage(phases: xr.DataArray) -> dict[str, object]:
    """Cells per phase, missing and unclassified, and which of the five phases are absent.

    Args:
        phases: `phase` over (load, temperature), one epoch.
    """
    counts = {phase.title: int((phases == phase).sum()) for phase in Phase}
    return {
        "cells": int(phases.size),
        "per_phase": {phase.title: counts[phase.title] for phase in FIVE_PHASES},
        "missing": counts[Phase.MISSING.title],
        "unclassified": counts[Phase.UNCLASSIFIED.title],
        "absent": [phase.title for phase in FIVE_PHASES if not counts[phase.title]],
    }


def text_map(phases: xr.DataArray) -> str:
    """The phase map in text: loads across, temperatures down.

    Args:
        phases: `phase` over (load, temperature), one epoch.
    """
    shown = {Phase.MISSING: "-", Phase.UNCLASSIFIED: "?"}
    names = {int(p): shown.get(p, p.title) for p in Phase}
    loads = [str(value) for value in phases[LOAD].values]
    lines = [_row(phases[TEMPERATURE].attrs.get("hyperparameter", TEMPERATURE), loads)]
    for temperature in phases[TEMPERATURE].values:
        row = phases.sel({TEMPERATURE: temperature})
        lines.append(
            _row(str(temperature), [names[int(row.sel({LOAD: v}))] for v in phases[LOAD].values])
        )
    across = phases[LOAD].attrs.get("hyperparameter", LOAD)
    return "\n".join([f"{'':>14} {across} ->", *lines])


def _row(head: str, cells: list[str]) -> str:
    return " ".join([f"{head:>14}", *(f"{cell:>5}" for cell in cells)])
