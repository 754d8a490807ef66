"""Fine-tuning of every model of a share on a second task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Transfer
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task
from phasezoo.transfer.fine_tune import transfer as fine_tune

NOTHING = float("nan")


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

    def of_cell(classes: int, cell: Cell) -> Row:
        architecture = job.architecture_at(cell.load)
        rows = []
        for seed, model in zip(job.seeds, cell.models, strict=True):
            row = dict.fromkeys(("fine_tuned_error", "scratch_error", "transfer_gain"), NOTHING)
            if model.finite:
                names = cell.names(seed)
                gain = fine_tune(architecture, model, classes, onto, options, names, device)
                row |= {
                    "fine_tuned_error": gain.fine_tuned_error,
                    "scratch_error": gain.scratch_error,
                    "transfer_gain": gain.gain,
                }
            rows.append(row)
        return columns("transfer", rows)

    def measured(_: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        return [of_cell(task.classes, cell) for cell in cells]

    measure(job, read_task(data, device), weights, output, measured)
