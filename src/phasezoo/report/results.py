"""What a report is made of: the results of one zoo, at the epoch that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from phasezoo.report.labelling import Coverage, Labelling
from phasezoo.report.words import JUDGED, Judged
from phasezoo.spec.architecture import TAKES
from phasezoo.store.variables import VARIABLES
from phasezoo.vocabulary import EPOCH, LOAD, TEMPERATURE, Phase


@dataclass(frozen=True)
class ZooResults:
    """All results of one zoo.

    Attributes:
        name: the zoo's name in paths.
        title: the zoo's name in words.
        metrics: over load, temperature, seed or pair, and epoch.
        merging: the same, and over blocks of seeds; None if the zoo has no merging.
        transfer: over load, temperature, seed, epoch; None if the zoo has no transfer.
        phases: `phase` and its reasons over load, temperature, epoch.
        labelling: what the labels rest on, and how far they can be trusted.
        manifest: the published store's manifest: schema, tree, spec.
        provenance: started, seconds, versions, machine.
        learning: predictions from weights and their scores; None if the zoo has none.
        explained: what phases explain of its results; None if the zoo has none.
    """

    name: str
    title: str
    metrics: xr.Dataset
    merging: xr.Dataset | None
    transfer: xr.Dataset | None
    phases: xr.Dataset
    labelling: Labelling
    manifest: dict[str, Any]
    provenance: dict[str, Any]
    learning: xr.Dataset | None = None
    explained: xr.Dataset | None = None

    @property
    def epoch(self) -> int:
        """The last epoch at which any cell has a label; the last one where none has."""
        phase = self.phases["phase"]
        labelled = (phase != Phase.MISSING).any([LOAD, TEMPERATURE]).values
        epochs = phase[EPOCH].values
        return int(max(epochs[labelled] if labelled.any() else epochs))

    @property
    def phase(self) -> xr.DataArray:
        """Phase over (load, temperature) at `epoch`."""
        return self.labels["phase"]

    @property
    def labels(self) -> xr.Dataset:
        """`phase`, its confidence and its reasons over (load, temperature) at `epoch`."""
        return self.phases.sel({EPOCH: self.epoch})

    @property
    def uncertain(self) -> xr.DataArray:
        """Cells with a label whose confidence does not reach that of the criteria."""
        certain = self.labels["confidence"] >= self.labelling.criteria.confidence
        return (self.phase != Phase.MISSING) & ~certain

    @property
    def coverage(self) -> Coverage:
        """What there is of every phase at `epoch`."""
        return self.labelling.epochs[self.epoch]

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds that were used."""
        return {name: chosen.value for name, chosen in self.labelling.thresholds.items()}

    @property
    def spec(self) -> dict[str, Any]:
        """The zoo's spec, as nested mappings."""
        spec: dict[str, Any] = self.manifest["spec"]["zoo"]
        return spec

    @property
    def judged(self) -> Judged:
        """What its losses and errors are."""
        return JUDGED[TAKES[self.spec["architecture"]["name"]]]

    @property
    def groups(self) -> list[str]:
        """The groups of results that there are."""
        groups = ("metrics", "merging", "transfer")
        return [group for group in groups if getattr(self, group) is not None]

    def epoch_of(self, group: str) -> int:
        """The epoch shown of a group: `epoch` where measured, else the group's last."""
        data: xr.Dataset = getattr(self, group)
        epochs = data[EPOCH].values if EPOCH in data.coords else np.array([self.epoch])
        return self.epoch if self.epoch in epochs or not epochs.size else int(max(epochs))

    def at_epoch(self, group: str) -> xr.Dataset:
        """A group (metrics, merging, transfer) at `epoch_of` it, without the epoch axis.

        A declared variable that was never written is there all the same, missing everywhere.
        """
        if group not in self._at_epoch:
            self._at_epoch[group] = self._selected(group)
        return self._at_epoch[group]

    @cached_property
    def _at_epoch(self) -> dict[str, xr.Dataset]:
        """Groups that were asked for: every figure and table asks again."""
        return {}

    def _selected(self, group: str) -> xr.Dataset:
        data: xr.Dataset = getattr(self, group)
        if EPOCH in data.dims:
            data = data.reindex({EPOCH: [self.epoch_of(group)]}).isel({EPOCH: 0}, drop=True)
        nothing = xr.full_like(self.phase.drop_vars(EPOCH), np.nan, dtype="float32")
        declared = [v.name for v in VARIABLES.values() if v.group == group]
        return data.assign({name: nothing for name in declared if name not in data})
