"""Which groups of bodies are better, and what other starting points of a tuning save."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.spec.region_jobs import JoinRegionsJob
from phasezoo.store.variables import Variable
from phasezoo.store.variables.regions import GAINS, OF_EFFICIENT, PROBABILITIES
from phasezoo.transfer.regions.comparisons import holm, over_datasets, paired
from phasezoo.transfer.regions.estimates import Estimate
from phasezoo.transfer.regions.groups import COMPARISONS, better, mean_better

Floats = NDArray[np.float64]
BASELINE = "pre-trained"  # the arm that the others are compared with


def of_probabilities(job: JoinRegionsJob, measured: xr.Dataset) -> xr.Dataset:
    """The variables of `PROBABILITIES`: of each data set, and the mean over them."""
    names = {"comparison": [f"{one} before {other}" for one, other in COMPARISONS]}
    out = _empty(measured[["dataset", "level"]].assign_coords(names), PROBABILITIES)
    resamples = job.doubt.resamples
    for level in measured["level"].values:
        for (one, other), words in zip(COMPARISONS, names["comparison"], strict=True):
            pairs = []
            for dataset in job.datasets:
                losses = measured["probe_loss"].sel(dataset=dataset, level=level)
                pair = (_members(losses, measured, one), _members(losses, measured, other))
                pairs.append(pair)
                own = (job.regions, dataset, level, words)
                at = {"dataset": dataset, "level": level, "comparison": words}
                _put(out, "better_probability", at, better(*pair, resamples, *own))
            mean = mean_better(pairs, resamples, job.regions, level, words)
            at = {"level": level, "comparison": words}
            _put(out, "mean_better_probability", at, mean)
    return out


def _members(losses: xr.DataArray, measured: xr.Dataset, group: str) -> Floats:
    """Losses of the members that a group has; those that are not a number stay among them."""
    at = {"dataset": losses["dataset"], "level": losses["level"], "group": group}
    there = measured["probe_converged"].sel(at).values >= 0
    return np.asarray(losses.sel(group=group).values[there], dtype=np.float64)


def of_gains(job: JoinRegionsJob, measured: xr.Dataset) -> xr.Dataset:
    """The variables of `GAINS`: what every arm saves against the pre-trained start."""
    errors = measured["efficient_test_error"]
    out = _empty(errors.drop_vars("draw").coords.to_dataset(), GAINS)
    for trained, samples in product(errors["trained"].values, errors["samples"].values):
        at = {"trained": trained, "samples": samples}
        for arm in (a for a in errors["arm"].values if a != BASELINE):
            _compare(job, out, errors.sel(at), at | {"arm": arm})
    return _adjusted(out)


def _compare(
    job: JoinRegionsJob, out: xr.Dataset, errors: xr.DataArray, at: dict[str, str]
) -> None:
    """One arm against the pre-trained start, on each data set and over them."""
    pairs = []
    own = (job.regions, *at.values())
    resamples = job.doubt.resamples
    for dataset in job.datasets:
        arms = errors.sel(dataset=dataset)
        pair = tuple(arms.sel(arm=arm).values.astype(np.float64) for arm in (BASELINE, at["arm"]))
        first, second = pair
        pairs.append((first, second))
        found = paired(first, second, resamples, *own, dataset)
        _put(out, "efficient_gain", at | {"dataset": dataset}, found.gain)
        out["efficient_gain_p"].loc[at | {"dataset": dataset}] = found.p
    overall = over_datasets(pairs, resamples, *own)
    _put(out, "overall_gain", at, overall.gain)
    numbers = {
        "overall_gain_p": overall.signed_rank_p,
        "overall_gain_sign_p": overall.sign_p,
        "datasets_won": overall.won,
        "datasets_tied": overall.tied,
        "datasets_lost": overall.lost,
    }
    for name, value in numbers.items():
        out[name].loc[at] = value


def _adjusted(out: xr.Dataset) -> xr.Dataset:
    """P values after Holm: those of an arm over its data sets, those over data sets over all."""
    one, every = out["efficient_gain_p"].stack(of=OF_EFFICIENT[1:]), out["overall_gain_p"]
    columns = np.apply_along_axis(holm, 0, one.values.astype(np.float64))
    held = one.copy(data=columns.astype(np.float32)).unstack("of")
    out["efficient_gain_p_holm"] = held.reindex_like(out).transpose(*OF_EFFICIENT)
    flat = holm(every.values.ravel().astype(np.float64))
    out["overall_gain_p_holm"][:] = flat.reshape(every.shape)
    return out


def _empty(coordinates: xr.Dataset, variables: Sequence[Variable]) -> xr.Dataset:
    out = coordinates.coords.to_dataset()
    for variable in variables:
        shape = tuple(out.sizes[dim] for dim in variable.dims)
        out[variable.name] = (variable.dims, np.full(shape, np.nan, dtype=variable.dtype))
    return out


def _put(out: xr.Dataset, name: str, at: dict[str, str], found: Estimate) -> None:
    for end, value in {"": found.value, "_low": found.low, "_high": found.high}.items():
        out[f"{name}{end}"].loc[at] = value
