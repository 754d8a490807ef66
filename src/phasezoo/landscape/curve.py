"""Paths between two models: the straight line and the Bezier curve of three bends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.spec.metrics import Connectivity
from phasezoo.training.evaluate import evaluate_both

Floats = NDArray[np.float64]
Path = Callable[[float], Tensor]


@dataclass(frozen=True)
class Profile:
    """Loss and error along a path, each [points], from the first end to the second."""

    train_loss: Floats
    train_error: Floats
    test_loss: Floats
    test_error: Floats


def line(first: Tensor, second: Tensor) -> Path:
    """The straight line between two parameter vectors [P]."""
    return lambda t: first.lerp(second, t)


def bezier(first: Tensor, bend: Tensor, second: Tensor) -> Path:
    """theta(t) = (1-t)^2 first + 2 t (1-t) bend + t^2 second."""
    return lambda t: (1 - t) ** 2 * first + 2 * t * (1 - t) * bend + t**2 * second


def train_bend(
    network: Network,
    task: Task,
    ends: tuple[Tensor, Tensor],
    options: Connectivity,
    generator: torch.Generator,
) -> Tensor:
    """The middle control point [P] of a Bezier curve with low loss all along.

    Starts at the midpoint of the ends and minimises E_t [L(theta(t)) + wd/2 ||theta(t)||^2] with
    one t ~ U(0, 1) per batch (Garipov et al. 2018, section 3.2). The learning rate is constant for
    half of the epochs and then falls linearly to a hundredth, reached after nine tenths; it is a
    function of the epoch, and does not compound as in the zoo paper's code.
    """
    first, second = (end.to(network.device) for end in ends)
    bend = ((first + second) / 2).requires_grad_()
    optimiser = torch.optim.SGD([bend], lr=options.learning_rate, momentum=options.momentum)
    samples = len(task.train_labels)
    for epoch in range(options.curve_epochs):
        rate = options.learning_rate * _slope(epoch / options.curve_epochs)
        optimiser.param_groups[0]["lr"] = rate
        order = torch.randperm(samples, generator=generator).to(network.device)
        for chosen in order.split(options.batch_size):
            t = torch.rand((), generator=generator).item()
            theta = bezier(first, bend, second)(t)
            logits = network.apply_training(theta, task.train_inputs[chosen])
            loss = functional.cross_entropy(logits, task.train_labels[chosen])
            optimiser.zero_grad(set_to_none=True)
            (loss + 0.5 * options.weight_decay * theta.square().sum()).backward()
            optimiser.step()
    return bend.detach()


def _slope(progress: float) -> float:
    """Learning rate relative to its start, at a share of the training."""
    return float(np.interp(progress, [0.5, 0.9], [1.0, 0.01]))


def profile(network: Network, task: Task, path: Path, points: int) -> Profile:
    """Loss and error at `points` equally spaced points of a path.

    Normalisation statistics are re-estimated on the whole training set at every point, the ends
    included: running means of training would put a jump there that is no property of the path.
    """
    rows = []
    for t in np.linspace(0, 1, points):
        weights = network.with_statistics(path(float(t)), task.train_inputs)
        train, test = evaluate_both(network.function(weights), task)
        rows.append((train.loss, train.error, test.loss, test.error))
    return Profile(*np.array(rows).T)


def mode_connectivity(values: Floats) -> float:
    """(v_0 + v_T) / 2 - v_i, with i the point that deviates most from the mean of the ends.

    Negative: a barrier. Positive: the ends are worse than the middle. About 0: connected
    (zoo paper, facts of its curve_fitting.py:402-429; Yang et al. 2021, section 3).
    """
    middle = (values[0] + values[-1]) / 2
    if not np.isfinite(values).all():
        return float("nan")
    return float(middle - values[np.abs(values - middle).argmax()])


def barrier(values: Floats) -> float:
    """max_t v(t) - (v_0 + v_T) / 2 (Git Re-Basin, definition 2.2); never negative."""
    return float(values.max() - (values[0] + values[-1]) / 2)
