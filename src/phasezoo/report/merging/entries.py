"""Means of pairs as they are written in tables, and the names of arms and loads."""

from __future__ import annotations

import numpy as np
import xarray as xr

from phasezoo.report.arms import ALIGNED, CORRECTED
from phasezoo.report.panels import Panel
from phasezoo.report.tables import Entry, number
from phasezoo.vocabulary import HYPERPARAMETERS, PAIR


def arm_title(alignment: str, correction: str) -> str:
    """An arm in words."""
    return f"{ALIGNED[alignment]}, {CORRECTED[correction]}"


def titled(panel: Panel) -> str:
    """A measure with its unit."""
    return f"{panel.title} ({panel.unit})" if panel.unit else panel.title


def name_of(axis: xr.DataArray) -> str:
    """What the values of an axis are."""
    return str(axis.attrs.get("long_name", axis.name))


def labels_of(axis: xr.DataArray) -> list[str]:
    """The values of an axis as they are written."""
    meaning = HYPERPARAMETERS.get(axis.attrs.get("hyperparameter", ""))
    return [meaning.label(v) if meaning else f"{v:g}" for v in axis.values.tolist()]


def entry(of: xr.Dataset, panel: Panel, usual: int) -> Entry:
    """One mean of `means_over` with its interval; its n where it is not the usual one."""
    low, high = (number(float(of[end]), panel) for end in ("low", "high"))
    interval = f"[{low}, {high}]" if np.isfinite(float(of["low"])) else ""
    values = int(of["values"])
    counted = "" if values == usual else f"n = {values}"
    return Entry(number(float(of["mean"]), panel), interval, counted)


def basis(of: xr.Dataset) -> str:
    """What the means of some arms rest on at the most: ``5 pairs of 10 models``, ``1 block``."""
    values, models = int(of["values"].max()), int(of["models"].max())
    counted = f"{values} {of.attrs['replicate']}{'s' * (values != 1)}"
    return f"{counted} of {models} models" if of.attrs["replicate"] == PAIR else counted
