"""Local learning coefficient of every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.learning_coefficient import LearningCoefficient
from phasezoo.landscape.learning_coefficient import learning_coefficient as coefficient_of
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.numbers import LocalLearning
from phasezoo.steps.cells import Cell, Row, Value, generators, measure, of_models
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task


def learning_coefficient(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Walk around every model on one fixed sample of the training set."""
    options = job.options_as(LocalLearning)
    whole = read_task(data, prepare(gpus))
    sample = whole.sample("train", options.samples, "learning coefficient")

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        inputs, labels = task.take(sample)
        models = [model for cell in cells for model in cell.models]
        chance = generators(cells, "learning coefficient")
        found = coefficient_of(network, models, inputs, labels, options, chance)
        return of_models(job, cells, [_row(one) for one in found])

    measure(job, whole, weights, output, measured, samples=[sample])


def _row(found: LearningCoefficient) -> dict[str, Value]:
    name, balance = "learning_coefficient", found.equipartition
    return {
        name: found.estimate.value,
        f"{name}_standard_error": found.estimate.standard_error,
        f"{name}_converged": float(found.converged),
        f"{name}_r_hat": found.r_hat,
        f"{name}_equipartition": balance.value,
        f"{name}_equipartition_standard_error": balance.standard_error,
        f"{name}_effective_samples": found.effective_samples,
    }
