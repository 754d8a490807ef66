"""Open a published zoo and take models out of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import xarray as xr
from torch import nn

from phasezoo import spec
from phasezoo.models.flat import Weights
from phasezoo.store.address import ZooError, open_nodes
from phasezoo.store.checkpoints import Reading, Stored, find
from phasezoo.store.rebuild import blank, filled, stored_spec, validated
from phasezoo.vocabulary import EPOCH, LOAD, SEED, TEMPERATURE, Number

__all__ = ["GROUPS", "Zoo", "ZooError", "load_model", "open_zoo"]

GROUPS = ("metrics", "phases", "merging", "transfer", "learning", "explained")

V = TypeVar("V")


@dataclass(frozen=True)
class Zoo:
    """A published zoo, read lazily: only what is asked for, and that once.

    Axes can be named by what they are or by the hyperparameter that realises them:
    ``zoo.metrics.sel(load=16)`` and ``zoo.metrics.sel(width=16)`` are the same. A zoo outlives
    the code that wrote it: of its spec, `load_model` needs the architecture, and nothing else
    needs any of it.
    """

    path: str
    nodes: xr.DataTree = field(repr=False)  # the store without indexes; making one reads an axis

    @cached_property
    def tree(self) -> xr.DataTree:
        """The whole store as plain xarray sees it."""
        return self.nodes.map_over_datasets(_indexed)

    @property
    def spec(self) -> spec.Zoo:
        """The spec the zoo was made from.

        Raises:
            ZooError: it is of another version of this package.
        """
        given = stored_spec(self.path, self.nodes.attrs)
        return validated(spec.Zoo.model_validate, given, f"{self.path}: spec")

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

    @property
    def learning(self) -> xr.Dataset:
        """What is told from the weights, and how good that is."""
        return self["learning"]

    @property
    def explained(self) -> xr.Dataset:
        """What phases explain of the variance between cells, per quantity."""
        return self["explained"]

    def __getitem__(self, group: str) -> xr.Dataset:
        """One group as a Dataset, indexed by axes and by hyperparameters."""
        if group not in self.nodes.children:
            known = ", ".join(self.nodes.children)
            raise ZooError(f"{self.path}: got group '{group}', allowed are {known}")
        data = _indexed(self.nodes[group].to_dataset())
        for name in self._hyperparameters.values():
            if name in data.coords and name not in data.xindexes and data[name].ndim == 1:
                data = data.set_xindex(name)
        return data

    def sel(self, **labels: object) -> Zoo:
        """The zoo cut down by labels of axes or hyperparameters, in all groups but the weights.

        Groups differ in their epochs; one that has nothing at the labels is left out, and so is
        one that has none of the axes.

        Raises:
            ZooError: an axis is unknown or named twice, or no group has the labels.
        """
        axes, parts = self._axes(labels), {}
        groups = {g: self.nodes[g].to_dataset() for g in GROUPS if g in self.nodes.children}
        known = sorted({str(dim) for data in groups.values() for dim in data.dims})
        if unknown := [name for name in axes if name not in known]:
            raise ZooError(f"{self.path}: no axis {unknown}; allowed are {known}")
        for group, data in groups.items():
            if axes and not axes.keys() & data.dims:
                continue  # of the zoo as a whole, which the cut is not
            with suppress(KeyError):
                parts[group] = _indexed(data).sel({k: v for k, v in axes.items() if k in data.dims})
        if not parts:
            raise ZooError(f"{self.path}: got {labels}, allowed are labels of {known}")
        nodes = xr.DataTree.from_dict({**parts, "weights": self.nodes["weights"]})
        nodes.attrs = self.nodes.attrs
        return replace(self, nodes=nodes)

    @cached_property
    def _hyperparameters(self) -> dict[str, str]:
        """The hyperparameter that realises each axis, as the coordinates say."""
        found = {}
        for group in (self.nodes[g] for g in GROUPS if g in self.nodes.children):
            for axis in (LOAD, TEMPERATURE):
                if axis in group.coords and "hyperparameter" in group.coords[axis].attrs:
                    found[axis] = str(group.coords[axis].attrs["hyperparameter"])
        return found

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
        return self.stored(seed, epoch, **cell).weights()

    def reading(self, seed: int, epoch: int, **cell: Number) -> Reading:
        """The parameters of one model by name, each read from the store when it is asked for.

        ``merging.weight_matching.match`` takes them, so models may be larger than memory.

        Args:
            seed: of the model.
            epoch: one of the saved checkpoints.
            cell: load and temperature, by either name.

        Raises:
            ZooError: a label is missing, unknown or ambiguous.
        """
        return self.stored(seed, epoch, **cell).reading()

    def stored(self, seed: int, epoch: int, **cell: Number) -> Stored:
        """Where a checkpoint lies, of which nothing but labels is read yet; as for `weights`."""
        labels = self._axes(cell) | {SEED: seed, EPOCH: epoch}
        return find(self.path, self.nodes.children["weights"], self._hyperparameters, labels)

    def blank(self, load: Number) -> nn.Module:
        """The module of a load; its weights are not to be used as they are.

        Raises:
            ZooError: the load or the architecture is not known.
        """
        if LOAD not in self._hyperparameters:
            raise ZooError(f"{self.path}: no coordinate load says which hyperparameter realises it")
        return blank(self.path, self.nodes.attrs, {self._hyperparameters[LOAD]: load})


def open_zoo(path: str | Path) -> Zoo:
    """Open a published zoo.

    Args:
        path: of a `zoos/NAME.zarr`, or its address: ``https://host/zoos/NAME.zarr``, or any other
            that fsspec has the package for. The server needs byte ranges to give models.

    Raises:
        ZooError: there is no zoo, or it cannot be read.
    """
    nodes = open_nodes(path)
    if "weights" not in nodes.children:  # a stored data set, for one
        raise ZooError(f"{path}: a Zarr store, but no zoo: it has no group `weights`")
    return Zoo(str(path), nodes)


def load_model(zoo: Zoo | str | Path, seed: int, epoch: int, **cell: Number) -> nn.Module:
    """A model of a zoo as a ready module, in evaluation mode.

    ``load_model(zoo, width=16, batch_size=32, seed=0, epoch=60)``. Its outputs equal those of the
    trained model exactly; inputs are normalised as `data/NAME.zarr` says.

    Raises:
        ZooError: there is no such zoo or model, or its architecture is of another version.
    """
    opened = zoo if isinstance(zoo, Zoo) else open_zoo(zoo)
    stored = opened.stored(seed, epoch, **cell)
    return filled(opened.path, opened.blank(stored.load), stored.tensors())


def _indexed(data: xr.Dataset) -> xr.Dataset:
    """The Dataset with an index on every axis that has labels."""
    for axis in map(str, data.dims):
        if axis in data.coords and axis not in data.xindexes:
            data = data.set_xindex(axis)
    return data
