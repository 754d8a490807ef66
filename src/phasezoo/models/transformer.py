"""Blocks of transformers, of products and softmax alone.

Fused kernels of attention have no second derivatives and no stacks of models; matrix products and
softmax have both.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Approximation = Literal["none", "tanh"]


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(D / heads)) V for each head of D / heads dimensions, then a mixture.

    If `causal`, a token attends to itself and those before it.
    """

    def __init__(self, dimension: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(dimension, 3 * dimension)
        self.out = nn.Linear(dimension, dimension)

    def forward(self, inputs: Tensor, real: Tensor | None = None) -> Tensor:
        """Features [N, T, D] of inputs [N, T, D]; nothing attends to tokens not `real` [N, T]."""
        tokens = inputs.shape[1]
        split = self.qkv(inputs).unflatten(2, (3, self.heads, -1))  # [N, T, 3, heads, d]
        queries, keys, values = split.permute(2, 0, 3, 1, 4)  # each [N, heads, T, d]
        scores = queries @ keys.mT / keys.shape[-1] ** 0.5  # [N, heads, T, T]
        if self.causal:
            later = torch.ones(tokens, tokens, dtype=torch.bool, device=scores.device).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
        if real is not None:
            scores = scores.masked_fill(~real[:, None, None], -torch.inf)
        mixed = scores.softmax(dim=-1) @ values  # [N, heads, T, d]
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class Perceptron(nn.Module):
    """D to 4 D units with GELU, and back."""

    def __init__(self, dimension: int, gelu: Approximation) -> None:
        super().__init__()
        self.gelu = gelu
        self.hidden = nn.Linear(dimension, 4 * dimension)
        self.out = nn.Linear(4 * dimension, dimension)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, T, D] of inputs [N, T, D]."""
        out: Tensor = self.out(functional.gelu(self.hidden(inputs), approximate=self.gelu))
        return out


class Block(nn.Module):
    """Attention and a perceptron, each after a layer norm and beside a shortcut (pre-LN)."""

    def __init__(
        self, dimension: int, heads: int, *, causal: bool, gelu: Approximation, epsilon: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dimension, eps=epsilon)
        self.attention = Attention(dimension, heads, causal)
        self.norm2 = nn.LayerNorm(dimension, eps=epsilon)
        self.perceptron = Perceptron(dimension, gelu)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, T, D] of inputs [N, T, D]."""
        features: Tensor = inputs + self.attention(self.norm1(inputs))
        out: Tensor = features + self.perceptron(self.norm2(features))
        return out
