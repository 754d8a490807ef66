"""Errors of every model of a share on disturbed images, and on other data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.downstream import Robustness
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Axes, Cell, Row, Value, measure
from phasezoo.steps.device import prepare
from phasezoo.steps.finite import finite_models, of_finite
from phasezoo.store.dataset import read_task
from phasezoo.transfer.robustness import Inputs, Robust
from phasezoo.transfer.robustness import robustness as measured_on


def robustness(
    job: MeasureJob,
    data: Path,
    others: Sequence[Path],
    weights: Sequence[Path],
    output: Path,
    gpus: int,
) -> None:
    """Show every model disturbed images; `others` are manifests of the other data sets."""
    device, options = prepare(gpus), job.options_as(Robustness)
    task = read_task(data, device)
    there = {path.stem: read_task(path, device) for path in others}
    shifted, foreign = (there[n] if n else None for n in (options.shifted, options.foreign))
    inputs = Inputs(task, options.corruptions.given, shifted, foreign)
    axes = axes_of(options)

    def measured(network: Network, _: Task, cells: Sequence[Cell]) -> list[Row]:
        models = [model for model, _ in finite_models(cells)]
        rows = [_row(found) for found in measured_on(network, models, inputs)]
        return of_finite(cells, rows, axes)

    measure(job, task, weights, output, measured, axes)


def axes_of(options: Robustness) -> Axes:
    """Names of the corruptions, and the places of severities from 1."""
    names = options.corruptions.given
    count = len(next(iter(names.values())))
    return {
        "corruption": np.array(list(names), dtype=object),
        "severity": np.arange(1, count + 1, dtype=np.int32),
    }


def _row(found: Robust) -> dict[str, Value]:
    return {
        "clean_error": found.clean,
        "corruption_error": found.corrupted,
        "mean_corruption_error": found.mean_corrupted,
        "robustness_gain": found.gain,
        "shifted_error": found.shifted,
        "foreign_auroc": found.foreign,
    }
