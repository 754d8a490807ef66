"""What phases explain of each quantity of a zoo, as a labelled table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.phases.cells import Floats, Replicated, replicated
from phasezoo.phases.explained import POSITIONS, explained, share_of_seeds
from phasezoo.phases.quantities import Quantity, present
from phasezoo.store.variables.explained import EXPLAINED, POSITION, QUANTITY
from phasezoo.vocabulary import EPOCH, LOAD, SEED, TEMPERATURE, Phase

Row = dict[str, object]


def beyond(groups: Mapping[str, xr.Dataset], phase: xr.DataArray) -> xr.Dataset:
    """What `phases.explained.explained` says of every quantity that the results have.

    Phases are those of the last epoch that has labels, quantities those of the same epoch, or of
    the last one of their group.

    Args:
        groups: joined results by name.
        phase: of cells, over load, temperature and epoch.

    Returns:
        The variables of `phasezoo.store.variables.explained`.
    """
    labelled = (phase != Phase.MISSING).any([LOAD, TEMPERATURE]).values
    epoch = int(phase[EPOCH].values[labelled if labelled.any() else ...].max())
    labels = phase.sel({EPOCH: epoch})
    rows = [_row(q, groups[q.group], labels, epoch) for q in present(groups)]
    order = [quantity.name for quantity in present(groups)]
    coords = {QUANTITY: np.array(order, dtype=object), POSITION: np.array(POSITIONS, dtype=object)}
    out = xr.Dataset(coords=coords)
    for variable in EXPLAINED:
        values = np.array([row[variable.name] for row in rows], dtype=variable.dtype)
        out[variable.name] = (variable.dims, values)
    return out


def _row(quantity: Quantity, data: xr.Dataset, labels: xr.DataArray, epoch: int) -> Row:
    own = data[EPOCH].values
    at = epoch if epoch in own else int(own.max())
    of_epoch = data.sel({EPOCH: at})
    found = _replicated(quantity.of(of_epoch), of_epoch)
    cells, errors = found.of_cells("mean"), squared_errors(found)
    phase = labels.transpose(LOAD, TEMPERATURE).values
    told = [explained(cells, phase, position, errors) for position in POSITIONS]
    there = np.isfinite(cells) & (phase > 0)
    return {
        "explained_epoch": at,
        "explained_cells": there.sum(),
        "explained_values": np.isfinite(found.values[there]).sum(),
        "seed_share": share_of_seeds(cells, errors),
        "phase_r2": told[0].phase,
        **{name: [getattr(of, part) for of in told] for name, part in _PARTS.items()},
    }


_PARTS = {
    "position_r2": "position",
    "position_and_phase_r2": "both",
    "phase_beyond": "beyond",
    "phase_beyond_low": "low",
    "phase_beyond_high": "high",
    "phase_beyond_true": "true",
    "phase_beyond_left_out": "predicted",
    "phase_chance": "chance",
}


def _replicated(values: xr.DataArray, data: xr.Dataset) -> Replicated:
    """Values of a quantity; blocks of seeds count as seeds, none has a seed of another."""
    return replicated(values.rename(block=SEED) if "block" in values.dims else values, data)


def squared_errors(found: Replicated) -> Floats:
    """Squared standard errors of the means of cells over the chance of seeds, [load, temperature].

    The jackknife over seeds, (n - 1) / n sum (mean without seed i - mean of those)^2: the variance
    over n where the numbers are those of seeds; a seed that leaves takes its pairs along. Not a
    number where fewer than two means are left, or where there is one number a cell.
    """
    if found.kind == "cell":
        return np.full(found.values.shape[:2], np.nan)
    count = found.values.shape[-1] if found.kind == "seed" else int(found.pairs.max()) + 1
    of_seed = np.arange(count)[:, None] if found.kind == "seed" else found.pairs
    means = np.stack([_without(found, (of_seed == s).any(axis=1)) for s in range(count)])
    left = np.isfinite(means).sum(axis=0)
    spread = np.nanvar(np.where(left > 1, means, 0.0), axis=0)
    return np.where(left > 1, (left - 1) * spread, np.nan)


def _without(found: Replicated, leaving: NDArray[np.bool_]) -> Floats:
    """Means of cells without some replicates; not a number where there are none of them."""
    rest = replace(found, values=np.where(leaving, np.nan, found.values))
    there = np.isfinite(found.values[..., leaving]).any(axis=-1)
    return np.where(there, rest.of_cells("mean"), np.nan)
