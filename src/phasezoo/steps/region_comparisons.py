"""What other starting points of a tuning save."""

from __future__ import annotations

from itertools import product

import numpy as np
import xarray as xr

from phasezoo.spec.region_jobs import JoinRegionsJob
from phasezoo.steps.region_estimates import empty, put
from phasezoo.store.variables.regions import GAINS, OF_EFFICIENT
from phasezoo.transfer.regions.comparisons import Overall, holm, over_datasets, paired

BASELINE = "pre-trained"  # the arm that the others are compared with


def of_gains(job: JoinRegionsJob, measured: xr.Dataset) -> xr.Dataset:
    """The variables of `GAINS`: what every arm saves against the pre-trained start."""
    errors = measured["efficient_test_error"]
    axes = errors.drop_vars("draw").coords.to_dataset()
    families = np.array(list(job.families), dtype=object)
    out = empty(axes.assign_coords(families=families), GAINS)
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
    for dataset in job.datasets:
        arms = errors.sel(dataset=dataset)
        first, second = (
            arms.sel(arm=arm).values.astype(np.float64) for arm in (BASELINE, at["arm"])
        )
        pairs.append((first, second))
        found = paired(first, second, *own, dataset)
        put(out, "efficient_gain", at | {"dataset": dataset}, found.gain)
        out["efficient_gain_p"].loc[at | {"dataset": dataset}] = found.p
    families = [job.family_of[dataset] for dataset in job.datasets]
    _put_overall(out, at, over_datasets(pairs, families, job.doubt.resamples, *own))


def _put_overall(out: xr.Dataset, at: dict[str, str], overall: Overall) -> None:
    put(out, "overall_gain", at, overall.gain)
    numbers = {
        "overall_gain_p": overall.signed_rank_p,
        "overall_gain_sign_p": overall.sign_p,
        "datasets_won": overall.won,
        "datasets_tied": overall.tied,
        "datasets_lost": overall.lost,
    }
    for name, value in numbers.items():
        out[name].loc[at] = value
    for family, value in overall.of_family.items():
        out["family_gain"].loc[at | {"families": family}] = value


def _adjusted(out: xr.Dataset) -> xr.Dataset:
    """P values after Holm: those of an arm over its data sets, those over data sets over all."""
    one, every = out["efficient_gain_p"].stack(of=OF_EFFICIENT[1:]), out["overall_gain_p"]
    columns = np.apply_along_axis(holm, 0, one.values.astype(np.float64))
    held = one.copy(data=columns.astype(np.float32)).unstack("of")
    out["efficient_gain_p_holm"] = held.reindex_like(out).transpose(*OF_EFFICIENT)
    flat = holm(every.values.ravel().astype(np.float64))
    out["overall_gain_p_holm"][:] = flat.reshape(every.shape)
    return out
