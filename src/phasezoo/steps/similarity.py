"""CKA and distance between the seeds of every cell of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.landscape.network import Network
from phasezoo.landscape.similarity import l2_distance, linear_cka
from phasezoo.models.build import build
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Similarity
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task
from phasezoo.training.evaluate import logits_of


def similarity(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Compare all pairs of seeds, as functions on test samples and as vectors."""
    device = prepare(gpus)
    task = read_task(data, device)
    options = job.options_as(Similarity)
    inputs, _ = task.test_sample(options.samples, "similarity")

    def of_cell(network: Network, cell: Cell) -> Row:
        models = cell.models
        logits = [logits_of(network.function(model), inputs) for model in models]
        rows = [
            {
                "cka": linear_cka(logits[a], logits[b]),
                "l2_distance": l2_distance(models[a].parameters, models[b].parameters),
            }
            for a, b in cell.pairs
        ]
        return columns("similarity", rows)

    def measured(architecture: Architecture, cells: Sequence[Cell]) -> list[Row]:
        network = Network(build(architecture, task.shape, task.classes), device)
        return [of_cell(network, cell) for cell in cells]

    measure(job, weights, output, measured)
