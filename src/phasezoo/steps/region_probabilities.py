"""Which of two groups of bodies is better on a target, by loss and by error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from phasezoo.spec.region_jobs import JoinRegionsJob
from phasezoo.steps.region_estimates import empty, put
from phasezoo.store.variables.regions import PROBABILITIES
from phasezoo.transfer.regions.better import Side, better, mean_better
from phasezoo.transfer.regions.groups import COMPARISONS, Group, settled
from phasezoo.transfer.regions.levels import Level

BY = {  # what is compared by what members score
    "better_probability": "probe_loss",
    "better_probability_error": "probe_error",
}


@dataclass(frozen=True)
class Judged:
    """What the members of groups scored.

    Attributes:
        job: of joining.
        measured: on all targets.
        datasets: of the tuned models that are finite, in their order.
    """

    job: JoinRegionsJob
    measured: xr.Dataset
    datasets: Sequence[str]

    def side(self, scores: str, target: str, level: Level, group: Group) -> Side:
        """The members that a group has; scores that are not a number stay among them."""
        of = self.measured.sel(dataset=target, level=level, group=group)
        there = of["probe_converged"].values >= 0
        found = np.asarray(of[scores].values[there], dtype=np.float64)
        place = (group, level, target, self.datasets, self.job.family_of)
        return Side(found, settled(*place, len(found)))


def of_probabilities(
    job: JoinRegionsJob, measured: xr.Dataset, datasets: Sequence[str]
) -> xr.Dataset:
    """The variables of `PROBABILITIES`: of each data set, and the mean over them.

    Args:
        job: of joining.
        measured: on all targets.
        datasets: of the models tuned from the first start that are finite, in their order.
    """
    names = {"comparison": [f"{one} before {other}" for one, other in COMPARISONS]}
    out = empty(measured[["dataset", "level"]].assign_coords(names), PROBABILITIES)
    judged = Judged(job, measured, datasets)
    for level in measured["level"].values:
        for pair, words in zip(COMPARISONS, names["comparison"], strict=True):
            for name in BY:
                _compare(out, judged, name, level, pair, words)
    return out


def _compare(
    out: xr.Dataset,
    judged: Judged,
    name: str,
    level: Level,
    groups: tuple[Group, Group],
    words: str,
) -> None:
    """Two groups of one level, on each target and over them."""
    job, scores = judged.job, BY[name]
    resamples, at = job.doubt.resamples, {"level": level, "comparison": words}
    pairs = []
    for target in job.datasets:
        first, second = (judged.side(scores, target, level, group) for group in groups)
        pairs.append((first, second))
        found = better(first, second, resamples, job.regions, target, level, words, scores)
        put(out, name, {**at, "dataset": target}, found)
    families = [job.family_of[target] for target in job.datasets]
    mean = mean_better(pairs, families, resamples, job.regions, level, words, scores)
    put(out, f"mean_{name}", at, mean)
