"""Bezier curves and straight lines between the seeds of every cell of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.curve import barrier, bezier, line, mode_connectivity, profile, train_bend
from phasezoo.landscape.network import Network
from phasezoo.models.build import build
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Connectivity
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store import schema
from phasezoo.store.dataset import read_task


def connectivity(
    job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int
) -> None:
    """Measure mode connectivity and linear barriers over all pairs of seeds."""
    device = prepare(gpus)
    task = read_task(data, device)
    nothing = dict.fromkeys(schema.family_variables("connectivity"), float("nan"))

    def of_cell(network: Network, cell: Cell) -> Row:
        rows = []
        for pair in cell.pairs:
            ends = (cell.models[pair[0]], cell.models[pair[1]])
            if all(end.finite for end in ends):
                rows.append(_pair(network, task, ends, job, cell.pair_names(pair)))
            else:
                rows.append(nothing)
        return columns("connectivity", rows)

    def measured(architecture: Architecture, cells: Sequence[Cell]) -> list[Row]:
        network = Network(build(architecture, task.shape, task.classes), device)
        return [of_cell(network, cell) for cell in cells]

    measure(job, weights, output, measured)


def _pair(
    network: Network,
    task: Task,
    ends: tuple[Weights, Weights],
    job: MeasureJob,
    names: tuple[str, ...],
) -> dict[str, float]:
    options = job.options_as(Connectivity)
    first, second = (end.parameters.to(network.device) for end in ends)
    bend = train_bend(network, task, (first, second), options, rng.generator(*names, "curve"))
    curve = profile(network, task, bezier(first, bend, second), options.points)
    straight = profile(network, task, line(first, second), options.points)
    return {
        "mode_connectivity": mode_connectivity(curve.train_error),
        "mode_connectivity_test": mode_connectivity(curve.test_error),
        "mode_connectivity_loss": mode_connectivity(curve.train_loss),
        "linear_barrier": barrier(straight.train_loss),
        "linear_barrier_error": barrier(straight.train_error),
    }
