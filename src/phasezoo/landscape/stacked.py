"""Losses and gradients of a stack of models of one architecture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import grad_and_value, vmap
from torch.nn import functional

from phasezoo.landscape.network import Network
from phasezoo.training.evaluate import CHUNK

# From parameters [C, P], buffers [C, B], inputs [C, m, ...] and labels [C, m] to gradients [C, P]
# and losses [C] of the mean cross-entropy, in evaluation mode.
Gradients = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def gradients_of(network: Network) -> Gradients:
    """Gradients of each model of a stack on its own minibatch.

    One call for the stack, or a loop where there are convolutions: convolutions of a stack become
    grouped ones, which are slower than one after the other.
    """

    def loss(theta: Tensor, buffers: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(network.apply(theta, buffers, inputs), labels)

    single = grad_and_value(loss)
    if not any(isinstance(module, nn.Conv2d) for module in network.module.modules()):
        together: Gradients = vmap(single)
        return together

    def one_by_one(*stacks: Tensor) -> tuple[Tensor, Tensor]:
        found = [single(*parts) for parts in zip(*stacks, strict=True)]
        return torch.stack([slope for slope, _ in found]), torch.stack(
            [value for _, value in found]
        )

    return one_by_one


@torch.no_grad()
def sample_losses(
    network: Network, parameters: Tensor, buffers: Tensor, inputs: Tensor, labels: Tensor
) -> Tensor:
    """Cross-entropy of every sample for every model of a stack, [C, N]."""
    rows = []
    for theta, statistics in zip(parameters, buffers, strict=True):
        parts = [network.apply(theta, statistics, chunk) for chunk in inputs.split(CHUNK)]
        rows.append(functional.cross_entropy(torch.cat(parts), labels, reduction="none"))
    return torch.stack(rows)
