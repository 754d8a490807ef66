"""How alike the seeds of every cell of a share are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.landscape.similarity import compare
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Similarity
from phasezoo.steps.cells import Cell, Row, measure
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task


def similarity(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Compare all pairs of seeds, as functions on test samples and as vectors."""
    options = job.options_as(Similarity)
    whole = read_task(data, prepare(gpus))
    sample = whole.sample("test", options.samples, "similarity")

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        inputs, _ = task.take(sample)
        found = (compare(network, cell.models, cell.pairs, inputs, options) for cell in cells)
        return [{name: list(values) for name, values in vars(one).items()} for one in found]

    axes = {"layer": np.array(options.layers, dtype=object)}
    measure(job, whole, weights, output, measured, axes, [sample])
