"""What is to be told of a model: one number for every checkpoint, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import xarray as xr

from phasezoo.learning.sides import LearningError
from phasezoo.store.variables import OF_CELL, OF_MODEL, OF_PAIR
from phasezoo.vocabulary import FIRST_SEED, PAIR, SECOND_SEED, SEED

GAP = "generalisation_gap"
PHASE = "phase"
Groups = Mapping[str, xr.Dataset]


def target(name: str, groups: Groups) -> xr.DataArray:
    """A number of every checkpoint over (load, temperature, seed, epoch); NaN where it is missing.

    ``generalisation_gap`` is the test error minus the training error. What belongs to a cell, such
    as ``phase``, is that of all its models; what belongs to a pair is the mean over the pairs that
    a model is in. Both are shared by models, so that a split by model does not keep them apart.

    Args:
        name: of a variable without axes of its own, or ``generalisation_gap``.
        groups: of results by name, ``metrics`` among them.

    Raises:
        LearningError: there is no such number.
    """
    if name == GAP:
        return target("test_error", groups) - target("train_error", groups)
    for data in groups.values():
        if name in data and _dims(data[name]) in _KINDS:
            return _of_models(_finite(data[name]), groups["metrics"][SEED])
    raise LearningError(f"target: got {name!r}, allowed are {', '.join(sorted(_known(groups)))}")


_KINDS = tuple(frozenset(dims) for dims in (OF_MODEL, OF_CELL, OF_PAIR))


def _dims(values: xr.DataArray) -> frozenset[str]:
    return frozenset(map(str, values.dims))


def _known(groups: Groups) -> Iterator[str]:
    yield GAP
    for data in groups.values():
        yield from (str(name) for name, v in data.data_vars.items() if _dims(v) in _KINDS)


def _finite(values: xr.DataArray) -> xr.DataArray:
    """As floats; flags that say that there is none are missing."""
    out = values.load().astype("float64")
    return out if values.dtype.kind == "f" else out.where(values >= 0)


def _of_models(values: xr.DataArray, seeds: xr.DataArray) -> xr.DataArray:
    if PAIR in values.dims:
        values = xr.concat([_of_seed(values, seed) for seed in seeds.values], dim=seeds)
    elif SEED not in values.dims:
        values = values.expand_dims({SEED: seeds})
    return values.transpose(*OF_MODEL)


def _of_seed(values: xr.DataArray, seed: int) -> xr.DataArray:
    """Mean over the pairs that a seed is in."""
    among = (values[FIRST_SEED] == seed) | (values[SECOND_SEED] == seed)
    return values.where(among).mean(PAIR)
