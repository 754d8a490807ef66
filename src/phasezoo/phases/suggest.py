"""Which values to add to a grid where it lacks a phase."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from phasezoo.vocabulary import HYPERPARAMETERS, LOAD, TEMPERATURE, Phase

# Where a phase lies from the others (Yang et al. 2021, figure 1): on which side of which axis.
_SIDE = {
    Phase.I: (LOAD, 1),
    Phase.II: (TEMPERATURE, 1),
    Phase.III: (LOAD, 1),
    Phase.IV_A: (TEMPERATURE, -1),
    Phase.IV_B: (LOAD, -1),
    Phase.UNDER_TRAINED: (LOAD, 1),
    Phase.OVER_TRAINED: (TEMPERATURE, -1),
    Phase.WELL_TRAINED: (LOAD, -1),
}


def suggestion(wanted: Phase, phase: xr.DataArray) -> str:
    """A sentence: which value of which axis is likely to bring more cells of a phase.

    Phase III lies between I and IV: where these are neighbours along the load, the value between
    them. A phase that is there already is widened between its load and the next; any other lies
    beyond the end of its axis. The next value continues the ratio of the last two.

    Args:
        wanted: the phase that is lacking.
        phase: labels over (load, temperature).
    """
    if gap := _gap(wanted, phase):
        return f"add {_name(phase, LOAD)} {gap}"
    axis, side = _SIDE[wanted]
    where = {1: "more", -1: "less"}[side]
    return f"add {_name(phase, axis)} {_beyond(phase, axis, side)} ({where} {axis})"


def _gap(wanted: Phase, phase: xr.DataArray) -> str:
    """A load between I and IV for phase III; empty where there is none."""
    if wanted is not Phase.III:
        return ""
    loads = np.sort(phase[LOAD].values)
    for low, high in pairwise(loads):
        both = phase.sel({LOAD: low}).values, phase.sel({LOAD: high}).values
        jumps = [
            {Phase.I} <= {int(a), int(b)} and {int(a), int(b)} & {Phase.IV_A, Phase.IV_B}
            for a, b in zip(*both, strict=True)
        ]
        between = _label(phase, LOAD, float(np.sqrt(low * high)))
        if any(jumps) and between not in (str(low), str(high)):
            return between
    return ""


def _beyond(phase: xr.DataArray, axis: str, side: int) -> str:
    """The value after the end of an axis at which load or temperature is largest or smallest."""
    values = np.sort(phase[axis].values.astype(float))
    values = values if side * _grows(phase, axis) > 0 else values[::-1]
    ratio = values[-1] / values[-2] if values.size > 1 else 2.0 ** (side * _grows(phase, axis))
    return _label(phase, axis, values[-1] * ratio)


def _label(phase: xr.DataArray, axis: str, value: float) -> str:
    whole = np.issubdtype(phase[axis].dtype, np.integer)
    return str(max(round(value), 1)) if whole else f"{value:.2g}"


def _name(phase: xr.DataArray, axis: str) -> str:
    return str(phase[axis].attrs.get("long_name", axis)).partition(";")[0]


def _grows(phase: xr.DataArray, axis: str) -> int:
    meaning = HYPERPARAMETERS.get(phase[axis].attrs.get("hyperparameter", ""))
    return meaning.grows if meaning else -1
