"""Losses and gradients of a stack of models of one architecture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import grad_and_value, vmap

from phasezoo.landscape.network import Network

# From parameters [C, P], buffers [C, B], inputs [C, m, ...] and labels [C, m] to gradients [C, P]
# and losses [C], means over the inputs, in evaluation mode.
Gradients = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
MUCH = 2**20  # parameters times inputs of a model


def gradients_of(network: Network, batch_size: int) -> Gradients:
    """Gradients of each model of a stack on its own minibatch.

    One call for the whole stack, or one for each model where convolutions have much to do: those
    of a stack become grouped ones, which win on small work only (on a CPU 2 to 4 times).

    Args:
        network: the architecture.
        batch_size: inputs per model.
    """

    def loss(theta: Tensor, buffers: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        return network.objective.loss(network.apply(theta, buffers, inputs), labels)

    def one_by_one(*stacks: Tensor) -> tuple[Tensor, Tensor]:
        slopes, losses = [], []
        for theta, *rest in zip(*stacks, strict=True):
            theta = theta.clone().requires_grad_()
            losses.append(loss(theta, *rest))
            slopes += torch.autograd.grad(losses[-1], theta)
        return torch.stack(slopes), torch.stack(losses).detach()

    convolves = any(isinstance(module, nn.Conv2d) for module in network.module.modules())
    if convolves and batch_size * network.parameters.size > MUCH:
        return one_by_one
    together: Gradients = vmap(grad_and_value(loss))
    return together


@torch.no_grad()
def sample_losses(
    network: Network, parameters: Tensor, buffers: Tensor, inputs: Tensor, labels: Tensor
) -> Tensor:
    """Loss of every sample for every model of a stack, [C, N]."""
    objective = network.objective
    chunks = list(zip(inputs.split(objective.chunk), labels.split(objective.chunk), strict=True))
    rows = []
    for theta, statistics in zip(parameters, buffers, strict=True):
        parts = [
            objective.losses(network.apply(theta, statistics, some), wanted)
            for some, wanted in chunks
        ]
        rows.append(torch.cat(parts))
    return torch.stack(rows)
