"""The seeds of every cell of a share, and their pairs, as ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Cell, Row, Value, measure
from phasezoo.steps.device import prepare
from phasezoo.steps.finite import nothing_of
from phasezoo.store import schema
from phasezoo.store.dataset import read_task
from phasezoo.transfer.ensembles import AVERAGES, Ensemble, ensembles
from phasezoo.vocabulary import PAIR

AXES = {"average": np.array(AVERAGES, dtype=object)}


def ensembling(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Measure ensembles of blocks and pairs; between two blocks, of pairs alone."""

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        return [_of_cell(network, task, cell) for cell in cells]

    measure(job, read_task(data, prepare(gpus)), weights, output, measured, AXES)


def _of_cell(network: Network, task: Task, cell: Cell) -> Row:
    """An ensemble that a diverged model is part of has no numbers."""
    finite = [i for i, model in enumerate(cell.models) if model.finite]
    block = () if cell.job.partners else (tuple(range(len(cell.models))),)
    asked = [*cell.pairs, *block]
    groups = [group for group in asked if set(group) <= set(finite)]
    moved = [tuple(finite.index(i) for i in group) for group in groups]
    there = [cell.models[i] for i in finite]
    found = dict(zip(groups, ensembles(network, there, task, moved), strict=True))
    variables, nothing = schema.family_variables("ensembling"), nothing_of("ensembling", AXES)
    row: dict[str, list[Value]] = {}
    for name, variable in variables.items():
        whose = cell.pairs if PAIR in variable.dims else block
        told = [_numbers(found[g]) if g in found else nothing for g in whose]
        row[name] = [numbers[name] for numbers in told]
    return row


def _numbers(found: Ensemble) -> dict[str, Value]:
    """What is told of a block, and of a pair under other names."""
    return {
        "ensemble_error": found.errors,
        "ensemble_loss": found.losses,
        "ensemble_single_error": found.single_error,
        "ensemble_single_loss": found.single_loss,
        "ensemble_best_error": found.best_error,
        "ensembling_gain": found.gain,
        "pair_ensemble_error": found.errors,
        "pair_ensemble_loss": found.losses,
        "pair_single_error": found.single_error,
        "pair_disagreement": found.disagreement,
    }
