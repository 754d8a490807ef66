"""Means over cells, per phase and per load, with their doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import bootstrap

from phasezoo.rng import seed_of
from phasezoo.vocabulary import (
    FIVE_PHASES,
    HYPERPARAMETERS,
    LOAD,
    TEMPERATURE,
    THREE_REGIMES,
    Phase,
)

CONFIDENCE = 0.95
RESAMPLES = 9999


@dataclass(frozen=True, slots=True)
class Row:
    """Some cells together.

    Attributes:
        group: a phase, or a value of the load.
        cells: cells with at least one value.
        values: finite values in them: models, pairs or blocks.
        mean: of the cells' means; NaN where there is no value.
        low: lower end of the 95 % confidence interval; NaN with fewer than two cells.
        high: its upper end.
    """

    group: str
    cells: int
    values: int
    mean: float
    low: float
    high: float


def per_phase(values: xr.DataArray, phase: xr.DataArray) -> list[Row]:
    """Mean of each phase that occurs, with `missing` at the end.

    Args:
        values: over load, temperature and any replicates.
        phase: `phase` over load and temperature.
    """
    occurring = [p for p in (*FIVE_PHASES, *THREE_REGIMES, Phase.MISSING) if (phase == p).any()]
    return [row_of(p.title, values.where(phase == p)) for p in occurring]


def per_load(values: xr.DataArray) -> list[Row]:
    """Mean of each load over its temperatures, in the order of the values of the axis.

    Args:
        values: over load, temperature and any replicates.
    """
    meaning = HYPERPARAMETERS.get(values[LOAD].attrs.get("hyperparameter", ""))
    return [
        row_of(meaning.label(load) if meaning else str(load), values.sel({LOAD: load}))
        for load in np.sort(values[LOAD].values)
    ]


def row_of(group: str, values: xr.DataArray) -> Row:
    """One row of some values over load, temperature and replicates.

    The cell is the unit of chance, because replicates share their cell's conditions.

    The interval is the percentile bootstrap's: it stays within what was measured, so an error has
    no negative bound. With fewer than about five cells it is too narrow.
    """
    cells = cell_means(values).values.ravel()
    cells = cells[np.isfinite(cells)]
    mean = float(cells.mean()) if cells.size else np.nan
    low, high = _interval(cells) if cells.size > 1 else (np.nan, np.nan)
    return Row(group, cells.size, int(np.isfinite(values).sum()), mean, low, high)


def _interval(cells: np.ndarray) -> tuple[float, float]:
    found = bootstrap(
        (cells,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed_of("report", "bootstrap")),
    ).confidence_interval
    return float(found.low), float(found.high)


def cell_means(values: xr.DataArray, keep: tuple[str, ...] = ()) -> xr.DataArray:
    """Mean over replicates (seeds, pairs, blocks) of the finite values of each cell, float64.

    Args:
        values: over load, temperature, replicates and the axes to `keep`.
        keep: axes that are no replicates.
    """
    replicates = [dim for dim in values.dims if dim not in (LOAD, TEMPERATURE, *keep)]
    finite = values.where(np.isfinite(values)).astype("float64")
    return finite.mean(replicates, skipna=True) if replicates else finite
