"""Outputs of several models of one architecture on the same inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.landscape.stack import Stack, models_per_stack
from phasezoo.models.flat import Weights


@torch.no_grad()
def outputs_of(network: Network, models: Sequence[Weights], inputs: Tensor) -> Tensor:
    """Outputs [M, N, ...] of inputs [N, ...], some models as one where that is faster."""
    chunk = network.objective.chunk
    size = models_per_stack(network, min(chunk, len(inputs)))
    rows = []
    for start in range(0, len(models), size):
        stack = Stack.of(network, models[start : start + size])
        rows.append(torch.cat([stack.outputs(part) for part in inputs.split(chunk)], dim=1))
    return torch.cat(rows)
