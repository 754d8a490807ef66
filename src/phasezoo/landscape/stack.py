"""Models of one architecture as rows of one matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights

# Up to this many multiplications in a forward pass (parameters times samples) a program of one
# model is bound by the launching of its kernels; beyond it a stack only leaves the cache
# (`benchmarks/curvature.py`, the table of stacks).
_SMALL = 3_000_000
_LARGE_STACK = 30_000_000


@dataclass(frozen=True)
class Stack:
    """Models of one architecture: parameters [M, P], which require gradients, buffers [M, B]."""

    network: Network
    parameters: Tensor
    buffers: Tensor

    @classmethod
    def of(cls, network: Network, models: Sequence[Weights]) -> Stack:
        """Models as they are, copied to the network's device."""
        parameters = torch.stack([model.parameters for model in models]).to(network.device)
        buffers = torch.stack([model.buffers for model in models]).to(network.device)
        return cls(network, parameters.requires_grad_(), buffers)

    def __len__(self) -> int:
        return len(self.parameters)

    def outputs(self, inputs: Tensor) -> Tensor:
        """Outputs [M, N, ...] of the same inputs [N, ...], differentiable in the parameters."""
        if len(self) == 1:  # the plain program: faster, and it takes any layer
            return self.network.apply(self.parameters[0], self.buffers[0], inputs)[None]
        batched = torch.func.vmap(self.network.apply, in_dims=(0, 0, None))
        found: Tensor = batched(self.parameters, self.buffers, inputs)
        return found

    def model(self, index: int) -> Stack:
        """One of the models, as a stack of its own."""
        chosen = slice(index, index + 1)
        parameters = self.parameters[chosen].detach().requires_grad_()
        return Stack(self.network, parameters, self.buffers[chosen])


def models_per_stack(network: Network, samples: int) -> int:
    """How many models to compute as one.

    One, where a layer is a convolution (a stack of them is a grouped convolution, which is slower
    on processors) or where a model alone keeps the processor busy.
    """
    convolutions = nn.Conv1d | nn.Conv2d | nn.Conv3d
    work = network.parameters.size * samples
    if work > _SMALL or any(isinstance(m, convolutions) for m in network.module.modules()):
        return 1
    return max(1, _LARGE_STACK // work)
