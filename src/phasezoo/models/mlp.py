"""Fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


class MLP(nn.Module):
    """`hidden_layers` layers of `width` units with ReLU, then a linear head; no normalisation."""

    activation: Callable[[Tensor], Tensor] = staticmethod(torch.relu)

    def __init__(
        self, shape: tuple[int, ...], classes: int, width: int, hidden_layers: int
    ) -> None:
        super().__init__()
        sizes = [math.prod(shape), *[width] * hidden_layers]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of inputs [N, ...]."""
        features = inputs.flatten(1)  # [N, D]
        for layer in self.hidden:
            features = self.activation(layer(features))  # [N, width]
        logits: Tensor = self.head(features)
        return logits
