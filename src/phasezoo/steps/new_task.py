"""Fine-tuning and a linear probe of every model of a share on a task of other classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.transfer import NewTask
from phasezoo.steps.cells import Cell, Row, measure
from phasezoo.steps.device import prepare
from phasezoo.steps.finite import finite_models, of_finite
from phasezoo.store.dataset import read_task
from phasezoo.transfer.fine_tune import Gain
from phasezoo.transfer.fine_tune import transfer as fine_tune
from phasezoo.transfer.probe import probe


def new_task(
    job: MeasureJob,
    data: Path,
    second: Path,
    weights: Sequence[Path],
    output: Path,
    gpus: int,
) -> None:
    """Compare fine-tuned models with models trained from scratch, and with their bodies alone."""
    device = prepare(gpus)
    onto = read_task(second, device)
    options = job.options_as(NewTask)

    def measured(_: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        architecture = job.architecture_at(cells[0].load)
        told = (architecture, finite_models(cells), task.classes, onto, options, device)
        both = zip(fine_tune(*told), probe(*told), strict=True)
        return of_finite(cells, [_row(*found) for found in both])

    measure(job, read_task(data, device), weights, output, measured)


def _row(tuned: Gain, probed: float) -> dict[str, float]:
    return {
        "new_task_error": tuned.fine_tuned_error,
        "new_task_scratch_error": tuned.scratch_error,
        "new_task_probe_error": probed,
        "new_task_gain": tuned.gain,
        "new_task_probe_gain": tuned.scratch_error - probed,
    }
