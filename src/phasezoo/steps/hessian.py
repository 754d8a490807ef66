"""Curvature of the loss at every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.curvature import Curvature, curvature
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Hessian
from phasezoo.steps.cells import Axes, Cell, Row, Value, generators, measure, of_models
from phasezoo.steps.device import prepare
from phasezoo.store import schema
from phasezoo.store.dataset import read_task

SUFFIX = {"train": "", "test": "_test"}


def hessian(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Measure eigenvalues, trace and density on one fixed sample of each set asked for."""
    options = job.options_as(Hessian)
    whole = read_task(data, prepare(gpus))
    samples = [whole.sample(of_set, options.samples, "hessian") for of_set in options.sets]
    axes = _axes(options)
    nothing = _nothing(axes)

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        models = [model for cell in cells for model in cell.models]
        rows = [dict(nothing) for _ in models]
        for sample in samples:
            inputs, labels = task.take(sample)
            suffix = SUFFIX[sample.set]
            chance = generators(cells, f"hessian{suffix}")
            found = curvature(network, models, inputs, labels, options, chance)
            for row, one in zip(rows, found, strict=True):
                row |= _row(one, suffix)
        return of_models(job, cells, rows)

    measure(job, whole, weights, output, measured, axes, samples)


def _axes(options: Hessian) -> Axes:
    nodes = options.density.nodes * options.density.probes if options.density else 0
    return {"rank": np.arange(options.eigenvalues), "quadrature": np.arange(nodes)}


def _nothing(axes: Axes) -> dict[str, Value]:
    """A row of a model of which nothing is measured, with the flags neither yes nor no."""
    out: dict[str, Value] = {}
    for name, variable in schema.family_variables("hessian").items():
        missing = -1.0 if variable.flags else np.nan
        own = [len(axes[dim]) for dim in variable.dims if dim in axes]
        out[name] = np.full(own, missing) if own else missing
    return out


def _row(found: Curvature, suffix: str) -> dict[str, Value]:
    top, trace = f"hessian_top_eigenvalue{suffix}", f"hessian_trace{suffix}"
    density = f"hessian_density{suffix}"
    return {
        top: float(found.eigenvalues[0]),
        f"{top}_residual": float(found.residuals[0]),
        f"{top}_converged": float(found.converged[0]),
        f"hessian_eigenvalues{suffix}": found.eigenvalues,
        trace: found.trace.value,
        f"{trace}_standard_error": found.trace.standard_error,
        f"{trace}_converged": float(found.trace_converged),
        f"{density}_node": found.nodes,
        f"{density}_weight": found.weights,
    }
