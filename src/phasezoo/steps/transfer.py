"""Fine-tuning of every model of a share on a second task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Transfer
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task
from phasezoo.transfer.fine_tune import Gain
from phasezoo.transfer.fine_tune import transfer as fine_tune

_NONE = Gain(float("nan"), float("nan"))


def transfer(
    job: MeasureJob,
    data: Path,
    second: Path,
    weights: Sequence[Path],
    output: Path,
    gpus: int,
) -> None:
    """Compare fine-tuned models with models trained from scratch."""
    device = prepare(gpus)
    onto = read_task(second, device)
    options = job.options_as(Transfer)

    def measured(_: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        models = [
            (model, cell.names(seed))
            for cell in cells
            for seed, model in zip(job.seeds, cell.models, strict=True)
            if model.finite
        ]
        architecture = job.architecture_at(cells[0].load)
        gains = iter(fine_tune(architecture, models, task.classes, onto, options, device))
        return [_columns(cell, gains) for cell in cells]

    measure(job, read_task(data, device), weights, output, measured)


def _columns(cell: Cell, gains: Iterator[Gain]) -> Row:
    """What the models of a cell gained; those that diverged took no part."""
    found = [next(gains) if model.finite else _NONE for model in cell.models]
    rows = [
        {
            "fine_tuned_error": gain.fine_tuned_error,
            "scratch_error": gain.scratch_error,
            "transfer_gain": gain.gain,
        }
        for gain in found
    ]
    return columns("transfer", rows)
