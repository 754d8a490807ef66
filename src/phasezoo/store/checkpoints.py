"""Checkpoints of a published zoo: found by their labels, read from one chunk, named by its table.

All that is known of them comes from the store: its groups, their coordinates, its tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from phasezoo.models.flat import Layout, Slot, Weights
from phasezoo.store.address import ZooError
from phasezoo.store.weights import ARRAYS
from phasezoo.vocabulary import EPOCH, LOAD, SEED, TEMPERATURE, Number

TABLES = dict(zip(ARRAYS, ("tensor", "buffer_tensor"), strict=True))


@dataclass(frozen=True)
class Stored:
    """One checkpoint in the group of its load; `at` is its position along the other axes."""

    path: str
    group: xr.Dataset
    load: Number
    at: Mapping[str, int]

    def weights(self) -> Weights:
        """Its weights, read from its chunk alone.

        Raises:
            ZooError: it was never trained, or diverged.
        """
        weights = Weights(*map(self._vector, ARRAYS))
        if not weights.finite:
            others = {axis: self.group[axis].values[i].item() for axis, i in self.at.items()}
            labels = {LOAD: self.load, **others}
            raise ZooError(f"{self.path}: no finite weights at {labels}; see `status` in /metrics")
        return weights

    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name, in float32, from where the tables of the store say they lie.

        Raises:
            ZooError: it was never trained, or diverged.
        """
        weights = self.weights()
        vectors = zip(TABLES.values(), (weights.parameters, weights.buffers), strict=True)
        return {
            slot.name: vector[slot.offset : slot.offset + slot.size].view(slot.shape)
            for table, vector in vectors
            for slot in self._slots(table)
        }

    @property
    def layouts(self) -> tuple[Layout, Layout]:
        """Where each tensor lies in the parameters and in the buffers, as the tables say."""
        ordered = (sorted(self._slots(t), key=lambda slot: slot.offset) for t in TABLES.values())
        parameters, buffers = (Layout(tuple(slots)) for slots in ordered)
        return parameters, buffers

    def reading(self) -> Reading:
        """Its parameters by name, each read when it is asked for."""
        return Reading(self, {slot.name: slot for slot in self._slots(TABLES["parameters"])})

    def read(self, slot: Slot) -> Tensor:
        """One tensor of the parameters, in float32."""
        part = slice(slot.offset, slot.offset + slot.size)
        at = {**self.at, "parameter": part}
        values = self.group["parameters"].variable.isel(at).values
        return torch.from_numpy(np.array(values)).float().view(slot.shape)

    def _vector(self, array: str) -> Tensor:
        if array not in self.group:
            return torch.empty(0)
        values = self.group[array].variable.isel(self.at).values
        return torch.from_numpy(np.array(values)).float()

    def _slots(self, table: str) -> Iterator[Slot]:
        if table in self.group.variables:
            columns = (
                self.group[f"{table}{column}"].values for column in ("", "_offset", "_shape")
            )
            for name, offset, shape in zip(*columns, strict=True):
                yield Slot(str(name), int(offset), tuple(int(n) for n in shape if n >= 0))


class Reading(Mapping[str, Tensor]):
    """The parameters of a stored model, none of which is kept: for models larger than memory.

    What is unpacked at a time is the chunk that a tensor lies in: all of a model up to 2 GiB.
    """

    def __init__(self, stored: Stored, slots: Mapping[str, Slot]) -> None:
        self._stored, self._slots = stored, slots

    def __getitem__(self, name: str) -> Tensor:
        """One tensor, read anew."""
        return self._stored.read(self._slots[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)


def find(
    path: str, weights: xr.DataTree, names: Mapping[str, str], labels: Mapping[str, Number]
) -> Stored:
    """The checkpoint at `labels`, one for each of load, temperature, seed and epoch.

    Args:
        path: of the zoo, to name it in errors.
        weights: the group with one child per load.
        names: hyperparameters by axis, to name them in errors.
        labels: by axis.

    Raises:
        ZooError: a label is missing or unknown.
    """

    def position(axis: str, allowed: Sequence[Number]) -> int:
        name, listed = names.get(axis, axis), ", ".join(map(str, allowed))
        if axis not in labels:
            raise ZooError(f"{path}: {name} is missing; allowed are {listed}")
        if labels[axis] not in allowed:
            raise ZooError(f"{path}: {name}: got {labels[axis]}, allowed are {listed}")
        return allowed.index(labels[axis])

    loads = {_number(label): label for label in weights.children}
    load = sorted(loads)[position(LOAD, sorted(loads))]
    group = weights[loads[load]].to_dataset()
    axes = (TEMPERATURE, SEED, EPOCH)
    at = {axis: position(axis, group[axis].values.tolist()) for axis in axes}
    if unknown := sorted(set(labels) - {LOAD, *axes}):
        raise ZooError(f"{path}: no axis {unknown}; allowed are {[LOAD, *axes]}")
    return Stored(path, group, load, at)


def _number(label: str) -> Number:
    """The load that the name of a group stands for: ``16``, ``0.001``."""
    return int(label) if label.isdecimal() else float(label)
