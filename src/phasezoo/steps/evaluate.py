"""Clean loss and error of every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.landscape.similarity import is_collapsed
from phasezoo.models.build import build
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task
from phasezoo.training.evaluate import Function, logits_of, score
from phasezoo.training.evaluate import evaluate as evaluate_on

NOTHING = float("nan")


def _scores(function: Function, task: Task) -> dict[str, float]:
    train = evaluate_on(function, task.train_inputs, task.train_labels)
    logits = logits_of(function, task.test_inputs)
    test = score(logits, task.test_labels)
    return {
        "train_loss": train.loss,
        "train_error": train.error,
        "test_loss": test.loss,
        "test_error": test.error,
        "collapsed": float(is_collapsed(logits)),
    }


def evaluate(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Evaluate models on the whole training and test set."""
    device = prepare(gpus)
    task = read_task(data, device)

    def measured(architecture: Architecture, cells: Sequence[Cell]) -> list[Row]:
        network = Network(build(architecture, task.shape, task.classes), device)
        return [_rows(network, task, cell) for cell in cells]

    measure(job, weights, output, measured)


def _rows(network: Network, task: Task, cell: Cell) -> Row:
    rows = []
    for model, status in zip(cell.models, cell.status, strict=True):
        row = dict.fromkeys(("train_loss", "train_error", "test_loss", "test_error"), NOTHING)
        if model.finite:
            row |= _scores(network.function(model), task)
        rows.append({"collapsed": -1.0, **row, "status": float(status)})
    return columns("evaluation", rows)
