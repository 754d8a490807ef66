"""Clean loss and error of every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.landscape.similarity import is_collapsed
from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task
from phasezoo.training.evaluate import evaluate_both

NOTHING = float("nan")


def _scores(network: Network, model: Weights, task: Task) -> dict[str, float]:
    train, test = evaluate_both(network.function(model), task)
    answers = network.features(model, task.test_inputs[: task.objective.chunk])
    return {
        "train_loss": train.loss,
        "train_error": train.error,
        "test_loss": test.loss,
        "test_error": test.error,
        "collapsed": float(is_collapsed(answers)),
    }


def evaluate(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Evaluate models on the whole training and test set."""

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        return [_rows(network, task, cell) for cell in cells]

    measure(job, read_task(data, prepare(gpus)), weights, output, measured)


def _rows(network: Network, task: Task, cell: Cell) -> Row:
    rows = []
    for model, status in zip(cell.models, cell.status, strict=True):
        row = dict.fromkeys(("train_loss", "train_error", "test_loss", "test_error"), NOTHING)
        if model.finite:
            row |= _scores(network, model, task)
        rows.append({"collapsed": -1.0, **row, "status": float(status)})
    return columns("evaluation", rows)
