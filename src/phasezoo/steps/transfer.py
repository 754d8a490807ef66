"""Fine-tuning of every model of a share on a second task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Transfer
from phasezoo.steps.cells import Cell, Row, measure
from phasezoo.steps.device import prepare
from phasezoo.steps.finite import finite_models, of_finite
from phasezoo.store.dataset import read_task
from phasezoo.transfer.fine_tune import Gain
from phasezoo.transfer.fine_tune import transfer as fine_tune


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
        architecture = job.architecture_at(cells[0].load)
        models = finite_models(cells)
        gains = fine_tune(architecture, models, task.classes, onto, options, device)
        return of_finite(cells, [_row(gain) for gain in gains])

    measure(job, read_task(data, device), weights, output, measured)


def _row(tuned: Gain) -> dict[str, float]:
    return {
        "fine_tuned_error": tuned.fine_tuned_error,
        "scratch_error": tuned.scratch_error,
        "transfer_gain": tuned.gain,
    }
