"""Weights as flat vectors, with a table that says where each tensor lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Slot:
    """One tensor of a flat vector."""

    name: str
    offset: int
    shape: tuple[int, ...]

    @cached_property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """Slots of a flat vector, without gaps."""

    slots: tuple[Slot, ...]

    @cached_property
    def size(self) -> int:
        """Length of the vector."""
        return sum(slot.size for slot in self.slots)

    def flatten(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The vector [size] float32, on the CPU, of tensors by name."""
        parts = [tensors[slot.name].detach().reshape(-1).float().cpu() for slot in self.slots]
        return torch.cat(parts) if parts else torch.empty(0)

    def unflatten(self, vector: Tensor) -> dict[str, Tensor]:
        """Tensors by name, views of a vector [size]; inverse of `flatten`.

        Raises:
            ValueError: the vector has another length.
        """
        if vector.shape != (self.size,):
            raise ValueError(f"vector: got shape {tuple(vector.shape)}, allowed is ({self.size},)")
        # one split, not a slice per tensor: its backward pass is a single concatenation
        parts = vector.split([slot.size for slot in self.slots])
        return {s.name: part.view(s.shape) for s, part in zip(self.slots, parts, strict=True)}


def parameter_layout(module: nn.Module) -> Layout:
    """Where each trained tensor of a module lies."""
    return _layout(dict(module.named_parameters()))


def buffer_layout(module: nn.Module) -> Layout:
    """Where each buffer (normalisation statistics, counters) of a module lies."""
    return _layout(dict(module.named_buffers()))


def _layout(tensors: Mapping[str, Tensor]) -> Layout:
    slots, offset = [], 0
    for name, tensor in tensors.items():
        slots.append(Slot(name, offset, tuple(tensor.shape)))
        offset += tensor.numel()
    return Layout(tuple(slots))


@dataclass(frozen=True)
class Weights:
    """A model's weights: parameters [P] and buffers [B], float32, on the CPU."""

    parameters: Tensor
    buffers: Tensor

    @property
    def finite(self) -> bool:
        """Whether every number is finite; a diverged model is not."""
        return bool(self.parameters.isfinite().all() and self.buffers.isfinite().all())


def weights_of(module: nn.Module) -> Weights:
    """The weights of a module, copied."""
    return Weights(
        parameter_layout(module).flatten(dict(module.named_parameters())),
        buffer_layout(module).flatten(dict(module.named_buffers())),
    )


@torch.no_grad()
def load_weights(module: nn.Module, weights: Weights) -> nn.Module:
    """Copy weights into a module and return it; whole-number buffers are cast back."""
    parameters = parameter_layout(module).unflatten(weights.parameters)
    buffers = buffer_layout(module).unflatten(weights.buffers)
    for name, parameter in module.named_parameters():
        parameter.copy_(parameters[name])
    for name, buffer in module.named_buffers():
        buffer.copy_(buffers[name])
    return module
