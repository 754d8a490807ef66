"""Publishing a zoo as one labelled store."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from phasezoo import paths
from phasezoo.models.build import build
from phasezoo.models.flat import buffer_layout, parameter_layout
from phasezoo.provenance import code_digest
from phasezoo.spec.jobs import PublishJob, at_load
from phasezoo.steps.device import prepare
from phasezoo.store import measurements
from phasezoo.store.consolidated import consolidate
from phasezoo.store.dataset import read_references, read_task
from phasezoo.store.manifest import read_manifest, store_of, writing
from phasezoo.store.publish import (
    Piece,
    Shape,
    write_group,
    write_root,
    write_weights,
)
from phasezoo.vocabulary import Number
from phasezoo.weights_plan import zoo_weights


def publish(job: PublishJob, data: Path, root: Path, output: Path) -> None:
    """Write `zoos/NAME.zarr` from the results of its groups and linked weights.

    Args:
        job: the zoo and its groups.
        data: manifest of the data set.
        root: of the study, where results and weights lie.
        output: manifest of the zoo.
    """
    task = read_task(data, prepare(0))
    manifests = (root / path for path in zoo_weights(job.zoo, job.name))
    pieces = [piece for manifest in manifests for piece in _pieces(job, manifest)]
    shape = Shape(task.shape, task.classes)
    with writing(output, job.model_dump(mode="json"), code=code_digest("publish")) as directory:
        write_root(directory, job.name, job.zoo, shape, read_references(data))
        for group in job.groups:
            path = root / paths.RESULT.format(zoo=job.name, group=group)
            write_group(directory, group, measurements.read(path), job.zoo)
        for load in job.zoo.load.all_values:
            module = build(at_load(job.zoo, load), task.shape, task.classes)
            layouts = (parameter_layout(module), buffer_layout(module))
            of_load = [piece for piece in pieces if piece.load == load]
            write_weights(directory, job.zoo, load, layouts, of_load)
        consolidate(directory)


def _pieces(job: PublishJob, manifest: Path) -> list[Piece]:
    """What a job made, as its manifest says; all else in there may be of another version."""
    made = read_manifest(manifest)["spec"]
    one = "place" in made  # a cell, or a share of them
    place = made["place"] if one else made
    cells = [(place["load"], made["temperature"])] if one else _cells(made)
    load, heat = job.zoo.load.meaning.label, job.zoo.temperature.meaning.label
    return [
        Piece(
            load=width,
            temperature=temperature,
            block=job.zoo.seeds.index(tuple(place["seeds"])),
            epochs=tuple(made["epochs"]),
            directory=paths.inside(store_of(manifest), load(width), heat(temperature)),
        )
        for width, temperature in cells
    ]


def _cells(made: Mapping[str, Any]) -> list[tuple[Number, Number]]:
    return list(product(made["loads"], made["temperatures"]))
