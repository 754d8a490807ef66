"""Labels of cells by other seeds than those that a number is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from phasezoo.phases.classify import classify_phases
from phasezoo.phases.projections import Labels
from phasezoo.phases.scheme import SCHEMES
from phasezoo.spec.phases import Criteria
from phasezoo.vocabulary import FIRST_SEED, LOAD, PAIR, SECOND_SEED, SEED, TEMPERATURE

Members = Sequence[frozenset[int]]  # the seeds that each replicate is made of
_FEWEST = 2  # seeds that labels can be made of: a pair
_RESAMPLES = 1  # how certain these labels are is not asked


@dataclass(frozen=True)
class OtherSeeds:
    """Labels of the cells of one epoch without some seeds.

    Cells are labelled anew, by the same criteria, from the metrics of the seeds that are left and
    of the pairs among them; thresholds that are calibrated are calibrated on those alone. So what
    chance did to a number has no part in the label that it is judged by.

    Attributes:
        metrics: joined metrics of one epoch.
        criteria: those that the cells have their labels from.
    """

    metrics: xr.Dataset
    criteria: Criteria
    _found: dict[frozenset[int], Labels | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def labels(self, members: Members) -> Labels | None:
        """Labels for every replicate, [replicate, load, temperature].

        Nothing where for some of them fewer than two seeds are left, or no cell gets a label.
        """
        found = [self._without(seeds) for seeds in members]
        told = [labels for labels in found if labels is not None]
        return np.stack(told) if told and len(told) == len(found) else None

    def of_each_left_out(self) -> Labels | None:
        """Labels without one seed each, [seed, load, temperature]; nothing where `labels` is."""
        if SEED not in self.metrics.coords:
            return None
        return self.labels([frozenset([seed]) for seed in self.metrics[SEED].values.tolist()])

    def _without(self, seeds: frozenset[int]) -> Labels | None:
        if seeds not in self._found:
            self._found[seeds] = self._labelled(seeds)
        return self._found[seeds]

    def _labelled(self, seeds: frozenset[int]) -> Labels | None:
        deciding = list(SCHEMES[self.criteria.scheme].metrics)
        if SEED not in self.metrics.coords or not set(deciding) <= set(self.metrics):
            return None
        rest = _leaving(self.metrics[deciding], seeds)
        if rest is None or rest.sizes[SEED] < _FEWEST:
            return None
        criteria = self.criteria.model_copy(update={"resamples": _RESAMPLES})
        phase = classify_phases(rest, criteria)["phase"].transpose(LOAD, TEMPERATURE)
        return phase.values if (phase > 0).any() else None


def _leaving(metrics: xr.Dataset, seeds: frozenset[int]) -> xr.Dataset | None:
    """Metrics without some seeds and their pairs; nothing where no one says whose pairs are."""
    gone = list(seeds)
    rest = metrics.sel({SEED: ~np.isin(metrics[SEED], gone)})
    if PAIR not in metrics.dims:
        return rest
    if not {FIRST_SEED, SECOND_SEED} <= set(metrics.coords):
        return None
    ends = np.stack([metrics[end].values for end in (FIRST_SEED, SECOND_SEED)])
    return rest.isel({PAIR: ~np.isin(ends, gone).any(axis=0)})
