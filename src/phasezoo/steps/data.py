"""The labelled store of a data set."""

from __future__ import annotations

from pathlib import Path

from phasezoo.data.labelled import labelled
from phasezoo.provenance import code_digest
from phasezoo.spec.jobs import DataJob
from phasezoo.store.dataset import write_dataset
from phasezoo.store.manifest import writing


def data(job: DataJob, output: Path) -> None:
    """Make a data set and write it beside its manifest `output`."""
    with writing(output, job.model_dump(mode="json"), code=code_digest("data")) as directory:
        write_dataset(directory, labelled(job.spec))
