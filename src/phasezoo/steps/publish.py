"""Publishing a zoo as one labelled store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.models.build import build
from phasezoo.models.flat import buffer_layout, parameter_layout
from phasezoo.provenance import code_digest
from phasezoo.spec.jobs import PublishJob, TrainJob, at_load
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


def publish(
    job: PublishJob, data: Path, weights: Sequence[Path], results: Sequence[Path], output: Path
) -> None:
    """Write `zoos/NAME.zarr` from results (each named after its group) and linked weights."""
    task = read_task(data, prepare(0))
    pieces = [_piece(job, path) for path in weights]
    shape = Shape(task.shape, task.classes)
    with writing(output, job.model_dump(mode="json"), code=code_digest("publish")) as directory:
        write_root(directory, job.name, job.zoo, shape, read_references(data))
        for path in results:
            write_group(directory, path.stem, measurements.read(path), job.zoo)
        for load in job.zoo.load.all_values:
            module = build(at_load(job.zoo, load), task.shape, task.classes)
            layouts = (parameter_layout(module), buffer_layout(module))
            of_load = [piece for piece in pieces if piece.load == load]
            write_weights(directory, job.zoo, load, layouts, of_load)
        consolidate(directory)


def _piece(job: PublishJob, manifest: Path) -> Piece:
    """What a training job made, as its manifest says."""
    trained = TrainJob.model_validate(read_manifest(manifest)["spec"])
    return Piece(
        load=trained.place.load,
        temperature=trained.temperature,
        block=job.zoo.seeds.index(trained.place.seeds),
        epochs=trained.epochs,
        directory=store_of(manifest),
    )
