"""One labelled store per zoo: metrics, labels and weights; the weights by hard links."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from phasezoo.models.flat import Layout
from phasezoo.provenance import versions
from phasezoo.spec.zoo import Zoo
from phasezoo.store import schema
from phasezoo.store.links import link
from phasezoo.store.manifest import ManifestError
from phasezoo.store.variables import SCHEMA_VERSION
from phasezoo.store.weights import ARRAYS, create
from phasezoo.vocabulary import EPOCH, HYPERPARAMETERS, LOAD, SEED, TEMPERATURE, Number


@dataclass(frozen=True)
class Piece:
    """The shards of one cell of a job: its block's position and its segment's epochs."""

    load: Number
    temperature: Number
    block: int
    epochs: tuple[int, ...]
    directory: Path


@dataclass(frozen=True)
class Shape:
    """What a reader needs to rebuild modules."""

    inputs: tuple[int, ...]
    classes: int


def write_root(directory: Path, name: str, zoo: Zoo, shape: Shape, references: str) -> None:
    """Write the root group: what the zoo is, and the spec it was made from, as attributes."""
    attributes = {
        "Conventions": "CF-1.11",
        "title": zoo.title,
        "name": name,
        "architecture": zoo.architecture.name,
        "dataset": zoo.dataset,
        "license": zoo.licence,
        "references": "; ".join([*zoo.references, references]),
        "spec": zoo.model_dump_json(),
        "versions": json.dumps(versions(), sort_keys=True),
        "input_shape": list(shape.inputs),
        "classes": shape.classes,
        "schema": SCHEMA_VERSION,
    }
    zarr.open_group(directory, mode="w", zarr_format=3, attributes=attributes)


def write_group(directory: Path, group: str, data: xr.Dataset, zoo: Zoo) -> None:
    """Write joined results, labels, or what is said of the zoo as a whole, as a group."""
    load, temperature = zoo.load.hyperparameter, zoo.temperature.hyperparameter
    out = schema.described(data, load, temperature)
    for axis, name in ((LOAD, load), (TEMPERATURE, temperature)):
        if axis in out.coords:
            out = out.assign_coords({name: (axis, out[axis].values, out[axis].attrs)})
    for label in (c for c in out.coords if out[c].dtype.kind == "U"):
        # a text of fixed length is no type of the Zarr specification, others could not read it
        out = out.assign_coords({label: out[label].astype(object)})
    for variable in out.variables.values():
        variable.encoding = {}
    out.to_zarr(directory, group=group, mode="a", zarr_format=3, consolidated=False)


def write_weights(
    directory: Path, zoo: Zoo, load: Number, layouts: tuple[Layout, Layout], pieces: Sequence[Piece]
) -> None:
    """Write the weights of one load: labels, a table of tensors, and the shards of `pieces`.

    Raises:
        ManifestError: a piece was not written with the shape that the published store has.
    """
    group = f"weights/{zoo.load.meaning.label(load)}"
    table = _labels(zoo, layouts)
    table.to_zarr(directory, group=group, mode="a", zarr_format=3, consolidated=False)
    target = zarr.open_group(directory / group, mode="a", zarr_format=3)
    axes = (len(zoo.temperature.all_values), len(zoo.all_seeds), len(zoo.training.saved_epochs))
    for name, layout in zip(ARRAYS, layouts, strict=True):
        if layout.size:
            create(target, name, (*axes, layout.size), len(zoo.seeds[0])).attrs["long_name"] = name
            for piece in pieces:
                _link(directory / group / name, piece, name, zoo)


def _labels(zoo: Zoo, layouts: tuple[Layout, Layout]) -> xr.Dataset:
    """Coordinates of the weights, and where each tensor of either array lies."""
    heat = HYPERPARAMETERS[zoo.temperature.hyperparameter]
    coords: dict[str, object] = {
        TEMPERATURE: np.array(zoo.temperature.all_values),
        heat.name: (TEMPERATURE, np.array(zoo.temperature.all_values)),
        SEED: np.array(zoo.all_seeds, dtype=np.int32),
        EPOCH: np.array(zoo.training.saved_epochs, dtype=np.int32),
    }
    table = xr.Dataset(coords=coords)
    for array, layout in zip(("tensor", "buffer_tensor"), layouts, strict=True):
        if layout.slots:
            axes = max(len(slot.shape) for slot in layout.slots)
            shapes = [[*slot.shape, *[-1] * (axes - len(slot.shape))] for slot in layout.slots]
            table[array] = (array, np.array([slot.name for slot in layout.slots], dtype=object))
            table[f"{array}_offset"] = (array, np.array([slot.offset for slot in layout.slots]))
            table[f"{array}_shape"] = ((array, f"{array}_axis"), np.array(shapes, dtype=np.int64))
            table[f"{array}_shape"].attrs["comment"] = "-1 fills up the axes a tensor has not"
    return schema.described(table, zoo.load.hyperparameter, zoo.temperature.hyperparameter)


def _link(array: Path, piece: Piece, name: str, zoo: Zoo) -> None:
    """Hard-link the shards of a piece into their places; copy where links are impossible.

    A shard that was never written holds only NaN, which is what its absence means.
    """
    _same_codecs(array, piece.directory / name)
    temperature = zoo.temperature.all_values.index(piece.temperature)
    for position, epoch in enumerate(piece.epochs):
        source = piece.directory / name / "c" / "0" / "0" / str(position) / "0"
        index = (temperature, piece.block, zoo.training.saved_epochs.index(epoch), 0)
        target = array.joinpath("c", *map(str, index))
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            link(source, target)


def _same_codecs(target: Path, source: Path) -> None:
    """A linked shard is read with the codecs of the array it is linked into."""
    wanted, found = (json.loads((p / "zarr.json").read_text("utf-8")) for p in (target, source))
    for key in ("data_type", "chunk_grid", "codecs", "fill_value"):
        if wanted[key] != found[key]:
            raise ManifestError(
                f"{source}: got {key} {found[key]}, allowed is {wanted[key]}; train it again"
            )
