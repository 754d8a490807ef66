"""Models that were tuned from one start, as a labelled store that plain xarray reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import zarr

from phasezoo.models.build import build
from phasezoo.models.flat import Weights, buffer_layout, parameter_layout
from phasezoo.spec.region_jobs import TuneJob
from phasezoo.store import schema
from phasezoo.store.consolidated import consolidate
from phasezoo.store.manifest import store_of
from phasezoo.store.publish import Shape, tensor_table
from phasezoo.store.variables import SCHEMA_VERSION
from phasezoo.store.weights import Block, write_block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.vocabulary import EPOCH, SEED, TEMPERATURE, Status


@dataclass(frozen=True)
class Tuned:
    """A tuned model as it is stored.

    Attributes:
        dataset: that it was tuned to.
        seed: of its head and of the order of samples.
        shape: of its inputs and outputs.
        weights: not finite where it diverged.
        status: what became of it.
    """

    dataset: str
    seed: int
    shape: Shape
    weights: Weights
    status: Status


def write_tuned(
    directory: Path, job: TuneJob, models: Sequence[tuple[Weights, Status]], shape: Shape
) -> None:
    """Write the models of a block of seeds: weights, labels, where each tensor lies, and the spec.

    The arrays are those of a zoo's weights, `parameters` and `buffers` (temperature, seed, epoch,
    ...): the temperature is that of the start, the epoch the last one of the tuning.

    Args:
        directory: of the store.
        job: what was tuned.
        models: weights and what became of them, seed by seed.
        shape: of the inputs and outputs of the tuned networks.
    """
    module = build(job.tuned, shape.inputs, shape.classes)
    layouts = (parameter_layout(module), buffer_layout(module))
    epoch, nothing = job.tuning.epochs, torch.empty(0)
    found = [[Checkpoint(epoch, weights, nothing, status)] for weights, status in models]
    write_block(directory, found, layouts, resumable=False)
    labels = {
        TEMPERATURE: np.array([job.start.temperature]),
        SEED: np.array(job.seeds, dtype=np.int32),
        EPOCH: np.array([epoch], dtype=np.int32),
    }
    table = tensor_table(layouts).assign_coords(labels)
    place = job.start.place
    described = schema.described(table, place.load_name, place.temperature_name)
    kept = dict(zarr.open_group(directory, mode="r", zarr_format=3).attrs)
    described.attrs = {**kept, **_attributes(job, shape)}
    numbers = [str(name) for name, v in described.variables.items() if v.dtype.kind in "if"]
    encoding = {name: {"fill_value": -1} for name in numbers}  # a chunk of zeros is one to write
    described.to_zarr(directory, mode="a", zarr_format=3, consolidated=False, encoding=encoding)
    consolidate(directory)


def _attributes(job: TuneJob, shape: Shape) -> dict[str, object]:
    return {
        "Conventions": "CF-1.11",
        "title": f"{job.tuned.name} tuned to {job.dataset} from {job.start.place.zoo}",
        "name": job.regions,
        "architecture": job.tuned.name,
        "dataset": job.dataset,
        "seeds": list(job.seeds),
        "spec": job.model_dump_json(),
        "input_shape": list(shape.inputs),
        "classes": shape.classes,
        "schema": SCHEMA_VERSION,
    }


def read_tuned(manifest: Path) -> list[Tuned]:
    """The models of a block of seeds.

    Raises:
        ManifestError: there is no such store.
    """
    block = Block(store_of(manifest))
    about = dict(block.group.attrs)
    shape = Shape(tuple(about["input_shape"]), int(about["classes"]))
    (epoch,) = block.epochs
    return [
        Tuned(
            dataset=str(about["dataset"]),
            seed=int(seed),
            shape=shape,
            weights=block.weights(position, epoch),
            status=block.status(position, epoch),
        )
        for position, seed in enumerate(about["seeds"])
    ]
