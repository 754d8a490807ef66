"""Merging the seeds of a cell: pairs along a line, averages over seeds and over checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.curve import Profile, barrier, line, profile
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.training.evaluate import evaluate


@dataclass(frozen=True)
class Merge:
    """What lies between two models on the straight line."""

    loss_barrier: float
    error_barrier: float
    midpoint_error: float
    ends_error: float


def merge_pair(network: Network, task: Task, ends: tuple[Weights, Weights], points: int) -> Merge:
    """Barriers on the training set and the test error of the midpoint of two models.

    Args:
        network: the architecture.
        task: the data.
        ends: the two models, aligned or not.
        points: on the line; an odd number has the midpoint among them.
    """
    path = line(ends[0].parameters, ends[1].parameters)
    along: Profile = profile(network, task, path, points)
    middle = network.with_statistics(path(0.5), task.train_inputs)
    return Merge(
        loss_barrier=barrier(along.train_loss),
        error_barrier=barrier(along.train_error),
        midpoint_error=_test_error(network, task, middle),
        ends_error=float(along.test_error[[0, -1]].mean()),
    )


def average_error(network: Network, task: Task, models: Sequence[Weights]) -> float:
    """Test error of the plain mean of models, its normalisation statistics re-estimated.

    Not a number if one of them is not finite.
    """
    mean: Tensor = torch.stack([model.parameters for model in models]).mean(dim=0)
    if not mean.isfinite().all():
        return float("nan")
    return _test_error(network, task, network.with_statistics(mean, task.train_inputs))


def single_error(network: Network, task: Task, weights: Weights) -> float:
    """Test error of one model as it was trained; not a number if it diverged."""
    return _test_error(network, task, weights) if weights.finite else float("nan")


def _test_error(network: Network, task: Task, weights: Weights) -> float:
    function = network.function(weights)
    return evaluate(function, task.test_inputs, task.test_labels, task.objective).error
