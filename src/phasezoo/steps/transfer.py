"""Fine-tuning of every model of a share on a second task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.spec.architecture import Architecture
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
    first_classes = read_task(data, device).classes
    task = read_task(second, device)
    options = job.options_as(Transfer)

    def of_cell(architecture: Architecture, cell: Cell) -> Row:
        rows = []
        for seed, model in zip(job.seeds, cell.models, strict=True):
            row = dict.fromkeys(("fine_tuned_error", "scratch_error", "transfer_gain"), NOTHING)
            if model.finite:
                names = cell.names(seed)
                gain = fine_tune(architecture, model, first_classes, task, options, names, device)
                row |= {
                    "fine_tuned_error": gain.fine_tuned_error,
                    "scratch_error": gain.scratch_error,
                    "transfer_gain": gain.gain,
                }
            rows.append(row)
        return columns("transfer", rows)

    def measured(architecture: Architecture, cells: Sequence[Cell]) -> list[Row]:
        return [of_cell(architecture, cell) for cell in cells]

    measure(job, weights, output, measured)
