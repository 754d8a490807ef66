"""Normalisation of the channels of convolutional networks."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Kind = Literal["none", "batch", "layer"]


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel, the meaning it has in flax (Git Re-Basin)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, C, H, W] of mean 0 and variance 1 over C, scaled and shifted."""
        return super().forward(inputs.movedim(1, -1)).movedim(-1, 1)


def norm_of(kind: Kind, channels: int) -> nn.Module:
    """A layer that normalises features [N, channels, H, W]."""
    match kind:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "layer":
            return ChannelNorm(channels)
        case "none":
            return nn.Identity()
