"""What the values of the weights of every model of a share are like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.landscape.weight_statistics import STATISTICS, weight_statistics
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Cell, Row, Value, measure, network_at, of_models
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task


def statistics(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Measure moments, quartiles and norms of every trained tensor."""
    task = read_task(data, prepare(gpus))

    def measured(network: Network, _: Task, cells: Sequence[Cell]) -> list[Row]:
        models = [model for cell in cells for model in cell.models]
        tensors = (network.parameters.unflatten(model.parameters).values() for model in models)
        rows: list[dict[str, Value]] = [
            {"weight_statistics": weight_statistics(t)} for t in tensors
        ]
        return of_models(job, cells, rows)

    slots = network_at(job, task, job.loads[0]).parameters.slots
    names = np.array([slot.name for slot in slots], dtype=object)
    axes = {"tensor": names, "statistic": np.array(STATISTICS, dtype=object)}
    measure(job, task, weights, output, measured, axes)
