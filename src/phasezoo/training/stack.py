"""Models of one architecture as rows of matrices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phasezoo.models.flat import Weights, buffer_layout, parameter_layout
from phasezoo.training.checkpoint import Checkpoint, diverged
from phasezoo.vocabulary import Status


class Stack:
    """Parameters [N, P], moments [k, N, P] of the optimiser, buffers [N, ...] by name.

    They are copies, in the type and on the device of the module that they are made for.
    """

    def __init__(self, module: nn.Module, origins: Sequence[Checkpoint]) -> None:
        """Models as they are at checkpoints."""
        self.parameters, self._buffers = parameter_layout(module), buffer_layout(module)
        like = next(module.parameters())
        vectors = [origin.weights.parameters for origin in origins]
        self.vectors = torch.stack(vectors).to(like.detach(), copy=True).requires_grad_()
        moments = torch.stack([origin.state for origin in origins], dim=1)
        self.moments = moments.to(like.detach(), copy=True)
        rows = [self._buffers.unflatten(origin.weights.buffers) for origin in origins]
        self.buffers = {
            name: torch.stack([row[name] for row in rows]).to(buffer, copy=True)
            for name, buffer in module.named_buffers()
        }

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def state(self) -> list[Tensor]:
        """All tensors that training changes."""
        return [self.vectors, self.moments, *self.buffers.values()]

    def tensors(self) -> dict[str, Tensor]:
        """Parameters, differentiable in `vectors`, and buffers by name, [N, ...]."""
        slots = self.parameters.slots
        # one split, whose backward pass is a single concatenation
        parts = self.vectors.split([slot.size for slot in slots], dim=1)
        found = {s.name: part.unflatten(1, s.shape) for s, part in zip(slots, parts, strict=True)}
        return found | self.buffers

    @torch.no_grad()
    def finite(self) -> list[bool]:
        """Of each model, whether its parameters are."""
        found: list[bool] = self.vectors.isfinite().all(dim=1).tolist()
        return found

    @torch.no_grad()
    def checkpoint(self, row: int, epoch: int, alive: bool) -> Checkpoint:
        """A model as it is now; `DIVERGED` if it is not alive or its statistics are not finite."""
        buffers = {name: buffer[row] for name, buffer in self.buffers.items()}
        parameters = self.vectors[row].detach().float().cpu().clone()
        weights = Weights(parameters, self._buffers.flatten(buffers))
        state = self.moments[:, row].cpu().clone()
        found = Checkpoint(epoch, weights, state, Status.TRAINED)
        return found if alive and weights.finite else diverged(found)
