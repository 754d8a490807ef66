"""Curvature of the training loss at every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from phasezoo import rng
from phasezoo.landscape.curvature import hessian_operator
from phasezoo.landscape.hutchinson import hutchinson_trace
from phasezoo.landscape.lanczos import top_eigenvalue
from phasezoo.landscape.network import Network
from phasezoo.models.build import build
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.metrics import Hessian
from phasezoo.steps.cells import Cell, Row, columns, measure
from phasezoo.steps.device import prepare
from phasezoo.store import schema
from phasezoo.store.dataset import read_task


def hessian(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Measure top eigenvalue and trace on one fixed sample of the training set."""
    device = prepare(gpus)
    task = read_task(data, device)
    options = job.options_as(Hessian)
    sample = task.training_sample(options.samples, "hessian")
    nothing = dict.fromkeys(schema.family_variables("hessian"), float("nan"))
    nothing["hessian_top_eigenvalue_converged"] = -1.0  # neither: nothing was measured

    def of_cell(network: Network, cell: Cell) -> Row:
        rows, size = [], network.parameters.size
        for seed, model in zip(job.seeds, cell.models, strict=True):
            if not model.finite:
                rows.append(nothing)
                continue
            chance = rng.generator(*cell.names(seed), "hessian", job.epoch)
            operator = hessian_operator(network, model, *sample)
            first = torch.randn(size, generator=chance).to(device)
            top = top_eigenvalue(operator, first, options.iterations, options.tolerance)
            trace = hutchinson_trace(operator, size, options.probes, chance, device)
            rows.append(
                {
                    "hessian_top_eigenvalue": top.value,
                    "hessian_top_eigenvalue_residual": top.residual,
                    "hessian_top_eigenvalue_converged": float(top.converged),
                    "hessian_trace": trace.value,
                    "hessian_trace_standard_error": trace.standard_error,
                }
            )
        return columns("hessian", rows)

    def measured(architecture: Architecture, cells: Sequence[Cell]) -> list[Row]:
        network = Network(build(architecture, task.shape, task.classes), device)
        return [of_cell(network, cell) for cell in cells]

    measure(job, weights, output, measured)
