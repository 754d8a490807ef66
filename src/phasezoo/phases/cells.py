"""From metrics of seeds and pairs to one number per cell, once or for resampled seeds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.vocabulary import (
    FIRST_SEED,
    LOAD,
    PAIR,
    RELATIVE_UP_TO,
    SECOND_SEED,
    SEED,
    TEMPERATURE,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Kind = Literal["seed", "pair", "cell"]


@dataclass(frozen=True)
class Replicated:
    """A metric on a grid.

    Attributes:
        values: [load, temperature, replicate], missing ones NaN.
        kind: what the replicates are; `cell`: there is one value per cell.
        pairs: positions of the two seeds of every pair, [pair, 2]; empty for other kinds.
    """

    values: Floats
    kind: Kind
    pairs: Integers

    def of_cells(self, how: str) -> Floats:
        """Mean or median over the replicates that are there, [load, temperature]."""
        return _joined(how)(self.values)

    def of_resampled(self, drawn: Integers, how: str) -> Floats:
        """The same for seeds drawn anew, [draw, load, temperature].

        A pair counts as often as both of its seeds were drawn, and a seed is no pair with itself;
        NaN where no pair is left. Of pairs that share no seed, one counts as often as its first
        seed was drawn: they are drawn whole (`drawn_seeds`). A metric of kind `cell` is returned
        as it is.

        Args:
            drawn: positions of seeds, [draw, load, temperature, seed].
            how: mean or median.
        """
        if self.kind == "cell":
            return np.broadcast_to(self.values[..., 0], drawn.shape[:3])
        if self.kind == "seed":
            found = np.take_along_axis(self.values[None], drawn, axis=-1)
            return _joined(how)(found)
        seeds = drawn.shape[-1]
        if disjoint(self.pairs):
            of_first = np.full((*self.values.shape[:2], seeds), np.nan)
            of_first[..., self.pairs[:, 0]] = self.values
            return _joined(how)(np.take_along_axis(of_first[None], drawn, axis=-1))
        matrix = np.full((*self.values.shape[:2], seeds, seeds), np.nan)
        for position, (first, second) in enumerate(self.pairs):
            matrix[..., first, second] = matrix[..., second, first] = self.values[..., position]
        first, second = np.triu_indices(seeds, 1)
        loads, temperatures = np.ogrid[: matrix.shape[0], : matrix.shape[1]]
        cells = (loads[None, ..., None], temperatures[None, ..., None])
        return _joined(how)(matrix[(*cells, drawn[..., first], drawn[..., second])])


def disjoint(pairs: Integers) -> bool:
    """Whether there is more than one pair, and no seed is in two."""
    return len(pairs) > 1 and len(np.unique(pairs)) == pairs.size


def drawn_seeds(
    seeds: int, pairs: Integers, shape: tuple[int, ...], chance: np.random.Generator
) -> Integers:
    """Positions of seeds drawn with replacement, [*shape, seed].

    What is drawn is what is independent: seeds, and where no seed is in two pairs, whole pairs,
    and the seeds without a pair among themselves.

    Args:
        seeds: how many there are.
        pairs: positions of the seeds of every pair, [pair, 2]; empty where there are none.
        shape: of the draws.
        chance: the only source of chance.
    """
    if not disjoint(pairs):
        return chance.integers(seeds, size=(*shape, seeds))
    rest = np.setdiff1d(np.arange(seeds), pairs)
    whole = pairs[chance.integers(len(pairs), size=(*shape, len(pairs)))]  # [..., pair, 2]
    parts = [whole.reshape(*shape, -1)]
    if len(rest):
        parts.append(rest[chance.integers(len(rest), size=(*shape, len(rest)))])
    return np.concatenate(parts, axis=-1)


def in_fractions(metrics: xr.Dataset) -> xr.Dataset:
    """The table with mode connectivity as a fraction of error (`points_because`)."""
    if not points_because(metrics):
        return metrics
    found = metrics["mode_connectivity"] / 100
    return metrics.assign(mode_connectivity=found.assign_attrs(units="1"))


def points_because(metrics: xr.Dataset) -> str:
    """Why mode connectivity is taken for percentage points; empty where it is not.

    Its unit says so, or values lie where fractions cannot. A difference of two shares is nowhere
    beyond 1, whatever unit is stated: published tables state 1 or nothing and have points, and
    arithmetic keeps the attributes of what was multiplied. Relative errors of equations may differ
    by more; a store states by how much its own do (`RELATIVE_UP_TO`), and what lies beyond that
    was multiplied after it was read.
    """
    if "mode_connectivity" not in metrics:
        return ""
    found = metrics["mode_connectivity"]
    if (unit := str(found.attrs.get("units", "")).strip().lower()) in _POINTS:
        return f"their unit is {unit}"
    limit = float(found.attrs.get(RELATIVE_UP_TO, 1.0))
    size = np.abs(found.values.astype("float64"))
    largest = size.max(initial=0.0, where=np.isfinite(size))
    return f"some lie beyond {limit:g}" if largest > limit * _ROUNDING else ""


_POINTS = ("%", "percent", "percentage", "percentage point", "percentage points", "points", "pp")
_ROUNDING = 1 + 1e-6  # of values that became float32 after the limit was written, or before


def replicated(metric: xr.DataArray, coordinates: xr.Dataset) -> Replicated:
    """A metric of one epoch as arrays.

    Where no cell has more than one value, such as a curve of one pair, these say nothing of the
    spread, and the metric counts as one of the cells.

    Args:
        metric: over load, temperature, and optionally seed or pair.
        coordinates: where the seeds of pairs stand; without them pairs are taken to be all pairs
            of seeds, in lexicographic order.

    Raises:
        ValueError: a pair is of a seed that the table has not.
    """
    kind: Kind = "seed" if SEED in metric.dims else "pair" if PAIR in metric.dims else "cell"
    values = metric.astype("float64")
    if kind == "cell":
        full = values.transpose(LOAD, TEMPERATURE).values[..., None]
        return Replicated(full, "cell", NO_PAIRS)
    full = values.transpose(LOAD, TEMPERATURE, kind).values
    if np.isfinite(full).sum(axis=-1).max(initial=0) <= 1:
        return Replicated(_joined("mean")(full)[..., None], "cell", NO_PAIRS)
    return Replicated(full, kind, _pairs(coordinates) if kind == "pair" else NO_PAIRS)


NO_PAIRS = np.empty((0, 2), dtype=np.intp)


def _pairs(coordinates: xr.Dataset) -> Integers:
    """Positions of the seeds of every pair."""
    count = coordinates.sizes[PAIR]
    if FIRST_SEED not in coordinates.coords:
        seeds = round((1 + np.sqrt(1 + 8 * count)) / 2)
        return np.stack(np.triu_indices(seeds, 1), axis=1)[:count]
    both = np.stack([coordinates[FIRST_SEED].values, coordinates[SECOND_SEED].values], axis=1)
    known = coordinates[SEED].values if SEED in coordinates.coords else np.unique(both)
    places = {seed: place for place, seed in enumerate(known.tolist())}
    if strange := sorted({seed for seed in both.ravel().tolist() if seed not in places}):
        raise ValueError(f"pair: got seeds {strange}, allowed are those of the table, {[*places]}")
    return np.array([[places[seed] for seed in pair] for pair in both.tolist()], dtype=np.intp)


def _joined(how: str) -> Callable[[Floats], Floats]:
    """Mean or median over the last axis, passing over what is missing."""
    function: Any = {"mean": np.nanmean, "median": np.nanmedian}[how]

    def join(values: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all of them missing: NaN is meant
            return np.asarray(function(values, axis=-1))

    return join
