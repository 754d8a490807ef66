"""Norms and spectra of the weights of every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.landscape.spectra import Spectra, matrices
from phasezoo.landscape.spectra import spectra as spectra_of
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.cells import Cell, Row, Value, measure, network_at, of_models
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task


def spectra(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Measure the weight matrices, and how far all weights are from where they began."""
    task = read_task(data, prepare(gpus))

    def measured(network: Network, _: Task, cells: Sequence[Cell]) -> list[Row]:
        initial = None
        if all(cell.has(0) for cell in cells):
            initial = [model for cell in cells for model in cell.at(0)]
        models = [model for cell in cells for model in cell.models]
        found = spectra_of(network, models, initial)
        return of_models(job, cells, [_row(one) for one in found])

    first = network_at(job, task, job.loads[0])
    names = np.array([slot.name for slot in matrices(first)], dtype=object)
    measure(job, task, weights, output, measured, {"matrix": names})


def _row(found: Spectra) -> dict[str, Value]:
    exponents = [tail.exponent for tail in found.tails]
    return {
        "weight_norm": found.weight_norm,
        "distance_from_start": found.distance_from_start,
        "frobenius_norm": found.frobenius_norm,
        "spectral_norm": found.spectral_norm,
        "stable_rank": found.stable_rank,
        "tail_exponent": np.array([exponent.value for exponent in exponents]),
        "tail_exponent_standard_error": np.array([e.standard_error for e in exponents]),
        "tail_distance": np.array([tail.distance for tail in found.tails]),
        "tail_start": np.array([tail.start for tail in found.tails]),
        "tail_values": np.array([float(tail.values) for tail in found.tails]),
        "mean_tail_exponent": found.mean_tail_exponent.value,
        "mean_tail_exponent_standard_error": found.mean_tail_exponent.standard_error,
        "weighted_tail_exponent": found.weighted_tail_exponent.value,
        "weighted_tail_exponent_standard_error": found.weighted_tail_exponent.standard_error,
    }
