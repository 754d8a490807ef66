"""Open a published zoo and take models out of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import xarray as xr
from torch import nn

from phasezoo import spec
from phasezoo.models.build import build
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.jobs import at_load
from phasezoo.vocabulary import LOAD, TEMPERATURE, Number, PhasezooError

GROUPS = ("metrics", "phases", "merging", "transfer")

V = TypeVar("V")


class ZooError(PhasezooError):
    """A zoo cannot be opened, or has no such model."""


@dataclass(frozen=True)
class Zoo:
    """A published zoo, read lazily; `tree` is the whole store as plain xarray sees it.

    Axes can be named by what they are or by the hyperparameter that realises them:
    ``zoo.metrics.sel(load=16)`` and ``zoo.metrics.sel(width=16)`` are the same.
    """

    path: str
    tree: xr.DataTree

    @property
    def spec(self) -> spec.Zoo:
        """The spec the zoo was made from."""
        return spec.Zoo.model_validate_json(self.tree.attrs["spec"])

    @property
    def metrics(self) -> xr.Dataset:
        """Everything measured: (load, temperature, seed, epoch) and (..., pair, epoch)."""
        return self["metrics"]

    @property
    def phases(self) -> xr.Dataset:
        """Phase of each cell: (load, temperature, epoch)."""
        return self["phases"]

    @property
    def merging(self) -> xr.Dataset:
        """Merging results per pair and per model."""
        return self["merging"]

    @property
    def transfer(self) -> xr.Dataset:
        """Transfer results per model."""
        return self["transfer"]

    def __getitem__(self, group: str) -> xr.Dataset:
        """One group as a Dataset, indexed by axes and by hyperparameters."""
        if group not in self.tree.children:
            known = ", ".join(self.tree.children)
            raise ZooError(f"{self.path}: got group '{group}', allowed are {known}")
        data = self.tree[group].to_dataset()
        for name in self._hyperparameters.values():
            if name in data.coords and name not in data.xindexes and data[name].ndim == 1:
                data = data.set_xindex(name)
        return data

    def sel(self, **labels: object) -> Zoo:
        """The zoo cut down by labels of axes or hyperparameters, in all groups but the weights.

        Groups differ in their epochs; one that has nothing at the labels is left out.

        Raises:
            ZooError: an axis is unknown or named twice, or no group has the labels.
        """
        axes, parts = self._axes(labels), {}
        groups = {g: self.tree[g].to_dataset() for g in GROUPS if g in self.tree.children}
        known = sorted({str(dim) for data in groups.values() for dim in data.dims})
        if unknown := [name for name in axes if name not in known]:
            raise ZooError(f"{self.path}: no axis {unknown}; allowed are {known}")
        for group, data in groups.items():
            with suppress(KeyError):
                parts[group] = data.sel({k: v for k, v in axes.items() if k in data.dims})
        if not parts:
            raise ZooError(f"{self.path}: got {labels}, allowed are labels of {known}")
        tree = xr.DataTree.from_dict({**parts, "weights": self.tree["weights"]})
        tree.attrs = self.tree.attrs
        return replace(self, tree=tree)

    @property
    def _hyperparameters(self) -> dict[str, str]:
        made = self.spec
        return {LOAD: made.load.hyperparameter, TEMPERATURE: made.temperature.hyperparameter}

    def axis(self, name: str) -> str:
        """The axis that a name stands for: ``width`` is ``load``."""
        return {v: k for k, v in self._hyperparameters.items()}.get(name, name)

    def _axes(self, labels: Mapping[str, V]) -> dict[str, V]:
        """Labels by axis, whichever name they came under."""
        axes = {self.axis(name): value for name, value in labels.items()}
        if len(axes) < len(labels):
            raise ZooError(f"{self.path}: got {', '.join(labels)}, allowed is one name per axis")
        return axes

    def weights(self, seed: int, epoch: int, **cell: Number) -> Weights:
        """The weights of one model, read from its shard alone.

        Args:
            seed: of the model.
            epoch: one of the saved checkpoints.
            cell: load and temperature, by either name.

        Raises:
            ZooError: a label is missing, unknown or ambiguous, or the model diverged.
        """
        labels = self._axes(cell)
        made = self.spec
        choices = {
            LOAD: made.load.all_values,
            TEMPERATURE: made.temperature.all_values,
            "seed": made.all_seeds,
            "epoch": made.training.saved_epochs,
        }
        labels |= {"seed": seed, "epoch": epoch}
        for axis, allowed in choices.items():
            name = self._hyperparameters.get(axis, axis)
            if axis not in labels:
                raise ZooError(f"{self.path}: {name} is missing; allowed are {_listed(allowed)}")
            if labels[axis] not in allowed:
                raise ZooError(
                    f"{self.path}: {name}: got {labels[axis]}, allowed are {_listed(allowed)}"
                )
        if unknown := set(labels) - set(choices):
            raise ZooError(f"{self.path}: no axis {sorted(unknown)}; allowed are {list(choices)}")
        group = self.tree[f"weights/{made.load.meaning.label(labels.pop(LOAD))}"]
        found = [
            torch.from_numpy(np.array(group[name].sel(labels).values)).float()
            if name in group
            else torch.empty(0)
            for name in ("parameters", "buffers")
        ]
        weights = Weights(*found)
        if not weights.finite:
            raise ZooError(f"{self.path}: no finite weights at {labels}; see `status` in /metrics")
        return weights


def open_zoo(path: str | Path) -> Zoo:
    """Open a published zoo.

    Args:
        path: of a `zoos/NAME.zarr`.

    Raises:
        ZooError: there is no zoo.
    """
    try:
        tree = xr.open_datatree(path, engine="zarr", chunks=None)
    except (FileNotFoundError, ValueError, KeyError) as problem:
        raise ZooError(f"{path}: not a zoo ({problem}); allowed is a zoos/NAME.zarr") from None
    if "weights" not in tree.children:  # a stored data set, for one
        raise ZooError(f"{path}: a Zarr store, but no zoo: it has no group `weights`")
    return Zoo(str(path), tree)


def load_model(zoo: Zoo | str | Path, seed: int, epoch: int, **cell: Number) -> nn.Module:
    """A model of a zoo as a ready module, in evaluation mode.

    ``load_model(zoo, width=16, batch_size=32, seed=0, epoch=60)``. Its outputs equal those of the
    trained model exactly; inputs are normalised as `data/NAME.zarr` says.

    Raises:
        ZooError: there is no such zoo or model.
    """
    opened = zoo if isinstance(zoo, Zoo) else open_zoo(zoo)
    weights = opened.weights(seed, epoch, **cell)
    made = opened.spec
    load = {opened.axis(name): value for name, value in cell.items()}[LOAD]
    architecture = at_load(made, load)
    attrs = opened.tree.attrs
    module = build(architecture, tuple(attrs["input_shape"]), int(attrs["classes"]))
    return load_weights(module, weights)


def _listed(values: tuple[Number, ...]) -> str:
    return ", ".join(map(str, values))
