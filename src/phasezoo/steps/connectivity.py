"""Bezier curves and straight lines between the seeds of every cell of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.connectivity import connect
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Connectivity
from phasezoo.steps.cells import Cell, Row, measure, of_pairs
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task


def connectivity(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Measure mode connectivity and linear barriers over all pairs of seeds, cells together."""
    options = job.options_as(Connectivity)

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        places = [(cell, pair) for cell in cells for pair in cell.pairs]
        ends = [(cell.models[a], cell.models[b]) for cell, (a, b) in places]
        chance = [rng.generator(*cell.pair_names(pair), "curve") for cell, pair in places]
        found = connect(network, task, ends, options, chance)
        return of_pairs(cells, [one.row() for one in found])

    axes = {"t": np.linspace(0, 1, options.points)}
    measure(job, read_task(data, prepare(gpus)), weights, output, measured, axes)
