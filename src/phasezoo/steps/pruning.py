"""Every model of a share without its smallest weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.downstream import Pruning
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Axes, Cell, Row, Value, measure
from phasezoo.steps.device import prepare
from phasezoo.steps.finite import finite_models, of_finite
from phasezoo.store.dataset import read_task
from phasezoo.transfer.pruning import Pruned
from phasezoo.transfer.pruning import pruning as prune


def pruning(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Measure errors after pruning, as they are and after training further."""
    options = job.options_as(Pruning)
    axes: Axes = {
        "scope": np.array(options.scopes, dtype=object),
        "sparsity": np.array(options.sparsities),
    }

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        rows = [_row(found) for found in prune(network, finite_models(cells), task, options)]
        return of_finite(cells, rows, axes)

    measure(job, read_task(data, prepare(gpus)), weights, output, measured, axes)


def _row(found: Pruned) -> dict[str, Value]:
    return {
        "unpruned_error": found.whole,
        "unpruned_retrained_error": found.retrained_whole,
        "pruned_error": found.pruned,
        "retrained_error": found.retrained,
        "pruning_gain": found.gain,
        "pruning_retrained_gain": found.retrained_gain,
    }
