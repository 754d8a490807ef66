"""Vision transformers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phasezoo.models.shapes import ArchitectureError, image
from phasezoo.models.transformer import Block


class ViT(nn.Module):
    """Patches and a class token with learned positions, `depth` blocks, a norm and a head.

    That of Dosovitskiy et al. 2021, section 3.1, without a layer before the head.

    Raises:
        ArchitectureError: the sides of the images are no multiples of `patch_size`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        dimension: int,
        depth: int,
        heads: int,
        patch_size: int,
    ) -> None:
        super().__init__()
        channels, height, width = image("vit", shape)
        if height % patch_size or width % patch_size:
            allowed = f"a divisor of {height} and {width}, the sides of the images"
            raise ArchitectureError(f"vit: got patch_size {patch_size}, allowed is {allowed}")
        tokens = 1 + height // patch_size * (width // patch_size)
        self.patch_size = patch_size
        # a linear layer, because stacks of models turn convolutions into slow grouped ones
        self.patches = nn.Linear(channels * patch_size**2, dimension)
        self.class_token = nn.Parameter(torch.zeros(dimension))
        self.positions = nn.Parameter(torch.zeros(tokens, dimension))
        self.blocks = nn.ModuleList(
            Block(dimension, heads, causal=False, gelu="none", epsilon=1e-6) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dimension, eps=1e-6)
        self.head = nn.Linear(dimension, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of inputs [N, C, H, W]."""
        patches = self.patches(patched(inputs, self.patch_size))  # [N, T, D]
        first = self.class_token.expand(len(inputs), 1, -1)  # [N, 1, D]
        features = torch.cat([first, patches], dim=1) + self.positions  # [N, 1 + T, D]
        for block in self.blocks:
            features = block(features)
        logits: Tensor = self.head(self.norm(features)[:, 0])
        return logits


def patched(images: Tensor, size: int) -> Tensor:
    """Patches [N, T, C size size] of images [N, C, H, W], row by row."""
    rows = images.unflatten(3, (-1, size)).unflatten(2, (-1, size))  # [N, C, h, size, w, size]
    patches: Tensor = rows.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
    return patches
