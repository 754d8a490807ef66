"""Means of models, pairs and blocks with 95 % intervals that know which values share a model.

Pairs of seeds are not independent where a seed is in several: of ten models all 45 pairs say less
than 45 pairs of 90 models. So what is left out in turn is the largest thing that is independent:
the pair where no seed is in two of them, else the seed, with all pairs that it is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import t as student

from phasezoo.report.summary import CONFIDENCE
from phasezoo.vocabulary import FIRST_SEED, PAIR, SECOND_SEED, SEED

BLOCK, CELL = "block", "cell"

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ends = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and what it rests on.

    Attributes:
        value: mean of the cells' means; NaN where there is no value.
        low: lower end of the 95 % interval; NaN where nothing tells how far chance goes.
        high: its upper end.
        values: finite values.
        models: models in them, each counted once in its cell.
        cells: cells with at least one value.
        unit: what was left out in turn: pair, seed, block or cell; empty without an interval.
    """

    value: float
    low: float
    high: float
    values: int
    models: int
    cells: int
    unit: str


@dataclass(frozen=True, slots=True)
class _Cell:
    """The mean of one cell, its variance by the jackknife, and the degrees of freedom of that."""

    mean: float
    variance: float
    freedom: int
    unit: str


def mean_of(values: xr.DataArray) -> Mean:
    """The mean of what was measured of pairs, seeds or blocks, with its interval.

    The axes beside that of the replicates (temperatures, say) are conditions: they were chosen and
    not drawn, so the interval is that of the mean over just these cells, for other seeds. The
    variance of a cell's mean is the jackknife's (Arvesen 1969 for pairs that share seeds),
    `jackknife_variance`; those of C cells are summed over C^2, and the interval is Student's with
    the degrees of freedom of Welch and Satterthwaite. Where a cell has no variance, having one
    pair, say, and there are others, the cells themselves are left out in turn.

    Args:
        values: over one of pair, seed and block, and any others. Pairs have the coordinates
            `first_seed` and `second_seed`. Values that are not finite play no part.
    """
    replicate = next(dim for dim in (PAIR, SEED, BLOCK) if dim in values.dims)
    table = values.transpose(..., replicate).values.astype(np.float64)
    return mean_of_cells(table.reshape(-1, table.shape[-1]), ends_of(values), replicate)


def ends_of(values: xr.DataArray) -> Ends:
    """Which models each replicate is made of [R, 1 or 2], numbered; blocks count as one."""
    if PAIR in values.dims:
        return np.stack([values[FIRST_SEED].values, values[SECOND_SEED].values], axis=1)
    replicate = SEED if SEED in values.dims else BLOCK
    return np.arange(values.sizes[replicate])[:, None]


def mean_of_cells(table: Floats, ends: Ends, replicate: str) -> Mean:
    """As `mean_of`, of values [cell, replicate].

    Args:
        table: of the values; missing where not finite.
        ends: [replicate, models of it].
        replicate: what one is called.
    """
    rows = [(row[there], ends[there]) for row in table if (there := np.isfinite(row)).any()]
    cells = [_cell(values, of, replicate) for values, of in rows]
    models = sum(len(np.unique(of)) for _, of in rows)
    value, low, high, unit = _joined(cells)
    return Mean(value, low, high, sum(len(v) for v, _ in rows), models, len(cells), unit)


def _cell(values: Floats, ends: Ends, replicate: str) -> _Cell:
    left_out = left_out_in_turn(ends)
    shared = replicate == PAIR and len(np.unique(ends)) < ends.size
    variance = jackknife_variance(values, left_out)
    return _Cell(float(values.mean()), variance, len(left_out) - 1, SEED if shared else replicate)


def left_out_in_turn(ends: Ends) -> Flags:
    """Which values go when a unit goes [unit, value].

    A unit is a value where no model is in two of them, else a model.
    """
    models = np.unique(ends)
    if len(models) == ends.size:
        return np.eye(len(ends), dtype=bool)
    return np.stack([(ends == model).any(axis=1) for model in models])


def jackknife_variance(values: Floats, left_out: Flags) -> float:
    """Variance of a mean from the means without one unit each: (U - 1) / U sum (m_u - m)^2.

    For values that are units it is s^2 / n. For all pairs of n models whose values are a_i + a_j it
    is 4 s^2 / n, s^2 that of the a. What pairs have beside that is counted twice, and pairs of
    several blocks more than once, so intervals are rather too wide than too narrow
    (Efron and Stein 1981).

    Args:
        values: [value].
        left_out: [unit, value].

    Returns:
        NaN with fewer than two units, and where nothing remains without one of them.
    """
    kept = ~left_out
    counts = kept.sum(axis=1)
    if len(kept) < 2 or not counts.all():
        return float("nan")
    means = kept @ values / counts
    return float((len(kept) - 1) / len(kept) * ((means - means.mean()) ** 2).sum())


def _joined(cells: Sequence[_Cell]) -> tuple[float, float, float, str]:
    """Mean of cells, the ends of its interval, and what was left out."""
    if not cells:
        return (*(float("nan"),) * 3, "")
    means = np.array([cell.mean for cell in cells])
    value, count = float(means.mean()), len(cells)
    parts = np.array([cell.variance for cell in cells]) / count**2
    unit = SEED if any(cell.unit == SEED for cell in cells) else cells[0].unit
    if np.isfinite(parts).all():
        half = _half(parts, np.array([cell.freedom for cell in cells]))
    elif count > 1:
        unit, half = CELL, _half(np.array([means.var(ddof=1) / count]), np.array([count - 1]))
    else:
        return value, float("nan"), float("nan"), ""
    return value, value - half, value + half, unit


def _half(variances: Floats, freedoms: NDArray[np.int64]) -> float:
    """Half of an interval whose variance is a sum; degrees of freedom after Satterthwaite."""
    total = float(variances.sum())
    if total == 0:
        return 0.0
    freedom = total**2 / float((variances**2 / freedoms).sum())
    return float(student.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(total))


def means_over(values: xr.DataArray, keep: Sequence[str], least: float = -np.inf) -> xr.Dataset:
    """`mean_of` for every place on the axes to keep: `mean`, `low`, `high`, `values`, `models`.

    The attribute `unit` says what was left out in turn, `pairs` or `seeds`, say, and `replicate`
    what the values are of.

    Args:
        values: over those axes, one of pair, seed and block, and conditions.
        keep: axes of the result.
        least: what no value can be below; intervals end there.
    """
    replicate = next(dim for dim in (PAIR, SEED, BLOCK) if dim in values.dims)
    ordered = values.transpose(*keep, ..., replicate)
    table, ends = ordered.values.astype(np.float64), ends_of(values)
    shape, last = table.shape[: len(keep)], table.shape[-1]
    found = [mean_of_cells(row.reshape(-1, last), ends, replicate) for row in _rows(table, shape)]
    out = xr.Dataset(coords={axis: values[axis].variable for axis in keep})
    for name, kind in _STORED.items():
        numbers = [getattr(mean, "value" if name == "mean" else name) for mean in found]
        out[name] = (tuple(keep), np.array(numbers, dtype=kind).reshape(shape))
    out["low"] = out["low"].clip(min=least)
    units = sorted({f"{mean.unit}s" for mean in found if mean.unit})
    return out.assign_attrs(unit=" or ".join(units), replicate=replicate)


_STORED = {"mean": float, "low": float, "high": float, "values": int, "models": int, "cells": int}


def _rows(table: Floats, shape: tuple[int, ...]) -> list[Floats]:
    return [table[place] for place in np.ndindex(shape)]
