"""Noise scale of the gradient at every model of a share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.data.task import Task
from phasezoo.landscape.gradient_noise import NoiseScale, noise_scale
from phasezoo.landscape.network import Network
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.numbers import GradientNoise
from phasezoo.steps.cells import Cell, Row, Value, measure, of_models
from phasezoo.steps.device import prepare
from phasezoo.store.dataset import read_task


def noise(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Measure the gradients of single samples of one fixed sample of the training set."""
    options = job.options_as(GradientNoise)
    whole = read_task(data, prepare(gpus))
    sample = whole.sample("train", options.samples, "noise")

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        inputs, labels = task.take(sample)
        models = [model for cell in cells for model in cell.models]
        found = noise_scale(network, models, inputs, labels, len(task.train_labels))
        return of_models(job, cells, [_row(one) for one in found])

    measure(job, whole, weights, output, measured, samples=[sample])


def _row(found: NoiseScale) -> dict[str, Value]:
    return {
        "gradient_noise_scale": found.scale.value,
        "gradient_noise_scale_standard_error": found.scale.standard_error,
        "gradient_noise_scale_converged": float(found.converged),
        "squared_gradient": found.squared_gradient.value,
        "squared_gradient_standard_error": found.squared_gradient.standard_error,
        "gradient_variance": found.gradient_variance.value,
        "gradient_variance_standard_error": found.gradient_variance.standard_error,
    }
