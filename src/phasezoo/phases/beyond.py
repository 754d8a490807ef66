"""What phases explain of each quantity of a zoo, as a labelled table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.phases.cells import Floats, Replicated, disjoint, replicated
from phasezoo.phases.crossfit import Members, OtherSeeds
from phasezoo.phases.doubt import Doubt
from phasezoo.phases.explained import explained, share_of_seeds
from phasezoo.phases.projections import POSITIONS, Labels
from phasezoo.phases.quantities import Quantity, present
from phasezoo.spec.phases import Criteria
from phasezoo.store.variables.explained import EXPLAINED, POSITION, QUANTITY
from phasezoo.vocabulary import EPOCH, LOAD, SEED, TEMPERATURE, Phase

Row = dict[str, object]
BLOCK = "block"


def beyond(groups: Mapping[str, xr.Dataset], phase: xr.DataArray, criteria: Criteria) -> xr.Dataset:
    """What `phases.explained.explained` says of every quantity that the results have.

    Phases are those of the last epoch that has labels, quantities those of the same epoch, or of
    the last one of their group. Each replicate (model, pair, block) of a quantity is judged by
    labels from the metrics of other seeds (`phases.crossfit`), and what is found is averaged over
    replicates. Where seeds are too few for that, means of cells are judged by the labels of all
    seeds, their own among them, and `cross_fitted` says so.

    Args:
        groups: joined results by name.
        phase: of cells, over load, temperature and epoch.
        criteria: those that made `phase` of the group `metrics`.

    Returns:
        The variables of `phasezoo.store.variables.explained`.
    """
    labelled = (phase != Phase.MISSING).any([LOAD, TEMPERATURE]).values
    epoch = int(phase[EPOCH].values[labelled if labelled.any() else ...].max())
    labels = phase.sel({EPOCH: epoch}).transpose(LOAD, TEMPERATURE).values
    metrics = groups.get("metrics", xr.Dataset())
    at_epoch = metrics.sel({EPOCH: epoch}) if EPOCH in metrics.coords else metrics
    others = OtherSeeds(at_epoch, criteria)
    told = present(groups)
    rows = [_row(q, groups[q.group], labels, others, epoch) for q in told]
    order = [quantity.name for quantity in told]
    coords = {QUANTITY: np.array(order, dtype=object), POSITION: np.array(POSITIONS, dtype=object)}
    out = xr.Dataset(coords=coords)
    for variable in EXPLAINED:
        values = np.array([row[variable.name] for row in rows], dtype=variable.dtype)
        out[variable.name] = (variable.dims, values)
    return out


def _row(
    quantity: Quantity, data: xr.Dataset, labels: Labels, others: OtherSeeds, epoch: int
) -> Row:
    own = data[EPOCH].values
    at = epoch if epoch in own else int(own.max())
    of_epoch = data.sel({EPOCH: at})
    values = quantity.of(of_epoch)
    found = _replicated(values, of_epoch)
    folds, phase, doubt = _judged(found, _members(found, values, of_epoch), labels, others)
    told = [explained(folds, phase, position, doubt) for position in POSITIONS]
    if not _apart(found):  # errors of pairs that share seeds are upper bounds
        told = [replace(of, true=np.nan) for of in told]
    return {
        "cross_fitted": folds.ndim > labels.ndim,
        "explained_epoch": at,
        **_counted(found, folds, phase),
        "seed_share": share_of_seeds(folds, doubt.of_a_fold),
        "phase_r2": told[0].phase,
        **{name: [getattr(of, part) for of in told] for name, part in _PARTS.items()},
    }


def _judged(
    found: Replicated, members: Members, labels: Labels, others: OtherSeeds
) -> tuple[Floats, Labels, Doubt]:
    """Numbers and their labels, of replicates [replicate, load, temperature] or of cells."""
    errors = squared_errors(found)
    there: NDArray[np.bool_] = np.asarray(np.isfinite(found.values).any(axis=(0, 1)))
    taking = [of for of, is_there in zip(members, there, strict=True) if is_there]
    apart = others.labels(taking) if found.kind != "cell" else None
    left_out = others.of_each_left_out()
    if apart is None:
        return found.of_cells("mean"), labels, Doubt(errors, labels=left_out)
    count = np.isfinite(found.values).sum(axis=-1)
    spread = np.nanvar(np.where(count[..., None] > 0, found.values, 0.0), axis=-1)
    between = np.where(count > 1, spread * count / np.maximum(count - 1, 1), np.nan)
    return np.moveaxis(found.values, -1, 0)[there], apart, Doubt(errors, between, left_out)


def _counted(found: Replicated, folds: Floats, phase: Labels) -> Row:
    """How many cells and numbers take part."""
    there = np.isfinite(folds) & (phase > 0)
    if folds.ndim == found.values.ndim:
        return {"explained_cells": there.any(axis=0).sum(), "explained_values": there.sum()}
    numbers = np.isfinite(found.values[there]).sum()
    return {"explained_cells": there.sum(), "explained_values": numbers}


def _members(found: Replicated, values: xr.DataArray, data: xr.Dataset) -> Members:
    """Seeds of every replicate; none of a number of a cell."""
    if found.kind == "cell":
        return [frozenset()] * found.values.shape[-1]
    if BLOCK in values.dims:
        return [frozenset(map(int, label.split("+"))) for label in data[BLOCK].values.tolist()]
    seeds = data[SEED].values
    places = found.pairs if found.kind == "pair" else np.arange(len(seeds))[:, None]
    return [frozenset(seeds[own].tolist()) for own in places]


_PARTS = {
    "position_r2": "position",
    "position_and_phase_r2": "both",
    "phase_beyond": "beyond",
    "phase_beyond_low": "low",
    "phase_beyond_high": "high",
    "phase_beyond_true": "true",
    "phase_beyond_left_out": "predicted",
    "phase_chance": "chance",
    "phase_maps": "maps",
}


def _replicated(values: xr.DataArray, data: xr.Dataset) -> Replicated:
    """Values of a quantity; blocks of seeds count as seeds, none has a seed of another."""
    return replicated(values.rename({BLOCK: SEED}) if BLOCK in values.dims else values, data)


def squared_errors(found: Replicated) -> Floats:
    """Squared standard errors of the means of cells over the chance of seeds, [load, temperature].

    The jackknife over seeds, (n - 1) / n sum (mean without seed i - mean of those)^2: the variance
    over n where the numbers are those of seeds; a seed that leaves takes its pairs along,
    and pairs that share no seed leave one by one. Not a
    number where fewer than two means are left, or where there is one number a cell. Of pairs that
    share seeds it is an upper bound: with three seeds up to four times the variance.
    """
    if found.kind == "cell":
        return np.full(found.values.shape[:2], np.nan)
    apart = _apart(found)
    of_seed = np.arange(found.values.shape[-1])[:, None] if apart else found.pairs
    count = int(of_seed.max()) + 1
    means = np.stack([_without(found, (of_seed == s).any(axis=1)) for s in range(count)])
    left = np.isfinite(means).sum(axis=0)
    spread = np.nanvar(np.where(left > 1, means, 0.0), axis=0)
    return np.where(left > 1, (left - 1) * spread, np.nan)


def _apart(found: Replicated) -> bool:
    """Whether no replicate has a seed of another."""
    return found.kind != "pair" or disjoint(found.pairs)


def _without(found: Replicated, leaving: NDArray[np.bool_]) -> Floats:
    """Means of cells without some replicates; not a number where there are none of them."""
    rest = replace(found, values=np.where(leaving, np.nan, found.values))
    there = np.isfinite(found.values[..., leaving]).any(axis=-1)
    return np.where(there, rest.of_cells("mean"), np.nan)
