"""The middle control points of many Bezier curves, trained together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.curve import bezier
from phasezoo.landscape.gradients import gradients_of
from phasezoo.landscape.network import Network
from phasezoo.spec.metrics import Connectivity


@torch.no_grad()
def train_bends(
    network: Network,
    task: Task,
    ends: tuple[Tensor, Tensor],
    options: Connectivity,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """The bends [Q, P] of Q Bezier curves with low loss all along.

    A bend starts at the midpoint of its ends and minimises E_t [L(theta(t)) + wd/2 ||theta(t)||^2]
    by SGD with one t ~ U(0, 1) per batch (Garipov et al. 2018, section 3.2). The gradient of
    theta(t) reaches the bend times 2 t (1 - t). The learning rate is constant for half of the
    epochs and then falls linearly to a hundredth, reached after nine tenths; it is a function of
    the epoch, and does not compound as in the zoo paper's code.

    Args:
        network: the architecture.
        task: the data; losses are those of the training set.
        ends: the first and the second ends, each [Q, P], on the network's device.
        options: epochs, batch size, learning rate, momentum and weight decay of the training.
        generators: one per curve: the order of its samples in each epoch, then its values of t.
    """
    first, second = ends
    bends = (first + second) / 2
    momentum = torch.zeros_like(bends)
    gradients = gradients_of(network, task, len(bends), options.at_once)
    samples = len(task.train_labels)
    for epoch in range(options.curve_epochs):
        rate = options.learning_rate * slope(epoch / options.curve_epochs)
        orders = torch.stack([torch.randperm(samples, generator=g) for g in generators])
        batches = orders.to(network.device).split(options.batch_size, dim=1)
        times = torch.stack([torch.rand(len(batches), generator=g) for g in generators])
        for t, chosen in zip(times.to(bends).split(1, dim=1), batches, strict=True):
            points = bezier(first, bends, second)(t)
            with torch.enable_grad():
                gradient = gradients(points, chosen)
            gradient.add_(points, alpha=options.weight_decay).mul_(2 * t * (1 - t))
            momentum.mul_(options.momentum).add_(gradient)
            bends.sub_(momentum, alpha=rate)
    return bends


def slope(progress: float) -> float:
    """Learning rate relative to its start, at a share of the training."""
    return float(np.interp(progress, [0.5, 0.9], [1.0, 0.01]))
